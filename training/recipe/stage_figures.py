"""Stages that judge: ``check-dreams``, ``bench-drive`` and ``bench-language``."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from simlingo.contracts import InvalidInputError
from training.recipe.keys import Product, flag, key, one_of, text, texts, whole, wholes
from training.recipe.stage import LOG_FILE, WORLD, Place, Rates, Settings, cli

#: What the JSON of the language suites holds beside figures, intervals and baselines.
_UNTOLD = ("tables", "details", "wall_s")
#: Expected minutes of all language suites at full length, where the YAML does not say; nobody has measured it yet.
_LANGUAGE_MINUTES = 60.0


@dataclass(frozen=True, kw_only=True)
class _Judged(Settings):
    product: ClassVar = Product.FIGURES
    file: ClassVar = "figures.json"

    def made_at(self, folder: Path) -> Path:
        """The JSON file."""
        return folder / self.file

    def _read(self, place: Place) -> dict[str, Any]:
        path = self.made_at(place.folder)
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise InvalidInputError(f"{path} cannot be read ({error}); remove it and start again") from error
        if not isinstance(found, dict):
            raise InvalidInputError(f"{path} holds no figures; remove it and start again")
        return found

    def digest(self, place: Place) -> str:
        """Of the JSON file."""
        self._read(place)
        return hashlib.sha256(self.made_at(place.folder).read_bytes()).hexdigest()


@dataclass(frozen=True, kw_only=True)
class CheckDreams(_Judged):
    """The dreams of a data set against the vehicle's limits; one that the vehicle could not do ends the recipe."""

    data: str = key(text, of=Product.DATA)

    sources: ClassVar = (*WORLD, "training/language", "training/datasets")
    plot: ClassVar = "dreams.png"

    def commands(self, place: Place) -> list[list[str]]:
        """./simlingo collect --check-dreams."""
        return [cli("collect", "--check-dreams", place.inputs[self.data])]

    def finish(self, place: Place) -> None:
        """Take the plot over, and what was said from the log: the command writes no figures elsewhere."""
        shutil.copyfile(place.inputs[self.data] / self.plot, place.folder / self.plot)
        said = (place.folder / LOG_FILE).read_text(encoding="utf-8").splitlines()
        counts = [line for line in said if "rolled-out dreams of" in line or line.endswith(" violations")]
        if len(counts) < 2:
            raise InvalidInputError(f"{place.folder / LOG_FILE} names no dreams and violations; start the stage again")
        text_of = json.dumps({"dreams": counts[-2].strip(), "violations": int(counts[-1].split()[0])})
        self.made_at(place.folder).write_text(text_of, encoding="utf-8")

    def figures(self, place: Place) -> dict[str, Any]:
        """What was said."""
        return self._read(place)

    def work_s(self, rates: Rates, frames: Mapping[str, int]) -> float:
        """By frames."""
        return rates.start_s + frames.get(self.data, 0) / rates.dreamt_frames_per_s


@dataclass(frozen=True, kw_only=True)
class BenchDrive(_Judged):
    """The options of ./simlingo bench drive. A route that crashes counts as zero and is named in the figures."""

    model: str = key(text, of=Product.MODEL)
    routes: int = key(whole(1))  # a seed, dealt to the towns
    seeds: tuple[int, ...] = key(wholes, (1,))
    towns: tuple[str, ...] = key(texts, ("all",))
    plan_every: int = key(whole(1), 2)
    traffic: str = key(one_of("none", "light", "dense"), "light")
    obstacles: str = key(one_of("none", "some", "many"), "none")
    camera: str = key(one_of("real", "grey", "shuffled"), "real")
    instructions: bool = key(flag, False)
    jobs: int | None = key(whole(1), None, decides=False)  # without: one a core

    sources: ClassVar = (*WORLD, "training/evaluation/*.py")
    statuses: ClassVar = (0, 1)

    def commands(self, place: Place) -> list[list[str]]:
        """./simlingo bench drive; started again it takes up the finished routes."""
        words: list[object] = ["--weights", place.inputs[self.model], "--towns", ",".join(self.towns)]
        words += ["--routes", self.routes, "--seed", ",".join(map(str, self.seeds)), "--plan-every", self.plan_every]
        words += ["--traffic", self.traffic, "--obstacles", self.obstacles, "--camera", self.camera]
        words += ["--json", self.made_at(place.folder), "--plots", place.folder]
        if self.instructions:
            words += ["--instructions"]
        if self.jobs is not None:
            words += ["--jobs", self.jobs]
        return [cli("bench", "drive", *words)]

    def figures(self, place: Place) -> dict[str, Any]:
        """The summary with intervals."""
        from training.recipe.drive_figures import drive_figures

        return drive_figures(self._read(place))

    def work_s(self, rates: Rates, frames: Mapping[str, int]) -> float:
        """By routes."""
        return rates.start_s + 60.0 * self.routes * len(self.seeds) / rates.routes_per_minute


@dataclass(frozen=True, kw_only=True)
class BenchLanguage(_Judged):
    """The options of ./simlingo bench language."""

    model: str = key(text, of=Product.MODEL)
    suites: tuple[str, ...] = key(texts, ())  # empty: all
    quick: bool = key(flag, False)

    sources: ClassVar = (*WORLD, "training/evaluation", "training/language", "training/datasets", "training/collect")

    def commands(self, place: Place) -> list[list[str]]:
        """./simlingo bench language; frames are rendered once for all stages of a run."""
        words: list[object] = ["--model", place.inputs[self.model], "--json", self.made_at(place.folder)]
        words += ["--data", place.run / "suites"]
        if self.suites:
            words += ["--suite", *self.suites]
        if self.quick:
            words += ["--quick"]
        return [cli("bench", "language", *words)]

    def figures(self, place: Place) -> dict[str, Any]:
        """The figures of the suites with intervals and baselines, without tables and single answers."""
        suites = self._read(place).get("suites")
        if not isinstance(suites, dict):
            raise InvalidInputError(f"{self.made_at(place.folder)} has no suites; remove it and start again")
        kept = {name: [key for key in suite if key not in _UNTOLD] for name, suite in suites.items()}
        return {"suites": {name: {key: suites[name][key] for key in keys} for name, keys in kept.items()}}

    def work_s(self, rates: Rates, frames: Mapping[str, int]) -> float:
        """A guess, see above."""
        return rates.start_s + 60.0 * _LANGUAGE_MINUTES
