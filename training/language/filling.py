"""Fill the slots of a template; what was filled in is marked, so that typos leave numbers alone."""

from __future__ import annotations

import re
from collections.abc import Mapping

from simlingo.contracts import InvalidInputError
from training.language.rules import Rules

#: Enclose what no typo may touch. Private characters, which no wording has; :func:`unmarked` takes them out.
BEGIN, END = "\ue000", "\ue001"
#: Slots of numbers and units.
_FIXED = frozenset({"speed", "unit", "distance", "lanes"})
_SLOT = re.compile(r"(?P<before>[^\W\d_]+)?(?P<gap>\W*)\{(?P<name>\w+)\}")
_MARKS = re.compile(f"[{BEGIN}{END}]")


def fill(template: str, values: Mapping[str, str], rules: Rules) -> str:
    """``template`` with its slots filled, numbers between ``BEGIN`` and ``END``.

    A thing gets the language's article unless the word before its slot is a determiner.

    Raises:
        InvalidInputError: a slot has no value; names it.
    """

    def filled(found: re.Match[str]) -> str:
        before, gap, name = found["before"] or "", found["gap"], found["name"]
        if name not in values:
            raise InvalidInputError(
                f"{template!r} speaks of {{{name}}}, which is not given; give it or take another phrase"
            )
        value = values[name]
        if name == "object" and rules.article and before.casefold() not in rules.determiners:
            value = f"{rules.article} {value}"
        if name in _FIXED:
            value = f"{BEGIN}{value}{END}"
        return f"{before}{gap}{value}"

    return _SLOT.sub(filled, template.replace("}{", "} {"))


def unmarked(text: str) -> str:
    """``text`` without marks."""
    return _MARKS.sub("", text)


def capitalised(text: str) -> str:
    """``text`` with its first letter in upper case, marks before it passed over."""
    at = next((index for index, letter in enumerate(text) if letter not in BEGIN + END), 0)
    return text[:at] + text[at : at + 1].upper() + text[at + 1 :]
