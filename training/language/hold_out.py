"""Which phrases the model never reads in training: a fifth of every group, by a stable hash of the phrase.

It is settled before anything is composed around a phrase, so that no politeness, order or typo brings a held-out one into
training. A group's phrases are ranked by the SHA-256 of their normalised text, and the first fifth (rounded) is held
out. A phrase whose words stand whole inside another phrase ("go faster" in "can we go faster") is passed over: training
would say it there.

The hash of one phrase depends on no other, so a phrase more moves the border of its group by one place at most: at most
one other phrase of the group changes sides, and beyond that only held-out ones that the new phrase contains.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from enum import Enum
from typing import TypeVar

#: One phrase in so many is held out.
ONE_IN = 5
#: No group may be smaller: of fewer phrases no fair fifth can be taken.
LEAST_OF_A_GROUP = 5

_Key = TypeVar("_Key", bound=Hashable)
_APOSTROPHES = re.compile("['’‘]")
_BETWEEN_WORDS = re.compile(r"[^\w{}]+")


class Split(Enum):
    """Which phrases to draw from."""

    SEEN = "seen"  # training
    HELD_OUT = "held_out"  # evaluation only


def normalise(text: str, spellings: Mapping[str, str] | None = None) -> str:
    """``text`` in lower case, words and slots only, single spaces, each word in one spelling.

    Args:
        text: a phrase with slots in braces, or a sentence.
        spellings: word -> the spelling that stands for it, such as ``curb`` -> ``kerb``.
    """
    folded = _APOSTROPHES.sub("", unicodedata.normalize("NFKC", text).casefold())
    words = _BETWEEN_WORDS.sub(" ", folded).split()
    return " ".join((spellings or {}).get(word, word) for word in words)


def held_out(
    groups: Mapping[_Key, Sequence[str]],
    spellings: Mapping[str, str] | None = None,
    elsewhere: Iterable[str] = (),
) -> frozenset[str]:
    """The normalised phrases that are held out, of all groups together.

    Args:
        groups: the phrases of each group.
        spellings: see :func:`normalise`.
        elsewhere: other texts that training says whole; no phrase that stands in one of them is held out.
    """
    normal = {
        group: list(dict.fromkeys(normalise(text, spellings) for text in texts)) for group, texts in groups.items()
    }
    said = {normalise(text, spellings) for text in elsewhere}
    inside = _inside(said.union(*normal.values())) | said
    found: set[str] = set()
    for phrases in normal.values():
        ranked = sorted((phrase for phrase in phrases if phrase not in inside), key=_rank)
        found.update(ranked[: round(len(phrases) / ONE_IN)])
    return frozenset(found)


def _rank(phrase: str) -> str:
    return hashlib.sha256(phrase.encode()).hexdigest()


def _inside(phrases: Collection[str]) -> set[str]:
    """All runs of words that stand inside one of ``phrases`` without being the whole of it."""
    found: set[str] = set()
    for phrase in phrases:
        words = phrase.split()
        count = len(words)
        runs = ((begin, end) for begin in range(count) for end in range(begin + 1, count + 1))
        found.update(" ".join(words[begin:end]) for begin, end in runs if end - begin < count)
    return found
