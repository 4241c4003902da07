"""Numbers in words, and back: 0 to 199.9 with one decimal, by the rules of a language."""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from simlingo.contracts import InvalidInputError
from training.language.reading import known_keys, section, slots_in, texts

_TOKENS = re.compile(r"\d+(?:\.\d+)?|[^\W\d_]+")
_LISTED = (*range(20), *range(20, 100, 10))


@dataclass(frozen=True)
class NumberWords:
    """How a language writes numbers; each pattern in all its ways, the commonest first."""

    words: tuple[tuple[int, str], ...]  # 0 to 20, then the tens
    tens: tuple[str, ...]  # of {tens} and {ones}
    hundred: tuple[str, ...]  # 100
    hundreds: tuple[str, ...]  # of {hundred} and {rest}
    decimal: tuple[str, ...]  # of {whole} and {tenth}

    def ways(self, value: float) -> tuple[str, ...]:
        """Every way to write ``value``, 0 to 199.9 with one decimal."""
        whole, tenth = divmod(round(value * 10), 10)
        if not tenth:
            return _whole(self, whole)
        parts = itertools.product(self.decimal, _whole(self, whole), _whole(self, tenth))
        return tuple(pattern.format(whole=before, tenth=after) for pattern, before, after in parts)

    def numbers_in(self, text: str) -> list[float]:
        """The numbers in ``text`` from left to right, in figures or in words."""
        tokens = _TOKENS.findall(text.casefold())
        table = _table(self)
        found: list[float] = []
        at = 0
        while at < len(tokens):
            runs = ((end, table.get(" ".join(tokens[at:end]))) for end in range(min(at + 9, len(tokens)), at, -1))
            end, value = next(((end, value) for end, value in runs if value is not None), (at + 1, None))
            if value is None and tokens[at][0].isdigit():
                value = float(tokens[at])
            if value is not None:
                found.append(value)
            at = end
        return found

    @property
    def all_words(self) -> frozenset[str]:
        """Every word that a number is written with, in lower case."""
        return frozenset(word for phrase in _table(self) for word in phrase.split())


@functools.cache
def _whole(numbers: NumberWords, value: int) -> tuple[str, ...]:
    """The ways to write 0 to 199."""
    words = dict(numbers.words)
    if value in words:
        return (words[value],)
    if value < 100:
        return tuple(each.format(tens=words[value // 10 * 10], ones=words[value % 10]) for each in numbers.tens)
    if value == 100:
        return numbers.hundred
    parts = itertools.product(numbers.hundreds, numbers.hundred, _whole(numbers, value - 100))
    return tuple(pattern.format(hundred=hundred, rest=rest) for pattern, hundred, rest in parts)


@functools.cache
def _table(numbers: NumberWords) -> Mapping[str, float]:
    """Words of a number, single spaces between them -> the number."""
    values = [tenths / 10 for tenths in range(2000)]
    return {" ".join(_TOKENS.findall(way.casefold())): value for value in values for way in numbers.ways(value)}


def number_words(values: Any, where: str) -> NumberWords:
    """The ``numbers`` of a ``grammar.yaml``.

    Raises:
        InvalidInputError: a number or a pattern is missing or broken; names ``where``.
    """
    keys = section(values, where)
    known_keys(keys, ("words", "tens", "hundred", "hundreds", "decimal"), where)
    words = keys["words"]
    if not isinstance(words, dict) or sorted(words) != list(_LISTED):
        raise InvalidInputError(f"{where}.words must have each of {', '.join(map(str, _LISTED))}, and no other number")
    named = texts([words[number] for number in _LISTED], f"{where}.words")
    return NumberWords(
        tuple(zip(_LISTED, named, strict=True)),
        _patterns(keys, "tens", {"tens", "ones"}, where),
        _patterns(keys, "hundred", set(), where),
        _patterns(keys, "hundreds", {"hundred", "rest"}, where),
        _patterns(keys, "decimal", {"whole", "tenth"}, where),
    )


def _patterns(keys: dict[str, Any], key: str, slots: set[str], where: str) -> tuple[str, ...]:
    patterns = texts(keys[key], f"{where}.{key}")
    for pattern in patterns:
        if slots_in(pattern, slots, f"{where}.{key}") != slots:
            raise InvalidInputError(
                f"{where}.{key}: {pattern!r} needs {' and '.join(f'{{{each}}}' for each in sorted(slots))}"
            )
    return patterns
