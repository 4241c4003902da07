"""A dream in words: what its sentence asks for."""

from __future__ import annotations

import numpy as np

from simlingo.contracts import InvalidInputError
from training.language.asked import Asked, Speed, SpeedUnit
from training.language.dreams.dream import Dream, ObjectSlots, Slots
from training.language.languages import Language

#: Names of lanes that a dream counts from the left.
_COUNTED = {"1": "leftmost", "2": "second_from_left", "3": "third_from_left"}


def asked_of(dream: Dream, words: Language, rng: np.random.Generator) -> Asked:
    """What to say so that somebody asks for ``dream``; ``rng`` draws the names of things and lanes.

    Raises:
        InvalidInputError: the language has no name for its thing or lane.
    """
    slots = dream.slots
    return Asked(
        dream.kind,
        speed=_speed(slots),
        object=None if slots.object is None else description(slots.object, words, rng),
        lanes=slots.lanes,
        lane=None if slots.lane is None else words.objects.lane(_lane(slots.lane), rng),
        distance_m=None if slots.distance_m is None else round(slots.distance_m, 1),
    )


def description(thing: ObjectSlots, words: Language, rng: np.random.Generator | None = None) -> str:
    """A thing without article, such as ``red car on the left``; without ``rng`` in the plainest words."""
    return words.objects.describe(thing.name.replace(" ", "_"), rng, thing.colour, thing.place)


def _speed(slots: Slots) -> Speed | None:
    if slots.speed_mps is None:
        return None
    unit = SpeedUnit(slots.unit)
    return Speed(round(slots.speed_mps / unit.mps, 1), unit)


def _lane(name: str) -> str:
    if name.isdigit() and name not in _COUNTED:
        raise InvalidInputError(f"a lane is counted up to {max(_COUNTED)} from the left, not {name}; add its name")
    return _COUNTED.get(name, name)
