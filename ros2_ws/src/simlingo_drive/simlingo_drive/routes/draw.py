"""Routes drawn by town, seed and number alone, so that anyone who names them drives the same ones."""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from simlingo.contracts import FloatArray, SimlingoError
from simlingo.geometry import arc_length
from simlingo.navigation.global_planner import DenseRoute, GlobalPlanner
from simlingo_drive.expert.signals import stop_points
from simlingo_drive.routes.route import Route, RouteSpec, route_along, signalled_lanes
from simlingo_sim.spawn_split import benchmark_spawn_points, training_spawn_points

#: Draws before a town is said to have no such route.
ATTEMPTS, TRAINING_ATTEMPTS = 2000, 500
#: Share of the training routes that pass a stop sign, where the town has any: by chance alone few do.
SIGN_SHARE = 0.6
#: Draws in which such a route must be found; without one any route will do.
SIGN_DRAWS = 200


@dataclass(frozen=True)
class Rules:
    """What a route must have."""

    shortest: float  # m
    longest: float  # m
    signals: int = 0  # signalled junctions passed, at least
    turns: int = 0  # at least

    def met_by(self, route: Route) -> bool:
        """Whether ``route`` is of this kind."""
        return (
            self.shortest <= route.length <= self.longest
            and route.signals >= self.signals
            and route.turns >= self.turns
        )


#: A benchmark route: long enough to meet something, not so long that few fit into an hour.
BENCHMARK_RULES = Rules(300.0, 700.0, signals=2, turns=2)
#: A training route; its length is measured along the line to drive.
TRAINING_RULES = Rules(150.0, 450.0)


def benchmark_routes(
    carla_map: Any, planner: GlobalPlanner, town: str, seed: int, attempts: int = ATTEMPTS
) -> Iterator[Route]:
    """The routes of ``town`` and ``seed`` in order; ends where ``attempts`` draws have been looked at.

    Args:
        carla_map: carla.Map of the town with its spawn points.
        planner: of the same map.
        town, seed: name of the routes.
        attempts: draws.
    """
    rng = np.random.default_rng((zlib.crc32(town.encode()), seed))
    points = benchmark_spawn_points(carla_map.get_spawn_points())
    signalled = signalled_lanes(carla_map)
    found = 0
    for _ in range(attempts):
        first, last = (int(number) for number in rng.choice(len(points), 2, replace=False))
        dense = planner.trace(points[first].location, points[last].location)
        spec = RouteSpec(town, seed, found)
        route = route_along(spec.name, dense, planner, signalled, spec)
        if BENCHMARK_RULES.met_by(route):
            yield route
            found += 1


def numbered_route(carla_map: Any, planner: GlobalPlanner, spec: RouteSpec, attempts: int = ATTEMPTS) -> Route:
    """The route that ``spec`` names.

    Raises:
        SimlingoError: the town has fewer such routes.
    """
    found = 0
    for route in benchmark_routes(carla_map, planner, spec.town, spec.seed, attempts):
        if found == spec.index:
            return route
        found += 1
    raise SimlingoError(
        f"town '{spec.town}' with seed {spec.seed} has only {found} routes of {BENCHMARK_RULES.shortest:.0f} m and more "
        f"with signals and turns; choose a smaller number than {spec.index}"
    )


def select(town_names: list[str], count: int, seeds: list[int]) -> list[RouteSpec]:
    """``count`` routes a seed, dealt to the towns in turn."""
    return [
        RouteSpec(town_names[number % len(town_names)], seed, number // len(town_names))
        for seed in seeds
        for number in range(count)
    ]


def sign_lines(world: Any) -> list[tuple[float, float, float]]:
    """x (m), y (m) and yaw (rad) of the stop lines of all stop signs."""
    return [line for sign in world.get_actors().filter("traffic.stop*") for line in stop_points(sign)]


def draw_training_route(
    carla_map: Any,
    planner: GlobalPlanner,
    rng: np.random.Generator,
    stop_lines: Sequence[tuple[float, float, float]] = (),
) -> DenseRoute:
    """A route between two of the town's training spawn points, in ``SIGN_SHARE`` of all draws past a stop sign.

    ``stop_lines``: of the stop signs, as from :func:`sign_lines`.

    Raises:
        SimlingoError: the town has no route of a fitting length.
    """
    points = training_spawn_points(carla_map.get_spawn_points())
    sign_draws = SIGN_DRAWS if stop_lines and rng.random() < SIGN_SHARE else 0
    for draw in range(TRAINING_ATTEMPTS):
        start, goal = rng.choice(len(points), 2, replace=False)
        try:
            dense = planner.trace(points[int(start)].location, points[int(goal)].location)
        except SimlingoError:
            continue
        line = planner.polyline(dense)
        if len(dense) <= 2 or not TRAINING_RULES.shortest <= float(arc_length(line)[-1]) <= TRAINING_RULES.longest:
            continue
        if draw >= sign_draws or passes_line(line, stop_lines):
            return dense
    raise SimlingoError(
        f"town {carla_map.name} has no route of {TRAINING_RULES.shortest:.0f} to {TRAINING_RULES.longest:.0f} m "
        "between its spawn points"
    )


def passes_line(line: FloatArray, stop_lines: Sequence[tuple[float, float, float]]) -> bool:
    """Whether a route's line (N, 2) m crosses one of the stop lines in its direction."""
    steps = np.gradient(line, axis=0)
    return any(
        bool(((np.hypot(*(line - (x, y)).T) < 1.5) & (steps @ (math.cos(yaw), math.sin(yaw)) > 0.5)).any())
        for x, y, yaw in stop_lines
    )
