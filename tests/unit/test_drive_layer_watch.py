"""A model in one process refuses the pictures that the planner node refuses, and says so."""

from __future__ import annotations

import numpy as np
import pytest

from simlingo.contracts import TICK_NS, Command, DrivingPlan, EgoState, ImageArray, Instruction, Navigation, Observation
from simlingo_drive.backends.embedded import EmbeddedBackend, embedded_planner
from simlingo_drive.driver import DriverSettings
from simlingo_drive.drivers.model import Pilot
from simlingo_drive.drivers.registry import make_driver
from simlingo_drive.rollout import roll_out
from simlingo_drive.routes import RouteSpec
from simlingo_drive.session import open_numbered
from training.evaluation.closed_loop import route_of

NAVIGATION = Navigation(np.array([[7.0, 0.0], [14.0, 0.0]]), Command.FOLLOW_LANE, Command.FOLLOW_LANE, 50.0)


class Straight:
    """Straight on at 5 m/s, whatever it sees."""

    def __init__(self) -> None:
        self.seen = 0

    def plan(self, observation: Observation) -> DrivingPlan:
        self.seen += 1
        ahead = np.stack((np.arange(1.0, 21.0), np.zeros(20)), axis=1)
        return DrivingPlan(observation.stamp, ahead, 1.25 * ahead[:10])

    def set_instruction(self, instruction: Instruction | None) -> None:
        """Deaf."""

    def reset(self) -> None:
        """Nothing to forget."""


class Frames:
    """Noise, which the car passes, and black from tick 10 to 29."""

    def frame(self, tick: int) -> ImageArray | None:
        level = 0.0 if 10 <= tick < 30 else 40.0
        values = np.random.default_rng(tick).normal(128.0 if level else 0.0, level, (512, 1024, 3))
        return values.clip(0, 255).astype(np.uint8)

    def restart(self) -> None:
        """Goes on."""


@pytest.mark.medium
@pytest.mark.parametrize("camera", ["real", "grey"])
def test_the_camera_is_watched_and_what_stands_in_for_it_is_not(camera: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("simlingo.camera_monitor.LEAST_CONTRAST", 1000.0)  # no picture shows as much
    route = route_of(RouteSpec("gridtown", 1, 0))
    settings = DriverSettings(camera=camera, traffic="none")
    session = open_numbered(EmbeddedBackend(), route, "none")
    driver = make_driver(session, route, embedded_planner("gridtown"), settings)
    session.tick()
    try:
        roll_out(session, driver, [], 5)
    finally:
        session.close()
    assert len(driver.alarms) == (5 if camera == "real" else 0)
    assert len(driver.planner_ms) == (0 if camera == "real" else 5)


def test_after_somebody_else_has_driven_pictures_are_compared_with_none_before() -> None:
    pilot = Pilot(Straight(), Frames(), watched=True)  # type: ignore[arg-type]
    for tick in range(5):
        pilot.control(tick, EgoState(10**9 + tick * TICK_NS, 0.25 * tick, 0.0, 0.0, 5.0), NAVIGATION)
    assert len(pilot._camera._usual) == 5
    assert pilot._lag._before is not None
    pilot.restart()
    assert len(pilot._camera._usual) == 0
    assert pilot._lag._before is None


@pytest.mark.parametrize("watched", [True, False])
def test_black_pictures_make_no_plan_and_are_told(watched: bool) -> None:
    policy = Straight()
    pilot = Pilot(policy, Frames(), watched)  # type: ignore[arg-type]
    for tick in range(40):
        ego = EgoState(10**9 + tick * TICK_NS, 0.25 * tick, 0.0, 0.0, 5.0)
        control = pilot.control(tick, ego, NAVIGATION)
        if watched and 21 <= tick < 30:
            assert (control.throttle, control.brake > 0.0) == (0.0, True)
    assert policy.seen == (20 if watched else 40)
    if not watched:
        assert pilot.alarms == []
        return
    assert sum("black" in alarm for alarm in pilot.alarms) == 20
    coasted = [alarm for alarm in pilot.alarms if alarm.startswith("coasting: the last plan is")]
    stopped = [alarm for alarm in pilot.alarms if alarm.startswith("stopping: the last plan is")]
    assert (len(coasted), len(stopped)) == (5, 10)
    assert len(pilot.alarms) == 35
