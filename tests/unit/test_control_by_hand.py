"""The published controllers against values worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from simlingo.control.lateral import LateralController, aim_point, lookahead_samples
from simlingo.control.longitudinal import LongitudinalController, shift_in_time, target_speed
from simlingo.control.pid import WindowPid

STEER_KP, STEER_KI, STEER_KD = 3.118357247806046, 0.6406067986034124, 1.3782508892109167


def even_waypoints(speed: float) -> np.ndarray:
    """Speed waypoints straight ahead at an even speed, m/s."""
    return np.stack((speed * 0.25 * np.arange(1, 11), np.zeros(10)), axis=1)


def ray(error: float) -> np.ndarray:
    """A straight path whose heading error is ``error`` units of 90 degrees to the right."""
    return np.outer(np.arange(1.0, 21.0), (math.cos(error * math.pi / 2), math.sin(error * math.pi / 2)))


def test_a_derivative_is_the_last_difference() -> None:
    pid = WindowPid(0.0, 0.0, 1.0, window=4)
    assert [pid.step(error) for error in (1.0, 4.0, 9.0, 7.0)] == [0.0, 3.0, 5.0, -2.0]


def test_errors_to_begin_with_count_for_mean_and_difference() -> None:
    pid = WindowPid(0.0, 1.0, 10.0, window=3, initial_errors=(1.0, 2.0))
    assert pid.step(6.0) == 3.0 + 40.0
    assert pid.step(1.0) == 3.0 - 50.0


@pytest.mark.parametrize("initial", [(), (5.0, 1.0)])
def test_after_a_reset_a_pid_is_as_new(initial: tuple[float, ...]) -> None:
    new, used = (WindowPid(0.0, 1.0, 1.0, window=4, initial_errors=initial) for _ in range(2))
    for error in (3.0, 8.0, 2.0, 7.0, 7.0):
        used.step(error)
    used.reset()
    assert [used.step(error) for error in (4.0, 2.0)] == [new.step(error) for error in (4.0, 2.0)]


@pytest.mark.parametrize(
    ("speed", "samples"),
    # 0.97553219 * 3.6 * v + 1.91528845, between 24 and 105
    [(0.0, 24), (6.2, 24), (6.6, 25), (6.9, 26), (29.0, 103), (29.4, 105), (29.6, 105), (90.0, 105)],
)
def test_look_ahead_by_hand(speed: float, samples: int) -> None:
    assert lookahead_samples(speed) == samples


@pytest.mark.parametrize(
    ("length", "x"),
    [
        # A straight line of one segment, 1e-4 m longer than it is: sample i lies 0.1 (i + 1) m along that.
        (0.05, 0.05),  # one sample at least, at the end
        (0.12, 0.1 * 0.12 / 0.1201),  # ceil(0.201) = 1
        (0.96, 0.9 * 0.96 / 0.9601),  # ceil(8.601) = 9
        (1.0, 1.0 / 1.0001),  # ceil(9.001) = 10
        (30.0, 2.5 * 30.0 / 30.0001),  # the look-ahead: sample 24
    ],
)
def test_where_the_car_aims_on_one_segment(length: float, x: float) -> None:
    assert aim_point(np.array([[length, 0.0]]), 0.0) == pytest.approx((x, 0.0), abs=1e-9)


def test_repeated_points_are_told_apart_by_a_tenth_of_a_millimetre() -> None:
    path = np.stack((np.array([1.0, 1.0, 2.0, 3.0, 4.0]), np.zeros(5)), axis=1)
    # Distances 0, 1.0001, 1.0002, 2.0003, 3.0004, ...: 2.5 lies 0.4997 / 1.0001 into the fourth segment.
    assert aim_point(path, 0.0)[0] == pytest.approx(2.0 + 0.4997 / 1.0001, abs=1e-4)
    even = np.stack((np.arange(1.0, 21.0), np.zeros(20)), axis=1)
    assert aim_point(even, 0.0)[0] == pytest.approx(2.5 / 1.0001, abs=1e-8)


def test_steering_by_hand_over_a_whole_window() -> None:
    controller = LateralController()
    errors = [0.1, 0.05, -0.1, 0.05, 0.0, -0.05, 0.1, 0.02]
    past: list[float] = []
    for error in errors:
        previous = past[-1] if past else error
        past.append(error)
        recent = past[-6:]
        wanted = STEER_KP * error + STEER_KI * sum(recent) / len(recent) + STEER_KD * (error - previous)
        assert controller.step(ray(error), 3.0) == round(wanted, 3)


def test_steering_has_three_decimals_and_ends_at_full_lock() -> None:
    assert LateralController().step(ray(0.1), 0.0) == 0.376  # 0.37590
    assert LateralController().step(ray(0.9), 0.0) == 1.0
    assert LateralController().step(ray(-0.9), 0.0) == -1.0


def test_after_a_reset_both_controllers_are_as_new() -> None:
    steering = LateralController()
    for error in (0.2, -0.1, 0.15):
        steering.step(ray(error), 3.0)
    steering.reset()
    assert steering.step(ray(0.05), 3.0) == LateralController().step(ray(0.05), 3.0)
    speed = LongitudinalController()
    for wanted in (5.3, 4.9, 5.5):
        speed.step(even_waypoints(wanted), 5.0)
    speed.reset()
    assert speed.step(even_waypoints(5.2), 5.0) == LongitudinalController().step(even_waypoints(5.2), 5.0)


def test_the_target_is_the_way_from_the_first_waypoint_to_the_third() -> None:
    points = np.array([[9.0, 1.0], [50.0, 50.0], [12.0, 5.0], [70.0, 70.0]])
    assert target_speed(points) == 10.0  # 5 m in half a second


def test_throttle_by_hand() -> None:
    controller = LongitudinalController()
    past = [0.0] * 20
    for error in (0.1, 0.15, 0.12, 0.0, 0.1, *[0.05] * 22):
        wanted = 1.75 * error + 1.0 * (sum(past[-19:]) + error) / 20 + 2.0 * (error - past[-1])
        past.append(error)
        throttle, brake = controller.step(even_waypoints(5.0 + error), 5.0)
        assert throttle == pytest.approx(min(max(wanted, 0.0), 1.0), abs=1e-9)
        assert brake == 0.0


def test_throttle_is_between_nothing_and_all() -> None:
    controller = LongitudinalController()
    assert controller.step(even_waypoints(9.0), 5.0) == (1.0, 0.0)
    # The error falls from its bound of 1 m/s to nothing: 1 / 20 - 2 is less than no throttle.
    assert controller.step(even_waypoints(5.0), 5.0) == (0.0, 0.0)


def test_the_speed_error_is_a_metre_a_second_at_most() -> None:
    controller = LongitudinalController()
    controller.step(even_waypoints(9.0), 5.0)
    throttle, _ = controller.step(even_waypoints(5.7), 5.0)
    assert throttle == pytest.approx(1.75 * 0.7 + (1.0 + 0.7) / 20 + 2.0 * (0.7 - 1.0))


def test_no_error_is_negative() -> None:
    slow, exact = LongitudinalController(), LongitudinalController()
    assert slow.step(even_waypoints(5.0), 5.4) == exact.step(even_waypoints(5.0), 5.0) == (0.0, 0.0)
    assert slow.step(even_waypoints(5.1), 5.0) == exact.step(even_waypoints(5.1), 5.0)


def test_the_bounds_of_braking_are_not_braking() -> None:
    creeping = np.array([[0.0, 0.0], [0.1, 0.0], [0.2, 0.0]])
    assert target_speed(creeping) == 0.4
    assert LongitudinalController().step(creeping, 0.1)[1] == 0.0
    assert LongitudinalController().step(creeping * 0.99, 0.1) == (0.0, 1.0)
    walking = creeping * 2.5
    assert target_speed(walking) == 1.0
    assert LongitudinalController().step(walking, 1.1) == (0.0, 0.0)
    assert LongitudinalController().step(walking, 1.11) == (0.0, 1.0)
    assert LongitudinalController().step(walking, 1.05) == (0.0, 0.0)


@pytest.mark.parametrize("age_s", [0.05, 0.25, 0.3, 1.0, 2.2, 2.5, 3.1])
def test_waypoints_of_an_old_plan_by_interpolation(age_s: float) -> None:
    """Between waypoints the car moves evenly, before the first from where it was, beyond the last at the last pace."""
    points = np.cumsum(np.stack((np.arange(10.0, 0.0, -1.0), np.arange(10.0) ** 2), axis=1), axis=0)
    last = points[-1] - points[-2]
    line = np.vstack(([[0.0, 0.0]], points, points[-1] + last * np.arange(1, 20)[:, None]))
    times = 0.25 * np.arange(len(line))
    wanted = age_s + 0.25 * np.arange(1, 11)
    expected = np.stack([np.interp(wanted, times, line[:, axis]) for axis in (0, 1)], axis=1)
    np.testing.assert_allclose(shift_in_time(points, age_s), expected, atol=1e-9)
