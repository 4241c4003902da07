"""Drive one numbered route from start to score, in one process and in lockstep."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

from simlingo_drive.backends.base import Backend
from simlingo_drive.backends.embedded import EmbeddedBackend, embedded_map, embedded_planner
from simlingo_drive.criteria import RouteResult, RouteScorer
from simlingo_drive.driver import DriverSettings
from simlingo_drive.drivers.registry import make_driver
from simlingo_drive.rollout import Hook, Score, roll_out
from simlingo_drive.routes import Route, RouteSpec, numbered_route
from simlingo_drive.session import Session, open_numbered

#: A place of the driven trace is kept every so many ticks.
TRACE_EVERY = 10
#: Progress is told every so many ticks.
TELL_EVERY = 20
#: Different alarms of a drive that its record keeps, the most frequent ones.
MOST_ALARMS = 10

#: Hears route completion (%) and driving score now and then.
Tell = Callable[[float, float], None]


@dataclass(frozen=True)
class DriveSettings(DriverSettings):
    """How the routes of a benchmark are driven."""

    weather: str | None = None  # name; None: each route its own
    obstacles: str = "none"  # none, some, many: what stands beside and at the edge of the lanes


@dataclass(frozen=True)
class DriveRecord:
    """What is left of one drive."""

    spec: RouteSpec
    weather: str
    result: dict[str, Any]  # RouteResult.to_json()
    wall_s: float
    planner_ms: list[float] = field(default_factory=list)
    trace: list[tuple[float, float]] = field(default_factory=list)  # m, map frame, twice a second
    route: list[tuple[float, float]] = field(default_factory=list)  # m, map frame, every 5 m
    texts: int = 0  # commentaries
    alarms: list[str] = field(default_factory=list)  # of the monitors, tick by tick

    def to_json(self) -> dict[str, Any]:
        """Plain data, without the single plan times."""
        record = {
            **asdict(self.spec),
            "name": self.spec.name,
            "weather": self.weather,
            **self.result,
            "texts": self.texts,
            "alarms": dict(Counter(self.alarms).most_common(MOST_ALARMS)),
        }
        return {**record, "real_time_factor": round(self.result["duration_s"] / max(self.wall_s, 1e-9), 3)}


class Trace(Hook):
    """Where the ego was, m, map frame, every ``TRACE_EVERY`` ticks."""

    def __init__(self, session: Session) -> None:
        self._ego = session.ego
        self.places: list[tuple[float, float]] = []

    def judge(self, tick: int) -> None:
        """Keep a place."""
        if (tick + 1) % TRACE_EVERY == 0:
            location = self._ego.get_location()
            self.places.append((round(location.x, 2), round(location.y, 2)))


class Teller(Hook):
    """Tells every ``every`` ticks how the drive goes."""

    def __init__(self, scorer: RouteScorer, tell: Tell, every: int = TELL_EVERY) -> None:
        self._scorer, self._tell, self._every = scorer, tell, every

    def judge(self, tick: int) -> None:
        """Say it."""
        if (tick + 1) % self._every == 0:
            result = self._scorer.result()
            self._tell(result.route_completion, result.driving_score)


def route_of(spec: RouteSpec) -> Route:
    """The route of a town of the embedded world that ``spec`` names.

    Raises:
        SimlingoError: the town has fewer such routes.
    """
    return numbered_route(embedded_map(spec.town), embedded_planner(spec.town), spec)


def say_nothing(_done: float, _score: float) -> None:
    pass


def drive_route(spec: RouteSpec, settings: DriveSettings, tell: Tell = say_nothing) -> DriveRecord:
    """Drive the route that ``spec`` names in the embedded world; ``tell`` hears how it goes."""
    return drive(route_of(spec), settings, tell)


def drive(
    route: Route, settings: DriveSettings, tell: Tell = say_nothing, backend: Backend | None = None
) -> DriveRecord:
    """Drive ``route`` from start to end, or to where it goes wrong."""
    assert route.spec is not None
    session = open_numbered(backend or EmbeddedBackend(), route, settings.traffic, settings.weather, settings.obstacles)
    driver = make_driver(session, route, embedded_planner(route.spec.town), settings)
    session.tick()
    scorer = RouteScorer(session.world, session.ego, route.transforms)
    trace = Trace(session)
    begin = time.perf_counter()
    try:
        roll_out(session, driver, [Score(scorer), trace, Teller(scorer, tell)])
    finally:
        session.close()
    return DriveRecord(
        spec=route.spec,
        weather=settings.weather or route.spec.weather,
        result=result_with_route(scorer.result(), route),
        wall_s=time.perf_counter() - begin,
        planner_ms=driver.planner_ms,
        texts=driver.texts,
        alarms=driver.alarms,
        trace=trace.places,
        route=route_line(route),
    )


def result_with_route(result: RouteResult, route: Route) -> dict[str, Any]:
    """The result as plain data, with what there was on the route."""
    return {**result.to_json(), "signals": route.signals, "turns": route.turns}


def route_line(route: Route) -> list[tuple[float, float]]:
    """The route every 5 m, m, map frame."""
    places = [waypoint.transform.location for waypoint, _ in route.dense[::5]]
    return [(round(place.x, 2), round(place.y, 2)) for place in places]
