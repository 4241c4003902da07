"""Stage ``collect``: routes driven by the expert, or by an earlier model part of the time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from simlingo.contracts import InvalidInputError
from training.recipe.keys import Product, flag, key, number, text, texts, whole
from training.recipe.stage import WORLD, Place, Rates, Settings, cli


@dataclass(frozen=True, kw_only=True)
class Collect(Settings):
    """The options of ./simlingo collect."""

    frames: int = key(whole(1))
    seed: int = key(whole())
    policy: str | None = key(text, None, of=Product.MODEL)  # drives part of the time
    obstacles: float = key(number(0.0, 1.0), 0.5)
    procedural: float = key(number(0.0, 1.0), 0.5)
    towns: tuple[str, ...] = key(texts, ())  # empty: all but the held-out one
    held_out: bool = key(flag, False)  # the held-out town is allowed
    workers: int | None = key(whole(1), None, decides=False)  # without: one a core

    product: ClassVar = Product.DATA
    sources: ClassVar = (*WORLD, "training/collect", "training/datasets")

    def made_at(self, folder: Path) -> Path:
        """The data set."""
        return folder / "data"

    def commands(self, place: Place) -> list[list[str]]:
        """./simlingo collect; started again it goes on after the last whole route."""
        words: list[object] = ["--out", self.made_at(place.folder), "--frames", self.frames, "--seed", self.seed]
        words += ["--obstacles", self.obstacles, "--procedural", self.procedural]
        if self.policy is not None:
            words += ["--policy", place.inputs[self.policy]]
        if self.towns:
            words += ["--towns", *self.towns]
        if self.held_out:
            words += ["--allow-held-out"]
        if self.workers is not None:
            words += ["--workers", self.workers]
        return [cli("collect", *words)]

    def digest(self, place: Place) -> str:
        """Of all routes."""
        from training.datasets.reader import open_dataset

        data = open_dataset([self.made_at(place.folder)])
        if data.frames != self.frames:
            raise InvalidInputError(f"{self.made_at(place.folder)} holds {data.frames} of {self.frames} frames")
        return data.fingerprint()

    def figures(self, place: Place) -> dict[str, Any]:
        """Frames and routes."""
        from training.datasets.reader import open_dataset

        data = open_dataset([self.made_at(place.folder)])
        towns = sorted({str(route.meta.get("town")) for route in data.routes})
        return {"frames": data.frames, "routes": len(data.routes), "towns": towns, "on_policy": self.policy is not None}

    def frames_made(self) -> int:
        """As many as are asked for."""
        return self.frames

    def work_s(self, rates: Rates, frames: Mapping[str, int]) -> float:
        """By frames."""
        return rates.start_s + self.frames / rates.frames_per_s
