"""Requests for another lane: by one, by two, or a named one; where there is none, where it is not allowed."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from simlingo.contracts import Command, FloatArray
from simlingo.requests import Reason, RequestKind
from training.language.dreams.attempt import Attempt, dream_of, impossible
from training.language.dreams.dream import Dream, Slots
from training.language.dreams.lawful import lawful
from training.language.dreams.line import Line, blend, line_of
from training.language.dreams.scene import Scene
from training.language.dreams.ways import Way, own_lane, way_from
from training.language.surroundings.road import NOWHERE, Beside, RoadMap, Side

#: Time that a change by one lane takes, s, and its least length, m.
CHANGE_S, CHANGE_LEAST_M = 2.7, 11.0
#: Most lateral acceleration of a change, m/s^2.
CHANGE_LATERAL_MPS2 = 3.5
#: The route's own lane change nearer than this is under way, m.
ROUTE_CHANGES_M = 15.0
_KINDS = {RequestKind.LANE_LEFT: -1, RequestKind.LANE_RIGHT: 1}


@dataclass(frozen=True)
class Target:
    """Where a change of lanes leads."""

    lane: int  # NOWHERE: there is none
    offset_m: float  # to the right of the own lane's middle
    wrong: tuple[Reason, ...] = ()


def lane_dreams(scene: Scene, rng: np.random.Generator) -> list[Dream]:
    """To each side by one lane, and by two or to a named lane."""
    lane = own_lane(scene)
    if lane == NOWHERE or changes_soon(scene):
        return []
    found = []
    for kind in _KINDS:
        found.append(change(scene, kind, Slots(lanes=1)))
        found.append(change(scene, kind, Slots(lanes=2)))
    kind_and_slots = _named(scene, lane, rng)
    if kind_and_slots is not None:
        found.append(change(scene, *kind_and_slots))
    return found


def changes_soon(scene: Scene) -> bool:
    """The route itself changes lanes here."""
    commands = (Command.CHANGE_LANE_LEFT, Command.CHANGE_LANE_RIGHT)
    return int(scene.row["command"]) in commands and scene.row["distance_to_command_m"] < ROUTE_CHANGES_M


def change(scene: Scene, kind: RequestKind, slots: Slots) -> Dream:
    """Change lanes to the side that ``kind`` names, by ``slots.lanes`` or to ``slots.lane``."""
    lane = own_lane(scene)
    target = find_target(scene.road, lane, _KINDS[kind], count_of(scene.road, lane, slots))
    if target.lane == NOWHERE:
        return impossible(scene, kind, slots, Reason.NO_LANE)
    way = way_from(scene, lane)
    line = change_line(scene, way, target)
    if line is None:
        return impossible(scene, kind, slots, (*target.wrong, Reason.OUT_OF_REACH)[0])
    pace = lawful(scene, line, way.place_m)
    return dream_of(scene, Attempt(kind, slots, line, pace, changes_lane=True, wrong=target.wrong))


def find_target(road: RoadMap, lane: int, side: int, count: int) -> Target:
    """The lane ``count`` lanes to the right (``side`` 1) or left (-1) of ``lane``, and what is wrong with going there."""
    here, offset = lane, 0.0
    wrong: list[Reason] = []
    if count < 1:
        return Target(NOWHERE, 0.0)
    for _ in range(count):
        beside = _side_of(road, here, side if Reason.ONCOMING_LANE not in wrong else -side)
        if beside.beside is Beside.ONCOMING or (beside.beside is Beside.SAME and Reason.ONCOMING_LANE in wrong):
            reason: Reason | None = Reason.ONCOMING_LANE
        elif beside.beside is Beside.SAME:
            reason = None if beside.may_cross else Reason.SOLID_LINE
        else:
            return Target(NOWHERE, 0.0)
        if reason is not None and reason not in wrong:
            wrong.insert(0, reason)
        offset += side * 0.5 * (road.lanes[here].width_m + beside.width_m)
        here = beside.lane
    return Target(here, offset, tuple(wrong))


def count_of(road: RoadMap, lane: int, slots: Slots) -> int:
    """How many lanes away the lane is that ``slots`` mean; 0: the own one, or there is none of that number."""
    if slots.lane is None:
        return slots.lanes or 1
    left, right = neighbours(road, lane, -1), neighbours(road, lane, 1)
    if slots.lane in ("leftmost", "rightmost"):
        return left if slots.lane == "leftmost" else right
    number = int(slots.lane) - 1
    return abs(number - left) if number <= left + right else 0


def neighbours(road: RoadMap, lane: int, side: int) -> int:
    """How many lanes of the same direction lie to the right (1) or left (-1) of ``lane``."""
    count = 0
    while (beside := _side_of(road, lane, side)).beside is Beside.SAME:
        count, lane = count + 1, beside.lane
    return count


def _side_of(road: RoadMap, lane: int, side: int) -> Side:
    return road.lanes[lane].left if side < 0 else road.lanes[lane].right


def _named(scene: Scene, lane: int, rng: np.random.Generator) -> tuple[RequestKind, Slots] | None:
    """A lane by its name or number, now and then one that is not there; None: the ego is in it."""
    left, right = neighbours(scene.road, lane, -1), neighbours(scene.road, lane, 1)
    names = ["leftmost"] * (left > 0) + ["rightmost"] * (right > 0)
    names += [str(number) for number in range(1, left + right + 3) if number != left + 1]
    name = names[int(rng.integers(len(names)))]
    goes_left = name == "leftmost" or (name.isdigit() and int(name) <= left)
    return RequestKind.LANE_LEFT if goes_left else RequestKind.LANE_RIGHT, Slots(lane=name)


def change_line(scene: Scene, way: Way, target: Target) -> Line | None:
    """From the own lane's middle over to the target's; None where the next junction is too near for that."""
    speed, many = scene.vehicle.speed_mps, abs(target.offset_m) / 3.5
    gentle_s = math.pi * math.sqrt(abs(target.offset_m) / (2.0 * CHANGE_LATERAL_MPS2))
    shortest = max(gentle_s * speed, CHANGE_LEAST_M * math.sqrt(many))
    if shortest > way.junction_m:
        return None
    length = max(CHANGE_S * math.sqrt(many) * speed, shortest)
    if length > way.junction_m:
        length = shortest
    offset = target.offset_m * blend(way.line.places, way.place_m, length)
    moved = way.line.beside(offset)
    if Reason.ONCOMING_LANE in target.wrong:
        return moved
    return _onto(scene, moved, way.place_m + length, target.lane)


def _onto(scene: Scene, line: Line, from_m: float, lane: int) -> Line:
    """``line`` up to ``from_m``, then along ``lane`` and on, which may turn where the own lane does not."""
    other = way_from(scene, lane).line
    last = line.at(from_m)
    place, right = other.locate(last[None])
    if abs(right[0]) > 0.5:
        return line  # the lanes part before
    before = line.points[line.places < from_m]
    after = other.points[other.places > place[0] + 0.25]
    return replace(line_of(np.vstack((before, after)), beyond_m=0.0), length_m=other.length_m)


def offset_to(line: Line, begin_m: float, length_m: float, offset_m: float) -> FloatArray:
    """Offsets (N,) m of the points of ``line`` that move over to ``offset_m`` and stay there."""
    return offset_m * blend(line.places, begin_m, length_m)
