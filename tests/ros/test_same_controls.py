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
from simlingo_drive.backends.embedded import EmbeddedBackend, embedded_planner
from simlingo_drive.drivers.frames import CameraFrames
from simlingo_drive.drivers.model import ModelDriver
from simlingo_drive.rollout import Hook, roll_out
from simlingo_drive.routes import RouteSpec
from simlingo_drive.session import Session, open_numbered
from simlingo_node.conversions import stamp_to_ns
from training.evaluation.closed_loop import route_of

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


class Listen(Hook):
    """Keeps what the driver wants."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.commands: list[tuple[Any, ...]] = []

    def decide(self, tick: int, control: Any) -> None:
        stamp = self._session.ego_state().stamp
        self.commands.append((stamp, control.steer, control.throttle, control.brake))


def in_process(policy: Policy) -> list[tuple[Any, ...]]:
    """The same without ROS, as the benchmark drives."""
    route = route_of(SPEC)
    session = open_numbered(EmbeddedBackend(), route, "light", "cloudy_noon")
    driver = ModelDriver(session, route.dense, embedded_planner(SPEC.town), policy, CameraFrames(session, 1))
    session.tick()
    heard = Listen(session)
    assert roll_out(session, driver, [heard], TICKS) == TICKS
    return heard.commands


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
