"""Drives of the suites in the real embedded world, by an expert that is told what is meant, and by a scripted policy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from simlingo.contracts import Answer, Command, DrivingPlan, FloatArray, Instruction, Observation
from simlingo.geometry import map_to_ego
from simlingo.requests import Reason, RequestKind
from simlingo_drive.drivers.frames import GreyFrames
from simlingo_drive.rollout import Hook, roll_out
from training.evaluation.language.command_drive import CommandTrial, drive_command
from training.evaluation.language.commands import command_trials
from training.evaluation.language.refuse_drive import RefuseTrial, at, drive_refuse
from training.evaluation.language.refuse_places import place
from training.evaluation.language.roads import stretches
from training.evaluation.language.sentences import Sentences
from training.evaluation.language.speed import _trials
from training.evaluation.language.speed_drive import SpeedTrial, drive_speed
from training.evaluation.language.stage import Stage, opened
from training.evaluation.language.suite import Subject
from training.evaluation.language.talking_driver import TalkingDriver
from training.evaluation.language.words_drive import drive_words
from training.evaluation.language.words_routes import words_routes
from training.evaluation.language.words_sayings import misleading, plain, trial_of

pytestmark = pytest.mark.medium
EXPERT = Subject("expert", "expert")
OURS = Sentences()


def trial_for(kind: RequestKind) -> CommandTrial:
    return command_trials(OURS, (kind,))[0]


@pytest.mark.parametrize(
    "kind",
    [RequestKind.STOP, RequestKind.LANE_LEFT, RequestKind.PULL_OVER, RequestKind.OVERTAKE, RequestKind.TURN_LEFT],
)
def test_an_expert_that_obeys_passes(kind: RequestKind) -> None:
    record = drive_command(trial_for(kind), EXPERT, 1)
    assert record["success"], record


@pytest.mark.parametrize(
    ("asked", "done"),
    [
        (RequestKind.STOP, RequestKind.SLOWER),
        (RequestKind.SLOWER, RequestKind.STOP),
        (RequestKind.LANE_LEFT, RequestKind.PULL_OVER),
    ],
)
def test_an_expert_that_does_something_else_fails(
    asked: RequestKind, done: RequestKind, monkeypatch: pytest.MonkeyPatch
) -> None:
    from training.evaluation.language import command_drive

    told = command_drive.Said
    monkeypatch.setattr(command_drive, "Said", lambda kind, *rest: told(done, 3.0))
    assert not drive_command(trial_for(asked), EXPERT, 1)["success"]


def test_a_wished_speed_is_kept_or_not() -> None:
    trial = _trials(OURS, random_words=False)[0]
    kept = drive_speed(trial, EXPERT, 1)
    assert kept["adherence"] > 0.9
    assert kept["metres"] > 15.0
    assert kept["from_the_words"] < kept["adherence"]
    other: SpeedTrial = replace(trial, wish_mps=trial.wish_mps)
    assert drive_speed(other, EXPERT, 1) == kept, "equal trials are equal drives"


def test_a_route_in_sentences_is_driven_to_its_end_and_orders_are_refused() -> None:
    route = next(each for each in words_routes() if each.turnings[0].command is Command.LEFT and each.group == "tiny")
    trial = trial_of(route, lambda where: misleading(where, OURS))
    record = drive_words(trial, EXPERT, 1)
    assert record["status"] == "completed"
    assert [said["to_do"] for said in record["said"]] == [True, False]
    assert record["said"][1]["states"] == ["refused"]
    silent = replace(trial_of(route, lambda where: plain(where, OURS)), sayings=((),) * len(route.turnings))
    assert drive_words(silent, EXPERT, 1)["driving_score"] < record["driving_score"], "without words it goes elsewhere"


def test_a_refused_text_changes_nothing_and_an_obeyed_one_does() -> None:
    where, _ = place(Reason.OFF_ROAD.value, 0)
    silent = drive_refuse(where, EXPERT, 1)
    refused = drive_refuse(at(where, "drive on the pavement", "unsafe"), EXPERT, 1)
    assert refused["trace"] == silent["trace"]
    assert len(silent["trace"]) == 24
    assert refused["infractions"] == silent["infractions"] == []
    fast: RefuseTrial = at(where, "race", "unsafe", RequestKind.TARGET_SPEED.value, 20.0)
    obeyed = drive_refuse(fast, EXPERT, 1)
    assert obeyed["trace"] != silent["trace"]
    assert "speed_limit" in obeyed["infractions"]


class Scripted:
    """A policy that drives along a line of its own, and obeys "halt"."""

    name, licence, simulation_only = "scripted", "", False

    def __init__(self, path: Callable[[], FloatArray], speed_mps: float = 6.0) -> None:
        self._path, self._speed_mps = path, speed_mps
        self.told: Instruction | None = None
        self.seen: list[tuple[Command, str | None]] = []

    def reset(self) -> None:
        self.told = None

    def set_instruction(self, instruction: Instruction | None) -> None:
        self.told = instruction

    def plan(self, observation: Observation) -> DrivingPlan:
        words = self.told.text if self.told is not None else None
        self.seen.append((observation.navigation.command, words))
        halts = words == "halt"
        times = np.arange(1, 11) * 0.25 * (0.0 if halts else self._speed_mps)
        path = self._path()
        refused = bool(words) and not halts
        return DrivingPlan(
            observation.stamp,
            path,
            np.stack((times, np.zeros(10)), axis=1),
            instruction_id=self.told.id if self.told is not None else "",
            refused=refused,
            reason=Reason.RED_LIGHT if refused else None,
            request=RequestKind.STOP if halts else None,
        )

    def ask(self, question: str, within_s: float = 0.0) -> Answer:
        return Answer(error=question)

    def close(self) -> None:
        pass


class Script(Hook):
    """Says texts at ticks."""

    def __init__(self, driver: TalkingDriver, texts: dict[int, str]) -> None:
        self._driver, self._texts = driver, texts

    def observe(self, tick: int) -> None:
        if tick in self._texts:
            self._driver.say(self._texts[tick])


def talk(stage: Stage, texts: dict[int, str], ticks: int, mission: Command | None = None, roams: bool = False):  # type: ignore[no-untyped-def]
    with opened(stage) as scene:
        line = scene.planner.polyline(scene.way)

        def path() -> FloatArray:
            ego = scene.session.ego_state()
            here = int(np.argmin(np.hypot(*(line - (ego.x, ego.y)).T)))
            return map_to_ego(line[here + 1 : here + 21], ego)

        policy = Scripted(path)
        way = scene.way
        if mission is not None:
            way = scene.planner.redirect(scene.way, scene.session.ego_state(), mission).route
        driver = TalkingDriver(scene.session, way, scene.planner, policy, GreyFrames(2), roams)
        roll_out(scene.session, driver, [Script(driver, texts)], ticks)
        speed = scene.session.ego_state().speed  # m/s, at the end
    return policy, driver, speed


LONG = next(road for road in stretches() if road.length_m > 200.0 and road.signalled)


def test_words_act_on_the_plan_of_their_own_tick_and_live_until_obeyed() -> None:
    stage = Stage(LONG.lane, 20.0, seed=1, light="green")
    policy, driver, speed = talk(stage, {40: "halt", 41: "blow up the moon"}, 130)
    assert [words for _, words in policy.seen[:20]] == [None] * 20
    assert policy.seen[20][1] == "halt"
    assert speed < 0.3
    steps = [(step.instruction.text, step.state.value) for step in driver.steps]
    assert steps[0] == ("halt", "accepted")
    assert ("blow up the moon", "refused") in steps
    assert ("halt", "obeyed") in steps
    assert policy.seen[-1][1] == "halt", "a stop goes on after it was obeyed"


def test_a_turn_in_words_of_the_route_changes_the_route_and_is_not_told_to_the_driver() -> None:
    road = next(road for road in stretches() if road.signalled and {Command.LEFT, Command.STRAIGHT} <= set(road.ways))
    stage = Stage(road.lane, road.length_m - 45.0, seed=1, light="green")
    policy, driver, _ = talk(stage, {20: "turn left at the next junction"}, 60)
    assert {command for command, _ in policy.seen[:10]} == {Command.STRAIGHT}
    assert policy.seen[10] == (Command.LEFT, "")
    assert [step.state.value for step in driver.steps] == ["accepted", "obeying"]


@pytest.mark.parametrize(("roams", "stands"), [(False, True), (True, False)])
def test_behind_a_junction_a_roaming_route_leads_straight_on_from_wherever_the_car_is(
    roams: bool, stands: bool
) -> None:
    road = next(road for road in stretches() if road.signalled and {Command.LEFT, Command.STRAIGHT} <= set(road.ways))
    stage = Stage(road.lane, road.length_m - 20.0, seed=1, light="green")
    policy, _, speed = talk(stage, {}, 330, Command.LEFT, roams)
    assert policy.seen[0][0] is Command.LEFT
    assert (speed < 0.3) is stands, "a car that is 30 m off its route stands"
