"""The routes of ``words-64``: LangAuto's lengths, in the town that nothing is trained in, and where on them words are due."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np

from simlingo.contracts import Command, FloatArray, SimlingoError
from simlingo.geometry import arc_length
from simlingo.navigation.global_planner import LANE_CHANGES, DenseRoute
from simlingo_drive.backends.embedded import embedded_map, embedded_planner
from simlingo_drive.routes import Route, route_along
from simlingo_sim.spawn_split import benchmark_spawn_points
from training.evaluation.language.roads import TOWN, junction_entries

#: Numbers of routes and their lengths, m: LangAuto's (LMDrive's langauto/benchmark_*.xml).
LENGTHS: dict[str, tuple[int, float, float]] = {
    "tiny": (16, 35.0, 126.0),
    "short": (16, 66.0, 374.0),
    "long": (32, 138.0, 774.0),
}
#: A sentence is due this far before its junction, m: drawn between these.
SAID_BEFORE_M = (30.0, 45.0)
#: It is never said nearer to the junction before than this, m, so that the turn there is over.
AFTER_JUNCTION_M = 5.0
#: A route goes on for so long behind its last junction, m, so that the way taken shows.
BEYOND_M = 15.0
#: Draws before a town is said to have no such routes.
ATTEMPTS = 4000


@dataclass(frozen=True)
class Turning:
    """A junction on the route."""

    index: int  # of its first place on the dense route
    begin_m: float  # along the route
    end_m: float
    command: Command
    due_m: float  # where the sentence is said


@dataclass(frozen=True)
class WordsRoute:
    """A route that is described in sentences."""

    group: str  # tiny, short, long
    number: int  # within its group
    route: Route
    turnings: tuple[Turning, ...]

    @property
    def name(self) -> str:
        """For tables and keys; the world follows from it."""
        return f"{self.group}-{self.number:02d}"

    @property
    def seed(self) -> int:
        """Of the world: traffic, people, phases of the lights."""
        return zlib.crc32(f"words {self.name}".encode()) & 0x7FFFFFFF


@cache
def words_routes(town: str = TOWN) -> tuple[WordsRoute, ...]:
    """All 64, always the same.

    Raises:
        SimlingoError: the town has no such routes.
    """
    found: list[WordsRoute] = []
    for group, (count, shortest, longest) in LENGTHS.items():
        draws = _draws(town, group, shortest, longest)
        for number in range(count):
            drawn = next(draws, None)
            if drawn is None:
                raise SimlingoError(f"town {town} has only {number} routes for the group {group}; choose a larger town")
            found.append(_described(group, number, drawn))
    return tuple(found)


def _draws(town: str, group: str, shortest: float, longest: float) -> Iterator[DenseRoute]:
    """Ways between spawn points of the benchmark, cut to a length drawn evenly from the group's."""
    rng = np.random.default_rng([zlib.crc32(f"{town} {group}".encode())])
    planner = embedded_planner(town)
    points = benchmark_spawn_points(embedded_map(town).get_spawn_points())
    for _ in range(ATTEMPTS):
        first, last = (int(number) for number in rng.choice(len(points), 2, replace=False))
        length = float(rng.uniform(shortest, longest))
        try:
            dense = planner.trace(points[first].location, points[last].location)
        except SimlingoError:
            continue
        cut = _cut(dense, length)
        if cut is not None and _fits(cut, shortest, longest):
            yield cut


def _cut(dense: DenseRoute, length_m: float) -> DenseRoute | None:
    """The first metres of a way, and as many more as it takes to end well behind a junction; None: it is too short."""
    arcs = _arcs(dense)
    end = int(np.searchsorted(arcs, length_m))
    inside = [(begin, after) for begin, after, _ in junction_entries(dense)]
    for begin, after in inside:
        if begin - BEYOND_M < end < after + BEYOND_M:
            end = begin - 1 if arcs[begin] > length_m else int(np.searchsorted(arcs, arcs[after] + BEYOND_M))
    return dense[: end + 1] if 2 < end < len(dense) else None


def _fits(dense: DenseRoute, shortest: float, longest: float) -> bool:
    """Of the group's length, without a change of lanes, which no sentence here speaks of, and with a junction to speak of."""
    entries = junction_entries(dense)
    if any(command in LANE_CHANGES for _, command in dense) or not entries or entries[0][0] <= SAID_BEFORE_M[0] / 2:
        return False
    return shortest <= float(_arcs(dense)[-1]) <= longest


def _described(group: str, number: int, dense: DenseRoute) -> WordsRoute:
    name = f"words-{group}-{number:02d}"
    rng = np.random.default_rng([zlib.crc32(name.encode())])
    arcs = _arcs(dense)
    turnings: list[Turning] = []
    for begin, after, command in junction_entries(dense):
        earliest = turnings[-1].end_m + AFTER_JUNCTION_M if turnings else 0.0
        due = max(float(arcs[begin]) - float(rng.uniform(*SAID_BEFORE_M)), earliest)
        turnings.append(Turning(begin, float(arcs[begin]), float(arcs[after]), command, due))
    return WordsRoute(group, number, route_along(name, dense, embedded_planner(TOWN)), tuple(turnings))


def _arcs(dense: DenseRoute) -> FloatArray:
    """Metres along a way at each of its places."""
    return arc_length(np.array([(w.transform.location.x, w.transform.location.y) for w, _ in dense]))
