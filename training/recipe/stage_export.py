"""Stage ``export``: a model as it is shipped."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from training.recipe.caution import NEUTRAL
from training.recipe.keys import Product, key, number, text
from training.recipe.model_files import model_digest, model_files
from training.recipe.stage import TRAINER, TRAINER_PACKAGES, Place, Rates, Settings


@dataclass(frozen=True, kw_only=True)
class Export(Settings):
    """Graphs exported anew into a folder that holds what is shipped and nothing else, each checked against the network."""

    model: str = key(text, of=Product.MODEL)
    caution: float = key(number(0.0, 0.99, above=True), NEUTRAL)  # see training.recipe.caution

    product: ClassVar = Product.MODEL
    sources: ClassVar = TRAINER
    packages: ClassVar = TRAINER_PACKAGES

    def made_at(self, folder: Path) -> Path:
        """The model folder."""
        return folder / "model"

    def commands(self, place: Place) -> list[list[str]]:
        """See :mod:`training.recipe.export_model`."""
        words = ["--model", str(place.inputs[self.model]), "--out", str(self.made_at(place.folder))]
        words += ["--caution", str(self.caution)]
        return [[sys.executable, "-m", "training.recipe.export_model", *words]]

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
