"""Does the car take the way a person asks for? One instruction a route, given before a junction, judged after it."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from itertools import pairwise

from simlingo.contracts import Command, EgoState, Instruction, SimlingoError
from simlingo.geometry import arc_length
from simlingo.instructions import parse
from simlingo.navigation.global_planner import MANOEUVRES, DenseRoute, GlobalPlanner
from simlingo_drive.backends.embedded import EmbeddedBackend, embedded_planner
from simlingo_drive.criteria import RouteScorer
from simlingo_drive.driver import InstructedDriver
from simlingo_drive.drivers.registry import make_driver
from simlingo_drive.rollout import Hook, Score, roll_out
from simlingo_drive.routes import Route, RouteSpec, route_along
from simlingo_drive.session import Session, open_numbered
from training.evaluation.closed_loop import (
    TRACE_EVERY,
    DriveRecord,
    DriveSettings,
    Tell,
    Teller,
    Trace,
    result_with_route,
    route_line,
    route_of,
    say_nothing,
)

#: The instruction is given this far before the junction, m (the issue's figure: 30 m or more).
GIVEN_BEFORE_M = 35.0
#: A trial is lost after this many ticks: 150 s, two rounds of the lights.
LIMIT_TICKS = 3000
#: The ego is at the place of the instruction within this distance, m.
AT_PLACE_M = 10.0
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


def find_trial(route: Route, planner: GlobalPlanner) -> Trial | None:
    """The first junction of the route with a way that the route does not take; None: it has none."""
    assert route.spec is not None
    arcs = arc_length(route.line)
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


def _trial(route: Route, planner: GlobalPlanner, command: Command, give: int) -> Trial | None:
    """The trial that asks for ``command`` at index ``give`` of the route; None where the junction lacks it."""
    answer = planner.redirect(route.dense, _state_at(route.dense, give), command)
    if answer.route is None:
        return None
    begin = next(i for i in range(give, len(answer.route)) if answer.route[i][0].is_junction)
    after = next((i for i in range(begin, len(answer.route)) if not answer.route[i][0].is_junction), None)
    if after is None:
        return None
    return Trial(SENTENCES[command], command, give, answer.route, answer.route[after][0].road_id)


def drive_trial(spec: RouteSpec, settings: DriveSettings, tell: Tell = say_nothing) -> DriveRecord:
    """Drive the route that ``spec`` names, say the sentence before a junction, and see which way the car takes.

    Raises:
        SimlingoError: no junction of the route has another way.
    """
    route, planner = route_of(spec), embedded_planner(spec.town)
    trial = find_trial(route, planner)
    if trial is None:
        raise SimlingoError(f"route {spec.name} has no junction with another way for an instruction")
    session = open_numbered(EmbeddedBackend(), route, settings.traffic, settings.weather, settings.obstacles)
    driver = make_driver(session, route, planner, settings)
    session.tick()
    scorer = RouteScorer(session.world, session.ego, [waypoint.transform for waypoint, _ in trial.dense])
    instruct, trace = _Instruct(session, driver, trial), Trace(session)
    begin = time.perf_counter()
    try:
        roll_out(session, driver, [Score(scorer), instruct, trace, Teller(scorer, tell, TRACE_EVERY)], LIMIT_TICKS)
    finally:
        session.close()
    result = {
        **result_with_route(scorer.result(), route),
        "instruction": trial.sentence,
        "obeyed": bool(instruct.obeyed),
    }
    driven = route_along(route.name, trial.dense, planner)
    weather = settings.weather or spec.weather
    wall_s = time.perf_counter() - begin
    return DriveRecord(spec, weather, result, wall_s, driver.planner_ms, trace.places, route_line(driven))


class _Instruct(Hook):
    """Says the sentence at its place, and follows the ego through the junction and out of it."""

    def __init__(self, session: Session, driver: InstructedDriver, trial: Trial) -> None:
        self._session, self._driver, self._trial = session, driver, trial
        self._given = self._in_junction = False
        self.obeyed: bool | None = None  # None: not yet known

    def observe(self, tick: int) -> None:
        """Give the instruction where it is to be given."""
        del tick
        if self._given or not self._at_place():
            return
        command = parse(self._trial.sentence)
        if command is not self._trial.command:
            raise SimlingoError(f"{self._trial.sentence!r} was understood as {command}: check simlingo.instructions")
        said = Instruction("bench", self._session.ego_state().stamp, self._trial.sentence)
        self._driver.instruct(said, self._trial.dense)
        self._given = True

    def judge(self, tick: int) -> None:
        """After the junction, see which road the ego took."""
        del tick
        lane = self._session.map.get_waypoint(self._session.ego.get_location())
        if not self._given or lane is None:
            return
        if lane.is_junction:
            self._in_junction = True
        elif self._in_junction:
            self.obeyed = lane.road_id == self._trial.exit_road
            self.finished = True

    def _at_place(self) -> bool:
        """True once the ego is where the instruction is to be given."""
        pose = self._trial.dense[self._trial.give_index][0].transform
        place, yaw = self._session.ego.get_location(), math.radians(pose.rotation.yaw)
        ahead = (place.x - pose.location.x) * math.cos(yaw) + (place.y - pose.location.y) * math.sin(yaw)
        return ahead >= 0.0 and float(place.distance(pose.location)) < AT_PLACE_M


def _state_at(dense: DenseRoute, index: int) -> EgoState:
    """An ego standing at place ``index`` of a route."""
    pose = dense[index][0].transform
    return EgoState(0, pose.location.x, pose.location.y, math.radians(pose.rotation.yaw), 0.0)
