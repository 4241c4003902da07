"""Reads how questions are worded: the files of ``training/language/wordings/en/questions``.

A file maps a question type to its slots and phrases. A fifth of each type's phrases is held out from training, by the rank of a
hash of the phrase, so that adding a phrase moves at most one other.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from simlingo.contracts import InvalidInputError
from training.language.questions.question import TYPES

FOLDER = Path(__file__).parents[1] / "wordings" / "en" / "questions"
#: Fewest phrases of a type, and one of how many is held out.
LEAST, ONE_IN = 25, 5
SPLITS = ("seen", "held_out", "all")
_SLOT = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Wordings:
    """The phrases of every question type."""

    slots: Mapping[str, tuple[str, ...]]
    by_split: Mapping[str, Mapping[str, tuple[str, ...]]]  # split -> type -> phrases

    def phrases(self, kind: str, split: str = "seen") -> tuple[str, ...]:
        """The phrases of a type; ``split`` is "seen", "held_out" or "all".

        Raises:
            InvalidInputError: there is no such split or type.
        """
        if split not in SPLITS:
            raise InvalidInputError(f"there is no split {split!r} of wordings; choose from {', '.join(SPLITS)}")
        if kind not in self.by_split[split]:
            raise InvalidInputError(f"there is no question type {kind!r}; choose from {', '.join(TYPES)}")
        return self.by_split[split][kind]


@lru_cache(1)
def wordings() -> Wordings:
    """The shipped wordings, read once."""
    return read_wordings(FOLDER)


def read_wordings(folder: Path) -> Wordings:
    """The wordings in a folder's files.

    Raises:
        InvalidInputError: a file is no YAML, a type is missing, unknown or there twice, has too few phrases, a phrase twice, or a
            slot that is broken, unknown or left out; the sentence says which and where.
    """
    every: dict[str, tuple[str, ...]] = {}
    slots: dict[str, tuple[str, ...]] = {}
    for path in sorted(folder.glob("*.yaml")):
        for kind, entry in _table(path).items():
            if kind not in TYPES or kind in every:
                raise InvalidInputError(f"{path}: {kind} is no question type, or stands twice; take it out")
            slots[kind] = tuple(entry.get("slots", ()))
            every[kind] = _phrases(kind, entry, slots[kind], path)
    missing = [kind for kind in TYPES if kind not in every]
    if missing:
        raise InvalidInputError(f"{folder} has no wordings for {', '.join(missing)}; write {LEAST} for each")
    held = {kind: _held_out(phrases) for kind, phrases in every.items()}
    seen = {kind: tuple(phrase for phrase in every[kind] if phrase not in held[kind]) for kind in TYPES}
    return Wordings(slots, {"seen": seen, "held_out": held, "all": every})


def _table(path: Path) -> dict[str, dict[str, Any]]:
    try:
        table = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InvalidInputError(f"wordings {path} cannot be read ({error}); correct or restore the file") from error
    if not isinstance(table, dict) or not all(isinstance(entry, dict) for entry in table.values()):
        raise InvalidInputError(f"{path} must map each question type to its slots and phrases")
    return table


def _phrases(kind: str, entry: Mapping[str, Any], slots: tuple[str, ...], path: Path) -> tuple[str, ...]:
    phrases = tuple(entry.get("phrases", ()))
    if len(phrases) < LEAST:
        raise InvalidInputError(f"{path}: {kind} has {len(phrases)} phrases, it needs {LEAST}; write more")
    alike = [re.sub(r"\W+", " ", str(phrase)).casefold().strip() for phrase in phrases]
    for phrase, text in zip(phrases, alike, strict=True):
        if not isinstance(phrase, str) or not text:
            raise InvalidInputError(f"{path}: {kind} has the phrase {phrase!r}, which is no text; quote it")
        if alike.count(text) > 1:
            raise InvalidInputError(f"{path}: {kind} has {phrase!r} twice; take one out")
        if set(_SLOT.sub("", phrase)) & set("{}") or sorted(_SLOT.findall(phrase)) != sorted(slots):
            wanted = ", ".join(f"{{{slot}}}" for slot in slots) or "no slot"
            raise InvalidInputError(f"{path}: {kind} has {phrase!r}; it must hold {wanted}, once")
    return phrases


def _held_out(phrases: tuple[str, ...]) -> tuple[str, ...]:
    ranked = sorted(phrases, key=lambda phrase: hashlib.sha256(phrase.casefold().encode()).hexdigest())
    held = set(ranked[: round(len(phrases) / ONE_IN)])
    return tuple(phrase for phrase in phrases if phrase in held)
