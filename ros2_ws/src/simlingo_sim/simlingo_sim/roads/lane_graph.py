"""The driving lanes of a town as arrays, sampled every metre, with successors, neighbours and stop lines."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import carla
import numpy as np

from simlingo_sim.bodies import Floats, Ints
from simlingo_sim.errors import SimulatorError
from simlingo_sim.roads.signals import Signal
from simlingo_sim.towns.extras import STOP_SIGN_TYPE, TRAFFIC_LIGHT_TYPE, RoadExtras

LaneKey = tuple[int, int, int]  # road, section, lane

#: Values of ``LaneArrays.sign``.
NO_SIGN, YIELD_SIGN, STOP_SIGN = 0, 1, 2
#: Lateral acceleration at which traffic takes a bend, m/s^2.
_BEND_ACCELERATION = 2.2


class LaneArrays(NamedTuple):
    """L lanes and their P sample points. Along a lane ``s`` counts in the driving direction from its start."""

    first: Ints  # (L,) index of the first point
    points: Ints  # (L,) how many of them, at least 2
    length: Floats  # (L,) m
    x: Floats  # (P,) m
    y: Floats  # (P,) m
    z: Floats  # (P,) m
    yaw: Floats  # (P,) rad
    limit: Floats  # (P,) m/s, the lower of the posted limit and a comfortable pace for the bend
    successor_first: Ints  # (L,) index into successors
    successor_count: Ints  # (L,)
    successors: Ints  # (E,) lane indices
    left: Ints  # (L,) neighbour in the same direction that may be changed to, else -1
    right: Ints  # (L,)
    junction: Ints  # (L,) junction id of a connecting lane, else -1
    light: Ints  # (L,) index of the light at the lane's end, else -1
    sign: Ints  # (L,) NO_SIGN, YIELD_SIGN or STOP_SIGN at the lane's end
    stop_s: Floats  # (L,) m, where to stop; the lane's length where nothing is painted
    turn: Ints  # (L,) -1 left, 0 straight, 1 right


@dataclass(frozen=True)
class LaneGraph:
    """Lane arrays and the way from carla's (road, section, lane) to their index."""

    arrays: LaneArrays
    keys: tuple[LaneKey, ...]
    index: dict[LaneKey, int]
    start_s: Floats  # (L,) road s of the lane's start in driving direction

    def locate(self, waypoint: carla.Waypoint) -> tuple[int, float]:
        """Lane index and s (m from the lane's start) of a waypoint on a driving lane; (-1, 0.0) off the graph."""
        lane = self.index.get((waypoint.road_id, waypoint.section_id, waypoint.lane_id), -1)
        if lane < 0:
            return -1, 0.0
        s = abs(waypoint.s - float(self.start_s[lane]))
        return lane, min(s, float(self.arrays.length[lane]))


def build_lane_graph(carla_map: carla.Map, extras: RoadExtras, signals: Iterable[Signal]) -> LaneGraph:
    """Sample every driving lane of the map. ``light`` holds positions in the lights of ``signals``, in their order."""
    starts, links = _lanes_and_links(carla_map)
    keys = tuple(sorted(starts))
    if not keys:
        raise SimulatorError("this OpenDRIVE has no driving lane; nothing can be driven on it")
    index = {key: position for position, key in enumerate(keys)}
    tracks = [_sample(starts[key], extras) for key in keys]
    count = np.array([len(track) for track in tracks])
    first = np.concatenate([[0], np.cumsum(count)[:-1]])
    points = np.concatenate(tracks)
    successors = [sorted(index[other] for other in links[key] if other in index) for key in keys]
    neighbours = np.array([_neighbours(starts[key], index) for key in keys])
    arrays = LaneArrays(
        first=first.astype(np.int64),
        points=count.astype(np.int64),
        length=np.array([float(track[-1, 5]) for track in tracks]),
        x=points[:, 0].copy(),
        y=points[:, 1].copy(),
        z=points[:, 2].copy(),
        yaw=points[:, 3].copy(),
        limit=points[:, 4].copy(),
        successor_first=np.concatenate([[0], np.cumsum([len(entry) for entry in successors])[:-1]]).astype(np.int64),
        successor_count=np.array([len(entry) for entry in successors], dtype=np.int64),
        successors=np.array([lane for entry in successors for lane in entry] or [0], dtype=np.int64),
        left=neighbours[:, 0].copy(),
        right=neighbours[:, 1].copy(),
        junction=np.array([starts[key].junction_id if starts[key].is_junction else -1 for key in keys], dtype=np.int64),
        light=np.full(len(keys), -1, dtype=np.int64),
        sign=np.zeros(len(keys), dtype=np.int64),
        stop_s=np.array([float(track[-1, 5]) for track in tracks]),
        turn=np.array([_turn(track) for track in tracks], dtype=np.int64),
    )
    graph = LaneGraph(arrays, keys, index, np.array([starts[key].s for key in keys]))
    _place_stops(graph, signals)
    return graph


def _lanes_and_links(carla_map: carla.Map) -> tuple[dict[LaneKey, carla.Waypoint], dict[LaneKey, list[LaneKey]]]:
    starts: dict[LaneKey, carla.Waypoint] = {}
    links: dict[LaneKey, list[LaneKey]] = {}
    for start, following in carla_map.get_topology():
        key = (start.road_id, start.section_id, start.lane_id)
        starts.setdefault(key, start)
        other = (following.road_id, following.section_id, following.lane_id)
        links.setdefault(key, [])
        if other != key and other not in links[key]:
            links[key].append(other)
    return starts, links


def _sample(start: carla.Waypoint, extras: RoadExtras) -> Floats:
    """(n, 6) x, y, z, yaw, limit, arc length at equal steps of about 1 m."""
    chain = [
        start,
        *(
            waypoint
            for waypoint in start.next_until_lane_end(1.0)
            if (waypoint.road_id, waypoint.lane_id) == (start.road_id, start.lane_id)
        ),
    ]
    poses = [point.transform for point in chain]
    raw = np.array([(pose.location.x, pose.location.y, pose.location.z) for pose in poses])
    arc = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(raw[:, :2], axis=0).T))])
    keep = np.concatenate([[True], np.diff(arc) > 1e-6])
    raw, arc = raw[keep], arc[keep]
    if len(arc) < 2:
        heading = math.radians(start.transform.rotation.yaw)
        raw = np.array([raw[0], raw[0] + [0.1 * math.cos(heading), 0.1 * math.sin(heading), 0.0]])
        arc = np.array([0.0, 0.1])
    steps = max(round(float(arc[-1])), 1) + 1
    grid = np.linspace(0.0, arc[-1], steps)
    xyz = np.stack([np.interp(grid, arc, raw[:, axis]) for axis in range(3)], axis=1)
    if len(arc) == len(poses) or keep.sum() >= 2:
        yaws = np.unwrap(np.radians([pose.rotation.yaw for pose in poses])[keep])
    else:
        yaws = np.full(2, math.radians(poses[0].rotation.yaw))
    yaw = np.interp(grid, arc, yaws)
    bend = np.abs(np.gradient(yaw, grid))
    posted = extras.speed_limits[start.road_id] / 3.6
    limit = np.minimum(posted, np.sqrt(_BEND_ACCELERATION / np.maximum(bend, 1e-6)))
    return np.column_stack([xyz, yaw, limit, grid])


def _neighbours(start: carla.Waypoint, index: dict[LaneKey, int]) -> tuple[int, int]:
    along = start.next_until_lane_end(1.0)
    middle = along[len(along) // 2] if along else start
    found = []
    for side, other in (
        (carla.LaneChange.Left, middle.get_left_lane()),
        (carla.LaneChange.Right, middle.get_right_lane()),
    ):
        legal = bool(int(middle.lane_change) & int(side)) and other is not None and not middle.is_junction
        legal = legal and other.lane_type == carla.LaneType.Driving and other.lane_id * middle.lane_id > 0
        found.append(index.get((other.road_id, other.section_id, other.lane_id), -1) if legal else -1)
    return found[0], found[1]


def _turn(track: Floats) -> int:
    change = float(track[-1, 3] - track[0, 3])
    return 0 if abs(change) < math.radians(30) else (1 if change > 0 else -1)


def _place_stops(graph: LaneGraph, signals: Iterable[Signal]) -> None:
    """Write lights, signs and stop positions to the lane that leads into the junction."""
    lanes = graph.arrays
    lights = 0
    for signal in signals:
        number = -1
        if signal.kind == TRAFFIC_LIGHT_TYPE:
            number, lights = lights, lights + 1
        for stop in signal.stops:
            lane, s = graph.locate(stop)
            while lane >= 0 and lanes.successor_count[lane] == 1:
                following = int(lanes.successors[lanes.successor_first[lane]])
                if lanes.junction[following] >= 0:
                    break
                s, lane = max(s - float(lanes.length[lane]), 0.0), following
            if lane < 0:
                continue
            lanes.stop_s[lane] = s
            lanes.light[lane] = number
            if number < 0:
                lanes.sign[lane] = STOP_SIGN if signal.kind == STOP_SIGN_TYPE else YIELD_SIGN
