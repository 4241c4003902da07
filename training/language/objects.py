"""Names of things: class, colour and place put into a description such as "red car on the left"."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from simlingo.arguments import nearest
from simlingo.contracts import InvalidInputError
from training.language.reading import known_keys, read_file, section, slots_in, texts

_SLOTS = frozenset({"name", "colour", "place"})


@dataclass(frozen=True)
class Objects:
    """How a language calls things. Each has several names, the plainest first."""

    patterns: Mapping[frozenset[str], tuple[str, ...]]  # slots -> patterns with just these
    classes: Mapping[str, tuple[str, ...]]  # without article
    colours: Mapping[str, tuple[str, ...]]
    places: Mapping[str, tuple[str, ...]]  # with their preposition
    lanes: Mapping[str, tuple[str, ...]]  # with article

    def describe(
        self, kind: str, rng: np.random.Generator | None = None, colour: str | None = None, place: str | None = None
    ) -> str:
        """A description without article, such as ``red car on the left``.

        Args:
            kind: a key of ``classes``.
            rng: draws the names; without it the plainest are taken.
            colour: a key of ``colours``, or nothing to say of it.
            place: a key of ``places``, or nothing to say of it.

        Raises:
            InvalidInputError: a key that there is not; names the nearest.
        """
        values = {"name": _drawn(self.classes, kind, "class of things", rng)}
        if colour is not None:
            values["colour"] = _drawn(self.colours, colour, "colour", rng)
        if place is not None:
            values["place"] = _drawn(self.places, place, "place", rng)
        pattern = _one_of(self.patterns[frozenset(values)], rng)
        return pattern.format(**values)

    def place(self, name: str, rng: np.random.Generator | None = None) -> str:
        """A place with its preposition, such as ``behind the junction``; raises as :meth:`describe` does."""
        return _drawn(self.places, name, "place", rng)

    def lane(self, name: str, rng: np.random.Generator | None = None) -> str:
        """A lane with its article, such as ``the leftmost lane``; raises as :meth:`describe` does."""
        return _drawn(self.lanes, name, "lane", rng)


def read_objects(file: Path) -> Objects:
    """A language's ``objects.yaml``.

    Raises:
        InvalidInputError: a key or a pattern is missing or broken; names file and key.
    """
    values = read_file(file)
    known_keys(values, ("patterns", "classes", "colours", "places", "lanes"), str(file))
    patterns: dict[frozenset[str], tuple[str, ...]] = {}
    for pattern in texts(values["patterns"], f"{file}: patterns"):
        slots = slots_in(pattern, _SLOTS, f"{file}: patterns")
        patterns[slots] = (*patterns.get(slots, ()), pattern)
    for wanted in ({"name"}, {"name", "colour"}, {"name", "place"}, set(_SLOTS)):
        if frozenset(wanted) not in patterns:
            names = " ".join(f"{{{slot}}}" for slot in sorted(wanted))
            raise InvalidInputError(f"{file}: patterns has none with just {names}; add one")
    named = [_names(values[key], f"{file}: {key}") for key in ("classes", "colours", "places", "lanes")]
    return Objects(patterns, *named)


def _names(values: object, where: str) -> dict[str, tuple[str, ...]]:
    found = {key: texts(names, f"{where}.{key}") for key, names in section(values, where).items()}
    for key, names in found.items():
        for name in names:
            slots_in(name, (), f"{where}.{key}")
    return found


def _drawn(names: Mapping[str, tuple[str, ...]], key: str, what: str, rng: np.random.Generator | None) -> str:
    if key not in names:
        raise InvalidInputError(f"there is no {what} {key!r}{nearest(key, names)} ({what}: {', '.join(names)})")
    return _one_of(names[key], rng)


def _one_of(names: tuple[str, ...], rng: np.random.Generator | None) -> str:
    return names[0] if rng is None else names[int(rng.integers(len(names)))]
