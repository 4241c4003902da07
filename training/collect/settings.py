"""What to collect, and the routes that follow from it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from simlingo.contracts import FloatArray, SimlingoError
from simlingo.geometry import arc_length
from simlingo.navigation.global_planner import DenseRoute, GlobalPlanner
from simlingo_sim.spawn_split import training_spawn_points
from simlingo_sim.towns import HELD_OUT_TOWN, TOWNS
from simlingo_sim.weather import WEATHERS
from training.collect.invented_town import INVENTED

#: Towns to collect in: all but the held-out one.
DEFAULT_TOWNS: tuple[str, ...] = tuple(name for name in TOWNS if name != HELD_OUT_TOWN)
#: Length of a collected route, m.
SHORTEST_M, LONGEST_M = 150.0, 450.0
#: Share of the routes that pass a stop sign, where the town has any: by chance alone few do.
SIGN_SHARE = 0.6
#: Draws in which such a route must be found; without one any route will do.
SIGN_DRAWS = 200
#: Share of the routes without any traffic.
EMPTY_SHARE = 0.1
#: Most vehicles and pedestrians in a town.
MOST_VEHICLES, MOST_WALKERS = 60, 50


@dataclass(frozen=True)
class CollectSettings:
    """Options of one collection."""

    out: Path  # the data set's folder
    towns: tuple[str, ...] = DEFAULT_TOWNS
    seed: int = 0
    rgb: bool = True  # write pictures and boxes beside the cache
    perturb: bool = True  # disturb the drive, so that recovery is in the data
    policy: str | None = None  # name or folder of a model that drives part of the time
    policy_threads: int = 1
    invented: float = 0.0  # share of the routes that lie in towns of random layout


@dataclass(frozen=True)
class Job:
    """One route to collect; everything random in it follows from ``seed``."""

    index: int
    town: str
    seed: int
    weather: str
    vehicles: int
    walkers: int

    @property
    def name(self) -> str:
        """Folder of the route, after the leaderboard's fashion (spec B.1)."""
        return f"{self.town}_Rep0_route{self.index:05d}_seed{self.seed}"

    def folder(self, out: Path, policy: bool) -> Path:
        """Where the route is written (spec B.1)."""
        kind = "on_policy" if policy else "expert"
        return out / "data" / "simlingo" / "training" / f"{self.town}_{kind}" / self.weather / self.name


def job(settings: CollectSettings, index: int) -> Job:
    """Route number ``index`` of a collection."""
    rng = np.random.default_rng((settings.seed, index, 1))
    empty = rng.random() < EMPTY_SHARE
    invented = np.random.default_rng((settings.seed, index, 2)).random() < settings.invented
    return Job(
        index,
        INVENTED if invented else settings.towns[index % len(settings.towns)],
        settings.seed * 100_000 + index,
        sorted(WEATHERS)[int(rng.integers(len(WEATHERS)))],
        0 if empty else int(rng.integers(8, MOST_VEHICLES + 1)),
        0 if empty else int(rng.integers(0, MOST_WALKERS + 1)),
    )


def draw_route(
    town: Any, planner: GlobalPlanner, rng: np.random.Generator, sign_lines: Sequence[tuple[float, float, float]] = ()
) -> DenseRoute:
    """A route between two of the town's training spawn points, in ``SIGN_SHARE`` of all draws past a stop sign.

    ``sign_lines``: x (m), y (m) and yaw (rad) of the signs' stop lines.

    Raises:
        SimlingoError: the town has no route of a fitting length.
    """
    points = training_spawn_points(town.spawn_points)
    sign_draws = SIGN_DRAWS if sign_lines and rng.random() < SIGN_SHARE else 0
    for draw in range(500):
        start, goal = rng.choice(len(points), 2, replace=False)
        try:
            route = planner.trace(points[int(start)].location, points[int(goal)].location)
        except SimlingoError:
            continue
        line = planner.polyline(route)
        if len(route) <= 2 or not SHORTEST_M <= float(arc_length(line)[-1]) <= LONGEST_M:
            continue
        if draw >= sign_draws or passes_line(line, sign_lines):
            return route
    raise SimlingoError(
        f"town {town.name} has no route of {SHORTEST_M:.0f} to {LONGEST_M:.0f} m between its spawn points"
    )


def passes_line(line: FloatArray, sign_lines: Sequence[tuple[float, float, float]]) -> bool:
    """Whether a route's line (N, 2) m crosses one of the stop lines in its direction."""
    steps = np.gradient(line, axis=0)
    return any(
        bool(((np.hypot(*(line - (x, y)).T) < 1.5) & (steps @ (math.cos(yaw), math.sin(yaw)) > 0.5)).any())
        for x, y, yaw in sign_lines
    )


def checked_towns(names: list[str] | None, allow_held_out: bool) -> tuple[str, ...]:
    """The towns to collect in.

    Raises:
        SimlingoError: a name is unknown, or the town that is kept for tests is asked for without leave.
    """
    for name in names or ():
        if name not in TOWNS:
            raise SimlingoError(f"unknown town {name!r}: choose from {', '.join(TOWNS)}")
        if name == HELD_OUT_TOWN and not allow_held_out:
            raise SimlingoError(f"{name} is kept for tests; add --allow-held-out to collect in it all the same")
    return tuple(names) if names else DEFAULT_TOWNS
