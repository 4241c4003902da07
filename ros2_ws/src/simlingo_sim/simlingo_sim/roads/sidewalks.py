"""Where people walk: sidewalk lanes joined at their ends, and the crosswalks between them, as a graph."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

import carla
import numpy as np

from simlingo_sim.bodies import Floats, Ints
from simlingo_sim.roads.signals import Signal
from simlingo_sim.towns.extras import TRAFFIC_LIGHT_TYPE

_STEP = 2.0  # m between two points of a sidewalk
_JOIN = 1.8  # m within which two ends are one corner
_REACH = 7.0  # m from a crosswalk's end to the sidewalk it leads to
_LIGHT_REACH = 9.0  # m from a stop line to the crosswalk behind it

Point = tuple[float, float, float]
Track = list[Point]


class SidewalkArrays(NamedTuple):
    """E ways (pieces of sidewalk and crosswalks) with P points between N corners; m, map frame."""

    first: Ints  # (E,) index of the first point
    points: Ints  # (E,) how many, at least 2
    length: Floats  # (E,)
    crossing: Ints  # (E,) 1 for a crosswalk
    light: Ints  # (E,) index of the light whose red lets people cross, else -1
    ends: Ints  # (E, 2) corners at the start and the end
    x: Floats  # (P,)
    y: Floats  # (P,)
    z: Floats  # (P,)
    corner_first: Ints  # (N,) index into corner_ways
    corner_count: Ints  # (N,)
    corner_ways: Ints  # ways that touch a corner


def build_sidewalks(carla_map: carla.Map, signals: Iterable[Signal]) -> SidewalkArrays:
    """The graph of a map; without sidewalks it holds no way."""
    pieces = _sidewalk_tracks(carla_map)
    lights = [signal for signal in signals if signal.kind == TRAFFIC_LIGHT_TYPE]
    crossings: list[tuple[Track, int]] = []
    for one, two, middle in _crosswalks(carla_map):
        feet = [_split_nearest(pieces, end) for end in (one, two)]
        if feet[0] is not None and feet[1] is not None:
            crossings.append(([feet[0], one, two, feet[1]], _light_of(middle, lights)))
    ways = [(piece, 0, -1) for piece in pieces] + [(track, 1, light) for track, light in crossings]
    return _pack(ways)


def _sidewalk_tracks(carla_map: carla.Map) -> list[Track]:
    starts: dict[tuple[int, int, int], carla.Waypoint] = {}
    for start, _ in carla_map.get_topology():
        waypoint = start.next(0.5)[0] if start.next(0.5) else start
        for _ in range(6):
            waypoint = waypoint.get_right_lane()
            if waypoint is None:
                break
            if waypoint.lane_type == carla.LaneType.Sidewalk:
                starts.setdefault((waypoint.road_id, waypoint.section_id, waypoint.lane_id), waypoint)
                break
    tracks = []
    for key in sorted(starts):
        start = starts[key]
        backward = start.previous_until_lane_start(_STEP)[::-1]
        chain = [*backward, start, *start.next_until_lane_end(_STEP)]
        track = [
            (p.transform.location.x, p.transform.location.y, p.transform.location.z)
            for p in chain
            if (p.road_id, p.lane_id) == (start.road_id, start.lane_id)
        ]
        track = [point for place, point in enumerate(track) if place == 0 or math.dist(point, track[place - 1]) > 0.05]
        if len(track) >= 2:
            tracks.append(track)
    return tracks


def _crosswalks(carla_map: carla.Map) -> list[tuple[Point, Point, Point]]:
    """Both ends (middles of the short sides) and the middle of every crosswalk."""
    corners = [(place.x, place.y, place.z) for place in carla_map.get_crosswalks()]
    found = []
    while corners:
        close = next((n for n in range(1, len(corners)) if math.dist(corners[n], corners[0]) < 1e-3), len(corners) - 1)
        polygon, corners = corners[:close], corners[close + 1 :]
        if len(polygon) != 4:
            continue
        a, b, c, d = (np.array(corner) for corner in polygon)
        sides = ((a + b) / 2, (c + d) / 2) if math.dist(a, b) < math.dist(b, c) else ((b + c) / 2, (d + a) / 2)
        found.append((_triple(sides[0]), _triple(sides[1]), _triple((a + b + c + d) / 4)))
    return found


def _triple(point: Floats) -> Point:
    return float(point[0]), float(point[1]), float(point[2])


def _split_nearest(pieces: list[Track], end: Point) -> Point | None:
    """Cut the nearest sidewalk at the point nearest to ``end`` and return that point; None where none is near."""
    best, place = _REACH, None
    for number, piece in enumerate(pieces):
        for index, point in enumerate(piece):
            if abs(point[0] - end[0]) < best and (gap := math.dist(point[:2], end[:2])) < best:
                best, place = gap, (number, index)
    if place is None:
        return None
    piece, cut = pieces[place[0]], place[1]
    if 0 < cut < len(piece) - 1:
        pieces[place[0]] = piece[: cut + 1]
        pieces.append(piece[cut:])
    return piece[cut]


def _light_of(middle: tuple[float, ...], lights: list[Signal]) -> int:
    best, found = _LIGHT_REACH, -1
    for number, signal in enumerate(lights):
        for stop in signal.stops:
            place, yaw = stop.transform.location, math.radians(stop.transform.rotation.yaw)
            dx, dy = middle[0] - place.x, middle[1] - place.y
            ahead = dx * math.cos(yaw) + dy * math.sin(yaw)
            if 0 < ahead < 6.0 and math.hypot(dx, dy) < best:
                best, found = math.hypot(dx, dy), number
    return found


def _pack(ways: list[tuple[Track, int, int]]) -> SidewalkArrays:
    corners: list[Point] = []
    ends = np.array(
        [[_corner(corners, track[0]), _corner(corners, track[-1])] for track, _, _ in ways], dtype=np.int64
    ).reshape(-1, 2)
    touching: list[list[int]] = [[] for _ in corners]
    for way, (one, two) in enumerate(ends):
        for corner in sorted({int(one), int(two)}):
            touching[corner].append(way)
    points = np.array([point for track, _, _ in ways for point in track], dtype=float).reshape(-1, 3)
    count = np.array([len(track) for track, _, _ in ways], dtype=np.int64)
    lengths = [float(np.hypot(*np.diff(np.array(track)[:, :2], axis=0).T).sum()) for track, _, _ in ways]
    counts = np.array([len(entry) for entry in touching], dtype=np.int64)
    return SidewalkArrays(
        first=np.cumsum(count) - count,
        points=count,
        length=np.array(lengths, dtype=float),
        crossing=np.array([crossing for _, crossing, _ in ways], dtype=np.int64),
        light=np.array([light for _, _, light in ways], dtype=np.int64),
        ends=ends,
        x=points[:, 0].copy(),
        y=points[:, 1].copy(),
        z=points[:, 2].copy(),
        corner_first=np.cumsum(counts) - counts,
        corner_count=counts,
        corner_ways=np.array([way for entry in touching for way in entry], dtype=np.int64),
    )


def _corner(corners: list[Point], point: Point) -> int:
    for number, corner in enumerate(corners):
        if math.dist(corner, point) < _JOIN:
            return number
    corners.append(point)
    return len(corners) - 1
