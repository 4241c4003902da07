"""One sentence, two listeners: what it says about the route, and what it says about driving."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

from simlingo.contracts import Command
from simlingo.instructions.phrases import MAX_LENGTH, names_junction, normalise, parse

#: Where one request ends and the next begins.
_BORDER = re.compile(r"\s*(?:[,;.!]\s*(?:and then|then|and|but)?|\b(?:and then|and|then)\b)\s+", re.IGNORECASE)
#: Says that the order of the two matters.
_THEN = re.compile(r"\b(?:then|after|afterwards|before)\b", re.IGNORECASE)
#: Words that reach over a border, so that a part alone would mean something else.
_REACHING = frozenset(
    [
        "not",
        "dont",
        "never",
        "no",
        "nor",
        "or",
        "unless",
        "if",
        "instead",
        "until",
        "till",
        "while",
        "without",
        "neither",
        "either",
        "when",
        "once",
        "wont",
        "cannot",
        "cant",
    ]
)


@dataclass(frozen=True)
class Parts:
    """What a sentence asks of the route and of the driver; at least one of the two."""

    command: Command | None  # what the route is to do
    at_next_junction: bool  # it must be the very next junction, since the sentence names it
    words: str  # what the driver is told, as it was written; empty: nothing


def split(text: str) -> Parts:
    """What ``text`` asks of whom.

    A sentence is divided only where exactly one of its clauses is a navigation phrase and no word (a negation, a
    condition, an alternative) reaches from one into the other. A request that is to follow the turn ("turn left, then
    stop") stays one text for the driver, since the route cannot tell it when.
    """
    command = parse(text)
    if command is not None:
        return Parts(command, names_junction(text), "")
    whole = Parts(None, False, text.strip())
    if len(text) > MAX_LENGTH or _REACHING & set(normalise(text).split()):
        return whole
    borders = [(0, 0), *(each.span() for each in _BORDER.finditer(text)), (len(text), len(text))]
    clauses = [text[first[1] : second[0]].strip() for first, second in pairwise(borders)]
    found = [index for index, clause in enumerate(clauses) if parse(clause) is not None]
    if len(found) != 1:
        return whole
    at = found[0]
    others = [clause for index, clause in enumerate(clauses) if index != at and normalise(clause)]
    if not others or (_THEN.search(text) and at != len(clauses) - 1):
        return whole
    return Parts(parse(clauses[at]), names_junction(clauses[at]), ", ".join(others))
