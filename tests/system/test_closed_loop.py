"""Closed loop in one process: the expert drives cleanly, equal seeds give equal drives, eyes matter."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from simlingo.contracts import Answer, DrivingPlan, Instruction, Observation
from training.evaluation import closed_loop
from training.evaluation.closed_loop import DriveSettings, drive
from training.evaluation.instructed import drive_trial
from training.evaluation.routes import BenchRoute, RouteSpec, build

EXPERT = DriveSettings(policy="expert", traffic="light")


def shortened(spec: RouteSpec, places: int) -> BenchRoute:
    route = build(spec)
    return dataclasses.replace(route, dense=route.dense[:places])


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

    def ask(self, question: str) -> Answer:
        return Answer(error=f"no answer to {question}")


@pytest.mark.parametrize("camera", ["real", "grey", "shuffled"])
def test_a_model_sees_the_camera_asked_for_and_pays_for_blindness(camera: str, monkeypatch: pytest.MonkeyPatch) -> None:
    policy = StraightAhead()
    monkeypatch.setattr(closed_loop, "load_policy", lambda *_: policy)
    monkeypatch.setattr("training.evaluation.frames.RECORD_TICKS", 60)
    route = shortened(RouteSpec("gridtown", 1, 1), 150)
    record = drive(route, DriveSettings(policy="model", traffic="none", camera=camera))
    assert record.result["driving_score"] < 90.0, "driving straight on does not follow a route with turns"
    assert len(record.planner_ms) == len(policy.frames) > 40
    seen = np.stack(policy.frames[:40]).astype(float)
    if camera == "grey":
        assert seen.std() == 0.0
    else:
        assert seen.std() > 20.0
        assert not np.array_equal(seen[0], seen[-1])


def test_a_plan_every_third_tick_still_drives_every_tick(monkeypatch: pytest.MonkeyPatch) -> None:
    policy = StraightAhead()
    monkeypatch.setattr(closed_loop, "load_policy", lambda *_: policy)
    route = shortened(RouteSpec("gridtown", 1, 1), 25)
    record = drive(route, DriveSettings(policy="model", traffic="none", plan_every=3))
    ticks = round(record.result["duration_s"] / 0.05)
    assert record.result["status"] == "completed"
    assert len(policy.frames) == pytest.approx(ticks / 3, abs=2)


def test_the_shipped_model_drives() -> None:
    record = drive(shortened(RouteSpec("gridtown", 1, 1), 110), DriveSettings(policy="model", traffic="none"))
    assert record.result["route_completion"] > 60.0, record.result
