"""Requests for a way at the next junction: left, right, straight."""

from __future__ import annotations

import numpy as np

from simlingo.contracts import Command
from simlingo.requests import Reason, RequestKind
from training.language.dreams.attempt import Attempt, dream_of, impossible
from training.language.dreams.dream import Dream, Slots
from training.language.dreams.lanes import changes_soon
from training.language.dreams.lawful import lawful
from training.language.dreams.scene import Scene
from training.language.dreams.ways import onward, own_lane, way_from
from training.language.surroundings.road import NOWHERE, Beside

#: A junction farther away is none that a person means, m.
JUNCTION_WITHIN_M = 45.0
_WAYS = {
    RequestKind.TURN_LEFT: Command.LEFT,
    RequestKind.TURN_RIGHT: Command.RIGHT,
    RequestKind.STRAIGHT: Command.STRAIGHT,
}


def turn_dreams(scene: Scene) -> list[Dream]:
    """All three ways; none in a junction, where the next one is not to be seen."""
    lane = own_lane(scene)
    if lane == NOWHERE or scene.road.lanes[lane].junction or changes_soon(scene):
        return []
    return [turn(scene, kind, lane) for kind in _WAYS]


def turn(scene: Scene, kind: RequestKind, lane: int) -> Dream:
    """Take that way at the next junction, as the lights and the others allow."""
    road, wanted = scene.road, _WAYS[kind]
    near = way_from(scene, lane)
    if near.entry == NOWHERE or near.junction_m > JUNCTION_WITHIN_M:
        return impossible(scene, kind, Slots(), Reason.NO_JUNCTION)
    if not any(road.lanes[option].manoeuvre is wanted for option in road.lanes[near.entry].successors):
        offered = any(
            road.lanes[option].manoeuvre is wanted
            for beside in _beside(scene, near.entry)
            for option in road.lanes[beside].successors
        )
        return impossible(scene, kind, Slots(), Reason.OUT_OF_REACH if offered else Reason.NO_JUNCTION)

    def choose(last: int) -> int:
        options = road.lanes[last].successors
        if last == near.entry:
            return next(option for option in options if road.lanes[option].manoeuvre is wanted)
        return options[0] if len(options) == 1 else onward(scene, last)

    way = way_from(scene, lane, choose)
    return dream_of(scene, Attempt(kind, Slots(), way.line, lawful(scene, way.line, way.place_m)))


def _beside(scene: Scene, lane: int) -> set[int]:
    """Numbers of all other lanes of the same direction."""
    found: set[int] = set()
    for left in (True, False):
        here = scene.road.lanes[lane]
        while (side := here.left if left else here.right).beside is Beside.SAME:
            found.add(side.lane)
            here = scene.road.lanes[side.lane]
    return found


def distance_to_junction(scene: Scene) -> float:
    """Metres to the next junction along the ego's lane; infinite without, 0 within one."""
    lane = own_lane(scene)
    return float(np.inf) if lane == NOWHERE else max(way_from(scene, lane).junction_m, 0.0)
