"""Closed loop in one process: the expert drives cleanly, equal seeds give equal drives, eyes matter."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np
import pytest

from simlingo.contracts import Answer, DrivingPlan, Instruction, InvalidInputError, Observation
from simlingo.navigation.global_planner import GlobalPlanner
from simlingo_drive.driver import DriverSettings
from simlingo_drive.drivers import registry
from simlingo_drive.drivers.frames import frame_source
from simlingo_drive.drivers.model import ModelDriver
from simlingo_drive.routes import Route, RouteSpec
from simlingo_drive.session import Session
from training.evaluation.closed_loop import DriveSettings, drive, route_of
from training.evaluation.instructed import drive_trial

EXPERT = DriveSettings(driver="expert", traffic="light")


def shortened(spec: RouteSpec, places: int) -> Route:
    route = route_of(spec)
    return dataclasses.replace(route, dense=route.dense[:places], line=route.line[:places])


@pytest.mark.parametrize("town", ["gridtown", "ringtown", "harbortown"])
def test_the_expert_drives_without_infraction(town: str) -> None:
    record = drive(shortened(RouteSpec(town, 1, 0), 200), EXPERT)
    assert record.result["status"] == "completed", record.result
    assert record.result["driving_score"] == 100.0
    assert len(record.trace) > 10


def test_equal_seeds_give_equal_drives_and_other_routes_other_traffic() -> None:
    route = shortened(RouteSpec("gridtown", 2, 0), 150)
    first, second = drive(route, EXPERT), drive(route, EXPERT)
    assert first.trace == second.trace
    assert first.result == second.result


def test_the_expert_obeys_an_instruction() -> None:
    record = drive_trial(RouteSpec("gridtown", 1, 1), EXPERT)
    assert record.result["obeyed"], record.result


class StraightAhead:
    """A policy that drives straight on, whatever it sees; it remembers what it saw."""

    def __init__(self) -> None:
        self.frames: list[np.ndarray] = []
        self.instructions: list[Instruction | None] = []

    def reset(self) -> None:
        self.frames.clear()

    def plan(self, observation: Observation) -> DrivingPlan:
        self.frames.append(observation.image[::32, ::32].copy())
        ahead = np.array((1.0, 0.0))
        return DrivingPlan(observation.stamp, np.outer(np.arange(20), ahead), np.outer(np.arange(1, 11) * 1.25, ahead))

    def set_instruction(self, instruction: Instruction | None) -> None:
        self.instructions.append(instruction)

    def ask(self, question: str, within_s: float = 60.0) -> Answer:
        return Answer(error=f"no answer to {question}")


@pytest.fixture
def policy() -> Iterator[StraightAhead]:
    """A driver of our own in the registry, under the name ``straight``."""
    policy = StraightAhead()

    def make(session: Session, route: Route, planner: GlobalPlanner, settings: DriverSettings) -> ModelDriver:
        frames = frame_source(settings.camera, route, session, planner, settings.traffic, settings.plan_every)
        return ModelDriver(session, route.dense, planner, policy, frames)

    registry.register("straight", make)
    yield policy
    registry.unregister("straight")


@pytest.mark.parametrize("camera", ["real", "grey", "shuffled"])
def test_a_model_sees_the_camera_asked_for_and_pays_for_blindness(
    camera: str, policy: StraightAhead, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("simlingo_drive.drivers.frames.RECORD_TICKS", 60)
    route = shortened(RouteSpec("gridtown", 1, 1), 150)
    record = drive(route, DriveSettings(driver="straight", traffic="none", camera=camera))
    assert record.result["driving_score"] < 90.0, "driving straight on does not follow a route with turns"
    assert len(record.planner_ms) == len(policy.frames) > 40
    seen = np.stack(policy.frames[:40]).astype(float)
    if camera == "grey":
        assert seen.std() == 0.0
    else:
        assert seen.std() > 20.0
        assert not np.array_equal(seen[0], seen[-1])


def test_a_plan_every_third_tick_still_drives_every_tick(policy: StraightAhead) -> None:
    route = shortened(RouteSpec("gridtown", 1, 1), 25)
    record = drive(route, DriveSettings(driver="straight", traffic="none", plan_every=3))
    ticks = round(record.result["duration_s"] / 0.05)
    assert record.result["status"] == "completed"
    assert len(policy.frames) == pytest.approx(ticks / 3, abs=2)


def test_the_shipped_model_drives() -> None:
    record = drive(shortened(RouteSpec("gridtown", 1, 1), 110), DriveSettings(traffic="none"))
    assert record.result["route_completion"] > 60.0, record.result


def test_an_unknown_driver_is_named_with_the_nearest() -> None:
    with pytest.raises(InvalidInputError, match="did you mean 'expert'"):
        drive(shortened(RouteSpec("gridtown", 1, 1), 25), DriveSettings(driver="exprt", traffic="none"))
