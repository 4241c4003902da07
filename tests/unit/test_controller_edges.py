"""The controller at the edges of its modes: ages, gaps, refusals, faults, and what a reset leaves behind."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from simlingo.contracts import Control, DrivingPlan, EgoState
from simlingo.control.controller import DRIVING, HOLDING, STOPPING, Controller, ControllerSettings
from simlingo.control.lateral import LateralController
from simlingo.control.longitudinal import LongitudinalController, shift_in_time

TICK_NS = 50_000_000


def plan_of(stamp: int, speed: float = 5.0, degrees: float = 0.0) -> DrivingPlan:
    """A straight path, ``degrees`` to the right, at an even speed."""
    ahead = np.array([[math.cos(math.radians(degrees)), math.sin(math.radians(degrees))]])
    return DrivingPlan(
        stamp, np.arange(1.0, 21.0)[:, None] * ahead, speed * 0.25 * np.arange(1.0, 11.0)[:, None] * ahead
    )


def ego_of(tick: float, x: float = 0.0, y: float = 0.0, yaw: float = 0.0, speed: float = 5.0) -> EgoState:
    return EgoState(round(tick * TICK_NS), x, y, yaw, speed)


def test_the_first_stop_of_a_moving_car_is_at_full_stop_brake_and_straight() -> None:
    controller = Controller()
    assert controller.update(ego_of(1), None) == Control(TICK_NS, 0.0, 0.0, 0.4)
    assert (controller.mode, controller.detail) == (STOPPING, "no plan yet")


def test_a_standing_car_is_held() -> None:
    controller = Controller()
    assert controller.update(ego_of(1, speed=0.0999), None) == Control(TICK_NS, 0.0, 0.0, 0.6)
    assert controller.mode == HOLDING
    assert controller.update(ego_of(2, speed=0.1), None).brake == 0.4
    assert controller.mode == STOPPING


def test_the_brake_grows_by_a_twenty_fifth_a_tick_to_its_bound() -> None:
    controller = Controller()
    controller.update(ego_of(1), plan_of(TICK_NS))
    brakes = [controller.update(ego_of(tick), None).brake for tick in range(12, 25)]
    assert brakes == pytest.approx([min(0.04 * count, 0.4) for count in range(1, 14)])


def test_steering_of_the_first_tick_moves_half_a_lock() -> None:
    for tick in (1, 200):
        controller = Controller()
        assert controller.update(ego_of(tick, speed=1.0), plan_of(tick * TICK_NS, degrees=59.0)).steer == 0.5


@pytest.mark.parametrize(("ticks", "steer"), [(0.5, 0.25), (1.0, 0.0), (1.5, -0.25), (2.0, -0.5), (3.0, -0.5)])
def test_after_a_gap_steering_may_move_as_in_two_ticks_at_most(ticks: float, steer: float) -> None:
    controller = Controller()
    controller.update(ego_of(1, speed=1.0), plan_of(TICK_NS, degrees=59.0))
    later = ego_of(1 + ticks, speed=1.0)
    assert controller.update(later, plan_of(later.stamp, degrees=-59.0)).steer == pytest.approx(steer)


def test_a_plan_of_this_very_tick_is_followed_from_its_first_point_on() -> None:
    plan = plan_of(TICK_NS)
    plan.path[0] = (1.0, 0.8)
    control = Controller().update(ego_of(1), plan)
    assert control.steer == LateralController().step(plan.path, 5.0)
    assert control.steer != LateralController().step(plan.path[1:], 5.0)


def test_a_plan_of_equal_stamp_does_not_replace_the_first() -> None:
    controller, twin = Controller(), Controller()
    for each in (controller, twin):
        each.update(ego_of(1), plan_of(TICK_NS, degrees=3.0))
    other = controller.update(ego_of(2, x=0.2), plan_of(TICK_NS, degrees=-3.0))
    assert other == twin.update(ego_of(2, x=0.2), None)
    assert controller.refused_plans == 0


def test_a_plan_made_between_two_odometry_messages_starts_where_the_car_was_then() -> None:
    """Both cars stand at the same place on the same line of the map, one of them told of it half a tick late."""
    late, exact = Controller(), Controller()
    for controller in (late, exact):
        controller.update(ego_of(1, speed=20.0), None)
        controller.update(ego_of(2, x=1.0, speed=20.0), None)
    plan = plan_of(round(1.5 * TICK_NS), degrees=2.0)
    late.update(ego_of(3, x=2.0, speed=20.0), plan)
    again = late._carry(plan, ego_of(3, x=2.0))
    assert again is not None
    np.testing.assert_allclose(again[-1], plan.path[-1] - (1.5, 0.0), atol=1e-9)


def test_an_old_plan_is_followed_along_what_lies_ahead_and_at_its_later_speed() -> None:
    controller, lateral, longitudinal = Controller(), LateralController(), LongitudinalController()
    slowing = np.cumsum(np.linspace(1.25, 0.35, 10))[:, None] * np.array([[1.0, 0.0]])
    plan = replace(plan_of(TICK_NS, degrees=3.0), speed_waypoints=slowing)
    controller.update(ego_of(1, speed=9.0), plan)
    lateral.step(plan.path, 9.0)
    longitudinal.step(slowing, 9.0)
    for tick in range(2, 7):
        x = 0.45 * (tick - 1)
        # The car is beside the path's segment that begins here; its end is the first point ahead.
        segment = max(int(x * math.cos(math.radians(3.0))) - 1, 0)
        ahead = (plan.path - (x, 0.0))[segment + 1 :]
        throttle, brake = longitudinal.step(shift_in_time(slowing, (tick - 1) * 0.05), 9.0)
        control = controller.update(ego_of(tick, x=x, speed=9.0), None)
        assert (control.throttle, control.brake) == pytest.approx((throttle, brake))
        assert control.steer == pytest.approx(lateral.step(ahead, 9.0), abs=1e-9)
        assert (controller.mode, controller.detail) == (DRIVING, "")


@pytest.mark.parametrize(
    ("x", "ticks", "mode"), [(17.5, 5, DRIVING), (18.5, 5, DRIVING), (19.5, 6, STOPPING), (35.0, 10, STOPPING)]
)
def test_a_path_of_one_point_is_used_up(x: float, ticks: int, mode: str) -> None:
    controller = Controller()
    before = controller.update(ego_of(1, speed=69.0), plan_of(TICK_NS, speed=69.0))
    control = controller.update(ego_of(1 + ticks, x=x, speed=69.0), None)
    assert controller.mode == mode
    if mode == STOPPING:
        assert controller.detail == "the last plan's path is used up"
        assert control == Control((1 + ticks) * TICK_NS, before.steer, 0.0, pytest.approx(0.04))


def test_an_old_plan_is_told_by_its_age() -> None:
    controller = Controller()
    controller.update(ego_of(1), plan_of(TICK_NS))
    controller.update(ego_of(9, x=2.0), None)
    assert controller.detail == "the last plan is 0.40 s old"
    controller.update(ego_of(13, x=3.0), None)
    assert (controller.mode, controller.detail) == (STOPPING, "the last plan is 0.60 s old")


def test_a_plan_that_is_no_longer_fresh_gives_no_throttle() -> None:
    controller = Controller()
    controls = [
        controller.update(ego_of(tick, x=0.25 * (tick - 1)), plan_of(TICK_NS, speed=9.0)) for tick in range(1, 12)
    ]
    assert [control.throttle > 0.0 for control in controls] == [True] * 6 + [False] * 5


def test_while_it_stops_it_steers_along_what_is_left_of_the_plan() -> None:
    controller, lateral = Controller(), LateralController()
    plan = plan_of(TICK_NS, degrees=5.0)
    controller.update(ego_of(1, speed=2.0), plan)
    lateral.step(plan.path, 2.0)
    control = controller.update(ego_of(12, speed=2.0), None)
    assert controller.mode == STOPPING
    assert control.steer == lateral.step(plan.path[1:], 2.0) != 0.0


def test_after_a_stop_the_throttle_begins_anew() -> None:
    controller = Controller()
    for tick in range(1, 6):
        controller.update(ego_of(tick, x=0.25 * tick), plan_of(tick * TICK_NS, speed=5.3))
    controller.update(ego_of(20, x=5.0), None)
    control = controller.update(ego_of(21, x=5.25), plan_of(21 * TICK_NS, speed=5.1))
    assert control.throttle == LongitudinalController().step(plan_of(0, speed=5.1).speed_waypoints, 5.0)[0]


def test_refused_plans_are_counted_each_once_and_said() -> None:
    controller = Controller()
    for tick, shown in ((1, 1), (2, 1), (3, 2), (4, 2)):
        stamp = (1 if tick < 3 else 3) * TICK_NS
        controller.update(ego_of(tick), replace(plan_of(stamp), path=np.full((20, 2), math.nan)))
        assert controller.refused_plans == shown
        assert controller.detail == f"plan of {stamp} ns refused: path holds NaN or infinity"
        assert controller.plan_stamp is None


def test_a_plan_from_before_the_odometry_is_refused() -> None:
    controller = Controller()
    controller.update(ego_of(5), plan_of(4 * TICK_NS))
    assert controller.detail == f"plan of {4 * TICK_NS} ns refused: it is older than the odometry known here"
    assert controller.refused_plans == 1


def test_poses_are_known_for_exactly_one_second() -> None:
    for age_ns, refused in ((1_000_000_000, 0), (1_000_000_001, 1)):
        controller = Controller()
        controller.update(ego_of(1, speed=0.0), None)
        controller.update(ego_of(11, speed=0.0), None)
        controller.update(replace(ego_of(1, speed=0.0), stamp=TICK_NS + age_ns), plan_of(TICK_NS))
        assert controller.refused_plans == refused


def test_a_plan_of_the_future_waits_until_its_time_has_come() -> None:
    controller = Controller()
    ahead = plan_of(2 * TICK_NS)
    controller.update(ego_of(1), ahead)
    assert (controller.plan_stamp, controller.refused_plans) == (None, 0)
    controller.update(ego_of(2), ahead)
    assert controller.plan_stamp == 2 * TICK_NS


def test_a_fault_of_odometry_goes_by_the_last_true_speed() -> None:
    broken = replace(ego_of(2), yaw=math.nan)
    for speed, mode, brake in ((0.0, HOLDING, 0.6), (3.0, STOPPING, 0.4)):
        controller = Controller()
        controller.update(ego_of(1, speed=speed), None)
        assert controller.update(broken, None) == Control(2 * TICK_NS, 0.0, 0.0, brake)
        assert (controller.mode, controller.detail) == (mode, "odometry holds NaN or infinity")
    unknown = Controller()
    assert unknown.update(broken, None).brake == 0.4
    assert unknown.mode == STOPPING


def test_a_fault_of_odometry_is_not_remembered_as_a_place() -> None:
    controller = Controller()
    controller.update(replace(ego_of(30), x=math.nan), None)
    for tick in range(1, 22):  # older than the fault, newer than nothing
        controller.update(ego_of(tick, x=0.25 * tick), plan_of(tick * TICK_NS))
    assert controller.mode == DRIVING


def test_after_a_fault_of_the_clock_the_reason_is_the_plan_that_is_missing() -> None:
    controller = Controller()
    controller.update(ego_of(1, speed=0.0), replace(plan_of(TICK_NS), path=np.full((20, 2), math.nan)))
    for tick in range(1000, 1021):
        controller.update(ego_of(tick, speed=0.0), None)
    assert (controller.mode, controller.detail) == (HOLDING, "no plan yet")


def test_a_reset_controller_is_as_new() -> None:
    used, new = Controller(), Controller()
    for tick in range(101, 110):
        used.update(ego_of(tick, speed=4.0), plan_of(tick * TICK_NS, speed=4.4, degrees=20.0))
    bad = replace(plan_of(TICK_NS), path=np.full((20, 2), 9e9))
    used.reset()
    used.update(ego_of(1, speed=1.0), bad)
    used.reset()
    for each in (used, new):
        assert (each.mode, each.detail, each.plan_stamp, each.refused_plans) == (HOLDING, "no plan yet", None, 0)
    steps = [
        (ego_of(1, speed=0.5), bad),
        (ego_of(2, speed=0.6), None),
        (ego_of(3, speed=0.6), plan_of(3 * TICK_NS, speed=0.8, degrees=3.0)),
        (ego_of(4, speed=0.7), plan_of(4 * TICK_NS, speed=0.9, degrees=4.0)),
    ]
    for ego, plan in steps:
        assert used.update(ego, plan) == new.update(ego, plan)
        assert (used.mode, used.detail, used.plan_stamp) == (new.mode, new.detail, new.plan_stamp)
        assert used.refused_plans == new.refused_plans == 1


def test_after_a_reset_in_the_middle_of_driving_the_controllers_start_anew() -> None:
    """Without a stop in between, which would reset the throttle by itself."""
    used, new = Controller(), Controller()
    for tick in range(101, 110):
        used.update(ego_of(tick, speed=4.0), plan_of(tick * TICK_NS, speed=4.4, degrees=20.0))
    used.reset()
    ego, plan = ego_of(1, speed=4.0), plan_of(TICK_NS, speed=4.1, degrees=2.0)
    assert used.update(ego, plan) == new.update(ego, plan)


def test_settings_are_kept_to() -> None:
    controller = Controller(ControllerSettings(hold_brake=0.9, stop_brake=0.2))
    assert controller.update(ego_of(1, speed=0.0), None).brake == 0.9
    assert controller.update(ego_of(2, speed=3.0), None).brake == 0.2


def test_the_plan_in_use_is_named() -> None:
    controller = Controller()
    assert controller.plan_stamp is None
    controller.update(ego_of(1), plan_of(TICK_NS))
    assert controller.plan_stamp == TICK_NS
