"""Sections through the streets of a carla.Map: where the carriageway's borders, lane borders and sidewalks run."""

from __future__ import annotations

import math
from dataclasses import dataclass

import carla

from simlingo_sim.render.mesh import Point

#: Sections lie at most this far apart on a straight, m, and a bend of this angle makes a new one, rad.
_LONGEST_M, _BEND_RAD = 24.0, math.radians(2.5)
_PROBE_M = 1.0


@dataclass(frozen=True)
class LaneEdge:
    """Road mark along one border of a lane."""

    side: str  # "left" or "right" of the lane's driving direction
    kind: str  # name of carla.LaneMarkingType
    color: str  # name of carla.LaneMarkingColor
    width: float  # m


@dataclass(frozen=True)
class Lane:
    """A lane of a street, sampled at the street's stations."""

    lane_id: int
    kind: str  # name of carla.LaneType
    width: float  # m, at the first station
    left: list[Point]  # border on the left of the driving direction and along it, m, map frame
    right: list[Point]
    edges: tuple[LaneEdge, ...]


@dataclass(frozen=True)
class Street:
    """A road outside junctions; ``stations`` are metres along it, common to all lanes."""

    road_id: int
    length: float
    stations: list[float]
    lanes: list[Lane]  # from the leftmost (highest id) to the rightmost

    def lanes_of(self, kind: str) -> list[Lane]:
        """Lanes of one kind, in descending order of id."""
        return sorted((lane for lane in self.lanes if lane.kind == kind), key=lambda lane: -lane.lane_id)

    def carriageway(self) -> tuple[list[Point], list[Point]]:
        """Left and right border of all driving lanes, looking along the road (increasing s)."""
        driving = self.lanes_of("Driving")
        first, last = driving[0], driving[-1]
        left = first.right[::-1] if first.lane_id > 0 else first.left
        return left, (last.right if last.lane_id < 0 else last.left[::-1])


def _border(waypoint: carla.Waypoint, side: float) -> Point:
    """Point on the lane's border; ``side`` -1 left, 1 right of the driving direction."""
    location = waypoint.transform.location
    yaw = math.radians(waypoint.transform.rotation.yaw)
    half = side * waypoint.lane_width / 2.0
    return (location.x - half * math.sin(yaw), location.y + half * math.cos(yaw), location.z)


def _stations(carla_map: carla.Map, road_id: int, lane_id: int, length: float) -> list[float]:
    """Few stations on straights, many in bends."""
    end = length - 0.01
    count = max(2, int(length / _PROBE_M) + 1)
    probes = [0.01 + (end - 0.01) * i / (count - 1) for i in range(count)]
    kept, last_yaw = [probes[0]], None
    for s, following in zip(probes, [*probes[1:], end], strict=True):
        yaw = math.radians(carla_map.get_waypoint_xodr(road_id, lane_id, s).transform.rotation.yaw)
        turned = 0.0 if last_yaw is None else abs(math.remainder(yaw - last_yaw, math.tau))
        if last_yaw is None:
            last_yaw = yaw
        elif turned > _BEND_RAD or following - kept[-1] > _LONGEST_M:
            kept.append(s)
            last_yaw = yaw
    if end - kept[-1] > 0.05:
        kept.append(end)
    return kept


def _edges(waypoint: carla.Waypoint) -> tuple[LaneEdge, ...]:
    marks = (("left", waypoint.left_lane_marking), ("right", waypoint.right_lane_marking))
    return tuple(
        LaneEdge(side, str(mark.type), str(mark.color), float(mark.width) or 0.15) for side, mark in marks if mark
    )


def _lane_ids(carla_map: carla.Map, road_id: int, driving: tuple[int, ...], s: float) -> list[int]:
    """The driving lanes and what lies outside of them."""
    ids = set(driving)
    for lane_id in driving:
        beside = carla_map.get_waypoint_xodr(road_id, lane_id, s).get_right_lane()
        while beside is not None and beside.lane_id not in ids:
            ids.add(beside.lane_id)
            beside = beside.get_right_lane()
    return sorted(ids, reverse=True)


def read_street(carla_map: carla.Map, road_id: int, length: float, driving: tuple[int, ...]) -> Street:
    """Sample one road that is not part of a junction."""
    stations = _stations(carla_map, road_id, driving[0], length)
    lanes = []
    for lane_id in _lane_ids(carla_map, road_id, driving, length / 2.0):
        waypoints = [carla_map.get_waypoint_xodr(road_id, lane_id, s) for s in stations]
        if any(waypoint is None for waypoint in waypoints):
            continue
        if lane_id > 0:
            waypoints.reverse()
        lanes.append(
            Lane(
                lane_id,
                str(waypoints[0].lane_type),
                float(waypoints[0].lane_width),
                [_border(waypoint, -1.0) for waypoint in waypoints],
                [_border(waypoint, 1.0) for waypoint in waypoints],
                _edges(waypoints[0]),
            )
        )
    return Street(road_id, length, stations, lanes)


def shifted(line: list[Point], offset: float) -> list[Point]:
    """The polyline moved sideways by ``offset`` m (positive: right of its direction), level; mitred at its corners."""
    moved: list[Point] = []
    for i, point in enumerate(line):
        before, after = line[max(i - 1, 0)], line[min(i + 1, len(line) - 1)]
        normals = []
        for a, b in ((before, point), (point, after)):
            length = math.hypot(b[0] - a[0], b[1] - a[1])
            if length > 1e-6:
                normals.append((-(b[1] - a[1]) / length, (b[0] - a[0]) / length))
        nx = sum(normal[0] for normal in normals) / len(normals)
        ny = sum(normal[1] for normal in normals) / len(normals)
        scale = offset / max(nx * nx + ny * ny, 0.25)
        moved.append((point[0] + nx * scale, point[1] + ny * scale, point[2]))
    return moved


def lifted(line: list[Point], height: float) -> list[Point]:
    """The polyline raised by ``height`` m."""
    return [(x, y, z + height) for x, y, z in line]
