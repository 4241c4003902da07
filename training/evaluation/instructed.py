"""Does the car take the way a person asks for? One instruction a route, given before a junction, judged after it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

from simlingo.contracts import Command, EgoState, Instruction, SimlingoError
from simlingo.geometry import arc_length
from simlingo.instructions import parse
from simlingo.navigation.global_planner import MANOEUVRES, DenseRoute, GlobalPlanner
from simlingo_drive.criteria import RouteScorer
from training.evaluation.closed_loop import (
    TRACE_EVERY,
    DriveRecord,
    DriveSettings,
    make_driver,
    place_of,
    result_with_route,
    route_line,
)
from training.evaluation.routes import BenchRoute, RouteSpec, build, town_planner
from training.evaluation.world import RouteWorld, open_world

#: The instruction is given this far before the junction, m (the issue's figure: 30 m or more).
GIVEN_BEFORE_M = 35.0
#: A trial is lost after this many ticks: 150 s, two rounds of the lights.
LIMIT_TICKS = 3000
#: What a person says for each manoeuvre.
SENTENCES = {
    Command.LEFT: "turn left at the next junction",
    Command.RIGHT: "turn right at the next junction",
    Command.STRAIGHT: "go straight",
}


@dataclass(frozen=True)
class Trial:
    """One instruction on one route."""

    sentence: str
    command: Command
    give_index: int  # of the dense route, where the instruction is given
    dense: DenseRoute  # the way that obeys
    exit_road: int  # id of the road behind the junction on that way


def find_trial(route: BenchRoute, planner: GlobalPlanner) -> Trial | None:
    """The first junction of the route with a way that the route does not take; None: it has none."""
    arcs = arc_length(planner.polyline(route.dense))
    junctions = [
        index
        for index, ((before, _), (after, _)) in enumerate(pairwise(route.dense), start=1)
        if not before.is_junction and after.is_junction
    ]
    for entry in junctions:
        give = int((arcs < arcs[entry] - GIVEN_BEFORE_M).sum()) - 1
        if give < 0 or any(waypoint.is_junction for waypoint, _ in route.dense[give:entry]):
            continue
        taken = route.dense[entry][1]
        turn = route.spec.world_seed % len(MANOEUVRES)
        for command in MANOEUVRES[turn:] + MANOEUVRES[:turn]:
            trial = None if command == taken else _trial(route, planner, command, give)
            if trial is not None:
                return trial
    return None


def _trial(route: BenchRoute, planner: GlobalPlanner, command: Command, give: int) -> Trial | None:
    """The trial that asks for ``command`` at index ``give`` of the route; None where the junction lacks it."""
    answer = planner.redirect(route.dense, _state_at(route.dense, give), command)
    if answer.route is None:
        return None
    begin = next(i for i in range(give, len(answer.route)) if answer.route[i][0].is_junction)
    after = next((i for i in range(begin, len(answer.route)) if not answer.route[i][0].is_junction), None)
    if after is None:
        return None
    return Trial(SENTENCES[command], command, give, answer.route, answer.route[after][0].road_id)


def drive_trial(
    spec: RouteSpec, settings: DriveSettings, tell: Callable[[float, float], None] = lambda _done, _score: None
) -> DriveRecord:
    """Drive the route that ``spec`` names, say the sentence before a junction, and see which way the car takes.

    Raises:
        SimlingoError: no junction of the route has another way.
    """
    route, planner = build(spec), town_planner(spec.town)
    trial = find_trial(route, planner)
    if trial is None:
        raise SimlingoError(f"route {spec.name} has no junction with another way for an instruction")
    world = open_world(route, settings.traffic, settings.weather)
    driver = make_driver(world, route, settings)
    world.world.tick()
    scorer = RouteScorer(world.world, world.ego, [waypoint.transform for waypoint, _ in trial.dense])
    verdict, begin, tick = _Verdict(trial), time.perf_counter(), 0
    trace: list[tuple[float, float]] = []
    while scorer.status == "running" and verdict.obeyed is None and tick < LIMIT_TICKS:
        if not verdict.given and verdict.reached(world):
            command = parse(trial.sentence)
            if command is not trial.command:
                raise SimlingoError(f"{trial.sentence!r} was understood as {command}: check simlingo.instructions")
            driver.instruct(Instruction("bench", world.ego_state().stamp, trial.sentence), trial.dense)
            verdict.given = True
        world.ego.apply_control(driver.control(tick))
        world.world.tick()
        scorer.tick()
        verdict.judge(world)
        tick += 1
        if tick % TRACE_EVERY == 0:
            trace.append(place_of(world))
            tell(scorer.result().route_completion, scorer.result().driving_score)
    result = {
        **result_with_route(scorer.result(), route),
        "instruction": trial.sentence,
        "obeyed": bool(verdict.obeyed),
    }
    scorer.close()
    weather = settings.weather or spec.weather
    wall_s = time.perf_counter() - begin
    return DriveRecord(spec, weather, result, wall_s, driver.planner_ms, trace, route_line(trial.dense))


class _Verdict:
    """Follows the ego to the place of the instruction, through the junction and out of it."""

    def __init__(self, trial: Trial) -> None:
        self._trial = trial
        self._in_junction = False
        self.given = False
        self.obeyed: bool | None = None  # None: not yet known

    def reached(self, world: RouteWorld) -> bool:
        """True once the ego is where the instruction is to be given."""
        pose = self._trial.dense[self._trial.give_index][0].transform
        place, yaw = world.ego.get_location(), math.radians(pose.rotation.yaw)
        ahead = (place.x - pose.location.x) * math.cos(yaw) + (place.y - pose.location.y) * math.sin(yaw)
        return ahead >= 0.0 and float(place.distance(pose.location)) < 10.0

    def judge(self, world: RouteWorld) -> None:
        """After the junction, see which road the ego took."""
        lane = world.world.get_map().get_waypoint(world.ego.get_location())
        if not self.given or lane is None:
            return
        if lane.is_junction:
            self._in_junction = True
        elif self._in_junction:
            self.obeyed = lane.road_id == self._trial.exit_road


def _state_at(dense: DenseRoute, index: int) -> EgoState:
    """An ego standing at place ``index`` of a route."""
    pose = dense[index][0].transform
    return EgoState(0, pose.location.x, pose.location.y, math.radians(pose.rotation.yaw), 0.0)
