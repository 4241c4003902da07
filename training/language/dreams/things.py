"""What can be spoken of in a frame: vehicles, people, lights, signs and other things, by name, colour and place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from training.language.dreams.dream import ObjectSlots
from training.language.naming import PEDESTRIAN

LEFT, RIGHT, AHEAD = "left", "right", "ahead"
LIGHT, SIGN = "traffic light", "stop sign"
#: Farther things are not spoken of, m; nearer than this they lie under the bonnet.
FARTHEST_M, NEAREST_M = 45.0, 3.0
#: Things within this of the way's middle are ahead, others beside it, m.
_AHEAD_WITHIN_M = 1.9
#: Names that people also use for things that have one of their own.
_ALSO = {
    "car": ("parked car", "police car", "taxi"), "van": ("parked van", "ambulance"), "truck": ("fire engine",),
}  # fmt: skip


@dataclass(frozen=True)
class Thing:
    """Something that a person might name. Ego frame."""

    actor_id: int
    name: str
    colour: str | None
    x_m: float
    y_m: float
    yaw_rad: float
    half_length_m: float
    half_width_m: float
    speed_mps: float
    along_m: float  # from the ego along its way
    right_m: float  # of its way

    @property
    def place(self) -> str:
        """Where it is from the ego's way: left, right, ahead."""
        if abs(self.right_m) < _AHEAD_WITHIN_M:
            return AHEAD
        return LEFT if self.right_m < 0 else RIGHT

    @property
    def solid(self) -> bool:
        """The ego would hit it."""
        return self.name not in (LIGHT, SIGN)


def describe(thing: Thing, things: Sequence[Thing], rng: np.random.Generator) -> ObjectSlots:
    """The fewest words that tell ``thing`` from the others that are seen, and sometimes a word more."""
    options: list[tuple[str | None, str | None]] = [
        (None, None),
        (thing.colour, None),
        (None, thing.place),
        (thing.colour, thing.place),
    ]
    enough = [
        option
        for option in options
        if sum(_fits(other, thing.name, *option) for other in things) == 1
    ] or options[-1:]  # fmt: skip
    colour, place = enough[0] if rng.random() < 0.6 else enough[int(rng.integers(len(enough)))]
    return ObjectSlots(thing.name, colour, place, thing.actor_id)


def absent(
    things: Sequence[Thing],
    candidates: Sequence[str],
    colours: Sequence[str],
    rng: np.random.Generator,
    unsure: frozenset[str] = frozenset(),
) -> ObjectSlots:
    """A description that nothing in sight fits: often a thing that is there, of another colour or place.

    ``unsure``: names of things of which more may be in the picture than ``things``; none of them is said to be absent.
    """
    while True:
        name = candidates[int(rng.integers(len(candidates)))]
        if things and rng.random() < 0.5:
            name = things[int(rng.integers(len(things)))].name
        if not unsure.isdisjoint((name, *_ALSO.get(name, ()))):
            continue
        coloured = name not in (PEDESTRIAN, LIGHT, SIGN) and rng.random() < 0.6
        colour = colours[int(rng.integers(len(colours)))] if coloured else None
        place = (LEFT, RIGHT, AHEAD)[int(rng.integers(3))] if rng.random() < 0.4 else None
        if not any(_fits(thing, name, colour, place) for thing in things):
            return ObjectSlots(name, colour, place, None)


def _fits(thing: Thing, name: str, colour: str | None, place: str | None) -> bool:
    """Whether somebody could mean ``thing``: a parked car is a car, and one of unknown colour may be the red one."""
    called = thing.name == name or thing.name in _ALSO.get(name, ())
    return called and (colour is None or thing.colour in (None, colour)) and place in (None, thing.place)
