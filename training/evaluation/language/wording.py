"""The sentence that an item is said in: ours by split, or one of somebody else's."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import Enum

import numpy as np

from training.evaluation.language.dream_items import Item
from training.language.asked import Asked
from training.language.grammar import PLAIN, fitting, say
from training.language.hold_out import Split
from training.language.languages import language
from training.language.phrase import Phrase


class Words(Enum):
    """Whose sentences are said."""

    SEEN = "seen"  # ours that training says
    HELD_OUT = "held_out"  # ours that training never says
    FOREIGN = "foreign"  # of the phrases file


_SPLITS = {Words.SEEN: Split.SEEN, Words.HELD_OUT: Split.HELD_OUT}


@dataclass(frozen=True)
class Speaker:
    """Says items; ``foreign`` are somebody else's phrases, or None for ours."""

    foreign: tuple[Phrase, ...] | None = None

    @property
    def ways(self) -> tuple[Words, ...]:
        """In whose words each item is said."""
        return (Words.SEEN, Words.HELD_OUT) if self.foreign is None else (Words.FOREIGN,)

    def can_say(self, item: Item) -> bool:
        """Whether there are words for it in each of ``ways``."""
        return all(self._phrases(item.asked, words) for words in self.ways)

    def say(self, item: Item, words: Words) -> str:
        """The item's sentence; foreign ones as they are written, ours as people type. The same at each call."""
        number = hashlib.sha256(f"{item.key}:{words.value}".encode()).digest()[:8]
        rng = np.random.default_rng(int.from_bytes(number, "big"))
        phrases = self._phrases(item.asked, words)
        phrase = phrases[int(rng.integers(len(phrases)))]
        return say(language(), phrase, item.asked, rng, PLAIN if words is Words.FOREIGN else None).text

    def _phrases(self, asked: Asked, words: Words) -> list[Phrase]:
        if words is Words.FOREIGN:
            return fitting(self.foreign or (), asked)
        return fitting(language().phrases(_SPLITS[words], asked.kind), asked)
