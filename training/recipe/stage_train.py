"""Stage ``train``: on data of earlier stages, from an earlier model, which grows where it is smaller, or from nothing."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import yaml

from training.recipe.curves import curves_of
from training.recipe.keys import Product, key, settings, text, texts, whole
from training.recipe.model_files import copy_model, model_digest
from training.recipe.stage import TRAINER, TRAINER_PACKAGES, Place, Rates, Settings, cli
from training.trainer.commit import ACCEPTABLE
from training.trainer.config_reading import read_config
from training.trainer.files import RECORD_FILE

#: The run's curves stand in the card; TensorBoard's files would need a package that a bare environment lacks.
_ALWAYS = ("loggers.tensorboard=false",)
_RUN = "run"


@dataclass(frozen=True, kw_only=True)
class Train(Settings):
    """The options of ./simlingo train; what is frozen and how batches are mixed is said by ``config`` and ``set``."""

    data: tuple[str, ...] = key(texts, of=Product.DATA)
    samples: int = key(whole(1))
    start: str | None = key(text, None, of=Product.MODEL)  # without: fresh weights
    validation: tuple[str, ...] = key(texts, (), of=Product.DATA)  # without: whole routes of data
    config: str = key(text, "simlingo-mini")  # a name in training/configs, or a file
    set: Mapping[str, Any] | None = key(settings, None)  # values in its place, by dotted key
    processes: int = key(whole(1), 1, decides=False)  # that share each batch
    threads: int | None = key(whole(1), None, decides=False)  # of a process; without: its part of the cores

    product: ClassVar = Product.MODEL
    sources: ClassVar = TRAINER
    packages: ClassVar = TRAINER_PACKAGES

    def deciding(self) -> dict[str, Any]:
        """The resolved configuration stands for ``config`` and ``set``, see :meth:`content`."""
        return {name: value for name, value in super().deciding().items() if name not in ("config", "set")}

    def content(self) -> dict[str, Any]:
        """The resolved configuration."""
        return read_config(self.config, self._changes()).resolved()

    def _changes(self) -> list[str]:
        return [*(f"{name}={json.dumps(value)}" for name, value in (self.set or {}).items()), *_ALWAYS]

    def made_at(self, folder: Path) -> Path:
        """The model folder, without checkpoint and curves."""
        return folder / "model"

    def commands(self, place: Place) -> list[list[str]]:
        """./simlingo train; started again it goes on from the last checkpoint.

        Code and data are compared by the recipe, so that another commit or version does not end a run; it is noted there.
        """
        words: list[object] = ["--data", *(place.inputs[name] for name in self.data), "--run", place.folder / _RUN]
        words += ["--config", self.config, "--set", *self._changes(), "--samples", self.samples]
        words += ["--cache", self._cache(place.run), "--accept", *ACCEPTABLE]
        if self.start is not None:
            words += ["--start-from", place.inputs[self.start]]
        if self.validation:
            words += ["--validation", *(place.inputs[name] for name in self.validation)]
        if self.processes > 1:
            words += ["--processes", self.processes]
        if self.threads is not None:
            words += ["--threads", self.threads]
        return [cli("train", *words)]

    def _cache(self, run: Path) -> Path:
        """Pictures, dreams and questions are made once for all stages with the same data; the trainer sees when they differ."""
        names = json.dumps([self.data, self.validation])
        return run / "cache" / hashlib.sha256(names.encode()).hexdigest()[:8]

    def finish(self, place: Place) -> None:
        """Put the model by itself."""
        copy_model(place.folder / _RUN, self.made_at(place.folder))

    def digest(self, place: Place) -> str:
        """Of the model's files."""
        return model_digest(self.made_at(place.folder))

    def figures(self, place: Place) -> dict[str, Any]:
        """What was learned from, on what, and the losses."""
        run = place.folder / _RUN
        record = yaml.safe_load((run / RECORD_FILE).read_text(encoding="utf-8"))
        data = record["data"]
        return {
            "samples": record["budget"]["samples"],
            "frames": data["train_frames"],
            "validation_frames": data["validation_frames"],
            "device": record["device"],
            "threads": record["threads"],
            "changes": record["changes"],
            "curves": curves_of(run),
        }

    def work_s(self, rates: Rates, frames: Mapping[str, int]) -> float:
        """By samples, what is made of the data beforehand, and the export."""
        all_frames = sum(frames.get(name, 0) for name in {*self.data, *self.validation})
        config = read_config(self.config, self._changes())
        views_s = 2 * all_frames / rates.views_per_s
        dreams_s = all_frames / rates.dreamt_frames_per_s if config.mixture.needs_samples else 0.0
        learning_s = self.samples / rates.samples_per_s
        if config.network.freeze_vision:
            learning_s = self.samples / rates.frozen_samples_per_s + views_s
        return rates.start_s + views_s + dreams_s + learning_s + rates.export_s
