"""Stage ``report``: the model with its card, as it is shipped."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from simlingo.contracts import InvalidInputError
from training.recipe.keys import Product, key, text, texts
from training.recipe.model_files import copy_model, model_digest
from training.recipe.record import merged
from training.recipe.stage import CARD_FILE, README_FILE, Place, Settings


@dataclass(frozen=True, kw_only=True)
class Report(Settings):
    """A folder with the model, its ``README.md`` and the card with all stages, drawn from their records."""

    model: str = key(text, of=Product.MODEL)
    evaluations: tuple[str, ...] = key(texts, (), of=Product.FIGURES)
    limits: str = key(text, "")  # what is known to be wrong with the model, in words

    product: ClassVar = Product.REPORT
    sources: ClassVar = ("training/recipe",)

    def made_at(self, folder: Path) -> Path:
        """The model folder; ``MODEL_CARD.md`` and the plots lie beside it."""
        return folder / "model"

    def finish(self, place: Place) -> None:
        """Copy, draw, write."""
        from training.recipe.card import write_card

        made = self.made_at(place.folder)
        copy_model(place.inputs[self.model], made)
        records = merged([place.records[name].with_lineage() for name in self.inputs()])
        judged = [place.records[name].fingerprint for name in self.evaluations]
        write_card(place.folder, made, records, judged, self.limits)

    def digest(self, place: Place) -> str:
        """Of the model's files; the card has to be there, and may be edited by hand."""
        for path in (place.folder / CARD_FILE, self.made_at(place.folder) / README_FILE):
            if not path.is_file():
                raise InvalidInputError(f"{path} is missing; the stage writes it again")
        return model_digest(self.made_at(place.folder))

    def figures(self, place: Place) -> dict[str, Any]:
        """It has none of its own."""
        return {}
