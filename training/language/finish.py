"""The last touch on a composed instruction: spelling, end mark, typos and case, at the rates of a style."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from training.language.filling import capitalised, unmarked
from training.language.languages import Language
from training.language.typos import with_typo

_WORD = re.compile(r"[^\W\d_]+")
_MARKS = ".!?"


@dataclass(frozen=True)
class Style:
    """How often each thing happens to a sentence, 0 to 1. The defaults are the mixture that training reads."""

    politeness: float = 0.35
    filler: float = 0.12
    number_in_words: float = 0.35
    other_unit: float = 0.5  # any way to say the unit, not the plainest
    other_spelling: float = 0.4  # American where the wordings are British
    no_mark: float = 0.35  # the end mark left out
    full_stop: float = 0.4  # a full stop where there is no mark
    typo: float = 0.1  # one word mistyped
    lower_case: float = 0.35
    capital: float = 0.55  # an upper-case first letter; the rest stays as written


def finished(language: Language, text: str, rng: np.random.Generator, style: Style) -> str:
    """``text``, with marked numbers, as it is typed."""
    draws = rng.random(5)
    if draws[0] < style.other_spelling:
        text = _spelled(text, language, rng)
    if draws[1] < style.no_mark:
        text = text.rstrip(_MARKS)
    elif text[-1:] not in _MARKS and draws[2] < style.full_stop:
        text += "."
    if draws[3] < style.typo:
        text = with_typo(text, rng, language.rules.protected, language.words)
    if draws[4] < style.lower_case:
        text = text.lower()
    elif draws[4] < style.lower_case + style.capital:
        text = capitalised(text)
    return unmarked(text)


def _spelled(text: str, language: Language, rng: np.random.Generator) -> str:
    """Each word that has other spellings in one of these."""

    def other(found: re.Match[str]) -> str:
        ways = language.rules.spellings.get(found[0])
        return ways[int(rng.integers(len(ways)))] if ways else found[0]

    return _WORD.sub(other, text)
