"""One route driven through ROS and once in process gives equal controls: the nodes add nothing and lose nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from carla_msgs.msg import CarlaEgoVehicleControl
from geometric_planner import GeometricDriver
from stack_harness import START_S, whole_stack

from simlingo.model.load import load_policy
from simlingo.policy import Policy
from simlingo_node.conversions import stamp_to_ns
from training.evaluation.drivers import ModelDriver
from training.evaluation.frames import RealFrames
from training.evaluation.routes import RouteSpec, build, town_planner
from training.evaluation.world import open_world

TICKS = 60
SPEC = RouteSpec("gridtown", 1, 0)


def through_ros(log_dir: Path, shipped: bool) -> list[tuple[Any, ...]]:
    """Stamp and command of every tick of the stack in lockstep, with the shipped network or the geometric driver."""
    options = {"town": SPEC.town, "seed": SPEC.seed, "route": SPEC.index, "weather": "cloudy_noon", "traffic": "light"}
    with whole_stack(log_dir, lockstep=True, seconds=TICKS / 20.0, shipped=shipped, **options) as (network, _):
        heard = network.listen(CarlaEgoVehicleControl, "/carla/ego_vehicle/vehicle_control_cmd")
        assert network.end_of_drive(2 * START_S) == "stopped"
        network.spin(0.3)
    return [(stamp_to_ns(command.header.stamp), command.steer, command.throttle, command.brake) for command in heard]


def in_process(policy: Policy) -> list[tuple[Any, ...]]:
    """The same without ROS, as the benchmark drives."""
    route = build(SPEC)
    world = open_world(route, "light", "cloudy_noon")
    driver = ModelDriver(world, route.dense, town_planner(SPEC.town), policy, RealFrames(world, 1))
    world.world.tick()
    commands = []
    for tick in range(TICKS):
        stamp = world.ego_state().stamp
        control = driver.control(tick)
        commands.append((stamp, control.steer, control.throttle, control.brake))
        world.ego.apply_control(control)
        world.world.tick()
    return commands


@pytest.mark.parametrize(
    ("driver", "tolerance"),
    # Quaternions and map frames cost the last bit of the network's inputs; network and PID make 1e-5 of it.
    [("geometric", 1e-6), ("shipped", 1e-3)],
)
def test_equal_controls(tmp_path: Path, driver: str, tolerance: float) -> None:
    shipped = driver == "shipped"
    ros, here = through_ros(tmp_path, shipped), in_process(load_policy() if shipped else GeometricDriver())
    assert len(ros) >= TICKS - 1
    assert max(command[2] for command in here) > 0.3
    for over_ros, without in zip(ros, here, strict=False):
        assert over_ros[0] == without[0]
        assert over_ros[1:] == pytest.approx(without[1:], abs=tolerance), f"at {over_ros[0]} ns"
