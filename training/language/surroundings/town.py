"""The town of a data set: its lanes, what stands in it for good, and where the heads of its lights and signs are."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import carla
import numpy as np
from scipy.spatial import KDTree

from simlingo.contracts import FloatArray, InvalidInputError
from simlingo.navigation.lane_graph import IntArray, LaneGraph
from simlingo_sim.render.prop_mesh import PAINTS
from simlingo_sim.render.vehicles import parked_kinds
from simlingo_sim.vehicle_models import VEHICLE_MODELS
from training.language.surroundings.road import RoadMap, road_map

#: A lane is where its middle comes nearer than this, m, with a heading that differs by less, rad.
ON_LANE_M, ALIGNED_RAD = 1.75, math.radians(40.0)
#: Lines of lanes that come closer than this cross or join, m.
CONFLICT_M = 2.0
#: Ways are followed on for so far, m, at most so many of them.
WAY_M, MOST_WAYS = 45.0, 24
#: Places that can lie nearer to a lane's middle than the lane's own: junctions have so many lanes above each other.
MOST_ABOVE = 64
_STOP_SIGN_TYPE = "206"
#: Towns that are kept at hand; a procedural one belongs to one route.
TOWNS_KEPT = 8


@dataclass(frozen=True)
class Pose:
    """A place in the map frame."""

    x: float  # m
    y: float  # m
    yaw: float  # rad


class Town:
    """One town; takes about a second to make, and about another when its asphalt is first asked for."""

    def __init__(self, opendrive: str, decor: Mapping[str, Any] | None = None) -> None:
        """``decor``: what else stands there, as the data set stores it."""
        self.map = carla.Map("town", opendrive)
        self.decor: Mapping[str, Any] = decor or {}
        self.graph = LaneGraph(self.map)
        self.yaw = np.radians([waypoint.transform.rotation.yaw for waypoint in self.graph.waypoints])
        self._near = KDTree(self.graph.positions)
        self._crossings = _polygons(self.map.get_crosswalks())
        self.parked = _parked(self.decor)
        self.heads: dict[str, list[tuple[float, float, float]]] = {}  # of lights, by OpenDRIVE id
        self.plates: list[tuple[float, float, float]] = []  # of stop signs
        for landmark in self.map.get_all_landmarks():
            place = landmark.transform.location
            if str(landmark.type) == _STOP_SIGN_TYPE:
                self.plates.append((place.x, place.y, place.z))
            self.heads.setdefault(str(landmark.id), []).append((place.x, place.y, place.z))
        for item in self.decor.get("repeaters", ()):
            self.heads.setdefault(str(item["signal_id"]), []).append((item["x"], item["y"], item["z"]))

    @cached_property
    def lanes(self) -> RoadMap:
        """The lanes with what lies beside them, and the asphalt as a picture."""
        return road_map(self.graph)

    def places_at(self, pose: Pose, within_m: float = ON_LANE_M, turned_rad: float = ALIGNED_RAD) -> list[int]:
        """The nearest place of each lane that is there in the pose's heading, nearest first."""
        near = np.sort(self._near.query_ball_point((pose.x, pose.y), within_m + 0.6))  # places lie a metre apart
        near = near.astype(np.int64)
        near = near[self._turned(near, pose) < turned_rad]
        gap = np.hypot(*(self.graph.positions[near] - (pose.x, pose.y)).T)
        found: dict[int, int] = {}
        for place in near[np.argsort(gap, kind="stable")]:
            if abs(self.offset(int(place), pose)) < within_m:
                found.setdefault(int(self.graph.lane_of[place]), int(place))
        return list(found.values())

    def place_on(self, pose: Pose) -> int:
        """The place of the lane whose middle a pose stands on, where lanes lie above each other that of its heading."""
        _, near = self._near.query((pose.x, pose.y), k=min(MOST_ABOVE, len(self.yaw)))
        gap = np.hypot(*(self.graph.positions[near] - (pose.x, pose.y)).T)
        return int(near[np.argmin(gap + 2.0 * self._turned(near, pose))])

    def _turned(self, places: IntArray, pose: Pose) -> FloatArray:
        """How far each place's heading is turned from the pose's, rad."""
        return np.asarray(np.abs((self.yaw[places] - pose.yaw + math.pi) % (2.0 * math.pi) - math.pi))

    def offset(self, place: int, pose: Pose) -> float:
        """How far the pose lies right of the lane's middle, m."""
        dx, dy = np.array((pose.x, pose.y)) - self.graph.positions[place]
        return float(dy * math.cos(self.yaw[place]) - dx * math.sin(self.yaw[place]))

    def junction(self, place: int) -> int | None:
        """Id of the junction that the place lies in."""
        junction: int | None = self.graph.lanes[self.graph.lane_of[place]].junction
        return junction

    def road(self, place: int) -> tuple[int, int]:
        """Road and lane id of a place."""
        waypoint = self.graph.waypoints[place]
        return int(waypoint.road_id), int(waypoint.lane_id)

    def lane_ids(self, place: int) -> list[int]:
        """Ids of all driving lanes of the road at a place."""
        here = self.graph.waypoints[place]
        firsts = (lane.waypoints[0] for lane in self.graph.lanes)
        same = [first for first in firsts if (first.road_id, first.section_id) == (here.road_id, here.section_id)]
        return sorted(int(first.lane_id) for first in same)

    def line(self, places: list[int]) -> FloatArray:
        """Positions (N, 2) m, map frame."""
        return np.asarray(self.graph.positions[places])

    def ways_on(self, place: int, length_m: float = WAY_M) -> list[list[int]]:
        """The ways that lead on from a place along the lanes, each about ``length_m`` long."""
        ways: list[list[int]] = []
        self._follow(int(self.graph.lane_of[place]), place, [], length_m, ways)
        return ways

    def _follow(self, lane_index: int, place: int, before: list[int], left_m: float, ways: list[list[int]]) -> None:
        lane = self.graph.lanes[lane_index]
        end = min(lane.last, place + max(int(left_m), 1))
        way = [*before, *range(place, end + 1)]
        left_m -= end + 1 - place
        if left_m <= 0.0 or not lane.successors:
            if len(ways) < MOST_WAYS:
                ways.append(way)
            return
        for following in lane.successors:
            self._follow(following, self.graph.lanes[following].first, way, left_m, ways)

    def on_crossing(self, x: float, y: float) -> bool:
        """Whether a place lies on a painted pedestrian crossing."""
        return any(_inside(polygon, x, y) for polygon in self._crossings)

    def on_carriageway(self, x: float, y: float) -> bool:
        """Whether a place lies on a driving lane."""
        return self.map.get_waypoint(carla.Location(x, y, 0.0), False, carla.LaneType.Driving) is not None


@dataclass(frozen=True)
class ParkedCar:
    """A car that belongs to the town and stands for good."""

    kind: str
    paint: tuple[int, int, int]
    pose: Pose
    extent_m: tuple[float, float, float]


def _parked(decor: Mapping[str, Any]) -> tuple[ParkedCar, ...]:
    kinds = parked_kinds()
    found = []
    for item in decor.get("parked_cars", ()):
        seed = int(item["seed"])
        model = VEHICLE_MODELS[kinds[seed % len(kinds)]]
        pose = Pose(float(item["x"]), float(item["y"]), math.radians(float(item["yaw_deg"])))
        extent = (model.length / 2.0, model.width / 2.0, model.height / 2.0)
        found.append(ParkedCar(model.base_type, PAINTS[seed // 7 % len(PAINTS)], pose, extent))
    return tuple(found)


def _polygons(corners: list[Any]) -> list[FloatArray]:
    """carla gives the corners of all crossings in a row; each polygon ends where it began."""
    polygons: list[FloatArray] = []
    current: list[tuple[float, float]] = []
    for corner in corners:
        current.append((corner.x, corner.y))
        if len(current) > 2 and math.dist(current[0], current[-1]) < 1e-3:
            polygons.append(np.array(current))
            current = []
    return polygons


def _inside(polygon: FloatArray, x: float, y: float) -> bool:
    inside = False
    for (x0, y0), (x1, y1) in _edges(polygon):
        if (y0 > y) != (y1 > y) and x < (x1 - x0) * (y - y0) / (y1 - y0) + x0:
            inside = not inside
    return inside


def _edges(polygon: FloatArray) -> Iterator[tuple[FloatArray, FloatArray]]:
    return ((polygon[i], polygon[i + 1]) for i in range(len(polygon) - 1))


def lines_meet(first_m: FloatArray, second_m: FloatArray, within_m: float = CONFLICT_M) -> bool:
    """Whether two lines (N, 2), (M, 2) m come closer than ``within_m``."""
    if not len(first_m) or not len(second_m):
        return False
    gap = first_m[:, None] - second_m[None]
    return bool((np.einsum("ijk,ijk->ij", gap, gap) < within_m * within_m).any())


def town_of(map_path: Path) -> Town:
    """The town of an OpenDRIVE file of a data set, with the decor beside it.

    Raises:
        InvalidInputError: the file is missing.
    """
    if not map_path.is_file():
        raise InvalidInputError(f"{map_path} is missing: copy the maps folder of the data set along with its routes")
    return _kept(map_path)


@lru_cache(TOWNS_KEPT)
def _kept(map_path: Path) -> Town:
    decor_path = map_path.with_name(f"{map_path.stem}.decor.json")
    decor = json.loads(decor_path.read_text(encoding="utf-8")) if decor_path.is_file() else None
    return Town(map_path.read_text(encoding="utf-8"), decor)
