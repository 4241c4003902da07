"""The controller: age of plans, carrying by odometry, the gate, stopping."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simlingo.contracts import Control, DrivingPlan, EgoState, InvalidInputError
from simlingo.control.controller import COASTING, DRIVING, HOLDING, STOPPING, Controller
from simlingo.control.lateral import LateralController
from simlingo.control.longitudinal import LongitudinalController
from simlingo.control.pose_history import PoseHistory
from simlingo.control.safety import GateLimits, bound_steer, max_steer, plan_fault
from simlingo.geometry import map_to_ego

TICK_NS = 50_000_000
LIMITS = GateLimits()


def plan_at(stamp: int, speed: float = 5.0, curvature: float = 0.0) -> DrivingPlan:
    """A plan along an arc at an even speed."""
    along = np.concatenate((np.arange(20.0), speed * 0.25 * np.arange(1, 11)))
    if curvature == 0.0:
        points = np.stack((along, np.zeros(30)), axis=1)
    else:
        points = np.stack((np.sin(curvature * along), 1 - np.cos(curvature * along)), axis=1) / curvature
    return DrivingPlan(stamp, points[:20], points[20:])


def ego_at(tick: int, x: float = 0.0, y: float = 0.0, yaw: float = 0.0, speed: float = 5.0) -> EgoState:
    return EgoState(tick * TICK_NS, x, y, yaw, speed)


@settings(max_examples=40)
@given(
    st.lists(st.tuples(st.floats(-0.05, 0.05), st.floats(0.5, 15.0)), min_size=1, max_size=10),
    st.floats(0.0, 8.0),
)
def test_a_plan_of_this_very_tick_gives_pid_untouched(plans: list[tuple[float, float]], speed: float) -> None:
    controller, lateral, longitudinal = Controller(), LateralController(), LongitudinalController()
    for tick, (curvature, wanted) in enumerate(plans, start=1):
        plan = plan_at(tick * TICK_NS, wanted, curvature)
        way = tick * speed * 0.05
        ego = ego_at(tick, way * math.cos(0.3), way * math.sin(0.3) - 3.0, 0.3, speed)
        control = controller.update(ego, plan)
        throttle, brake = longitudinal.step(plan.speed_waypoints, speed)
        assert control == Control(tick * TICK_NS, lateral.step(plan.path, speed), throttle, brake)
        assert controller.mode == DRIVING


@settings(max_examples=40)
@given(st.floats(-math.pi, math.pi), st.floats(-0.04, 0.04))
def test_a_carried_plan_steers_along_the_same_curve(yaw: float, curvature: float) -> None:
    """A car that drives exactly along its plan's arc keeps seeing that arc."""
    controller = Controller()
    start = ego_at(1, x=10.0, y=-4.0, yaw=yaw)
    plan = plan_at(start.stamp, curvature=curvature)
    first = controller.update(start, plan)
    for tick in range(2, 6):
        turned = curvature * 5.0 * 0.05 * (tick - 1)
        chord = np.array([[math.sin(turned), 1 - math.cos(turned)]]) / curvature if curvature else None
        moved = chord if chord is not None else np.array([[0.25 * (tick - 1), 0.0]])
        x = start.x + moved[0, 0] * math.cos(yaw) - moved[0, 1] * math.sin(yaw)
        y = start.y + moved[0, 0] * math.sin(yaw) + moved[0, 1] * math.cos(yaw)
        control = controller.update(ego_at(tick, x, y, yaw + turned), plan)
        assert control.steer == pytest.approx(first.steer, abs=0.02)


def test_without_a_plan_it_holds() -> None:
    controller = Controller()
    control = controller.update(ego_at(1, speed=0.0), None)
    assert (control.throttle, controller.mode) == (0.0, HOLDING)
    assert control.brake > 0.3


def test_without_fresh_plans_it_coasts_half_a_second_then_brakes_smoothly_then_holds() -> None:
    controller = Controller()
    plan = plan_at(TICK_NS)
    controls, modes, x = [], [], 0.0
    for tick in range(1, 40):
        speed = 5.0 if tick < 20 else max(0.0, 5.0 - 0.5 * (tick - 20))
        controls.append(controller.update(ego_at(tick, x=x, speed=speed), plan))
        x += 0.05 * speed
        modes.append(controller.mode)
    assert modes[:6] == [DRIVING] * 6
    assert modes[6:11] == [COASTING] * 5
    assert modes[11] == STOPPING
    assert modes[-1] == HOLDING
    brakes = [control.brake for control in controls[10:]]
    assert max(np.diff(brakes)[: modes[11:].count(STOPPING)]) <= 0.041
    assert all(control.throttle == 0.0 for control in controls[6:])  # what is not fresh must not speed up
    assert "old" in controller.detail


def test_it_drives_on_when_plans_are_fresh_again() -> None:
    controller = Controller()
    for tick in range(1, 30):
        controller.update(ego_at(tick, speed=0.0), None)
    controller.update(ego_at(30, speed=0.0), plan_at(30 * TICK_NS))
    assert controller.mode == DRIVING


@settings(max_examples=40)
@given(st.integers(0, 59), st.sampled_from([math.nan, math.inf, -math.inf, 1e4]), st.floats(-0.05, 0.05))
def test_an_impossible_plan_never_steers(place: int, value: float, curvature: float) -> None:
    plain, attacked = Controller(), Controller()
    good = plan_at(TICK_NS, curvature=curvature)
    plain.update(ego_at(1), good)
    attacked.update(ego_at(1), good)
    bad = plan_at(2 * TICK_NS, curvature=-curvature)
    (bad.path if place < 40 else bad.speed_waypoints).flat[place % 40 % 20] = value
    assert attacked.update(ego_at(2, x=0.25), bad) == plain.update(ego_at(2, x=0.25), good)
    assert attacked.refused_plans == 1
    attacked.update(ego_at(3, x=0.5), bad)
    assert attacked.refused_plans == 1


def test_plans_of_a_wrong_shape_or_place_are_refused() -> None:
    good = plan_at(0)
    assert plan_fault(good, LIMITS) is None
    assert "shape" in str(plan_fault(replace(good, path=good.path[:19]), LIMITS))
    assert "starts" in str(plan_fault(replace(good, path=good.path + 4.0), LIMITS))
    jump = good.path.copy()
    jump[10:, 1] += 5.0
    assert "jumps" in str(plan_fault(replace(good, path=jump), LIMITS))
    assert "m/s" in str(plan_fault(replace(good, speed_waypoints=good.speed_waypoints * 20.0), LIMITS))


@pytest.mark.parametrize("name", ["x", "y", "yaw", "speed"])
def test_nan_in_odometry_brakes_along_the_last_plan(name: str) -> None:
    blind, seeing = Controller(), Controller()
    for controller in (blind, seeing):
        controller.update(ego_at(1), plan_at(TICK_NS, curvature=0.05))
    control = blind.update(replace(ego_at(2), **{name: math.nan}), plan_at(2 * TICK_NS, curvature=-0.05))
    assert control.steer == pytest.approx(seeing.update(ego_at(2, x=0.25), None).steer, abs=0.06)
    assert control.throttle == 0.0
    assert control.brake > 0.0
    assert blind.mode == STOPPING
    assert "odometry" in blind.detail


def test_odometry_of_the_past_is_an_error_and_changes_nothing() -> None:
    controller = Controller()
    controller.update(ego_at(5), plan_at(5 * TICK_NS))
    with pytest.raises(InvalidInputError, match="odometry stamped"):
        controller.update(ego_at(4), plan_at(4 * TICK_NS))
    assert controller.plan_stamp == 5 * TICK_NS


def test_plans_out_of_order_or_of_the_future_are_left_alone() -> None:
    controller = Controller()
    for tick in range(1, 5):
        controller.update(ego_at(tick), plan_at(tick * TICK_NS))
    controller.update(ego_at(5), plan_at(2 * TICK_NS))
    assert controller.plan_stamp == 4 * TICK_NS
    controller.update(ego_at(6), plan_at(9 * TICK_NS))
    assert controller.plan_stamp == 4 * TICK_NS
    assert controller.refused_plans == 0


@given(st.floats(-1, 1), st.floats(-1, 1), st.floats(0, 40), st.floats(0.01, 0.1))
def test_the_gate_bounds_rate_and_lateral_acceleration(
    wanted: float, previous: float, speed: float, elapsed_s: float
) -> None:
    bound = max_steer(speed, LIMITS.lateral_acceleration)
    before = min(max(previous, -bound), bound)
    steer = bound_steer(wanted, before, speed, elapsed_s, LIMITS)
    assert abs(steer) <= bound
    assert abs(steer - before) <= LIMITS.steer_rate * elapsed_s + 1e-9
    if abs(wanted) <= bound and abs(wanted - before) <= LIMITS.steer_rate * elapsed_s - 1e-9:
        assert steer == wanted


def test_full_lock_is_free_at_walking_pace_and_not_on_a_fast_road() -> None:
    assert max_steer(2.0, LIMITS.lateral_acceleration) == 1.0
    assert max_steer(20.0, LIMITS.lateral_acceleration) < 0.1


def test_pose_history_interpolates_the_short_way_round() -> None:
    history = PoseHistory(1_000_000_000)
    history.add(EgoState(0, 0.0, 0.0, 3.1, 1.0))
    history.add(EgoState(100, 1.0, 2.0, -3.1, 3.0))
    middle = history.at(50)
    assert middle is not None
    assert (middle.x, middle.y, middle.speed) == (0.5, 1.0, 2.0)
    assert abs(abs(middle.yaw) - math.pi) < 1e-9
    assert history.at(101) is None
    assert history.at(-1) is None


def test_pose_history_forgets() -> None:
    history = PoseHistory(100)
    for stamp in (0, 60, 120):
        history.add(EgoState(stamp, 0.0, 0.0, 0.0, 0.0))
    assert history.at(0) is None
    assert history.at(60) is not None


def test_carry_moves_the_path_into_the_current_frame() -> None:
    start, now = ego_at(1, x=3.0, y=1.0, yaw=0.5), ego_at(3, x=4.0, y=1.5, yaw=0.6)
    controller = Controller()
    controller.update(start, plan_at(start.stamp))
    controller.update(replace(now, stamp=2 * TICK_NS), None)
    point_in_map = np.array([[3.0 + 10 * math.cos(0.5), 1.0 + 10 * math.sin(0.5)]])
    carried = controller._carry(plan_at(start.stamp), replace(now, stamp=2 * TICK_NS))
    assert carried is not None
    assert np.abs(carried - map_to_ego(point_in_map, now)).sum(axis=1).min() < 1e-9
