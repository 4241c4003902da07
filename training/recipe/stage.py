"""What every kind of stage has: keys, what it needs and hands on, its commands, and how its outcome is known to be whole."""

from __future__ import annotations

import dataclasses
import sys
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from training.recipe.keys import Product, key, number, text
from training.recipe.record import StageRecord

#: The repository.
ROOT = Path(__file__).resolve().parents[2]
#: All that a stage's commands have said, in its folder.
LOG_FILE = "log.txt"
#: The card with all stages, and the one in the model's folder.
CARD_FILE, README_FILE = "MODEL_CARD.md", "README.md"
#: Sources by what they do; a stage names those whose code its outcome follows from: folders with all in them, or patterns.
CORE = ("ros2_ws/src/simlingo/simlingo",)
WORLD = (*CORE, "ros2_ws/src/simlingo_sim/simlingo_sim", "ros2_ws/src/simlingo_drive/simlingo_drive")
TRAINER = (*WORLD, "training/trainer", "training/datasets", "training/language")
#: Packages that stages import beyond Python's own, and those of stages that train.
PACKAGES = (
    "numpy", "scipy", "PIL", "yaml", "rich", "carla", "numba", "pyarrow", "matplotlib", "onnxruntime", "tokenizers", "safetensors",
)  # fmt: skip
TRAINER_PACKAGES = (*PACKAGES, "torch", "transformers", "onnx", "onnxscript")


@dataclass(frozen=True)
class Rates:
    """How fast a machine is taken to be, all its cores together."""

    frames_per_s: float = key(number(above=True))  # collected
    samples_per_s: float = key(number(above=True))  # learned from
    frozen_samples_per_s: float = key(number(above=True))  # the same where vision is frozen
    views_per_s: float = key(number(above=True))  # into the picture cache, or through frozen vision; a frame has two
    dreamt_frames_per_s: float = key(number(above=True))  # whose dreams and questions are made
    routes_per_minute: float = key(number(above=True))  # driven by a model in the benchmark
    start_s: float = key(number())  # until a stage is at work
    export_s: float = key(number())  # of a model's graphs, with the check of them


@dataclass(frozen=True)
class Place:
    """Where a stage works, and what earlier stages hand to it."""

    folder: Path  # of its own
    run: Path  # of the recipe's run
    inputs: Mapping[str, Path] = dataclasses.field(default_factory=dict)  # by stage: what it hands on
    records: Mapping[str, StageRecord] = dataclasses.field(default_factory=dict)  # by stage, once all of them are whole


@dataclass(frozen=True, kw_only=True)
class Settings(ABC):
    """Keys of a stage; each kind is a class of its own."""

    about: str = key(text, "", decides=False)  # a line for people
    minutes: float | None = key(number(above=True), None, decides=False)  # expected, in place of what the rates say

    product: ClassVar[Product]
    sources: ClassVar[tuple[str, ...]]
    packages: ClassVar[tuple[str, ...]] = PACKAGES
    #: Exit statuses of the commands after which the outcome may be whole.
    statuses: ClassVar[tuple[int, ...]] = (0,)

    @property
    def hands_on(self) -> Product:
        """What the stage hands on."""
        return self.product

    def inputs(self) -> dict[str, Product]:
        """The earlier stages that are named, with what each must hand on."""
        found: dict[str, Product] = {}
        for each in dataclasses.fields(self):
            named = getattr(self, each.name)
            if each.metadata["of"] is not None and named is not None:
                found |= dict.fromkeys((named,) if isinstance(named, str) else named, each.metadata["of"])
        return found

    def deciding(self) -> dict[str, Any]:
        """Plain values that the outcome follows from, beside inputs and code."""
        return {each.name: getattr(self, each.name) for each in dataclasses.fields(self) if each.metadata["decides"]}

    def told(self) -> dict[str, Any]:
        """The keys that were given, for people."""
        return {
            each.name: getattr(self, each.name)
            for each in dataclasses.fields(self)
            if each.name != "about" and getattr(self, each.name) != each.default
        }

    def content(self) -> Any:
        """Plain data that stands for the files which the keys name.

        Raises:
            InvalidInputError: one is missing or not what it must be.
        """
        return None

    @abstractmethod
    def made_at(self, folder: Path) -> Path:
        """What is handed on by the stage whose folder this is."""

    def commands(self, place: Place) -> list[list[str]]:
        """Command lines, in order; each goes on where it was interrupted, and ends soon where all is there."""
        del place
        return []

    def history(self, place: Place) -> list[dict[str, Any]]:
        """Records of stages that it came from beside those of its inputs, oldest first."""
        del place
        return []

    def finish(self, place: Place) -> None:
        """What is left to do in this process, in seconds, once the commands are through."""
        del place

    @abstractmethod
    def digest(self, place: Place) -> str:
        """Stands for all of the outcome.

        Raises:
            InvalidInputError: it is not whole; says what is missing.
        """

    def figures(self, place: Place) -> dict[str, Any]:
        """Plain data of the outcome for the model card."""
        del place
        return {}

    def work_s(self, rates: Rates, frames: Mapping[str, int]) -> float:
        """Expected seconds at such rates; ``frames`` are those of the data that earlier stages hand on."""
        del frames
        return rates.start_s

    def frames_made(self) -> int:
        """Frames of the data that it hands on, where it does."""
        return 0

    def expected_s(self, rates: Rates, frames: Mapping[str, int]) -> float:
        """Expected seconds of the whole stage."""
        return self.work_s(rates, frames) if self.minutes is None else 60.0 * self.minutes


def cli(*words: object) -> list[str]:
    """The command line of a command of ./simlingo, with this Python."""
    return [sys.executable, "-m", "simlingo_cli", *(str(word) for word in words)]
