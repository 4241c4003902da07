"""Stages that make one model of another without data: ``grow`` and ``export``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from training.recipe.keys import Product, key, text
from training.recipe.model_files import model_digest, model_files
from training.recipe.stage import TRAINER, TRAINER_PACKAGES, Place, Rates, Settings, own_step


@dataclass(frozen=True, kw_only=True)
class _FromModel(Settings):
    model: str = key(text, of=Product.MODEL)

    product: ClassVar = Product.MODEL
    sources: ClassVar = TRAINER
    packages: ClassVar = TRAINER_PACKAGES

    def made_at(self, folder: Path) -> Path:
        """The model folder."""
        return folder / "model"

    def digest(self, place: Place) -> str:
        """Of its files."""
        return model_digest(self.made_at(place.folder))

    def figures(self, place: Place) -> dict[str, Any]:
        """How large it is."""
        made = self.made_at(place.folder)
        size = sum((made / name).stat().st_size for name in model_files(made))
        return {"megabytes": round(size / 1e6, 2), "files": [name.as_posix() for name in model_files(made)]}

    def work_s(self, rates: Rates, frames: Mapping[str, int]) -> float:
        """By the export of its graphs."""
        return rates.start_s + rates.export_s


@dataclass(frozen=True, kw_only=True)
class Grow(_FromModel):
    """A larger network that begins with what a smaller one knows."""

    name: str = key(text)  # of the larger one, in training/trainer/policies.py

    def commands(self, place: Place) -> list[list[str]]:
        """See :func:`training.trainer.grow.grow_model`."""
        out = self.made_at(place.folder)
        return [own_step("grow", "--model", place.inputs[self.model], "--out", out, "--name", self.name)]


@dataclass(frozen=True, kw_only=True)
class Export(_FromModel):
    """Graphs exported anew into a folder that holds what is shipped and nothing else, each checked against the network."""

    def commands(self, place: Place) -> list[list[str]]:
        """See :mod:`training.recipe.steps`."""
        return [own_step("export", "--model", place.inputs[self.model], "--out", self.made_at(place.folder))]
