"""Reads how questions are worded: the files of ``training/language/wordings/en/questions``.

A file maps a question type to its slots and phrases; :mod:`training.language.hold_out` says which of them are held out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from simlingo.arguments import nearest
from simlingo.contracts import InvalidInputError
from training.language.hold_out import Split, held_out, normalise
from training.language.languages import WORDINGS
from training.language.questions.question import TYPES
from training.language.reading import known_keys, read_file, section, slots_in, texts

FOLDER = WORDINGS / "en" / "questions"
#: Fewest phrases of a type.
LEAST = 25


@dataclass(frozen=True)
class Wordings:
    """The phrases of every question type."""

    every: Mapping[str, tuple[str, ...]]  # by type
    held_out: frozenset[str]  # normalised

    def phrases(self, kind: str, split: Split) -> tuple[str, ...]:
        """The phrases of a type that belong to ``split``.

        Raises:
            InvalidInputError: there is no such type; names the nearest.
        """
        if kind not in self.every:
            raise InvalidInputError(f"there is no question type {kind!r}{nearest(kind, TYPES)} ({', '.join(TYPES)})")
        held = split is Split.HELD_OUT
        return tuple(phrase for phrase in self.every[kind] if (normalise(phrase) in self.held_out) == held)


@lru_cache(1)
def wordings() -> Wordings:
    """The shipped wordings, read once."""
    return read_wordings(FOLDER)


def read_wordings(folder: Path) -> Wordings:
    """The wordings in a folder's files.

    Raises:
        InvalidInputError: a file is no YAML, a type is missing, unknown or there twice, has too few phrases, a phrase
            twice, or a slot that is broken, unknown or left out; the sentence says which and where.
    """
    every: dict[str, tuple[str, ...]] = {}
    for path in sorted(folder.glob("*.yaml")):
        for kind, entry in read_file(path).items():
            where = f"{path}: {kind}"
            if kind not in TYPES or kind in every:
                raise InvalidInputError(
                    f"{where} is no question type, or stands twice{nearest(kind, TYPES)}; take it out"
                )
            values = {"slots": [], **section(entry, where)}
            known_keys(values, ("slots", "phrases"), where)
            every[kind] = _phrases(values["phrases"], texts(values["slots"], f"{where}.slots", 0), where)
    missing = [kind for kind in TYPES if kind not in every]
    if missing:
        raise InvalidInputError(f"{folder} has no wordings for {', '.join(missing)}; write {LEAST} for each")
    return Wordings(every, held_out(every))


def _phrases(values: Any, slots: tuple[str, ...], where: str) -> tuple[str, ...]:
    """Phrases that differ in more than case and marks, each with all of its type's slots."""
    phrases = texts(values, f"{where}.phrases", LEAST)
    alike = [normalise(phrase) for phrase in phrases]
    for phrase, text in zip(phrases, alike, strict=True):
        if alike.count(text) > 1:
            raise InvalidInputError(f"{where} has {phrase!r} twice; take one out")
        if slots_in(phrase, slots, where) != frozenset(slots):
            wanted = ", ".join(f"{{{slot}}}" for slot in slots)
            raise InvalidInputError(f"{where} has {phrase!r}; it must hold {wanted}")
    return phrases
