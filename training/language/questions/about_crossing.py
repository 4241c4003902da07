"""Questions whether a thing that is seen may cross or join the ego's way in a manoeuvre."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from simlingo.contracts import Command, FloatArray
from training.language.naming import PEDESTRIAN
from training.language.questions.about_objects import Named, named_things
from training.language.questions.question import Question
from training.language.questions.scene import (
    MOVES_ABOVE_MPS,
    SOON_M,
    STANDS_BELOW_MPS,
    Scene,
    Thing,
    Where,
)
from training.language.surroundings.town import lines_meet

#: A pedestrian crosses who would be on the way within the first of these, s, walking on; not who would be after the second.
_CROSSES_S, _NEVER_S = 5.0, 12.0
#: Half the ego's width and the room beside it, m; a standing pedestrian farther from the way than the second stays off it.
_BESIDE_M, _OFF_M = 1.6, 3.0
_MANOEUVRES = {"left": Command.LEFT, "right": Command.RIGHT, "straight": Command.STRAIGHT}
_SAID = {"left": "turn left", "right": "turn right", "straight": "go straight on"}


def crosses_follow(scene: Scene) -> list[Question]:
    """Following the road, away from junctions."""
    if scene.road_line_m is None or scene.junction is not None:
        return []
    line, may_come_over = scene.road_line_m, _may_come_over(scene)
    named = [each for each in named_things(scene) if each.thing.where not in may_come_over]
    return _answers("crosses_follow", named, line, "follow the road", {})


def _may_come_over(scene: Scene) -> set[Where]:
    """Lanes from which the marks let somebody change to ours: whether one will, nobody knows."""
    lanes = scene.lanes
    if lanes is None:
        return set()
    return ({Where.LEFT_LANE} if lanes.from_left else set()) | ({Where.RIGHT_LANE} if lanes.from_right else set())


def crosses_at_junction(scene: Scene) -> list[Question]:
    """Turning or going straight at the next junction, or in the one that the ego is in."""
    junction = scene.junction
    if junction is None or not scene.at_junction_known:
        return []
    when = "now" if junction.inside else "next"
    found = []
    for way, command in _MANOEUVRES.items():
        if command in junction.ways and len(junction.ways[command].line_m):
            line = junction.ways[command].line_m
            found += _answers(f"crosses_{way}_{when}", named_things(scene), line, _SAID[way], {})
    return found


def crosses_change(scene: Scene) -> list[Question]:
    """Changing to the lane beside: who is in it, or whose lane leads there."""
    lanes = scene.lanes
    if lanes is None or lanes.marks_end:
        return []
    found = []
    for side, allowed in (("left", lanes.may_left), ("right", lanes.may_right)):
        line = scene.side_lines_m.get(side)
        if allowed and line is not None:
            slots = {"distance": f"{SOON_M:.0f} m"}
            found += _answers(f"crosses_change_{side}", named_things(scene), line, f"change to the {side} lane", slots)
    return found


def _answers(kind: str, named: list[Named], line_m: FloatArray, verb: str, slots: dict[str, str]) -> list[Question]:
    found = []
    for each in named:
        crosses = may_cross(each.thing, line_m)
        if crosses is None:
            continue
        said = "may get into our way" if crosses else "stays out of our way"
        sentence = f"{'Yes' if crosses else 'No'}, {each.object} {said} when we {verb}."
        found.append(Question(kind, "yes" if crosses else "no", sentence, each.slots | slots))
    return found


def may_cross(thing: Thing, line_m: FloatArray) -> bool | None:
    """Whether the thing may come onto the ego's line (N, 2) m; None: nobody can tell.

    A vehicle may where one of its lanes leads there, a pedestrian where it walks there within 5 s. What stands for good, and a
    vehicle ahead in the own lane that drives the same way, are not asked about: they are on the way or not, but never cross it.
    """
    if thing.is_object or thing.parked or thing.where is Where.OWN_LANE:
        return None
    if thing.kind == PEDESTRIAN:
        return _walks_onto(thing, line_m)
    return any(lines_meet(line_m, way) for way in thing.ways) if thing.ways else None


def _walks_onto(thing: Thing, line_m: FloatArray) -> bool | None:
    place, velocity = np.array(thing.position_m), np.array(thing.velocity_mps)
    if thing.speed_mps < STANDS_BELOW_MPS:
        if lines_meet(line_m, place[None], _BESIDE_M):
            return True
        return None if lines_meet(line_m, place[None], _OFF_M) else False
    if thing.speed_mps < MOVES_ABOVE_MPS:
        return None
    times = np.arange(0.0, _NEVER_S, 0.25)
    walked = place + times[:, None] * velocity
    if lines_meet(line_m, walked[times <= _CROSSES_S], _BESIDE_M):
        return True
    return None if lines_meet(line_m, walked, _OFF_M) else False


ASKED: tuple[Callable[[Scene], list[Question]], ...] = (crosses_follow, crosses_at_junction, crosses_change)
