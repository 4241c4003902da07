"""The mission of a drive: a route through a town, named by town, seed and number.

The same three give the same route as in ``./simlingo bench drive`` (``training.evaluation.routes``; a test holds the
two together), so that a route seen in a benchmark can be watched in the stack.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import carla
import numpy as np

from simlingo.contracts import Command, FloatArray, SimlingoError
from simlingo.navigation.global_planner import DenseRoute, GlobalPlanner

#: What a route must have, as in the benchmark: length in m, signalled junctions, turns.
LENGTH_M = (300.0, 700.0)
LEAST_SIGNALS = 2
LEAST_TURNS = 2
#: Draws before a town is said to have no such route.
ATTEMPTS = 2000
#: The vehicle is dropped onto the road from this height, m.
DROP_M = 0.3


@dataclass(frozen=True)
class Mission:
    """A dense route on a map."""

    name: str
    dense: DenseRoute
    line: FloatArray  # (N, 2) m, map frame of CARLA: the line to drive

    @property
    def commands(self) -> list[Command]:
        """One command a point."""
        return [command for _, command in self.dense]

    @property
    def start(self) -> carla.Transform:
        """Where the vehicle begins."""
        pose = self.dense[0][0].transform
        return carla.Transform(pose.location + carla.Location(z=DROP_M), pose.rotation)

    @property
    def transforms(self) -> list[carla.Transform]:
        """Lane centres about 1 m apart, for the scorer."""
        return [waypoint.transform for waypoint, _ in self.dense]


def mission_name(town: str, seed: int, number: int) -> str:
    """Name of a route, as the benchmark writes it."""
    return f"{town}-s{seed}-r{number:02d}"


def world_seed(name: str) -> int:
    """Seed of traffic, walkers and lights on the route called ``name``."""
    return zlib.crc32(name.encode()) & 0x7FFFFFFF


def choose_mission(
    carla_map: Any,
    town: str,
    seed: int,
    number: int,
    starts: Sequence[carla.Transform],
    signalled: set[tuple[int, int]],
) -> Mission:
    """Route ``number`` (from 0) of ``town`` and ``seed``.

    Args:
        carla_map: carla.Map of the town.
        town, seed, number: name of the route.
        starts: places where routes begin and end.
        signalled: (road id, lane id) of the lanes that a traffic light holds back.

    Raises:
        SimlingoError: the town has fewer such routes.
    """
    rng = np.random.default_rng((zlib.crc32(town.encode()), seed))
    planner = GlobalPlanner(carla_map)
    found = 0
    for _ in range(ATTEMPTS):
        first, last = (int(index) for index in rng.choice(len(starts), 2, replace=False))
        dense = planner.trace(starts[first].location, starts[last].location)
        if not _is_wanted(dense, signalled):
            continue
        if found == number:
            return Mission(mission_name(town, seed, number), dense, planner.polyline(dense))
        found += 1
    raise SimlingoError(
        f"town '{town}' with seed {seed} has only {found} routes; choose a smaller --route than {number}"
    )


def mission_between(carla_map: Any, name: str, start: carla.Location, goal: carla.Location) -> Mission:
    """Shortest route between two places.

    Raises:
        SimlingoError: no way leads from one to the other.
    """
    planner = GlobalPlanner(carla_map)
    dense = planner.trace(start, goal)
    return Mission(name, dense, planner.polyline(dense))


def _is_wanted(dense: DenseRoute, signalled: set[tuple[int, int]]) -> bool:
    """Length, signals and turns of a benchmark route."""
    places = [waypoint.transform.location for waypoint, _ in dense]
    length = sum(here.distance(there) for here, there in pairwise(places))
    entered = [before for (before, _), (after, _) in pairwise(dense) if not before.is_junction and after.is_junction]
    signals = sum((waypoint.road_id, waypoint.lane_id) in signalled for waypoint in entered)
    turns = sum(
        command != previous and command in (Command.LEFT, Command.RIGHT)
        for (_, previous), (_, command) in pairwise(dense)
    )
    return LENGTH_M[0] <= length <= LENGTH_M[1] and signals >= LEAST_SIGNALS and turns >= LEAST_TURNS
