"""The gate at its very bounds, with values worked out by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from simlingo.contracts import DrivingPlan, EgoState
from simlingo.control.safety import GateLimits, bound_steer, ego_fault, max_steer, plan_fault

LIMITS = GateLimits()
EGO = EgoState(0, 1.0, 2.0, 0.5, 10.0)


def straight_plan(start: float = 1.0, step: float = 1.0, speed: float = 5.0) -> DrivingPlan:
    """Straight ahead: the path's first point, its spacing, and an even speed."""
    path = np.stack((start + step * np.arange(20.0), np.zeros(20)), axis=1)
    return DrivingPlan(0, path, np.stack((speed * 0.25 * np.arange(1, 11), np.zeros(10)), axis=1))


@pytest.mark.parametrize(
    ("speed", "acceleration", "steer"),
    [
        # sin(slip) = a l / v^2, wheel = atan(tan(slip) L / l), steer = wheel / 0.36848336
        # with l = 1.4178275 m and L = 1.327058485 m.
        (10.0, 6.0, 0.216410671),
        (20.0, 6.0, 0.054026185),
        (20.0, 3.0, 0.027011186),
        (0.0, 1e-7, 0.361659714),  # standing counts as 1 mm/s
    ],
)
def test_the_bound_on_lateral_acceleration_by_hand(speed: float, acceleration: float, steer: float) -> None:
    assert max_steer(speed, acceleration) == pytest.approx(steer, rel=1e-6)


@pytest.mark.parametrize("speed", [0.0, 2.66, 3.5, 4.0])
def test_where_the_tyres_hold_full_lock_is_free(speed: float) -> None:
    """The sines of slip are infinite, 1.2, 0.69 and 0.53; full lock takes 0.38."""
    assert max_steer(speed, 6.0) == 1.0


@pytest.mark.parametrize(
    ("wanted", "previous", "steer"),
    [(1.0, 0.0, 0.5), (-1.0, 0.0, -0.5), (-1.0, 0.75, 0.25), (0.3, 0.0, 0.3)],
)
def test_steering_turns_half_a_lock_in_a_tick_at_most(wanted: float, previous: float, steer: float) -> None:
    assert bound_steer(wanted, previous, 0.0, 0.05, LIMITS) == steer


def test_lateral_acceleration_wins_over_the_rate() -> None:
    bound = max_steer(20.0, 6.0)
    assert bound_steer(1.0, 1.0, 20.0, 0.05, LIMITS) == bound
    assert bound_steer(-1.0, -1.0, 20.0, 0.05, LIMITS) == -bound


@pytest.mark.parametrize(
    ("degrees", "fault"),
    [(59.9, None), (60.1, "path turns off by 60 degrees at the car"), (180.0, "path turns off by 180")],
)
@pytest.mark.parametrize("side", [1.0, -1.0])
def test_a_path_does_not_turn_off_at_the_car(degrees: float, fault: str | None, side: float) -> None:
    plan, angle = straight_plan(start=0.0), side * math.radians(degrees)
    turned = np.arange(20.0)[:, None] * (math.cos(angle), math.sin(angle))
    found = plan_fault(replace(plan, path=turned), LIMITS)
    assert found is None if fault is None else str(found).startswith(fault)


@pytest.mark.parametrize(("step", "fault"), [(0.33, False), (0.34, True)])
def test_a_path_that_has_not_gone_a_metre_has_no_direction(step: float, fault: bool) -> None:
    aside = np.stack((np.zeros(20), step * np.arange(20.0)), axis=1)
    assert (plan_fault(replace(straight_plan(), path=aside), LIMITS) is not None) is fault


@pytest.mark.parametrize(("metres", "fault"), [(-1.0, None), (-1.1, "speed waypoints lead 1.1 m backwards")])
def test_a_plan_drives_ahead(metres: float, fault: str | None) -> None:
    back = np.stack((np.linspace(0.0, metres, 10), np.zeros(10)), axis=1)
    assert plan_fault(replace(straight_plan(), speed_waypoints=back), LIMITS) == fault


@pytest.mark.parametrize("speed", [0.0, 70.0])
def test_odometry_at_the_bounds_of_speed_is_true(speed: float) -> None:
    assert ego_fault(replace(EGO, speed=speed), LIMITS) is None


@pytest.mark.parametrize("speed", [-1e-9, 70.000001])
def test_odometry_beyond_them_is_not(speed: float) -> None:
    assert ego_fault(replace(EGO, speed=speed), LIMITS) == f"odometry says {speed:.1f} m/s"


@pytest.mark.parametrize("name", ["x", "y", "yaw", "speed"])
def test_every_number_of_odometry_has_to_be_one(name: str) -> None:
    assert ego_fault(replace(EGO, **{name: math.inf}), LIMITS) == "odometry holds NaN or infinity"


def test_plans_at_the_bounds_pass() -> None:
    for plan in (straight_plan(start=3.0), straight_plan(step=3.0), straight_plan(speed=70.0)):
        assert plan_fault(plan, LIMITS) is None


def test_plans_beyond_them_are_told_what_is_wrong() -> None:
    assert plan_fault(straight_plan(start=3.1), LIMITS) == "path starts 3.1 m from the car"
    assert plan_fault(straight_plan(step=3.1), LIMITS) == "path jumps by 3.1 m between neighbouring points"
    assert plan_fault(straight_plan(speed=70.4), LIMITS) == "speed waypoints ask for 70 m/s"


def test_distances_are_of_both_coordinates() -> None:
    plan = straight_plan()
    aside = np.stack((1.5 + np.arange(20.0), 2.0 + np.arange(20.0)), axis=1)
    assert plan_fault(replace(plan, path=aside), LIMITS) is None
    assert "starts 3.6 m" in str(plan_fault(replace(plan, path=aside + np.array([1.5, 0.0])), LIMITS))
    slanted = np.cumsum(np.full((20, 2), 2.2), axis=0) - 2.0  # 3.11 m from point to point
    assert "jumps by 3.1 m" in str(plan_fault(replace(plan, path=slanted), LIMITS))


def test_the_first_speed_waypoint_is_measured_from_the_car_and_the_largest_gap_counts() -> None:
    plan = straight_plan(speed=0.0)
    away = plan.speed_waypoints + np.array([18.0, 0.0])
    assert "72 m/s" in str(plan_fault(replace(plan, speed_waypoints=away), LIMITS))
    late = plan.speed_waypoints.copy()
    late[9:] = (0.0, -18.0)
    assert "72 m/s" in str(plan_fault(replace(plan, speed_waypoints=late), LIMITS))


def test_shapes_and_numbers_of_both_lists_are_checked() -> None:
    plan = straight_plan()
    path, waypoints = plan.path, plan.speed_waypoints
    assert plan_fault(replace(plan, path=path[:, :1]), LIMITS) == "path has shape (20, 1) instead of (20, 2)"
    told = plan_fault(replace(plan, speed_waypoints=waypoints[:9]), LIMITS)
    assert told == "speed_waypoints has shape (9, 2) instead of (10, 2)"
    for name, points in (("path", path), ("speed_waypoints", waypoints)):
        broken = points.copy()
        broken[-1, 1] = math.nan
        assert plan_fault(replace(plan, **{name: broken}), LIMITS) == f"{name} holds NaN or infinity"
