"""Typing errors: letters swapped, dropped, doubled or hit beside; never in numbers, never from one known word to another."""

from __future__ import annotations

import re
from collections.abc import Collection

import numpy as np

from training.language.filling import BEGIN, END
from training.language.hold_out import normalise

#: Shorter words are left alone: one letter more or less makes another word of them.
_SHORTEST = 4
#: Marked stretches and slots whole, or single words.
_WORDS = re.compile(rf"{BEGIN}[^{END}]*{END}|[^\W\d_]+(?:['’][^\W\d_]+)*")
_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_BESIDE = {
    letter: "".join(row[max(at - 1, 0) : at] + row[at + 1 : at + 2]) for row in _ROWS for at, letter in enumerate(row)
}


def with_typo(text: str, rng: np.random.Generator, protected: Collection[str], known: Collection[str]) -> str:
    """``text`` with one word mistyped, or unchanged where no word can be.

    Args:
        text: with numbers between ``BEGIN`` and ``END``.
        protected: normalised words that are not touched.
        known: normalised words of the language; no typo makes one of them or of ``protected``.
    """
    words = [found for found in _WORDS.finditer(text) if _may_change(found[0], protected)]
    if not words:
        return text
    chosen = words[int(rng.integers(len(words)))]
    for _ in range(8):
        typed = _mistyped(chosen[0], rng)
        if normalise(typed) not in known and normalise(typed) not in protected:
            return text[: chosen.start()] + typed + text[chosen.end() :]
    return text


def _may_change(word: str, protected: Collection[str]) -> bool:
    return word.isalpha() and len(word) >= _SHORTEST and normalise(word) not in protected


def _mistyped(word: str, rng: np.random.Generator) -> str:
    """``word`` with one error after its first letter."""
    at = int(rng.integers(1, len(word) - 1))
    error = int(rng.integers(4))
    if error == 0:
        return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    if error == 1:
        return word[:at] + word[at + 1 :]
    if error == 2:
        return word[:at] + word[at] + word[at:]
    beside = _BESIDE.get(word[at], word[at])
    return word[:at] + beside[int(rng.integers(len(beside)))] + word[at + 1 :]
