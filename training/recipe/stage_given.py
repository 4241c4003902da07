"""Stage ``given``: something that is there already, a model or a data set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from simlingo.contracts import InvalidInputError
from simlingo.model.folder import find_model
from training.recipe.keys import Product, key, text
from training.recipe.model_files import weights_digest
from training.recipe.record import read_record
from training.recipe.stage import Place, Rates, Settings


@dataclass(frozen=True, kw_only=True)
class Given(Settings):
    """Exactly one of a model and a data set, which the stage takes as it is."""

    model: str | None = key(text, None)  # name of a shipped model, or a folder
    data: str | None = key(text, None)  # folder written by ./simlingo collect

    sources: ClassVar = ()

    def __post_init__(self) -> None:
        if (self.model is None) == (self.data is None):
            raise InvalidInputError("a stage of kind given takes one of the keys model and data")

    @property
    def hands_on(self) -> Product:
        """A model or data."""
        return Product.DATA if self.model is None else Product.MODEL

    def deciding(self) -> dict[str, Any]:
        """Its content decides, wherever it lies."""
        return {}

    def told(self) -> dict[str, Any]:
        """Names without places of this machine."""
        return {
            name: Path(value).name if name in ("model", "data") else value for name, value in super().told().items()
        }

    def content(self) -> str:
        """Of the model's weights, or of the data."""
        if self.model is not None:
            return weights_digest(find_model(self.model))
        from training.datasets.reader import open_dataset

        return open_dataset([self._data()]).fingerprint()

    def _data(self) -> Path:
        assert self.data is not None
        return Path(self.data).absolute()

    def made_at(self, folder: Path) -> Path:
        """Where it lies."""
        del folder
        return self._data() if self.model is None else find_model(self.model).absolute()

    def digest(self, place: Place) -> str:
        """The same as its content."""
        del place
        return self.content()

    def history(self, place: Place) -> list[dict[str, Any]]:
        """Of a model that a recipe has made; a folder of other origin has none."""
        record = None if self.model is None else read_record(find_model(self.model))
        return [] if record is None else record.with_lineage()

    def figures(self, place: Place) -> dict[str, Any]:
        """What it is."""
        if self.model is not None:
            return {"model": Path(self.model).name, "weights_sha256": self.content()}
        return {"frames": self.frames_made()}

    def frames_made(self) -> int:
        """Frames of the data."""
        if self.data is None:
            return 0
        from training.datasets.reader import open_dataset

        return open_dataset([self._data()]).frames

    def work_s(self, rates: Rates, frames: Mapping[str, int]) -> float:
        """It is there."""
        return 0.0
