"""The controller node between processes: one command a tick, and a car that stops when it should."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from carla_msgs.msg import CarlaEgoVehicleControl
from lifecycle_msgs.msg import Transition
from nav_msgs.msg import Odometry
from simlingo_msgs.msg import DrivingPlan, StackState
from stack_harness import TICK, Network, odometry, process, running
from std_msgs.msg import Bool, Header

from simlingo.contracts import DrivingPlan as CorePlan
from simlingo_node import qos
from simlingo_node.conversions import ns_to_stamp, plan_to_message, stamp_to_ns


def plan(stamp: int, speed: float = 8.0) -> DrivingPlan:
    """Straight ahead at ``speed`` m/s."""
    path = np.stack((np.arange(1.0, 21.0), np.zeros(20)), axis=1)
    waypoints = np.stack((speed * 0.25 * np.arange(1.0, 11.0), np.zeros(10)), axis=1)
    return plan_to_message(CorePlan(stamp, path, waypoints), "ego_vehicle", "test")


class Partner:
    """Bridge and planner, played by the test."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.odometry = network.speak(Odometry, "/carla/ego_vehicle/odometry")
        self.plan = network.speak(DrivingPlan, "/simlingo/plan")
        self.commands = network.listen(CarlaEgoVehicleControl, "/carla/ego_vehicle/vehicle_control_cmd")
        self.states = network.listen(StackState, "/simlingo/state")
        self.ready = network.listen(Bool, "/carla/ego_vehicle/status", qos.LATCHED)
        network.up("controller")
        for topic in ("/carla/ego_vehicle/odometry", "/simlingo/plan", "/carla/ego_vehicle/vehicle_control_cmd"):
            network.matched(topic, 1, 1)
        self.stamp = 0

    def tick(self) -> int:
        """The next stamp."""
        self.stamp += TICK
        return self.stamp

    def planned(self, message: Odometry) -> CarlaEgoVehicleControl:
        """The command for ``message`` whose plan has come before it."""
        stamp = stamp_to_ns(message.header.stamp)
        self.plan(plan(stamp))
        self.network.spin(0.2)
        self.odometry(message)
        return self.answer(stamp)

    def answers(self, stamp: int) -> list[CarlaEgoVehicleControl]:
        """Commands that answer ``stamp``."""
        return [command for command in self.commands if stamp_to_ns(command.header.stamp) == stamp]

    def answer(self, stamp: int) -> CarlaEgoVehicleControl:
        """The one command that answers ``stamp``."""
        return self.network.until(lambda: self.answers(stamp), 10.0, f"a command for {stamp}")[0]


def moving(stamp: int, speed: float = 5.0) -> Odometry:
    """Where a car is at ``stamp`` (ns) that has driven at 5 m/s."""
    return odometry(stamp, x=5.0 * stamp * 1e-9, speed=speed)


@pytest.fixture(scope="module")
def lockstep(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Partner]:
    with running([process("controller", {"lockstep": True})], tmp_path_factory.mktemp("lockstep")) as (network, _):
        yield Partner(network)


@pytest.fixture
def real_time(tmp_path: Path) -> Iterator[Partner]:
    with running([process("controller", {"lockstep": False})], tmp_path) as (network, _):
        yield Partner(network)


def test_the_leaderboard_hears_that_the_stack_is_ready(lockstep: Partner) -> None:
    lockstep.network.until(lambda: lockstep.ready, 10.0, "status")
    assert lockstep.ready[-1].data is True


@pytest.mark.parametrize("plan_first", [False, True])
def test_lockstep_answers_odometry_with_the_plan_of_its_tick(lockstep: Partner, plan_first: bool) -> None:
    stamp = lockstep.tick()
    steps = [lambda: lockstep.odometry(odometry(stamp)), lambda: lockstep.plan(plan(stamp))]
    first, second = reversed(steps) if plan_first else steps
    first()
    lockstep.network.spin(0.3)
    assert not lockstep.answers(stamp)
    second()
    command = lockstep.answer(stamp)
    assert command.throttle > 0.0
    assert command.brake == 0.0
    lockstep.network.spin(0.2)
    assert len(lockstep.answers(stamp)) == 1


def test_nan_in_odometry_brakes_at_once(lockstep: Partner) -> None:
    stamp = lockstep.tick()
    broken = odometry(stamp)
    broken.pose.pose.position.x = math.nan
    lockstep.odometry(broken)
    command = lockstep.answer(stamp)
    assert (command.throttle, command.brake) == (0.0, pytest.approx(0.04))
    newest = lockstep.network.until(
        lambda: [each for each in lockstep.states if "NaN" in each.detail], 5.0, "a state that says NaN"
    )[-1]
    assert newest.mode == "stopping"


def test_odometry_without_orientation_is_named_as_what_it_is(lockstep: Partner) -> None:
    broken = odometry(lockstep.tick())
    broken.pose.pose.orientation.w = broken.pose.pose.orientation.z = 0.0
    lockstep.odometry(broken)
    assert lockstep.answer(lockstep.stamp).brake > 0.0
    lockstep.network.until(
        lambda: [each for each in lockstep.states if "no unit quaternion" in each.detail], 5.0, "a state that says so"
    )


def test_a_plan_of_another_clock_is_dropped_and_the_next_one_drives(real_time: Partner) -> None:
    real_time.odometry(odometry(real_time.tick(), speed=0.0))
    real_time.answer(real_time.stamp)
    refused = real_time.states[-1].refused
    real_time.plan(plan(real_time.stamp + 1000 * 10**9))
    real_time.network.until(lambda: real_time.states[-1].refused > refused, 5.0, "a refusal")
    assert real_time.planned(odometry(real_time.tick(), speed=0.0)).throttle > 0.0


def test_the_clock_may_be_set_back(real_time: Partner) -> None:
    """As after a restart of the simulation: a second of good odometry, then plans of the new clock drive."""
    real_time.stamp = 100 * 10**9
    for ticks in range(2):
        assert real_time.planned(odometry(real_time.tick(), speed=0.0)).throttle > 0.0, ticks
    real_time.stamp = 0
    for ticks in range(22):
        stamp = real_time.tick()
        real_time.odometry(odometry(stamp, speed=0.0))
        assert real_time.answer(stamp).throttle == 0.0, ticks
    assert real_time.planned(odometry(real_time.tick(), speed=0.0)).throttle > 0.0


def test_nan_in_a_plan_is_counted_and_does_not_steer(lockstep: Partner) -> None:
    good = lockstep.tick()
    lockstep.odometry(odometry(good))
    lockstep.plan(plan(good))
    lockstep.answer(good)
    refused = lockstep.states[-1].refused
    stamp = lockstep.tick()
    broken = plan(stamp)
    broken.path[7].y = math.nan
    lockstep.odometry(odometry(stamp))
    lockstep.plan(broken)
    command = lockstep.answer(stamp)  # it coasts on the last good plan
    assert math.isfinite(command.steer)
    lockstep.network.until(lambda: lockstep.states[-1].refused > refused, 5.0, "a refusal")


def test_its_subscriptions_hold_no_ground_truth_but_odometry(lockstep: Partner) -> None:
    node = lockstep.network.node
    listened = {name for name, _ in node.get_subscriber_names_and_types_by_node("controller", "/")}
    assert listened == {"/carla/ego_vehicle/odometry", "/simlingo/plan", "/simlingo/refused_frame"}


@pytest.mark.parametrize("first", [False, True])
def test_lockstep_goes_on_where_a_frame_was_refused(lockstep: Partner, first: bool) -> None:
    speak = lockstep.network.speak(Header, "/simlingo/refused_frame")
    lockstep.network.matched("/simlingo/refused_frame", 1, 1)
    stamp = lockstep.tick()
    refused = Header(stamp=ns_to_stamp(stamp))
    if first:
        speak(refused)
        lockstep.network.spin(0.2)
    lockstep.odometry(odometry(stamp))
    if not first:
        lockstep.network.spin(0.3)
        assert not lockstep.answers(stamp)
        speak(refused)
    assert lockstep.answer(stamp).throttle == 0.0


def test_real_time_coasts_brakes_and_holds_when_plans_stop(real_time: Partner) -> None:
    stamp = real_time.tick()
    real_time.odometry(moving(stamp))
    assert real_time.answer(stamp).throttle == 0.0  # no plan yet
    assert real_time.planned(moving(real_time.tick())).throttle > 0.0
    commands = []
    for _ in range(16):
        real_time.odometry(moving(real_time.tick()))
        commands.append(real_time.answer(real_time.stamp))
    assert commands[3].throttle > 0.0  # 0.2 s old: still fresh
    assert all(command.throttle == 0.0 for command in commands[5:])  # what is older must not speed the car up
    assert all(command.throttle == 0.0 and command.brake > 0.0 for command in commands[11:])
    real_time.odometry(moving(real_time.tick(), speed=0.0))
    assert real_time.answer(real_time.stamp).brake > 0.5
    real_time.network.until(lambda: real_time.states[-1].mode == "holding", 5.0, "mode holding")


def test_every_change_of_mode_is_told(real_time: Partner) -> None:
    """Also of those that last for less than the half second between two states."""
    for _ in range(3):
        begin = len(real_time.states)
        real_time.planned(odometry(real_time.tick(), speed=0.0))
        real_time.stamp += 12 * TICK  # older than a plan may be
        real_time.odometry(odometry(real_time.stamp, speed=0.0))
        real_time.answer(real_time.stamp)
        real_time.network.spin(0.1)
        assert {"driving", "holding"} <= {state.mode for state in real_time.states[begin:]}


def test_deactivation_brakes_first(real_time: Partner) -> None:
    stamp = real_time.tick()
    real_time.odometry(odometry(stamp))
    real_time.answer(stamp)
    before = len(real_time.commands)
    assert real_time.network.transition("controller", Transition.TRANSITION_DEACTIVATE)
    real_time.network.until(lambda: len(real_time.commands) > before, 5.0, "a last command")
    assert real_time.commands[-1].brake == pytest.approx(0.6)
    real_time.network.until(lambda: not real_time.ready[-1].data, 5.0, "status false")
    real_time.odometry(odometry(real_time.tick()))
    real_time.network.spin(0.3)
    assert len(real_time.commands) == before + 1
