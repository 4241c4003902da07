"""Where things are on the road, told from the view's own lane, and where their lanes lead."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from simlingo.contracts import EgoState
from simlingo.geometry import map_to_ego
from training.language.naming import PEDESTRIAN
from training.language.questions.around import Route
from training.language.questions.scene import Lead, Thing, Where
from training.language.questions.things import Placed
from training.language.surroundings.town import Pose, Town

#: Roads of a junction that run on along ours, and lie at most so far beside it, m, so far beyond its begin, go on from it.
_PARALLEL_RAD, _BESIDE_M, _BEYOND_M = math.radians(45.0), 12.0, 8.0
#: A road to the side begins so far beside our lane at least, m.
_ASIDE_M = 4.0
#: A thing on the ego's way: its middle this near to the route's line, m, and its heading, rad.
_ON_WAY_M, _ON_WAY_RAD = 1.7, math.radians(50.0)
#: Half of the widest vehicle's way past the route's line: who comes nearer may be in the way, m.
_NEAR_WAY_M = 2.6


@dataclass(frozen=True)
class Surroundings:
    """What a thing's place is told from."""

    road: int  # of the stretch that the view stands on; inside a junction the one that follows
    lane: int
    entry: Pose | None  # where the route enters, or left, the junction; None without one near
    route: Route


def surroundings(town: Town, route: Route, inside: bool) -> Surroundings | None:
    """The stretch of road that the view is on or comes to; None where the route ends in a junction."""
    outside = [index for index, place in enumerate(route.places) if town.junction(place) is None]
    if inside:
        outside = [index for index in outside if index > 0]
    if not outside:
        return None
    road, lane = town.road(route.places[outside[0]])
    within = [index for index, place in enumerate(route.places) if town.junction(place) is not None]
    entry = route.poses[within[0]] if within else None
    return Surroundings(road, lane, entry, route)


def located(placed: Placed, town: Town, around: Surroundings | None, view: EgoState) -> Thing:
    """The thing with where it is and where it may drive."""
    thing = placed.thing
    if thing.kind == PEDESTRIAN or thing.parked:
        return replace(thing, where=_afoot(placed, town, around))
    places = town.places_at(placed.pose)
    ways = [way for place in places for way in town.ways_on(place)]
    lines = tuple(map_to_ego(town.line(way), view) for way in ways)
    return replace(thing, where=_on_road(placed.pose, places, town, around), ways=lines)


def _afoot(placed: Placed, town: Town, around: Surroundings | None) -> Where | None:
    """Pedestrians, parked cars and objects: on the carriageway, or beside it."""
    pose, thing = placed.pose, placed.thing
    if town.on_carriageway(pose.x, pose.y):
        if thing.kind != PEDESTRIAN:
            return _on_road(pose, town.places_at(pose, turned_rad=math.pi / 2.0), town, around)
        return Where.CROSSING if town.on_crossing(pose.x, pose.y) else Where.CARRIAGEWAY
    if around is None:
        return None
    lateral = _lateral(around.route, pose)
    if lateral is None:
        return None
    return Where.BESIDE_RIGHT if lateral > 0.0 else Where.BESIDE_LEFT


def _lateral(route: Route, pose: Pose) -> float | None:
    """How far right of the route a place beside its first stretch is, m; None farther on, and beyond a bend."""
    points = np.array([(each.x, each.y) for each in route.poses])
    gap = np.hypot(*(points - (pose.x, pose.y)).T)
    nearest = int(np.argmin(gap))
    at = route.poses[nearest]
    dx, dy = pose.x - at.x, pose.y - at.y
    along = dx * math.cos(at.yaw) + dy * math.sin(at.yaw)
    turned = abs((at.yaw - route.poses[0].yaw + math.pi) % (2.0 * math.pi) - math.pi)
    if abs(along) > 3.0 or turned > math.radians(35.0):
        return None
    return dy * math.cos(at.yaw) - dx * math.sin(at.yaw)


def _on_road(pose: Pose, places: Sequence[int], town: Town, around: Surroundings | None) -> Where | None:
    if around is None or not places:
        return None
    if any(town.junction(place) is not None for place in places):
        return Where.JUNCTION if all(town.junction(place) is not None for place in places) else None
    road, lane = town.road(places[0])
    if road != around.road:
        return _arm(pose, float(town.yaw[places[0]]), around.entry)
    if lane * around.lane < 0:
        return Where.ONCOMING
    step = abs(lane) - abs(around.lane)  # lanes count outwards, and the right is outside
    return {0: Where.OWN_LANE, 1: Where.RIGHT_LANE, -1: Where.LEFT_LANE}.get(step)


def _arm(pose: Pose, lane_yaw: float, entry: Pose | None) -> Where | None:
    """Which road of the junction ahead something is on; None where that is too far to say."""
    if entry is None:
        return None
    dx, dy = pose.x - entry.x, pose.y - entry.y
    ahead = dx * math.cos(entry.yaw) + dy * math.sin(entry.yaw)
    right = dy * math.cos(entry.yaw) - dx * math.sin(entry.yaw)
    if abs(math.sin(lane_yaw - entry.yaw)) < math.sin(_PARALLEL_RAD):
        return Where.ROAD_BEYOND if ahead > _BEYOND_M and abs(right) < _BESIDE_M else None
    if ahead < -3.0 or abs(right) < max(_ASIDE_M, 0.7 * ahead - 10.0):
        return None
    return Where.ROAD_RIGHT if right > 0.0 else Where.ROAD_LEFT


def lead_of(
    placed: Sequence[Placed],
    things: Sequence[Thing],
    route: Route,
    told_m: float | None,
    front_m: float,
    view: EgoState,
    reach_m: float,
) -> tuple[Lead | None, bool]:
    """The vehicle ahead on the route, and whether it is known.

    Args:
        placed, things: everything around, in equal order.
        route: from the view on.
        told_m: gap to the vehicle ahead by the row's label; None without one.
        front_m: from the ego's middle to its bumper.
        view: the view's ego.
        reach_m: farther vehicles do not count.
    """
    points = np.array([(each.x, each.y) for each in route.poses])
    start = _along(points, route, Pose(view.x, view.y, view.yaw))[0]
    nearest: tuple[float, Thing] | None = None
    for at, thing in zip(placed, things, strict=True):
        if not thing.is_vehicle:
            continue
        arc, lateral, turned = _along(points, route, at.pose)
        gap = arc - start - front_m - thing.extent_m[0]
        if arc < start + 1.0 or abs(lateral) > _NEAR_WAY_M or gap > reach_m or abs(turned) > _ON_WAY_RAD:
            continue
        if abs(lateral) > _ON_WAY_M:
            return None, False  # neither in the way nor out of it
        if nearest is None or gap < nearest[0]:
            nearest = (gap, thing)
    told = told_m if told_m is not None and told_m <= reach_m else None
    if nearest is None:
        return None, told is None
    gap, thing = nearest
    agree = told is not None and abs(told - gap) < 2.0
    return (Lead(thing, max(told or 0.0, 0.0)), True) if agree and thing.seen else (None, False)


def _along(points_m: np.ndarray, route: Route, pose: Pose) -> tuple[float, float, float]:
    """Metres along the route from its first waypoint, metres right of it, and how far the heading is turned, rad."""
    gap = np.hypot(*(points_m - (pose.x, pose.y)).T)
    nearest = int(np.argmin(gap))
    at = route.poses[nearest]
    dx, dy = pose.x - at.x, pose.y - at.y
    along = dx * math.cos(at.yaw) + dy * math.sin(at.yaw)
    turned = (pose.yaw - at.yaw + math.pi) % (2.0 * math.pi) - math.pi
    lateral = dy * math.cos(at.yaw) - dx * math.sin(at.yaw)
    if nearest == len(route.poses) - 1 and along > 2.0:
        return float("inf"), lateral, turned
    return float(route.arc_m[nearest]) + along, lateral, turned
