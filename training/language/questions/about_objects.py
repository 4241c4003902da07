"""Questions about one thing that is seen: whether it moves, where it goes, where it is, which colour it has."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from training.language.naming import PEDESTRIAN
from training.language.questions.names import name_of, picture_place
from training.language.questions.question import Question
from training.language.questions.scene import MOVES_ABOVE_MPS, STANDS_BELOW_MPS, Scene, Thing, Where

#: Things farther away are too small to ask about, m.
ASKED_WITHIN_M = 40.0
#: Colours are told within this distance, m, with the sun at least so high, degrees: at dusk blue and black look alike.
COLOUR_WITHIN_M, COLOUR_SUN_DEG = 25.0, 8.0
#: Headings within this of ours go our way; beyond the third towards us; between the second pair across, rad.
_SAME_RAD, _ACROSS_RAD, _TOWARDS_RAD = (
    math.radians(25.0),
    (math.radians(60.0), math.radians(120.0)),
    math.radians(155.0),
)


@dataclass(frozen=True)
class Named:
    """A thing that can be told from all others by what it is called and where in the picture it is."""

    thing: Thing
    object: str  # with its article
    place: str

    @property
    def slots(self) -> dict[str, str]:
        """What wordings fill in."""
        return {"object": self.object, "place": self.place}


def named_things(scene: Scene, *, by_colour: bool = True) -> list[Named]:
    """The things within 40 m that can be named, nearest first; without their colours, where that is asked for."""
    called = [(thing, _name(thing, by_colour), picture_place(thing)) for thing in scene.things if thing.samples > 0]
    found = []
    for thing, name, place in sorted(called, key=lambda each: each[0].distance_m):
        alike = [other for other, _, where in called if _may_be(other, name, by_colour) and where in (place, None)]
        if thing.seen and place is not None and len(alike) == 1 and 0.0 < thing.position_m[0] < ASKED_WITHIN_M:
            found.append(Named(thing, f"the {name}", place))
    return found


def _name(thing: Thing, by_colour: bool) -> str:
    return name_of(thing) if by_colour else thing.kind


def _may_be(other: Thing, name: str, by_colour: bool) -> bool:
    """Whether somebody could mean ``other`` by ``name``: one of unknown colour may be the red one, too."""
    own = _name(other, by_colour)
    return own == name or name == other.kind or (not other.colour and name.endswith(f" {other.kind}"))


def object_motion(scene: Scene) -> list[Question]:
    """Moving or standing."""
    found = []
    for named in named_things(scene):
        speed, kind = named.thing.speed_mps, "object_motion"
        if named.thing.is_object or STANDS_BELOW_MPS <= speed <= MOVES_ABOVE_MPS:
            continue
        answer = "moving" if speed > MOVES_ABOVE_MPS else "standing"
        found.append(Question(kind, answer, f"{_capital(named.object)} is {answer}.", named.slots))
    return found


def object_heading(scene: Scene) -> list[Question]:
    """Which way it goes, or would go: with us, towards us, or across."""
    found = []
    for named in named_things(scene):
        thing = named.thing
        if thing.is_object or thing.parked or (thing.kind == PEDESTRIAN and thing.speed_mps < MOVES_ABOVE_MPS):
            continue
        turned = math.atan2(thing.velocity_mps[1], thing.velocity_mps[0]) if thing.kind == PEDESTRIAN else thing.yaw_rad
        answer = heading_of(turned)
        if answer is not None:
            found.append(Question("object_heading", answer, f"{_capital(named.object)} {_HEADS[answer]}.", named.slots))
    return found


_HEADS = {
    "our way": "goes the same way as we do",
    "towards us": "comes towards us",
    "left to right": "heads from left to right",
    "right to left": "heads from right to left",
}


def heading_of(turned_rad: float) -> str | None:
    """What a heading is called that is turned so far (clockwise) from ours; None between two answers."""
    size = abs(math.remainder(turned_rad, 2.0 * math.pi))
    if size < _SAME_RAD:
        return "our way"
    if size > _TOWARDS_RAD:
        return "towards us"
    if _ACROSS_RAD[0] < size < _ACROSS_RAD[1]:
        return "left to right" if math.remainder(turned_rad, 2.0 * math.pi) > 0.0 else "right to left"
    return None


def object_place(scene: Scene) -> list[Question]:
    """Where on the road it is."""
    return [
        Question("object_place", where.value, f"{_capital(named.object)} is {where.value}.", named.slots)
        for named in named_things(scene)
        if isinstance(where := named.thing.where, Where)
    ]


def object_colour(scene: Scene) -> list[Question]:
    """Its colour, asked without naming it, where light and distance let it be seen."""
    if scene.weather.sun_altitude_deg < COLOUR_SUN_DEG:
        return []
    return [
        Question("object_colour", colour, f"{_capital(named.object)} is {colour}.", named.slots)
        for named in named_things(scene, by_colour=False)
        if (colour := named.thing.colour) and named.thing.distance_m < COLOUR_WITHIN_M
    ]


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]


ASKED: tuple[Callable[[Scene], list[Question]], ...] = (object_motion, object_heading, object_place, object_colour)
