"""The benchmark's routes: chosen by town and seed alone, so that anyone who names them drives the same ones."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import pairwise
from typing import Any

import carla
import numpy as np

from simlingo.contracts import Command, SimlingoError
from simlingo.navigation.global_planner import DenseRoute, GlobalPlanner
from simlingo_sim import towns
from simlingo_sim.spawn_split import benchmark_spawn_points
from simlingo_sim.weather import WEATHERS

#: A benchmark route is at least this long, m, passes so many signalled junctions and makes so many turns.
LEAST_LENGTH_M = 300.0
LEAST_SIGNALS = 2
LEAST_TURNS = 2
#: Longer routes are passed over, m: more places for the same time.
GREATEST_LENGTH_M = 700.0
#: Draws before a town is said to have no such route.
ATTEMPTS = 2000
TRAFFIC_LIGHT_TYPE = "1000001"


@dataclass(frozen=True)
class RouteSpec:
    """Names one benchmark route."""

    town: str
    seed: int
    index: int  # number among the routes of this town and seed

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
class BenchRoute:
    """A route to drive and what there is on it."""

    spec: RouteSpec
    dense: DenseRoute
    length: float  # m
    signals: int  # signalled junctions passed
    turns: int

    @cached_property
    def start(self) -> carla.Transform:
        """Where the ego begins, a hand's breadth above the road."""
        pose = self.dense[0][0].transform
        return carla.Transform(pose.location + carla.Location(z=0.3), pose.rotation)


@cache
def town_planner(town: str) -> GlobalPlanner:
    """The planner of a town, made once a process."""
    return GlobalPlanner(towns.load(town).map)


def bench_routes(town: str, seed: int, count: int) -> list[BenchRoute]:
    """The first ``count`` routes of a town and a seed; a larger count begins with the same routes.

    Raises:
        SimlingoError: the town has too few routes of the wanted kind.
    """
    rng = np.random.default_rng((zlib.crc32(town.encode()), seed))
    loaded, planner = towns.load(town), town_planner(town)
    points = benchmark_spawn_points(loaded.spawn_points)
    signalled = signalled_lanes(loaded)
    found: list[BenchRoute] = []
    for _ in range(ATTEMPTS):
        if len(found) == count:
            return found
        first, last = (int(number) for number in rng.choice(len(points), 2, replace=False))
        dense = planner.trace(points[first].location, points[last].location)
        route = describe(RouteSpec(town, seed, len(found)), dense, signalled)
        if is_benchmark_route(route):
            found.append(route)
    raise SimlingoError(f"town {town} has only {len(found)} routes of {LEAST_LENGTH_M:.0f} m with signals and turns")


def is_benchmark_route(route: BenchRoute) -> bool:
    """Long enough, not too long, with signals and turns."""
    return (
        LEAST_LENGTH_M <= route.length <= GREATEST_LENGTH_M
        and route.signals >= LEAST_SIGNALS
        and route.turns >= LEAST_TURNS
    )


def describe(spec: RouteSpec, dense: DenseRoute, signalled: set[tuple[int, int]]) -> BenchRoute:
    """Measure a dense route; ``signalled`` as from ``signalled_lanes``."""
    places = [waypoint.transform.location for waypoint, _ in dense]
    length = sum(here.distance(there) for here, there in pairwise(places))
    entered = [
        (before, after) for (before, _), (after, _) in pairwise(dense) if not before.is_junction and after.is_junction
    ]
    signals = sum((before.road_id, before.lane_id) in signalled for before, _ in entered)
    turns = sum(
        command != previous and command in (Command.LEFT, Command.RIGHT)
        for (_, previous), (_, command) in pairwise(dense)
    )
    return BenchRoute(spec, dense, length, signals, turns)


def signalled_lanes(town: Any) -> set[tuple[int, int]]:
    """(road id, lane id) of the lanes that a traffic light holds back."""
    return {
        (signal.road_id, lane)
        for signal in town.extras.signals.values()
        if signal.type == TRAFFIC_LIGHT_TYPE
        for lane in signal.lane_ids
    }


def select(town_names: list[str], count: int, seeds: list[int]) -> list[RouteSpec]:
    """``count`` routes a seed, dealt to the towns in turn."""
    return [
        RouteSpec(town_names[number % len(town_names)], seed, number // len(town_names))
        for seed in seeds
        for number in range(count)
    ]


def build(spec: RouteSpec) -> BenchRoute:
    """The route that ``spec`` names."""
    return bench_routes(spec.town, spec.seed, spec.index + 1)[spec.index]
