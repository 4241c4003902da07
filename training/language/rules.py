"""What a language puts around and inside core phrases: the content of its ``grammar.yaml``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simlingo.contracts import InvalidInputError
from training.language.asked import SpeedUnit
from training.language.hold_out import normalise
from training.language.number_words import NumberWords, number_words
from training.language.phrase import Form
from training.language.reading import known_keys, read_file, section, slots_in, texts

_KEYS = (
    *("politeness", "fillers", "joined", "units", "lanes", "numbers", "article", "determiners", "spellings"),
    *("mirrored", "protected"),
)
METRE = "m"


@dataclass(frozen=True)
class Rules:
    """How a language composes. Patterns have ``{phrase}``, or ``{first}`` and ``{second}``."""

    politeness: Mapping[Form, tuple[str, ...]]
    fillers: tuple[str, ...]
    in_order: tuple[str, ...]  # two requests, the first one first
    together: tuple[str, ...]  # two requests in any order
    units: Mapping[str, tuple[str, ...]]  # km/h, m/s, mph and m -> how they are said, the plainest first
    one_lane: tuple[str, ...]  # of {count}
    many_lanes: tuple[str, ...]
    numbers: NumberWords
    article: str  # before a thing that has none; may be empty
    determiners: frozenset[str]  # words after which a thing needs no article
    spellings: Mapping[str, tuple[str, ...]]  # word -> its other spellings
    mirrored: tuple[str, ...]  # words that the held-out list takes for one another
    protected: frozenset[str]  # words that no typo touches or makes, numbers and units among them

    @property
    def one_spelling(self) -> dict[str, str]:
        """Other spelling -> the one that stands for all."""
        return {other: word for word, others in self.spellings.items() for other in others}

    @property
    def one_side(self) -> dict[str, str]:
        """The same, and one word for the mirrored ones: what the held-out list compares by."""
        return self.one_spelling | dict.fromkeys(self.mirrored, self.mirrored[0])

    def around(self) -> tuple[frozenset[str], frozenset[str]]:
        """Normalised words that politeness and fillers put before and after a phrase."""
        patterns = [*self.fillers, *(pattern for each in self.politeness.values() for pattern in each)]
        parts = [pattern.split("{phrase}") for pattern in patterns]
        before, after = ({normalise(part[end]) for part in parts} - {""} for end in (0, 1))
        return frozenset(before), frozenset(after)


def read_rules(file: Path) -> Rules:
    """A language's ``grammar.yaml``.

    Raises:
        InvalidInputError: a key is missing or unknown, or a pattern is broken; names file and key.
    """
    values = read_file(file)
    known_keys(values, _KEYS, str(file))
    polite = _section(values, "politeness", tuple(form.value for form in Form), file)
    joined = _section(values, "joined", ("in_order", "together"), file)
    lanes = _section(values, "lanes", ("one", "many"), file)
    units = _section(values, "units", (*(unit.value for unit in SpeedUnit), METRE), file)
    said = {unit: _texts(units, unit, file, "units") for unit in units}
    numbers = number_words(values["numbers"], f"{file}: numbers")
    if not isinstance(values["article"], str):
        raise InvalidInputError(f"{file}: article must be a text (an empty one where there is none), in quotes")
    unit_words = {word for ways in said.values() for way in ways for word in normalise(way).split()}
    return Rules(
        {form: _patterns(polite, form.value, {"phrase"}, file, "politeness") for form in Form},
        _patterns(values, "fillers", {"phrase"}, file),
        _patterns(joined, "in_order", {"first", "second"}, file, "joined"),
        _patterns(joined, "together", {"first", "second"}, file, "joined"),
        said,
        _patterns(lanes, "one", {"count"}, file, "lanes"),
        _patterns(lanes, "many", {"count"}, file, "lanes"),
        numbers,
        values["article"],
        frozenset(_texts(values, "determiners", file)),
        {
            word: texts(others, f"{file}: spellings.{word}")
            for word, others in section(values["spellings"], f"{file}: spellings").items()
        },
        _texts(values, "mirrored", file),
        frozenset(normalise(word) for word in _texts(values, "protected", file)) | numbers.all_words | unit_words,
    )


def _section(values: dict[str, Any], key: str, wanted: tuple[str, ...], file: Path) -> dict[str, Any]:
    found = section(values[key], f"{file}: {key}")
    known_keys(found, wanted, f"{file}: {key}")
    return found


def _texts(values: dict[str, Any], key: str, file: Path, above: str = "") -> tuple[str, ...]:
    return texts(values[key], f"{file}: {above}{'.' if above else ''}{key}")


def _patterns(values: dict[str, Any], key: str, slots: set[str], file: Path, above: str = "") -> tuple[str, ...]:
    where = f"{file}: {above}{'.' if above else ''}{key}"
    patterns = texts(values[key], where)
    for pattern in patterns:
        if slots_in(pattern, slots, where) != slots:
            names = " and ".join(f"{{{slot}}}" for slot in sorted(slots))
            raise InvalidInputError(f"{where}: {pattern!r} has no {names}; add what stands for the phrase")
    return patterns
