"""Ways along the lanes of the map: where the ego's lane goes on to, up to the next junction and through it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from simlingo.contracts import FloatArray
from simlingo.geometry import arc_length, wrap_angle
from training.language.dreams.line import Line, line_of
from training.language.dreams.scene import Scene
from training.language.surroundings.road import NOWHERE, RoadMap

#: How far ways reach ahead, m, and how much of the lane behind the ego is part of them.
AHEAD_M, BEHIND_M = 90.0, 10.0


@dataclass(frozen=True)
class Way:
    """A line along lanes."""

    line: Line
    place_m: float  # of the ego along it
    lanes: tuple[int, ...]
    junction_m: float  # from the ego to the next junction; negative: it is in one; infinite: none near
    entry: int  # the lane that leads into that junction; NOWHERE without


def own_lane(scene: Scene) -> int:
    """Number of the lane that the ego's way runs in; NOWHERE where it is off the road or about to change lanes."""
    ahead = scene.line.at(scene.place_m + np.array((0.0, 4.0, 8.0)))
    here = scene.road.lane_at(np.vstack((ahead, (scene.ego.x, scene.ego.y))))
    lane = int(here[0])
    if lane == NOWHERE or int(here[3]) == NOWHERE:
        return NOWHERE
    sides = scene.road.lanes[lane]
    beside = {side.lane for side in (sides.left, sides.right)} - {NOWHERE}
    return NOWHERE if beside & {int(other) for other in here} else lane


def way_from(scene: Scene, lane: int, choose: Callable[[int], int] | None = None) -> Way:
    """The way along ``lane`` and on.

    Args:
        scene: the frame.
        lane: a lane at the ego's side, or its own.
        choose: takes the number of a lane that forks and gives the one to go on with; None: as the ego's route goes, and
            straight on where it does not go.
    """
    if choose is not None:
        return _way(scene, lane, choose)
    if lane not in scene.ways:
        scene.ways[lane] = _way(scene, lane, lambda last: onward(scene, last))
    found: Way = scene.ways[lane]
    return found


def _way(scene: Scene, lane: int, choose: Callable[[int], int]) -> Way:
    road = scene.road
    points = road.lanes[lane].points
    begin = int(
        np.argmin(np.einsum("ij,ij->i", points - (scene.ego.x, scene.ego.y), points - (scene.ego.x, scene.ego.y)))
    )
    pieces, lanes = [points], [lane]
    length = float(arc_length(points[begin:])[-1])
    junction_m = -1.0 if road.lanes[lane].junction else np.inf
    entry = NOWHERE
    while length < AHEAD_M and road.lanes[lanes[-1]].successors:
        last = lanes[-1]
        following = choose(last)
        if junction_m == np.inf and road.lanes[following].junction:
            junction_m, entry = length, last
        lanes.append(following)
        pieces.append(road.lanes[following].points)
        length += float(arc_length(pieces[-1])[-1])
    whole = _joined(pieces)
    whole = whole[max(begin - int(BEHIND_M), 0) :]
    if begin < BEHIND_M:  # lanes begin anywhere behind the ego: straight back from there
        step = whole[0] - whole[1]
        whole = np.vstack((whole[0] + (BEHIND_M - begin) * step / np.hypot(*step), whole))
    line = line_of(whole)
    place, _ = line.locate(np.array([(scene.ego.x, scene.ego.y)]))
    return Way(line, float(place[0]), tuple(lanes), float(junction_m), entry)


def _joined(pieces: list[FloatArray]) -> FloatArray:
    """Lanes behind each other as one row of points; the first of each lies where the one before ends."""
    kept = [pieces[0]]
    for piece in pieces[1:]:
        apart = np.hypot(*(piece[0] - kept[-1][-1]))
        kept.append(piece[1:] if apart < 0.4 else piece)
    return np.vstack([piece for piece in kept if len(piece)])


def onward(scene: Scene, lane: int) -> int:
    """The successor of ``lane`` along the ego's route; that which bends least where the route does not pass."""
    road, options = scene.road, scene.road.lanes[lane].successors
    if len(options) == 1:
        return options[0]
    middles = np.array([_middle(road, option) for option in options])
    _, right = scene.line.locate(middles)
    near = int(np.argmin(np.abs(right)))
    if abs(right[near]) < 1.0:
        return options[near]
    return min(options, key=lambda option: abs(_turned(road, option)))


def _middle(road: RoadMap, lane: int) -> FloatArray:
    points = road.lanes[lane].points
    return np.asarray(points[len(points) // 2])


def _turned(road: RoadMap, lane: int) -> float:
    yaw = road.lanes[lane].yaw
    return wrap_angle(float(yaw[-1] - yaw[0]))
