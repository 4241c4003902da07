"""Everything the bridge publishes. What the stack waits for goes out first, the rest while it thinks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from carla_msgs.msg import (
    CarlaEgoVehicleStatus,
    CarlaStatus,
    CarlaTrafficLightInfoList,
    CarlaTrafficLightStatusList,
    CarlaWorldInfo,
)
from nav_msgs.msg import Odometry
from rclpy.node import Node
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CameraInfo, Image, Imu, NavSatFix
from simlingo_msgs.msg import Route, Score
from std_msgs.msg import Float32
from tf2_msgs.msg import TFMessage

from simlingo.contracts import TICK_NS, TICK_S, CameraIntrinsics
from simlingo_drive.routes import Route as DrivenRoute
from simlingo_node import conversions, qos
from simlingo_node.bridge.command_gate import VehicleCommand
from simlingo_node.bridge.judge import Judge
from simlingo_node.bridge.messages import EgoMessages, light_states, traffic_light_list, traffic_light_places

CAMERA = "rgb_front"
#: The score goes out every so many ticks, 2 Hz.
SCORE_EVERY = 10


@dataclass(frozen=True)
class Tick:
    """One tick of the world as the bridge saw it."""

    stamp: int  # ns
    frame: int
    ego: Any  # carla.Vehicle
    command: VehicleCommand  # applied for this tick
    data: dict[str, Any]  # by sensor


class BridgeOutput:
    """Publishers of the bridge."""

    def __init__(
        self, node: Node, role: str, camera: CameraIntrinsics, camera_location: tuple[float, float, float]
    ) -> None:
        self._node = node
        self._camera = camera
        self._ego = EgoMessages(role, CAMERA, camera_location)
        self._publishers: list[Any] = []

        def make(kind: Any, topic: str, profile: Any = qos.DEFAULT) -> Any:
            self._publishers.append(node.create_publisher(kind, topic, profile))
            return self._publishers[-1]

        ego = f"/carla/{role}"
        self._clock = make(Clock, "/clock")
        self._odometry = make(Odometry, f"{ego}/odometry")
        self._camera_info = make(CameraInfo, f"{ego}/{CAMERA}/camera_info")
        self._image = make(Image, f"{ego}/{CAMERA}/image")
        self._speed = make(Float32, f"{ego}/speedometer")
        self._imu = make(Imu, f"{ego}/imu")
        self._gnss = make(NavSatFix, f"{ego}/gnss")
        self._vehicle_status = make(CarlaEgoVehicleStatus, f"{ego}/vehicle_status")
        self._status = make(CarlaStatus, "/carla/status")
        self._light_places = make(CarlaTrafficLightInfoList, "/carla/traffic_lights/info", qos.LATCHED)
        self._lights = make(CarlaTrafficLightStatusList, "/carla/traffic_lights/status", qos.LATCHED)
        self._transforms = make(TFMessage, "/tf")
        self._world_info = make(CarlaWorldInfo, "/carla/world_info", qos.LATCHED)
        self._mission = make(Route, "/simlingo/mission", qos.LATCHED)
        self._score = make(Score, "/simlingo/score", qos.LATCHED)
        self._last_score = -SCORE_EVERY * TICK_NS
        self._last_lights: tuple[tuple[int, int], ...] | None = None
        self._odometry_now = Odometry()

    def close(self) -> None:
        """Let the topics go."""
        for publisher in self._publishers:
            self._node.destroy_publisher(publisher)
        self._publishers = []

    def missing_partner(self, command_publishers: int) -> str:
        """The node without which a tick would go unanswered; empty when all are there."""
        if not self._image.get_subscription_count():
            return f"the planner (nobody subscribes to {self._image.topic_name})"
        if not command_publishers:
            return "the controller (nobody publishes vehicle_control_cmd)"
        return ""

    def publish_world(self, carla_map: Any, route: DrivenRoute, lights: list[Any]) -> None:
        """Map, route and the places of the traffic lights, latched."""
        self._world_info.publish(CarlaWorldInfo(map_name=carla_map.name, opendrive=carla_map.to_opendrive()))
        self._mission.publish(conversions.route_to_message(route.line, route.commands, route.name, 0))
        self._light_places.publish(traffic_light_places(lights))

    def publish_frame(self, tick: Tick, picture: Any) -> None:
        """What a plan needs: clock, odometry, camera info, image, in this order and with one stamp."""
        stamp = tick.stamp
        pose = tick.ego.get_transform()
        self._clock.publish(Clock(clock=conversions.ns_to_stamp(stamp)))
        self._odometry_now = self._ego.odometry(pose, tick.ego.get_velocity(), tick.ego.get_angular_velocity(), stamp)
        self._odometry.publish(self._odometry_now)
        frame_id = self._ego.camera_frame
        self._camera_info.publish(conversions.intrinsics_to_camera_info(self._camera, stamp, frame_id))
        self._image.publish(conversions.bgra_to_image(picture.raw_data, picture.width, picture.height, stamp, frame_id))

    def publish_rest(self, tick: Tick, lights: list[Any]) -> None:
        """What nobody waits for."""
        stamp, odometry = tick.stamp, self._odometry_now
        self._speed.publish(Float32(data=odometry.twist.twist.linear.x))
        self._imu.publish(self._ego.imu(tick.data["imu"], stamp))
        self._gnss.publish(self._ego.gnss(tick.data["gnss"], stamp))
        pose, acceleration = tick.ego.get_transform(), tick.ego.get_acceleration()
        self._vehicle_status.publish(self._ego.status(odometry, acceleration, pose, tick.command, stamp))
        self._status.publish(
            CarlaStatus(
                frame=tick.frame, fixed_delta_seconds=TICK_S, synchronous_mode=True, synchronous_mode_running=True
            )
        )
        self._transforms.publish(self._ego.transforms(odometry))
        states = light_states(lights)
        if states != self._last_lights:  # latched: an unchanged list reaches late listeners too
            self._last_lights = states
            self._lights.publish(traffic_light_list(states))

    def publish_score(self, judge: Judge, stamp: int, last: bool = False) -> None:
        """The score, twice a second and at the end."""
        if last or stamp - self._last_score >= SCORE_EVERY * TICK_NS:
            self._last_score = stamp
            self._score.publish(judge.message(stamp))

    def publish_failure(self, stamp: int) -> None:
        """The score of a drive that failed before its first tick was judged: who waits for an end must hear it."""
        message = Score(status="failed")
        message.header.stamp = conversions.ns_to_stamp(stamp)
        message.header.frame_id = "map"
        self._score.publish(message)
