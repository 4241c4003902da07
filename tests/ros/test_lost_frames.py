"""A moving car whose camera falls silent: planner and controller bring it to a stand, hold it, and drive on after."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from carla_msgs.msg import CarlaEgoVehicleControl
from nav_msgs.msg import Odometry
from sensor_msgs.msg import CameraInfo, Image
from simlingo_msgs.msg import Navigation, StackState
from stack_harness import TICK, Network, navigation, odometry, picture, process, running

from simlingo.contracts import MODEL_CAMERA
from simlingo_node.conversions import intrinsics_to_camera_info

EGO = "/carla/ego_vehicle"
TICK_S = TICK * 1e-9
#: Of the stand-in's car, m/s^2 at full throttle and at full brake.
THROTTLE, BRAKE = 3.0, 8.0


class StandInWorld:
    """Bridge, route and a simple car on a straight road, played by the test in real time."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.info = network.speak(CameraInfo, f"{EGO}/rgb_front/camera_info")
        self.image = network.speak(Image, f"{EGO}/rgb_front/image")
        self.odometry = network.speak(Odometry, f"{EGO}/odometry")
        self.navigation = network.speak(Navigation, "/simlingo/navigation")
        self.commands = network.listen(CarlaEgoVehicleControl, f"{EGO}/vehicle_control_cmd")
        self.states = network.listen(StackState, "/simlingo/state")
        self.stamp, self.x, self.speed = 0, 0.0, 0.0

    def tick(self, frame: bool) -> None:
        """Carry out the last command for a tick and say what a bridge says; the picture only with ``frame``."""
        command = self.commands[-1] if self.commands else CarlaEgoVehicleControl(brake=1.0)
        self.speed = max(0.0, self.speed + (THROTTLE * command.throttle - BRAKE * command.brake) * TICK_S)
        self.x += self.speed * TICK_S
        self.stamp += TICK
        self.odometry(odometry(self.stamp, self.x, 0.0, self.speed))
        self.navigation(navigation(self.stamp))
        if frame:
            self.info(intrinsics_to_camera_info(MODEL_CAMERA, self.stamp, ""))
            self.image(picture(self.stamp, moved=8 * (self.stamp // TICK)))
        self.network.spin(TICK_S)

    def says(self, node: str, mode: str, words: str) -> None:
        """Wait for the state of ``node``."""
        self.network.until(
            lambda: any((s.node, s.mode) == (node, mode) and words in s.detail for s in self.states[-10:]),
            5.0,
            f"{node} to be {mode}: {words}",
        )


@pytest.fixture
def world(tmp_path: Path) -> Iterator[StandInWorld]:
    nodes = [
        process("planner", {"lockstep": False}, module="geometric_planner"),
        process("controller", {"lockstep": False}),
    ]
    with running(nodes, tmp_path) as (network, _):
        made = StandInWorld(network)
        network.up("planner")
        network.up("controller")
        for topic in (
            f"{EGO}/rgb_front/image",
            f"{EGO}/odometry",
            "/simlingo/navigation",
            f"{EGO}/vehicle_control_cmd",
        ):
            network.matched(topic, 1, 1)
        yield made


def test_a_moving_car_stops_and_holds_when_frames_stop_and_drives_on_when_they_come(world: StandInWorld) -> None:
    def drives(speed: float) -> bool:
        world.tick(frame=True)
        return world.speed > speed

    world.network.until(lambda: drives(3.0), 20.0, "a moving car")
    for _ in range(15):  # half a second of coasting, and a plan that was still in work
        world.tick(frame=False)
    silent = len(world.commands)
    for _ in range(60):
        world.tick(frame=False)
    assert world.speed == 0.0
    assert all(command.throttle == 0.0 and command.brake > 0.0 for command in world.commands[silent:])
    assert world.commands[-1].brake > 0.5
    world.says("controller", "holding", "the last plan is")
    world.says("planner", "waiting", "no image for 1 s")
    world.network.until(lambda: drives(1.0), 10.0, "a car that drives on")
