"""The roll-out keeps to its line and brakes as the expert does, and the check tells what no car could do."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from dream_cases import scene

from simlingo_drive.expert import CONSTANTS, laws
from training.language.dreams.check import Report
from training.language.dreams.dream import Dream
from training.language.dreams.kinematics import kinematics_of, violations
from training.language.dreams.limits import vehicle_limits
from training.language.dreams.line import line_of
from training.language.dreams.roll_out import TICKS, Pace, Vehicle, roll_out
from training.language.dreams.rolling import Tuning, wanted_acceleration
from training.language.dreams.speeds import go, speed_dreams


def bend() -> np.ndarray:
    """Straight on, a bend of 12 m to the right, straight on; (N, 2) m."""
    turn = np.linspace(0.0, 1.2, 15)
    curve = np.stack((8.0 + 12.0 * np.sin(turn), 12.0 - 12.0 * np.cos(turn)), axis=1)
    out = curve[-1] + np.arange(1.0, 60.0)[:, None] * (math.cos(1.2), math.sin(1.2))
    return np.vstack((np.stack((np.arange(-12.0, 8.0), np.zeros(20)), axis=1), curve, out))


@pytest.mark.parametrize("speed", [3.0, 5.0])
def test_it_keeps_to_the_line_through_a_bend(speed: float) -> None:
    line = line_of(bend())
    rolled = roll_out(Vehicle(0.0, 0.0, 0.0, speed), line, Pace(speed))
    track = np.vstack((rolled.driven, rolled.onward))
    _, right = line.locate(track[:, :2])
    assert np.abs(right).max() < 0.15
    assert track[-1, 2] > 0.9  # it has been through the bend


def test_it_comes_back_to_the_line_as_the_experts_label_does() -> None:
    line = line_of(bend())
    rolled = roll_out(Vehicle(-11.0, 0.8, 0.0, 4.0), line, Pace(4.0))
    _, right = line.locate(rolled.driven[:, :2])
    assert right[0] == pytest.approx(0.8, abs=0.02)
    assert np.abs(right[-15:]).max() < 0.1
    assert np.min(right) > -0.15  # no swing to the other side


def test_it_speeds_up_and_brakes_by_the_experts_laws() -> None:
    rng = np.random.default_rng(0)
    allowed = np.full(400, 100.0)
    for _ in range(200):
        speed, stop, rear, lead = (
            rng.uniform(0.2, 15.0),
            rng.uniform(12.0, 60.0),
            rng.uniform(13.0, 60.0),
            rng.uniform(0.0, 12.0),
        )
        bounds = np.array((9.0, CONSTANTS.max_acceleration, CONSTANTS.comfort_deceleration, rear, lead, 4.0, 1.0))
        got = wanted_acceleration(speed, 10.0, 2.0, allowed, bounds, np.array([stop]), 0.5, Tuning())
        expected = min(
            laws.towards_speed(speed, 9.0, CONSTANTS),
            laws.stop_in(speed, stop - 12.0, CONSTANTS, CONSTANTS.firm_deceleration),
            laws.follow(speed, rear + 0.5 * lead - 12.0, lead, CONSTANTS),
            laws.through_bend(speed, 100.0, 0.0, CONSTANTS),
        )
        assert got == pytest.approx(expected, rel=1e-9)


def test_it_slows_down_before_a_bend() -> None:
    rolled = roll_out(Vehicle(0.0, 0.0, 0.0, 9.0), line_of(bend()), Pace(12.0))
    assert rolled.driven[-1, 3] < 6.5  # 2.2 m/s^2 on 12 m are 5.1 m/s


def test_dreams_are_within_the_vehicles_limits() -> None:
    for speed in (0.0, 3.0, 8.0, 13.0):
        for dream in speed_dreams(scene(speed), np.random.default_rng(0)):
            figures = kinematics_of(dream.path, dream.speed_waypoints, speed)
            assert violations(figures, vehicle_limits()) == [], dream.kind


def planted(dream: Dream) -> dict[str, Dream]:
    """What no car does, by what is wrong with it."""
    to_the_side = np.where(np.arange(20)[:, None] >= 8, (0.0, 1.5), (0.0, 0.0))
    aside = np.array((0.0, 1.0))
    late = np.vstack((dream.speed_waypoints[:4], dream.speed_waypoints[4:] + np.array((3.0, 0.0))))
    return {
        "start_m": replace(dream, path=dream.path + aside, speed_waypoints=dream.speed_waypoints + aside),
        "curvature_per_m": replace(dream, path=dream.path + to_the_side),
        "off_path_m": replace(dream, path=dream.path + np.linspace(0.0, 1.0, 20)[:, None] * aside),
        "accelerate_mps2": replace(dream, speed_waypoints=late),
        "step_m": replace(dream, path=dream.path * (1.2, 1.0)),
        "start_heading_rad": replace(dream, path=dream.path @ np.array(((0.4, 0.92), (-0.92, 0.4)))),
    }


@pytest.mark.parametrize(
    "name", ["start_m", "curvature_per_m", "off_path_m", "accelerate_mps2", "step_m", "start_heading_rad"]
)
def test_a_planted_fault_is_found(name: str) -> None:
    dream = go(scene(8.0))
    report = Report(vehicle_limits())
    report.add("here", 8.0, dream)
    assert report.broken == []
    report.add("there", 8.0, planted(dream)[name])
    assert any(f"there go: {name} is" in broken for broken in report.broken)
    assert "violations" in report.text()
    assert report.verdicts == Counter({("go", "follow"): 2})


def test_the_limits_are_the_vehicles() -> None:
    limits = vehicle_limits(1.0)
    assert limits.accelerate_mps2 == pytest.approx(3.2, abs=0.15)
    assert limits.brake_mps2 == pytest.approx(8.9, abs=0.4)
    assert limits.curvature_per_m == pytest.approx(
        1.0 / 3.2, rel=0.03
    )  # of the body's middle, which runs outside the rear axle
    assert limits.steering_rate_rps == pytest.approx(1.9, rel=0.01)
    assert limits.lateral_mps2 == pytest.approx(0.85 * 0.9 * 9.81, rel=0.05)


def test_the_track_passes_the_waypoints() -> None:
    dream = go(scene(8.0))
    assert dream.track.shape == (TICKS + 1, 4)
    assert dream.track[::5][1:, :2] == pytest.approx(dream.speed_waypoints)
