"""What the bridge says of the ego at one tick, as carla-ros-bridge words it. Flips are in ``conversions``."""

from __future__ import annotations

import math
from typing import Any

import carla
from carla_msgs.msg import (
    CarlaEgoVehicleControl,
    CarlaEgoVehicleStatus,
    CarlaTrafficLightInfo,
    CarlaTrafficLightInfoList,
    CarlaTrafficLightStatus,
    CarlaTrafficLightStatusList,
)
from geometry_msgs.msg import Pose, Quaternion, Transform, TransformStamped, Vector3
from nav_msgs.msg import Odometry
from sensor_msgs.msg import Imu, NavSatFix
from tf2_msgs.msg import TFMessage

from simlingo_node import conversions
from simlingo_node.bridge.command_gate import VehicleCommand

_LIGHT_STATES = {
    carla.TrafficLightState.Red: CarlaTrafficLightStatus.RED,
    carla.TrafficLightState.Yellow: CarlaTrafficLightStatus.YELLOW,
    carla.TrafficLightState.Green: CarlaTrafficLightStatus.GREEN,
    carla.TrafficLightState.Off: CarlaTrafficLightStatus.OFF,
}
#: Camera frames look along z, x to the right (REP-103 optical), as carla-ros-bridge turns them.
_OPTICAL = Quaternion(x=-0.5, y=0.5, z=-0.5, w=0.5)


def forward_speed(ego: Any) -> float:
    """Along its heading, m/s; ``ego`` is a carla.Vehicle."""
    return _dot(ego.get_velocity(), ego.get_transform().get_forward_vector())


class EgoMessages:
    """Messages of one ego vehicle; every method takes the tick's stamp in ns."""

    def __init__(self, role: str, camera: str, camera_location: tuple[float, float, float]) -> None:
        self.role = role
        self.camera_frame = f"{role}/{camera}"
        self._camera_location = camera_location  # m in the ego frame, y right

    def odometry(self, pose: carla.Transform, velocity: carla.Vector3D, spin: carla.Vector3D, stamp: int) -> Odometry:
        """Pose in the map, twist in the vehicle's frame; ``velocity`` m/s in the map, ``spin`` degrees/s."""
        message = Odometry(child_frame_id=self.role)
        message.header.stamp = conversions.ns_to_stamp(stamp)
        message.header.frame_id = "map"
        message.pose.pose.position = conversions.carla_location_to_point(*_xyz(pose.location))
        message.pose.pose.orientation = _quaternion(pose.rotation)
        forward, right, up = pose.get_forward_vector(), pose.get_right_vector(), pose.get_up_vector()
        along = (_dot(velocity, forward), _dot(velocity, right), _dot(velocity, up))
        message.twist.twist.linear = conversions.carla_vector_to_ros(*along)
        turning = (math.radians(spin.x), math.radians(spin.y), math.radians(spin.z))
        message.twist.twist.angular = conversions.carla_gyroscope_to_ros(*turning)
        return message

    def imu(self, data: Any, stamp: int) -> Imu:
        """Orientation in the map; accelerations (m/s^2) and rates (rad/s) in the vehicle's frame."""
        message = Imu()
        message.header.stamp = conversions.ns_to_stamp(stamp)
        message.header.frame_id = f"{self.role}/imu"
        message.orientation = _quaternion(data.transform.rotation)
        message.linear_acceleration = conversions.carla_vector_to_ros(*_xyz(data.accelerometer))
        message.angular_velocity = conversions.carla_gyroscope_to_ros(*_xyz(data.gyroscope))
        return message

    def gnss(self, data: Any, stamp: int) -> NavSatFix:
        """Latitude and longitude in degrees, altitude in m."""
        message = NavSatFix(latitude=data.latitude, longitude=data.longitude, altitude=data.altitude)
        message.header.stamp = conversions.ns_to_stamp(stamp)
        message.header.frame_id = f"{self.role}/gnss"
        return message

    def status(
        self,
        odometry: Odometry,
        acceleration: carla.Vector3D,
        pose: carla.Transform,
        command: VehicleCommand,
        stamp: int,
    ) -> CarlaEgoVehicleStatus:
        """Speed, acceleration in the vehicle's frame, and the command applied."""
        linear = odometry.twist.twist.linear
        message = CarlaEgoVehicleStatus(
            velocity=math.hypot(linear.x, linear.y, linear.z),
            orientation=odometry.pose.pose.orientation,
            control=command_to_message(command, stamp),
        )
        message.header.stamp = conversions.ns_to_stamp(stamp)
        message.header.frame_id = "map"
        forward, right, up = pose.get_forward_vector(), pose.get_right_vector(), pose.get_up_vector()
        along = (_dot(acceleration, forward), _dot(acceleration, right), _dot(acceleration, up))
        message.acceleration.linear = conversions.carla_vector_to_ros(*along)
        return message

    def transforms(self, odometry: Odometry) -> TFMessage:
        """map -> ego -> camera."""
        position = odometry.pose.pose.position
        ego = TransformStamped(header=odometry.header, child_frame_id=self.role)
        ego.transform.translation.x, ego.transform.translation.y = position.x, position.y
        ego.transform.translation.z = position.z
        ego.transform.rotation = odometry.pose.pose.orientation
        camera = TransformStamped(child_frame_id=self.camera_frame)
        camera.header.stamp = odometry.header.stamp
        camera.header.frame_id = self.role
        camera.transform = Transform(
            translation=conversions.carla_vector_to_ros(*self._camera_location), rotation=_OPTICAL
        )
        return TFMessage(transforms=[ego, camera])


def light_states(lights: list[Any]) -> tuple[tuple[int, int], ...]:
    """Actor id and state (constants of CarlaTrafficLightStatus) of every light."""
    unknown = CarlaTrafficLightStatus.UNKNOWN
    return tuple((light.id, _LIGHT_STATES.get(light.state, unknown)) for light in lights)


def traffic_light_list(states: tuple[tuple[int, int], ...]) -> CarlaTrafficLightStatusList:
    """Message of ``light_states``."""
    return CarlaTrafficLightStatusList(
        traffic_lights=[CarlaTrafficLightStatus(id=number, state=state) for number, state in states]
    )


def traffic_light_places(lights: list[Any]) -> CarlaTrafficLightInfoList:
    """Pose of every light, and its trigger volume: full sizes in m, the centre relative to the light's pose."""
    places = CarlaTrafficLightInfoList()
    for light in lights:
        pose, box = light.get_transform(), light.trigger_volume
        info = CarlaTrafficLightInfo(id=light.id)
        info.transform = Pose(
            position=conversions.carla_location_to_point(*_xyz(pose.location)), orientation=_quaternion(pose.rotation)
        )
        info.trigger_volume.center = conversions.carla_vector_to_ros(*_xyz(box.location))
        info.trigger_volume.size = Vector3(x=2.0 * box.extent.x, y=2.0 * box.extent.y, z=2.0 * box.extent.z)
        places.traffic_lights.append(info)
    return places


def command_to_message(command: VehicleCommand, stamp: int) -> CarlaEgoVehicleControl:
    """A command as carla-ros-bridge publishes it."""
    message = CarlaEgoVehicleControl(
        steer=command.steer,
        throttle=command.throttle,
        brake=command.brake,
        hand_brake=command.hand_brake,
        reverse=command.reverse,
    )
    message.header.stamp = conversions.ns_to_stamp(stamp)
    return message


def message_to_command(message: CarlaEgoVehicleControl) -> VehicleCommand:
    """The command in a message; gears are the simulator's business."""
    return VehicleCommand(message.steer, message.throttle, message.brake, message.hand_brake, message.reverse)


def command_to_carla(command: VehicleCommand) -> carla.VehicleControl:
    """The command as CARLA takes it."""
    return carla.VehicleControl(
        throttle=command.throttle,
        steer=command.steer,
        brake=command.brake,
        hand_brake=command.hand_brake,
        reverse=command.reverse,
    )


def _xyz(vector: Any) -> tuple[float, float, float]:
    return vector.x, vector.y, vector.z


def _dot(one: carla.Vector3D, other: carla.Vector3D) -> float:
    return float(one.x * other.x + one.y * other.y + one.z * other.z)


def _quaternion(rotation: carla.Rotation) -> Quaternion:
    return conversions.carla_rotation_to_quaternion(rotation.pitch, rotation.yaw, rotation.roll)
