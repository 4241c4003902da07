"""Where trials take place: stretches of road between junctions, and the way that leads straight on from a place."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import cache

import numpy as np

from simlingo.contracts import Command, FloatArray
from simlingo.geometry import arc_length
from simlingo.navigation.global_planner import MIN_STEP_M, DenseRoute, GlobalPlanner
from simlingo.navigation.lane_graph import Lane, LaneGraph
from simlingo_drive.backends.embedded import embedded_map, embedded_planner
from simlingo_drive.routes import signalled_lanes
from simlingo_sim import towns
from simlingo_sim.roads.signals import read_signals
from simlingo_sim.towns.extras import STOP_SIGN_TYPE

#: The town that nothing is trained in.
TOWN = "harbortown"


@dataclass(frozen=True)
class Stretch:
    """One lane between two junctions."""

    lane: int  # number in the planner's graph
    road: int  # OpenDRIVE ids
    lane_id: int
    length_m: float
    limit_kmh: float
    signalled: bool  # a traffic light stands at its end
    signed: bool  # a stop sign does
    left: bool  # the marks let a car change to a lane of the same direction on that side
    right: bool
    ways: tuple[Command, ...]  # that the junction at its end offers from it
    road_ways: tuple[Command, ...]  # that it offers from any lane of this road and direction


@cache
def stretches(town: str = TOWN) -> tuple[Stretch, ...]:
    """All stretches of a shipped town, in the order of its map."""
    graph, carla_map = embedded_planner(town).graph, embedded_map(town)
    extras = towns.load(town).extras
    signalled = signalled_lanes(carla_map)
    signs = [signal for signal in read_signals(carla_map, extras) if signal.kind == STOP_SIGN_TYPE]
    signed = {(stop.road_id, stop.lane_id) for sign in signs for stop in sign.stops}
    offered: dict[tuple[int, bool], set[Command]] = defaultdict(set)
    for lane in graph.lanes:
        if lane.junction is None:
            offered[_direction(lane)] |= {graph.lanes[way].manoeuvre for way in lane.successors}
    found = []
    for number, lane in enumerate(graph.lanes):
        if lane.junction is not None:
            continue
        key = (lane.waypoints[0].road_id, lane.waypoints[0].lane_id)
        changes = {side for at in range(lane.first, lane.last + 1) for _, side in graph.lane_changes.get(at, ())}
        ways = sorted({graph.lanes[way].manoeuvre for way in lane.successors})
        limit = extras.speed_limits[key[0]]
        left, right = (side in changes for side in (Command.CHANGE_LANE_LEFT, Command.CHANGE_LANE_RIGHT))
        held = (key in signalled, key in signed)
        all_ways = tuple(sorted(offered[_direction(lane)]))
        found.append(Stretch(number, *key, length_m(lane), limit, *held, left, right, tuple(ways), all_ways))
    return tuple(found)


def _direction(lane: Lane) -> tuple[int, bool]:
    """Road of a lane and which way it leads along it."""
    return lane.waypoints[0].road_id, lane.waypoints[0].lane_id > 0


def length_m(lane: Lane) -> float:
    """Length of a lane, m."""
    return float(arc_length(_points(lane))[-1])


def straight_on(planner: GlobalPlanner, lane: int, begin_m: float, metres: float) -> DenseRoute:
    """The way from ``begin_m`` on the lane of that number, through each junction as straight as it offers, for ``metres``."""
    graph = planner.graph
    begin = int(arc_length(_points(graph.lanes[lane])).searchsorted(begin_m))
    route: DenseRoute = [(waypoint, graph.lanes[lane].manoeuvre) for waypoint in graph.lanes[lane].waypoints[begin:]]
    while len(route) < metres and graph.lanes[lane].successors:
        lane = straightest(graph, lane)
        route += [(waypoint, graph.lanes[lane].manoeuvre) for waypoint in graph.lanes[lane].waypoints]
    return _apart(route)[: max(round(metres), 2)]


def straightest(graph: LaneGraph, lane: int) -> int:
    """Number of the lane behind ``lane`` that bends least; the first of equals."""
    return min(graph.lanes[lane].successors, key=lambda way: abs(graph.lanes[way].heading_change))


def junction_entries(route: DenseRoute) -> list[tuple[int, int, Command]]:
    """Index of the first place in each junction of a route, of the first behind it, and what is done there."""
    found: list[tuple[int, int, Command]] = []
    begin: int | None = None
    for index, (waypoint, _) in enumerate(route):
        if waypoint.is_junction and begin is None:
            begin = index
        elif not waypoint.is_junction and begin is not None:
            found.append((begin, index, route[begin][1]))
            begin = None
    return found


def _apart(route: DenseRoute) -> DenseRoute:
    """Without the places that stand on their predecessor: a lane ends where the next begins."""
    kept = route[:1]
    for waypoint, command in route[1:]:
        if waypoint.transform.location.distance(kept[-1][0].transform.location) >= MIN_STEP_M:
            kept.append((waypoint, command))
    return kept


def _points(lane: Lane) -> FloatArray:
    return np.array([(w.transform.location.x, w.transform.location.y) for w in lane.waypoints])
