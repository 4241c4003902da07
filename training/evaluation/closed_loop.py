"""Drive one route from start to score, in one process and in lockstep."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

from simlingo.model.driver import TextOptions
from simlingo.model.engine.commentary_trigger import CommentaryMode
from simlingo.model.load import load_policy
from simlingo.navigation.global_planner import DenseRoute
from simlingo_drive.criteria import RouteResult, RouteScorer
from training.evaluation.drivers import Driver, ExpertDriver, ModelDriver
from training.evaluation.frames import frame_source
from training.evaluation.routes import BenchRoute, RouteSpec, build, town_planner
from training.evaluation.world import RouteWorld, open_world

#: A place of the driven trace is kept every so many ticks.
TRACE_EVERY = 10
#: Progress is told every so many ticks.
TELL_EVERY = 20


@dataclass(frozen=True)
class DriveSettings:
    """How the routes of a benchmark are driven."""

    policy: str = "model"  # model, expert
    weights: str = "simlingo-mini"  # name or folder of the model
    traffic: str = "light"  # none, light, dense
    camera: str = "real"  # real, grey, shuffled
    weather: str | None = None  # name; None: each route its own
    route_as: str = "target_point"  # target_point, command: what of the navigation the model reads
    plan_every: int = 1  # ticks from frame to frame and plan to plan
    threads: int = 2  # of the network
    text: str = "never"  # never, every_n, on_change, always: when the model puts its driving into words
    text_before_plan: bool = False  # a plan waits for a text that is due, and reads it


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

    def to_json(self) -> dict[str, Any]:
        """Plain data, without the single plan times."""
        record = {
            **asdict(self.spec),
            "name": self.spec.name,
            "weather": self.weather,
            **self.result,
            "texts": self.texts,
        }
        return {**record, "real_time_factor": round(self.result["duration_s"] / max(self.wall_s, 1e-9), 3)}


def make_driver(world: RouteWorld, route: BenchRoute, settings: DriveSettings) -> Driver:
    """The driver that ``settings`` names, at the start of ``route``."""
    planner = town_planner(route.spec.town)
    if settings.policy == "expert":
        return ExpertDriver(world, route.dense, planner)
    text = TextOptions(CommentaryMode(settings.text), before_plan=settings.text_before_plan)
    policy = load_policy(settings.weights, settings.threads, settings.route_as, text)
    frames = frame_source(settings.camera, route, world, settings.traffic, settings.plan_every)
    return ModelDriver(world, route.dense, planner, policy, frames)


def drive_route(
    spec: RouteSpec, settings: DriveSettings, tell: Callable[[float, float], None] = lambda _done, _score: None
) -> DriveRecord:
    """Drive the route that ``spec`` names; ``tell`` hears route completion (%) and driving score now and then."""
    return drive(build(spec), settings, tell)


def drive(
    route: BenchRoute, settings: DriveSettings, tell: Callable[[float, float], None] = lambda _done, _score: None
) -> DriveRecord:
    """Drive ``route`` from start to end, or to where it goes wrong."""
    world = open_world(route, settings.traffic, settings.weather)
    driver = make_driver(world, route, settings)
    world.world.tick()
    scorer = RouteScorer(world.world, world.ego, [waypoint.transform for waypoint, _ in route.dense])
    trace: list[tuple[float, float]] = []
    begin, tick = time.perf_counter(), 0
    while scorer.status == "running":
        world.ego.apply_control(driver.control(tick))
        world.world.tick()
        scorer.tick()
        tick += 1
        if tick % TRACE_EVERY == 0:
            trace.append(place_of(world))
        if tick % TELL_EVERY == 0:
            result = scorer.result()
            tell(result.route_completion, result.driving_score)
    wall_s = time.perf_counter() - begin
    result = scorer.result()
    scorer.close()
    return DriveRecord(
        spec=route.spec,
        weather=settings.weather or route.spec.weather,
        result=result_with_route(result, route),
        wall_s=wall_s,
        planner_ms=driver.planner_ms,
        texts=driver.texts,
        trace=trace,
        route=route_line(route.dense),
    )


def result_with_route(result: RouteResult, route: BenchRoute) -> dict[str, Any]:
    """The result as plain data, with what there was on the route."""
    return {**result.to_json(), "signals": route.signals, "turns": route.turns}


def place_of(world: RouteWorld) -> tuple[float, float]:
    """Where the ego is, m, map frame."""
    location = world.ego.get_location()
    return round(location.x, 2), round(location.y, 2)


def route_line(dense: DenseRoute) -> list[tuple[float, float]]:
    """The route every 5 m, m, map frame."""
    places = [waypoint.transform.location for waypoint, _ in dense[::5]]
    return [(round(place.x, 2), round(place.y, 2)) for place in places]
