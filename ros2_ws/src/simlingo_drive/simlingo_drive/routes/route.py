"""A route to drive: its name, its waypoints, and what there is on it."""

from __future__ import annotations

import re
import zlib
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import carla

from simlingo.contracts import Command, FloatArray, InvalidInputError
from simlingo.navigation.global_planner import DenseRoute, GlobalPlanner
from simlingo_drive.rig import DROP_M
from simlingo_sim.weather import WEATHERS

_SIGNAL_TYPE = "1000001"  # OpenDRIVE: traffic light


@dataclass(frozen=True)
class RouteSpec:
    """Names one numbered route, and with it everything random on it."""

    town: str
    seed: int
    index: int  # number among the routes of this town and seed

    @classmethod
    def named(cls, name: str) -> RouteSpec:
        """The route of a name such as ``gridtown-s1-r00``.

        Raises:
            InvalidInputError: it is no such name.
        """
        parts = re.fullmatch(r"(?P<town>.+)-s(?P<seed>\d+)-r(?P<index>\d+)", name)
        if parts is None:
            raise InvalidInputError(f"{name!r} names no route; write town, seed and number such as gridtown-s1-r00")
        return cls(parts["town"], int(parts["seed"]), int(parts["index"]))

    @property
    def name(self) -> str:
        """For tables and files."""
        return f"{self.town}-s{self.seed}-r{self.index:02d}"

    @property
    def world_seed(self) -> int:
        """Seed of the world of this route: traffic, walkers and the phases of the lights."""
        return zlib.crc32(self.name.encode()) & 0x7FFFFFFF

    @property
    def weather(self) -> str:
        """Name of the weather, drawn like the world's seed."""
        names = sorted(WEATHERS)
        return names[self.world_seed % len(names)]


@dataclass(frozen=True)
class Route:
    """Waypoints about 1 m apart, each with the command that holds from it to the next. CARLA's map frame, m."""

    name: str
    dense: DenseRoute
    line: FloatArray  # (N, 2) m: the line to drive, lane changes blended
    length: float  # m
    signals: int = 0  # signalled junctions passed
    turns: int = 0  # to the left or right
    spec: RouteSpec | None = None  # of a numbered route

    @cached_property
    def start(self) -> carla.Transform:
        """Where the ego begins, a hand's breadth above the road."""
        pose = self.dense[0][0].transform
        return carla.Transform(pose.location + carla.Location(z=DROP_M), pose.rotation)

    @property
    def commands(self) -> list[Command]:
        """One command a waypoint."""
        return [command for _, command in self.dense]

    @property
    def transforms(self) -> list[carla.Transform]:
        """Lane centres, for the criteria."""
        return [waypoint.transform for waypoint, _ in self.dense]


def route_along(
    name: str,
    dense: DenseRoute,
    planner: GlobalPlanner,
    signalled: Collection[tuple[int, int]] = (),
    spec: RouteSpec | None = None,
) -> Route:
    """Measure a dense route; ``signalled`` as from :func:`signalled_lanes`."""
    places = [waypoint.transform.location for waypoint, _ in dense]
    length = sum(here.distance(there) for here, there in pairwise(places))
    entered = [before for (before, _), (after, _) in pairwise(dense) if not before.is_junction and after.is_junction]
    signals = sum((waypoint.road_id, waypoint.lane_id) in signalled for waypoint in entered)
    turns = sum(
        command != previous and command in (Command.LEFT, Command.RIGHT)
        for (_, previous), (_, command) in pairwise(dense)
    )
    return Route(name, dense, planner.polyline(dense), length, signals, turns, spec)


def route_between(planner: GlobalPlanner, name: str, start: carla.Location, goal: carla.Location) -> Route:
    """Shortest route between two places.

    Raises:
        SimlingoError: no way leads from one to the other.
    """
    return route_along(name, planner.trace(start, goal), planner)


def signalled_lanes(carla_map: Any) -> set[tuple[int, int]]:
    """(road id, lane id) of the lanes that a traffic light holds back."""
    found: set[tuple[int, int]] = set()
    for landmark in carla_map.get_all_landmarks_of_type(_SIGNAL_TYPE):
        for first, last in landmark.get_lane_validities():
            lanes = range(min(first, last), max(first, last) + 1)
            found.update((landmark.road_id, lane) for lane in lanes if lane != 0)
    return found
