"""Odometry that cannot be true stops the car where it is, and drives it again once it has been good for a second."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simlingo.contracts import Control, DrivingPlan, EgoState, InvalidInputError
from simlingo.control.controller import DRIVING, HOLDING, STOPPING, Controller
from simlingo.control.odometry_monitor import OdometryMonitor
from simlingo.control.safety import FULL_STEER_RAD, REAR_TO_CENTER_M, WHEELBASE_M, GateLimits

TICK_NS = 50_000_000


def drive(speed: float, yaw_rate: float, accelerate: float) -> Iterator[EgoState]:
    """An even drive, tick by tick."""
    ego = EgoState(TICK_NS, 3.0, -2.0, 0.4, speed)
    while True:
        yield ego
        faster = max(ego.speed + accelerate * 0.05, 0.0)
        way, yaw = 0.025 * (ego.speed + faster), ego.yaw + 0.025 * yaw_rate
        turned = math.remainder(ego.yaw + 0.05 * yaw_rate, math.tau)
        ego = EgoState(ego.stamp + TICK_NS, ego.x + way * math.cos(yaw), ego.y + way * math.sin(yaw), turned, faster)


def states(count: int, speed: float = 10.0, yaw_rate: float = 0.0, accelerate: float = 0.0) -> list[EgoState]:
    """The first ``count`` states of a drive."""
    return list(islice(drive(speed, yaw_rate, accelerate), count))


def first_fault(states: list[EgoState]) -> tuple[int, str]:
    """Index and reason of the first state that is not trusted."""
    monitor = OdometryMonitor(GateLimits())
    for index, ego in enumerate(states):
        fault = monitor.check(ego)
        if fault is not None:
            return index, fault
    raise AssertionError("all were trusted")


@settings(max_examples=60)
@given(st.floats(0.0, 25.0), st.floats(-3.0, 3.0), st.floats(-8.0, 4.0), st.integers(0, 2**32 - 1))
def test_what_a_car_can_do_is_trusted_and_so_is_a_decimetre_of_noise(
    speed: float, yaw_rate: float, accelerate: float, seed: int
) -> None:
    monitor, noise = OdometryMonitor(GateLimits()), np.random.default_rng(seed)
    for ego in states(80, speed=speed, yaw_rate=yaw_rate, accelerate=min(accelerate, (60.0 - speed) / 4.0)):
        x, y, yaw = noise.normal(0.0, (0.1, 0.1, 0.01))
        assert monitor.check(replace(ego, x=ego.x + x, y=ego.y + y, yaw=ego.yaw + yaw)) is None


def spoiled(change: Callable[[EgoState], EgoState], at: int = 20, speed: float = 10.0) -> list[EgoState]:
    """A drive whose odometry is changed from state ``at`` on."""
    return [change(ego) if index >= at else ego for index, ego in enumerate(states(60, speed=speed))]


@pytest.mark.parametrize(
    ("change", "within_s", "words"),
    [
        (lambda ego: replace(ego, speed=0.0), 0.0, "speed changes by 10.0 m/s within 0.05 s"),
        (lambda ego: replace(ego, x=ego.x + 10.0), 0.0, r"pose and speed .* differ by 10\.0 m"),
        (lambda ego: replace(ego, y=ego.y - 5.0), 0.0, r"differ by 5\.0 m"),
        (lambda ego: replace(ego, yaw=ego.yaw + math.pi / 2), 0.0, "turns by 90 degrees within 0.05 s"),
        (lambda ego: replace(ego, speed=100.0), 0.0, "odometry says 100.0 m/s"),
        (lambda ego: replace(ego, x=1e200), 0.0, r"the car is at \(1e\+200"),
        (lambda ego: replace(ego, yaw=math.nan), 0.0, "NaN"),
        (lambda ego: replace(ego, stamp=ego.stamp + 1000 * 10**9), 0.0, "clock of the odometry jumps by 1000.05 s"),
        (lambda ego: replace(ego, stamp=ego.stamp - 100 * 10**9), 0.0, "clock of the odometry jumps by -99.95 s"),
        (lambda ego: replace(ego, speed=ego.speed * 0.5 + 2.0), 0.7, "differ by"),
        (lambda ego: replace(ego, x=3.0, y=-2.0), 0.0, "differ by"),
    ],
)
def test_faults_are_found_at_once(change: Callable[[EgoState], EgoState], within_s: float, words: str) -> None:
    index, fault = first_fault(spoiled(change))
    assert 20 <= index <= 20 + within_s / 0.05
    assert re.search(words, fault), fault


@pytest.mark.parametrize(("speed", "ticks"), [(2.0, 12), (4.0, 6), (15.0, 0)])
def test_a_speed_that_is_stuck_at_nothing_is_found_within_half_a_metre_more_than_allowed(
    speed: float, ticks: int
) -> None:
    index, _ = first_fault(spoiled(lambda ego: replace(ego, speed=0.0), speed=speed))
    assert index <= 20 + ticks


def test_one_late_message_changes_nothing() -> None:
    monitor = OdometryMonitor(GateLimits())
    cars = states(6)
    for ego in cars[:5]:
        assert monitor.check(ego) is None
    for late in (cars[4], cars[2]):
        with pytest.raises(InvalidInputError, match="odometry stamped"):
            monitor.check(late)
    assert monitor.check(cars[5]) is None


def test_a_single_wrong_state_costs_a_second() -> None:
    cars = states(60)
    cars[20] = replace(cars[20], x=cars[20].x + 30.0)
    monitor, good = OdometryMonitor(GateLimits()), []
    for ego in cars:
        good.append(monitor.check(ego) is None)
        if not good[-1]:
            monitor.dead_reckoned(0.0, 0.0)
    assert good == [True] * 20 + [False] * 21 + [True] * 19


def test_a_place_that_alternates_is_never_trusted() -> None:
    monitor = OdometryMonitor(GateLimits())
    cars = [replace(ego, y=ego.y + (5.0 if index % 2 and index > 10 else 0.0)) for index, ego in enumerate(states(200))]
    assert [monitor.check(ego) is None for ego in cars].count(True) == 11


@pytest.mark.parametrize("seconds", [100, -100])
def test_another_clock_is_trusted_after_a_second(seconds: int) -> None:
    monitor = OdometryMonitor(GateLimits())
    cars = spoiled(lambda ego: replace(ego, stamp=ego.stamp + seconds * 10**9), speed=0.0)
    good = [monitor.check(ego) is None for ego in cars]
    assert good == [True] * 20 + [False] * 20 + [True] * 20


def test_a_car_that_is_said_to_stand_elsewhere_is_not_trusted_until_it_is_back() -> None:
    monitor = OdometryMonitor(GateLimits())
    standing = states(200, speed=0.0)
    away = [replace(ego, y=ego.y + 10.0) if 20 <= index < 120 else ego for index, ego in enumerate(standing)]
    good = [monitor.check(ego) is None for ego in away]
    assert good == [True] * 20 + [False] * 120 + [True] * 60
    monitor.clear()
    assert monitor.check(away[20]) is None


def test_a_car_in_a_spin_is_trusted_and_uses_up_nothing_of_what_is_allowed() -> None:
    monitor = OdometryMonitor(GateLimits())
    assert [monitor.check(ego) for ego in states(40, speed=15.0, yaw_rate=3.0)] == [None] * 40
    _, drift_x, drift_y, way = monitor._chain[-1]
    assert math.hypot(drift_x, drift_y) < 1e-6
    assert way == pytest.approx(39 * 0.75)


@pytest.mark.parametrize(
    ("along", "aside", "trusted"),
    [(6.0, 0.0, True), (-6.0, 0.0, True), (0.0, 1.9, True), (0.0, -6.0, False), (9.0, 0.0, False)],
)
def test_odometry_may_return_along_the_way_driven_since_and_hardly_aside(
    along: float, aside: float, trusted: bool
) -> None:
    """A car at 10 m/s and 1.2 rad, whose odometry was NaN while it drove 10 m, comes back where it stands."""
    monitor = OdometryMonitor(GateLimits())
    monitor.check(EgoState(TICK_NS, 0.0, 0.0, 1.2, 10.0))
    for tick in range(2, 22):
        monitor.check(EgoState(tick * TICK_NS, math.nan, 0.0, 0.0, 0.0))
        where = monitor.dead_reckoned(0.0, 0.0)
    assert where is not None
    x = where.x + along * math.cos(1.2) - aside * math.sin(1.2)
    y = where.y + along * math.sin(1.2) + aside * math.cos(1.2)
    faults = [monitor.check(EgoState(tick * TICK_NS, x, y, 1.2, 0.0)) for tick in range(22, 44)]
    assert (faults[-1] is None) is trusted


@given(st.floats(-1.0, 1.0), st.floats(0.5, 20.0))
def test_dead_reckoning_turns_as_the_bicycle_model(steer: float, speed: float) -> None:
    """By the circle of the wheelbase: two ways to the same radius."""
    monitor = OdometryMonitor(GateLimits())
    monitor.check(EgoState(TICK_NS, 0.0, 0.0, 0.0, speed))
    after = monitor.dead_reckoned(steer, 0.0)
    assert after is not None
    assert (after.stamp, after.speed) == (2 * TICK_NS, speed)
    assert math.hypot(after.x, after.y) == pytest.approx(speed * 0.05)
    rear_radius_inverse = math.tan(steer * FULL_STEER_RAD) / WHEELBASE_M
    radius_inverse = rear_radius_inverse / math.hypot(1.0, rear_radius_inverse * REAR_TO_CENTER_M)
    assert after.yaw == pytest.approx(math.remainder(speed * 0.05 * radius_inverse, math.tau), abs=1e-9)


def test_dead_reckoning_stands_still_in_the_end() -> None:
    monitor = OdometryMonitor(GateLimits())
    assert monitor.dead_reckoned(0.0, 2.5) is None
    monitor.check(EgoState(TICK_NS, 5.0, 0.0, 0.0, 5.0))
    way = [monitor.dead_reckoned(0.0, 2.5) for _ in range(60)]
    assert way[-1] is not None
    assert way[-1].speed == 0.0
    assert way[-1].x == pytest.approx(10.0, abs=0.01)


def plan_of(stamp: int, speed: float = 10.0) -> DrivingPlan:
    ahead = np.array([[1.0, 0.0]])
    return DrivingPlan(
        stamp, np.arange(1.0, 21.0)[:, None] * ahead, speed * 0.25 * np.arange(1.0, 11.0)[:, None] * ahead
    )


def test_the_controller_stops_on_its_last_plan_and_drives_on_after_the_fault() -> None:
    controller, controls, modes = Controller(), [], []
    for index, ego in enumerate(states(250, speed=10.0)):
        seen = replace(ego, speed=0.0) if 20 <= index < 150 else ego
        controls.append(controller.update(seen, plan_of(seen.stamp)))
        modes.append(controller.mode)
    assert modes[:20] == [DRIVING] * 20
    assert modes[20] == STOPPING
    assert modes[140] == HOLDING
    assert all(control.throttle == 0.0 for control in controls[20:150])
    brakes = [control.brake for control in controls[20:150]]
    assert max(np.diff([0.0, *brakes[: modes.index(HOLDING) - 20]])) <= 0.041
    assert all(abs(control.steer) < 0.01 for control in controls)


@pytest.mark.parametrize("factor", [0.0, 0.5, 0.7, 1.6])
def test_a_car_whose_speed_was_told_wrong_drives_on_once_it_is_right(factor: float) -> None:
    """The car brakes as it is told to, with 6 m/s^2 at full brake; only its told speed is wrong, for three seconds."""
    controller, x, speed, modes = Controller(), 0.0, 8.0, []
    for tick in range(1, 160):
        told = speed * (factor if 20 <= tick < 80 else 1.0)
        control = controller.update(EgoState(tick * TICK_NS, x, 0.0, 0.0, told), plan_of(tick * TICK_NS))
        modes.append(controller.mode)
        speed = max(speed + (3.0 * control.throttle - 6.0 * control.brake) * 0.05, 0.0)
        x += speed * 0.05
    assert set(modes[5:18]) == {DRIVING}
    assert STOPPING in modes[19:40]
    assert modes[-1] == DRIVING, controller.detail


def test_a_clock_that_was_set_is_driven_by_after_a_second() -> None:
    controller = Controller()
    for index, ego in enumerate(states(60, speed=0.0)):
        seen = replace(ego, stamp=ego.stamp + (0 if index < 20 else 1000 * 10**9))
        control = controller.update(seen, plan_of(seen.stamp))
        assert (controller.mode == DRIVING) == (index < 20 or index >= 40), index
    assert control == Control(seen.stamp, 0.0, control.throttle, 0.0)
    for index, ego in enumerate(states(60, speed=0.0)):  # and back
        controller.update(ego, plan_of(ego.stamp))
        assert (controller.mode == DRIVING) == (index >= 20), index
