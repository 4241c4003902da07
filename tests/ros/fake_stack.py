"""Stands in for the whole stack in tests of the page and the recorder: real messages of a car that follows a lane.

``python fake_stack.py --town FILE.xodr`` publishes until it is killed; what it hears from the node under test it prints
as one JSON object a line.
"""

from __future__ import annotations

import argparse
import array
import contextlib
import json
import math
import sys
from pathlib import Path

import carla
import numpy as np
import rclpy
from carla_msgs.msg import (
    CarlaControl,
    CarlaEgoVehicleControl,
    CarlaTrafficLightInfo,
    CarlaTrafficLightInfoList,
    CarlaTrafficLightStatus,
    CarlaTrafficLightStatusList,
    CarlaWorldInfo,
)
from geometry_msgs.msg import Point
from nav_msgs.msg import Odometry
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CameraInfo, Image
from simlingo_msgs.msg import (
    Commentary,
    DrivingPlan,
    InstructionStatus,
    Navigation,
    PhaseTiming,
    Route,
    RoutePoint,
    Score,
    StackState,
)
from simlingo_msgs.srv import Ask
from std_msgs.msg import Bool, String

VEHICLE = "/carla/ego_vehicle"
LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
TICK_S = 0.05
SPEED = 8.0  # m/s
WIDTH, HEIGHT = 1024, 512


class FakeStack(Node):
    """Publishes every topic that the page and the recorder read, 20 times a second."""

    def __init__(self, town: Path) -> None:
        super().__init__("fake_stack")
        self._seen: dict[str, str] = {}
        self.create_subscription(StackState, "/simlingo/state", self._on_state, 10)
        opendrive = town.read_text(encoding="utf-8")
        self.lane = self._follow_lane(carla.Map(town.stem, opendrive))
        self.tick = 0
        self._topics: dict[str, rclpy.publisher.Publisher] = {}
        world = CarlaWorldInfo(map_name=town.stem, opendrive=opendrive)
        self._latched(CarlaWorldInfo, "/carla/world_info").publish(world)
        lights = CarlaTrafficLightInfoList(traffic_lights=[self._light(index) for index in self._light_places()])
        self._latched(CarlaTrafficLightInfoList, "/carla/traffic_lights/info").publish(lights)
        self._latched(Route, "/simlingo/mission").publish(self._mission())
        words = Commentary(text="Turn left at the junction. Stop for the red light.", model="fake")
        self._latched(Commentary, "/simlingo/commentary").publish(words)
        self.create_subscription(String, "/simlingo/instruction", self._on_instruction, 10)
        self.create_service(Ask, "/simlingo/ask", self._on_question)
        self.create_subscription(CarlaControl, "/carla/control", lambda m: self._tell("control", m.command), 10)
        self.create_subscription(
            Bool, f"{VEHICLE}/vehicle_control_manual_override", lambda m: self._tell("override", m.data), LATCHED
        )
        self.create_subscription(
            CarlaEgoVehicleControl,
            f"{VEHICLE}/vehicle_control_cmd_manual",
            lambda m: self._tell("manual", [round(m.steer, 3), round(m.throttle, 3), round(m.brake, 3)]),
            10,
        )
        self.create_timer(TICK_S, self._publish_tick)

    def _on_state(self, message: StackState) -> None:
        """Print the mode of the node under test, once for each."""
        if message.node in ("page", "recorder") and self._seen.get(message.node) != message.mode:
            self._seen[message.node] = message.mode
            self._tell(message.node, message.mode)

    @staticmethod
    def _follow_lane(carla_map: carla.Map) -> list[tuple[float, float, float]]:
        """x, y (m) and yaw (rad) in REP-103, one every ``SPEED * TICK_S`` metres."""
        waypoint = carla_map.get_topology()[0][0]
        lane = []
        for _ in range(2000):
            transform = waypoint.transform
            lane.append((transform.location.x, -transform.location.y, -math.radians(transform.rotation.yaw)))
            following = waypoint.next(SPEED * TICK_S)
            if not following:
                break
            waypoint = following[len(lane) % len(following)]
        return lane

    def _latched(self, kind: type, topic: str) -> rclpy.publisher.Publisher:
        if topic not in self._topics:
            self._topics[topic] = self.create_publisher(kind, topic, LATCHED)
        return self._topics[topic]

    def _send(self, topic: str, message: object) -> None:
        if topic not in self._topics:
            self._topics[topic] = self.create_publisher(type(message), topic, 10)
        self._topics[topic].publish(message)

    def _tell(self, what: str, value: object) -> None:
        print(json.dumps({what: value}), flush=True)

    def _on_instruction(self, message: String) -> None:
        self._tell("instruction", message.data)
        understood = "left" in message.data
        status = InstructionStatus(id=f"i{self.tick}", text=message.data, status=InstructionStatus.ACCEPTED)
        status.header.stamp = self._stamp()
        self._send("/simlingo/instruction_status", status)
        status.status = InstructionStatus.OBEYING if understood else InstructionStatus.NOT_UNDERSTOOD
        status.reason = "" if understood else "I do not understand that"
        self._send("/simlingo/instruction_status", status)

    def _on_question(self, request: Ask.Request, response: Ask.Response) -> Ask.Response:
        self._tell("question", request.question)
        response.model = "fake"
        if "why" in request.question:
            response.error = "the fake was not trained to answer that"
        else:
            response.answer, response.stamp = "There is a box ahead.", self._stamp()
        return response

    def _light(self, index: int) -> CarlaTrafficLightInfo:
        """A light whose stop area lies on the lane at ``index``, and which stands 4 m right of it."""
        x, y, yaw = self.lane[index]
        info = CarlaTrafficLightInfo(id=index)
        info.transform.position.x = x + 4.0 * math.sin(yaw)
        info.transform.position.y = y - 4.0 * math.cos(yaw)
        info.transform.orientation.z, info.transform.orientation.w = math.sin(yaw / 2), math.cos(yaw / 2)
        info.trigger_volume.center.y = 4.0
        return info

    def _light_status(self) -> CarlaTrafficLightStatusList:
        red = CarlaTrafficLightStatus.RED
        return CarlaTrafficLightStatusList(
            traffic_lights=[CarlaTrafficLightStatus(id=index, state=red) for index in self._light_places()]
        )

    def _light_places(self) -> range:
        return range(150, len(self.lane), 150)

    def _mission(self) -> Route:
        points = [RoutePoint(position=Point(x=x, y=y), command=4) for x, y, _ in self.lane[::100]]
        return Route(id="mission", points=points)

    def _stamp(self) -> rclpy.time.Time:
        return rclpy.time.Time(nanoseconds=self.tick * 50_000_000).to_msg()

    def _in_ego(self, index: int) -> Point:
        x, y, yaw = self.lane[self.tick % len(self.lane)]
        dx, dy = (a - b for a, b in zip(self.lane[min(index, len(self.lane) - 1)][:2], (x, y), strict=True))
        return Point(x=dx * math.cos(yaw) + dy * math.sin(yaw), y=-dx * math.sin(yaw) + dy * math.cos(yaw))

    def _publish_tick(self) -> None:
        self.tick += 1
        self._send("/clock", Clock(clock=self._stamp()))
        x, y, yaw = self.lane[self.tick % len(self.lane)]
        odometry = Odometry()
        odometry.header.stamp = self._stamp()
        odometry.header.frame_id = "map"
        odometry.pose.pose.position.x, odometry.pose.pose.position.y = x, y
        odometry.pose.pose.orientation.z, odometry.pose.pose.orientation.w = math.sin(yaw / 2), math.cos(yaw / 2)
        odometry.twist.twist.linear.x = SPEED + math.sin(self.tick / 40)
        self._send(f"{VEHICLE}/odometry", odometry)
        self._publish_camera()
        self._publish_plan()
        self._latched(CarlaTrafficLightStatusList, "/carla/traffic_lights/status").publish(self._light_status())
        if self.tick % 10 == 0:
            self._publish_states()

    def _publish_camera(self) -> None:
        picture = np.empty((HEIGHT, WIDTH, 4), np.uint8)
        picture[: HEIGHT // 2] = (200, 170, 130, 255)
        picture[HEIGHT // 2 :] = (92, 90, 88, 255)
        left = 8 * self.tick % (WIDTH - 100)
        picture[200:256, left : left + 90] = (120, 140, 150, 255)
        image = Image(width=WIDTH, height=HEIGHT, step=WIDTH * 4, encoding="bgra8")
        image.data = array.array("B", picture.tobytes())
        image.header.stamp = self._stamp()
        self._send(f"{VEHICLE}/rgb_front/image", image)
        focal = WIDTH / (2 * math.tan(math.radians(55)))
        info = CameraInfo(width=WIDTH, height=HEIGHT)
        info.k = [focal, 0.0, WIDTH / 2, 0.0, focal, HEIGHT / 2, 0.0, 0.0, 1.0]
        info.header.stamp = self._stamp()
        self._send(f"{VEHICLE}/rgb_front/camera_info", info)

    def _publish_plan(self) -> None:
        now = self.tick % len(self.lane)
        plan = DrivingPlan(model="fake", timing=[PhaseTiming(phase="model", duration_ms=21.5)])
        plan.header.stamp = self._stamp()
        plan.path = [self._in_ego(now + round(i / (SPEED * TICK_S))) for i in range(1, 21)]
        plan.speed_waypoints = [self._in_ego(now + 5 * i) for i in range(1, 11)]
        self._send("/simlingo/plan", plan)
        navigation = Navigation(
            command=1, next_command=4, distance_to_command=42.0, progress=self.tick * 0.4, length=800.0
        )
        navigation.target_points = [self._in_ego(now + 60), self._in_ego(now + 160)]
        navigation.header.stamp = self._stamp()
        self._send("/simlingo/navigation", navigation)
        control = CarlaEgoVehicleControl(throttle=0.4, steer=0.15 * math.sin(self.tick / 30))
        control.header.stamp = self._stamp()
        self._send(f"{VEHICLE}/vehicle_control_cmd", control)

    def _publish_states(self) -> None:
        self._send(
            "/simlingo/score",
            Score(status="running", route_completion=self.tick / 20.0, driving_score=70.0, driven_m=self.tick * 0.4,
                  route_m=800.0, infractions=["red light at 12.0 s (40, 12)"], red_lights_met=2, red_lights_stopped=1),
        )  # fmt: skip
        for name, mode, p50 in (
            ("carla_bridge", "active", 3.1), ("route", "active", 0.4), ("planner", "active", 21.5), ("controller", "active", 0.9),
            ("lifecycle_manager", "active", math.nan)
        ):  # fmt: skip
            self._send(
                "/simlingo/state",
                StackState(node=name, mode=mode, latency_p50_ms=p50, latency_p99_ms=2 * p50, processed=self.tick),
            )


def main() -> int:
    """Publish until killed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--town", type=Path, required=True)
    arguments = parser.parse_args()
    rclpy.init()
    node = FakeStack(arguments.town)
    with contextlib.suppress(KeyboardInterrupt, rclpy.executors.ExternalShutdownException):
        rclpy.spin(node)
    return 0


if __name__ == "__main__":
    sys.exit(main())
