"""Recipes of stages that take a moment: each writes a file, and notes that it ran. As a program: the recipe command with them."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import yaml

from simlingo.contracts import InvalidInputError
from training.recipe import kinds
from training.recipe.__main__ import main
from training.recipe.keys import Product, key, number, text, texts
from training.recipe.reading import Recipe, read_recipe
from training.recipe.stage import Place, Rates, Settings

RATES = {
    "frames_per_s": 1, "samples_per_s": 1, "frozen_samples_per_s": 2, "views_per_s": 1, "dreamt_frames_per_s": 1, "routes_per_minute": 1,
    "start_s": 1, "export_s": 1, "stage_minutes": 10, "total_minutes": 20,
}  # fmt: skip
#: Appends its stage's name to RUN/order, then does ``what``, and writes what it was told and given.
_PROGRAM = """
import pathlib, sys, time
run, folder, word, what, *inputs = sys.argv[1:]
folder = pathlib.Path(folder)
with open(pathlib.Path(run) / "order", "a") as file:
    file.write(folder.name.rsplit("-", 1)[0] + "\\n")
print("working on", word)
try:
    exec(what)
except KeyboardInterrupt:
    print("stopped in good order")
    sys.exit(130)
(folder / "out").write_text(word + "".join(pathlib.Path(one).read_text() for one in inputs))
"""


@dataclass(frozen=True, kw_only=True)
class Script(Settings):
    """A stage that is a line of Python."""

    word: str = key(text, "word")
    does: str = key(text, "pass", decides=False)
    needs: tuple[str, ...] = key(texts, (), of=Product.DATA)
    seconds: float = key(number(), 1.0, decides=False)

    product: ClassVar = Product.DATA
    sources: ClassVar = ("training/configs",)

    def made_at(self, folder: Path) -> Path:
        return folder / "out"

    def commands(self, place: Place) -> list[list[str]]:
        inputs = [str(place.inputs[name]) for name in self.needs]
        return [[sys.executable, "-c", _PROGRAM, str(place.run), str(place.folder), self.word, self.does, *inputs]]

    def digest(self, place: Place) -> str:
        made = self.made_at(place.folder)
        if not made.is_file():
            raise InvalidInputError(f"{made} is missing")
        return hashlib.sha256(made.read_bytes()).hexdigest()

    def figures(self, place: Place) -> dict[str, Any]:
        return {"letters": len(self.made_at(place.folder).read_text())}

    def work_s(self, rates: Rates, frames: Mapping[str, int]) -> float:
        return self.seconds


@dataclass(frozen=True, kw_only=True)
class Judge(Script):
    """The same where figures come out."""

    product: ClassVar = Product.FIGURES

    def finish(self, place: Place) -> None:
        told = [f"{name} {record.digest[:4]}" for name, record in place.records.items()]
        (place.folder / "told").write_text("\n".join(told))


def register() -> None:
    kinds.KINDS.update({"script": Script, "judge": Judge})


def write_recipe(path: Path, stages: Sequence[Mapping[str, Any]], profiles: Mapping[str, Any] | None = None) -> Path:
    """A recipe's YAML; stages are scripts unless they say otherwise."""
    values = {"profiles": profiles or {"only": RATES}, "stages": [{"kind": "script", **stage} for stage in stages]}
    path.write_text(yaml.safe_dump(values, sort_keys=False))
    return path


def recipe_of(folder: Path, *stages: Mapping[str, Any]) -> Recipe:
    """The same, read."""
    return read_recipe(str(write_recipe(folder / "test.yaml", stages)))


#: Two roads from one spring: sea needs river and rain, which both need spring; lake needs spring alone.
ROAD: tuple[dict[str, Any], ...] = (
    {"name": "spring"},
    {"name": "river", "needs": "spring", "word": "r"},
    {"name": "rain", "needs": "spring", "word": "d"},
    {"name": "sea", "needs": ["river", "rain"], "word": "s"},
)


def road(**changes: Mapping[str, Any]) -> list[dict[str, Any]]:
    """``ROAD`` with other keys for the stages named."""
    return [{**stage, **changes.get(stage["name"], {})} for stage in ROAD]


def ran(run: Path) -> list[str]:
    """Names of the stages whose commands were started, in order."""
    path = run / "order"
    return path.read_text().split() if path.is_file() else []


if __name__ == "__main__":
    register()
    sys.exit(main(sys.argv[1:]))
