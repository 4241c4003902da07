"""The published controllers: spec D.5, D.6 and the test vectors of spec I and S."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simlingo.control import lateral, longitudinal
from simlingo.control.lateral import LateralController, aim_point, lookahead_samples
from simlingo.control.longitudinal import LongitudinalController, shift_in_time, target_speed
from simlingo.control.pid import WindowPid


def waypoints_at(speed: float) -> np.ndarray:
    """Speed waypoints of a car that drives straight at ``speed`` m/s."""
    return np.stack((speed * 0.25 * np.arange(1, 11), np.zeros(10)), axis=1)


def straight_path() -> np.ndarray:
    return np.stack((np.arange(20.0), np.zeros(20)), axis=1)


@pytest.mark.parametrize(("speed", "samples"), [(0, 24), (5, 24), (10, 37), (15, 54), (20, 72), (30, 105), (60, 105)])
def test_lookahead_follows_the_spec(speed: float, samples: int) -> None:
    assert lookahead_samples(speed) == samples


def test_target_speed_vector() -> None:
    points = np.array([[1.25, 0.0], [2.5, 0.0], [3.75, 0.0]])
    assert target_speed(points) == 5.0


@pytest.mark.parametrize(("target", "brake"), [(0.39, 1.0), (0.41, 1.0), (0.46, 0.0)])
def test_stop_detection_vectors(target: float, brake: float) -> None:
    throttle, braked = LongitudinalController().step(waypoints_at(target), 0.5)
    assert braked == brake
    assert throttle == 0.0


def test_steering_vector_after_reset() -> None:
    angle = math.radians(9.0)
    path = np.outer(np.arange(20.0), (math.cos(angle), math.sin(angle)))
    expected = round(lateral.KP * 0.1 + lateral.KI * 0.1, 3)
    assert pytest.approx(0.31184, abs=1e-5) == lateral.KP * 0.1
    assert LateralController().step(path, 0.0) == pytest.approx(expected, abs=1e-3)


def test_throttle_integral_counts_the_zeros_of_the_window() -> None:
    throttle, _ = LongitudinalController().step(waypoints_at(5.1), 5.0)
    assert throttle == pytest.approx(longitudinal.KP * 0.1 + longitudinal.KI * 0.1 / 20 + longitudinal.KD * 0.1)


def test_throttle_error_is_bounded() -> None:
    far, near = LongitudinalController(), LongitudinalController()
    assert far.step(waypoints_at(30.0), 1.0) == near.step(waypoints_at(2.5), 1.0)


def test_steering_repeats_to_the_integral_of_six_calls() -> None:
    pid = WindowPid(0.0, 1.0, 0.0, window=6)
    outputs = [pid.step(error) for error in (6.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)]
    assert outputs[:2] == [6.0, 3.0]
    assert outputs[5:] == [1.0, 0.0]


def test_aim_point_stops_at_the_end_of_a_short_path() -> None:
    assert aim_point(np.array([[1.0, 0.0]]), 20.0)[0] == pytest.approx(1.0, abs=0.11)


def test_aim_point_lies_at_the_look_ahead() -> None:
    assert aim_point(straight_path(), 0.0) == pytest.approx((2.5, 0.0), abs=1e-3)


@given(st.floats(0.0, 1.25), st.floats(0.0, 30.0))
def test_shift_in_time_keeps_an_even_pace(age_s: float, speed: float) -> None:
    shifted = shift_in_time(waypoints_at(speed), age_s)
    assert target_speed(shifted) == pytest.approx(speed, abs=1e-6)
    assert shifted[0, 0] == pytest.approx(speed * (0.25 + age_s), abs=1e-6)


def test_shift_in_time_by_nothing_is_the_identity() -> None:
    points = waypoints_at(3.0)
    assert shift_in_time(points, 0.0) is points


def test_shift_by_one_period_moves_the_index_by_one() -> None:
    points = np.cumsum(np.arange(20.0).reshape(10, 2), axis=0)
    np.testing.assert_allclose(shift_in_time(points, 0.25)[:9], points[1:])


@given(
    st.lists(st.tuples(st.floats(-50, 50), st.floats(-50, 50)), min_size=20, max_size=20),
    st.floats(0.0, 40.0),
)
def test_outputs_stay_in_range(points: list[tuple[float, float]], speed: float) -> None:
    path = np.array(points)
    assert -1.0 <= LateralController().step(path, speed) <= 1.0
    throttle, brake = LongitudinalController().step(path[:10], speed)
    assert 0.0 <= throttle <= 1.0
    assert brake in (0.0, 1.0)
    assert throttle == 0.0 or brake == 0.0
