"""What the driver says in words of the wordings: a commentary of the facts, and the reason of a refusal."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from simlingo.contracts import InvalidInputError
from simlingo.requests import Reason
from training.language.asked import Speed
from training.language.filling import capitalised, fill, unmarked
from training.language.hold_out import Split
from training.language.languages import Language, language
from training.language.reading import slots_in
from training.language.refusals import REFUSAL_SLOTS
from training.language.told import Told


def sentence(facts: Told, rng: np.random.Generator, words: Language | None = None, split: Split = Split.SEEN) -> str:
    """A commentary, such as ``I change to the left lane and slow down because of the red car ahead.``

    Args:
        facts: way, pace and reason, with the objects to name.
        rng: draws the wordings.
        words: the language; English where it is not given.
        split: whose wordings to take.
    """
    words = words or language()
    book = words.commentary
    way = _one(words, book.ways[facts.way], split, rng, facts.way_object)
    paces = book.named_paces if facts.pace_object is not None else book.paces
    pace = _one(words, paces[facts.pace], split, rng, facts.pace_object)
    if facts.why is not None:
        reasons = book.named_reasons if facts.why_object is not None else book.reasons
        pace += " " + _one(words, reasons[facts.why], split, rng, facts.why_object)
    pattern = book.patterns[int(rng.integers(len(book.patterns)))]
    parts = pattern.replace("{way}", way).replace("{pace}", pace).split(". ")
    return ". ".join(capitalised(part) for part in parts)


def refusal(
    reason: Reason,
    rng: np.random.Generator,
    words: Language | None = None,
    split: Split = Split.SEEN,
    object_name: str | None = None,
    limit: Speed | None = None,
) -> str:
    """A sentence that gives the reason, such as ``I can't, the red car is in the way.``

    Args:
        object_name: the thing in the way or the one sought, without article; said in some of the sentences.
        limit: the speed limit; said in some of the sentences.

    Raises:
        InvalidInputError: an object or a limit that this reason does not speak of.
    """
    words = words or language()
    values: dict[str, str] = {}
    if object_name is not None:
        values["object"] = object_name
    if limit is not None:
        values |= {"speed": f"{limit.value:g}", "unit": words.rules.units[limit.unit.value][0]}
    if values.keys() - REFUSAL_SLOTS[reason]:
        raise InvalidInputError(f"a refusal for {reason.value} speaks of no {min(values)}; leave it out")
    known = frozenset(values)
    sentences = [
        text
        for text in words.of_split(words.refusals[reason], split)
        if slots_in(text, REFUSAL_SLOTS[reason], reason.value) <= known
    ]
    return capitalised(unmarked(fill(_drawn(sentences, split, rng), values, words.rules)))


def plain_refusal(reason: Reason, words: Language | None = None) -> str:
    """The plainest sentence that gives the reason and names nothing, ``No, there is a vehicle in the way.``

    It is the first of its list that training may say; one wording a reason, as in :mod:`training.language.commentary`.
    """
    words = words or language()
    seen = words.of_split(words.refusals[reason], Split.SEEN)
    text = next(text for text in seen if not slots_in(text, REFUSAL_SLOTS[reason], reason.value))
    return capitalised(unmarked(fill(text, {}, words.rules)))


def _one(words: Language, wordings: Sequence[str], split: Split, rng: np.random.Generator, name: str | None) -> str:
    """A wording of ``split``, its object filled in."""
    drawn = _drawn(words.of_split(wordings, split), split, rng)
    return fill(drawn, {} if name is None else {"object": name}, words.rules)


def _drawn(texts: Sequence[str], split: Split, rng: np.random.Generator) -> str:
    if not texts:
        raise InvalidInputError(f"the wordings have none of the split {split.value} here; add some to their file")
    return texts[int(rng.integers(len(texts)))]
