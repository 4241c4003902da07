"""ROS messages to the core's values and back: the only place where the y axis flips.

The core and CARLA use x forward, y right, yaw clockwise (left-handed); ROS uses REP-103: x forward, y left,
yaw counter-clockwise. Angles in radians, lengths in metres, times in nanoseconds unless a name says otherwise.
"""

from __future__ import annotations

import array
import math
from collections.abc import Sequence
from enum import Enum
from typing import TypeVar

import numpy as np
from builtin_interfaces.msg import Time
from geometry_msgs.msg import Point, Quaternion, Vector3
from nav_msgs.msg import Odometry
from sensor_msgs.msg import CameraInfo, Image
from simlingo_msgs.msg import DrivingPlan as DrivingPlanMsg
from simlingo_msgs.msg import Navigation as NavigationMsg
from simlingo_msgs.msg import PhaseTiming, Route, RoutePoint

from simlingo.contracts import (
    PATH_POINTS,
    SPEED_WAYPOINTS,
    CameraIntrinsics,
    Command,
    DrivingPlan,
    EgoState,
    FloatArray,
    ImageArray,
    InvalidInputError,
    Navigation,
)
from simlingo.instructions.session import PlanNews
from simlingo.requests import Reason, RequestKind

E = TypeVar("E", bound=Enum)

#: Encodings the stack reads, with their channels in the order red, green, blue (bridge cameras are bgra8).
ENCODINGS: dict[str, tuple[int, tuple[int, int, int]]] = {
    "bgra8": (4, (2, 1, 0)),
    "bgr8": (3, (2, 1, 0)),
    "rgb8": (3, (0, 1, 2)),
}

_NS = 1_000_000_000


def stamp_to_ns(stamp: Time) -> int:
    """A message stamp as integer nanoseconds."""
    return int(stamp.sec) * _NS + int(stamp.nanosec)


def ns_to_stamp(stamp_ns: int) -> Time:
    """Integer nanoseconds (>= 0) as a message stamp."""
    return Time(sec=stamp_ns // _NS, nanosec=stamp_ns % _NS)


def seconds_to_ns(seconds: float) -> int:
    """Seconds of a simulator's clock as nanoseconds, rounded to microseconds so that equal ticks stay equal."""
    return round(seconds * 1e6) * 1000


# --- images -----------------------------------------------------------------------------------------------


def image_to_rgb(message: Image) -> ImageArray:
    """Decode a bgra8, bgr8 or rgb8 image to contiguous RGB (H, W, 3) uint8.

    Raises:
        InvalidInputError: unknown encoding, empty image, row shorter than its pixels, or fewer bytes than it says.
    """
    if message.encoding not in ENCODINGS:
        raise InvalidInputError(
            f"image encoding '{message.encoding}' is not understood; publish one of {', '.join(ENCODINGS)}"
        )
    channels, order = ENCODINGS[message.encoding]
    height, width, step = int(message.height), int(message.width), int(message.step)
    if height < 1 or width < 1:
        raise InvalidInputError(f"image is empty: {width}x{height} pixels")
    if step < width * channels:
        raise InvalidInputError(
            f"image step {step} is shorter than {width} pixels of {message.encoding} ({width * channels} bytes)"
        )
    if len(message.data) != step * height:
        raise InvalidInputError(
            f"image is truncated or padded: {len(message.data)} bytes, but step {step} x height {height} = {step * height}"
        )
    rows = np.frombuffer(message.data, dtype=np.uint8).reshape(height, step)
    pixels = rows[:, : width * channels].reshape(height, width, channels)
    rgb = np.empty((height, width, 3), dtype=np.uint8)
    for target, source in enumerate(order):
        rgb[..., target] = pixels[..., source]
    return rgb


def bgra_to_image(raw: bytes | memoryview, width: int, height: int, stamp_ns: int, frame_id: str) -> Image:
    """An Image message of CARLA's BGRA bytes; ``data`` is an ``array.array``, which rclpy copies at once."""
    message = Image(height=height, width=width, encoding="bgra8", is_bigendian=0, step=width * 4)
    message.header.stamp = ns_to_stamp(stamp_ns)
    message.header.frame_id = frame_id
    data = array.array("B")
    data.frombytes(raw)
    message.data = data
    return message


def intrinsics_to_camera_info(camera: CameraIntrinsics, stamp_ns: int, frame_id: str) -> CameraInfo:
    """CameraInfo of an ideal pinhole camera."""
    message = CameraInfo(height=camera.height, width=camera.width, distortion_model="plumb_bob")
    message.header.stamp = ns_to_stamp(stamp_ns)
    message.header.frame_id = frame_id
    fx, fy, cx, cy = camera.focal_x, camera.focal_y, camera.center_x, camera.center_y
    message.d = [0.0] * 5
    message.k = [fx, 0.0, cx, 0.0, fy, cy, 0.0, 0.0, 1.0]
    message.r = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]
    message.p = [fx, 0.0, cx, 0.0, 0.0, fy, cy, 0.0, 0.0, 0.0, 1.0, 0.0]
    return message


def camera_info_to_intrinsics(message: CameraInfo) -> CameraIntrinsics:
    """Pinhole camera of a CameraInfo.

    Raises:
        InvalidInputError: no size, focal lengths not positive, numbers not finite, or a lens with distortion.
    """
    fx, cx, fy, cy = (float(message.k[index]) for index in (0, 2, 4, 5))
    if message.width < 1 or message.height < 1:
        raise InvalidInputError(f"CameraInfo has no image size: {message.width}x{message.height}")
    if not all(map(math.isfinite, (fx, fy, cx, cy))) or fx <= 0.0 or fy <= 0.0:
        raise InvalidInputError(f"CameraInfo.k has no valid focal lengths: fx {fx}, fy {fy}; calibrate the camera")
    if any(abs(value) > 1e-6 for value in message.d):
        raise InvalidInputError("CameraInfo.d says the lens distorts; publish the rectified image and its CameraInfo")
    return CameraIntrinsics(int(message.width), int(message.height), fx, fy, cx, cy)


# --- poses ------------------------------------------------------------------------------------------------


def quaternion_from_euler(roll: float, pitch: float, yaw: float) -> Quaternion:
    """ROS quaternion of fixed-axis roll, pitch, yaw (rad, REP-103)."""
    cr, sr = math.cos(roll / 2), math.sin(roll / 2)
    cp, sp = math.cos(pitch / 2), math.sin(pitch / 2)
    cy, sy = math.cos(yaw / 2), math.sin(yaw / 2)
    return Quaternion(
        w=cr * cp * cy + sr * sp * sy,
        x=sr * cp * cy - cr * sp * sy,
        y=cr * sp * cy + sr * cp * sy,
        z=cr * cp * sy - sr * sp * cy,
    )


def yaw_of(rotation: Quaternion) -> float:
    """Yaw (rad, counter-clockwise, REP-103) of a quaternion."""
    w, x, y, z = rotation.w, rotation.x, rotation.y, rotation.z
    return math.atan2(2.0 * (w * z + x * y), 1.0 - 2.0 * (y * y + z * z))


def carla_rotation_to_quaternion(pitch_deg: float, yaw_deg: float, roll_deg: float) -> Quaternion:
    """CARLA's rotation (degrees, left-handed, pitch up positive) as a ROS quaternion."""
    return quaternion_from_euler(math.radians(roll_deg), -math.radians(pitch_deg), -math.radians(yaw_deg))


def carla_location_to_point(x: float, y: float, z: float) -> Point:
    """CARLA's location as a REP-103 point."""
    return Point(x=float(x), y=-float(y), z=float(z))


def point_to_carla_location(point: Point) -> tuple[float, float, float]:
    """REP-103 point as CARLA's x, y, z."""
    return point.x, -point.y, point.z


def carla_vector_to_ros(x: float, y: float, z: float) -> Vector3:
    """A polar vector (velocity, acceleration) of CARLA's frame in REP-103."""
    return Vector3(x=float(x), y=-float(y), z=float(z))


def carla_gyroscope_to_ros(x: float, y: float, z: float) -> Vector3:
    """An angular velocity (rad/s) of CARLA's left-handed frame in REP-103: an axial vector flips x and z."""
    return Vector3(x=-float(x), y=float(y), z=-float(z))


def odometry_to_ego_state(message: Odometry) -> EgoState:
    """Pose and speed (the length of the twist in the plane) in CARLA's frame.

    Raises:
        InvalidInputError: a number is not finite, or the quaternion is not of unit length (within 1 %).
    """
    position, rotation = message.pose.pose.position, message.pose.pose.orientation
    linear = message.twist.twist.linear
    values = (position.x, position.y, rotation.w, rotation.x, rotation.y, rotation.z, linear.x, linear.y)
    if not all(map(math.isfinite, values)):
        raise InvalidInputError("odometry holds NaN or infinity; it is not used")
    if abs(math.fsum(value * value for value in values[2:6]) - 1.0) > 0.02:
        raise InvalidInputError("odometry's orientation is no unit quaternion; it is not used")
    return EgoState(
        stamp=stamp_to_ns(message.header.stamp),
        x=position.x,
        y=-position.y,
        yaw=-yaw_of(rotation),
        speed=math.hypot(linear.x, linear.y),
    )


# --- plans, navigation, routes ----------------------------------------------------------------------------


def points_to_ros(points: FloatArray) -> list[Point]:
    """Points (N, 2) of the core (y right) as messages (y left)."""
    return [Point(x=x, y=-y, z=0.0) for x, y in np.asarray(points, dtype=np.float64).tolist()]


def points_from_ros(points: Sequence[Point]) -> FloatArray:
    """Messages (y left) as points (N, 2) of the core (y right)."""
    return np.array([(point.x, -point.y) for point in points], dtype=np.float64).reshape(-1, 2)


def plan_to_message(plan: DrivingPlan, frame_id: str, model: str) -> DrivingPlanMsg:
    """The core's plan as a message; timing in milliseconds."""
    message = DrivingPlanMsg(
        path=points_to_ros(plan.path),
        speed_waypoints=points_to_ros(plan.speed_waypoints),
        instruction_id=plan.instruction_id,
        refused=plan.refused,
        reason=plan.reason.value if plan.reason is not None else "",
        request=plan.request.value if plan.request is not None else "",
        text=plan.text,
        text_stamp=ns_to_stamp(plan.text_stamp),
        timing=[PhaseTiming(phase=name, duration_ms=seconds * 1e3) for name, seconds in plan.timing.items()],
        model=model,
    )
    message.header.stamp = ns_to_stamp(plan.stamp)
    message.header.frame_id = frame_id
    return message


def message_to_plan(message: DrivingPlanMsg) -> DrivingPlan:
    """A plan message in the core's frame.

    Raises:
        InvalidInputError: wrong number of points or a number that is not finite.
    """
    path, speed_waypoints = points_from_ros(message.path), points_from_ros(message.speed_waypoints)
    if path.shape != (PATH_POINTS, 2) or speed_waypoints.shape != (SPEED_WAYPOINTS, 2):
        raise InvalidInputError(
            f"plan has {len(path)} path points and {len(speed_waypoints)} speed waypoints;"
            f" it needs {PATH_POINTS} and {SPEED_WAYPOINTS}"
        )
    if not (np.isfinite(path).all() and np.isfinite(speed_waypoints).all()):
        raise InvalidInputError("plan holds NaN or infinity; it is not driven")
    return DrivingPlan(
        stamp=stamp_to_ns(message.header.stamp),
        path=path,
        speed_waypoints=speed_waypoints,
        instruction_id=message.instruction_id,
        refused=message.refused,
        reason=_member(Reason, message.reason),
        request=_member(RequestKind, message.request),
        text=message.text,
        text_stamp=stamp_to_ns(message.text_stamp),
        timing={part.phase: part.duration_ms / 1e3 for part in message.timing},
    )


def message_to_plan_news(message: DrivingPlanMsg) -> PlanNews:
    """What a plan says of the instruction that its driver was told."""
    return PlanNews(
        stamp_to_ns(message.header.stamp),
        message.instruction_id,
        message.refused,
        _member(Reason, message.reason),
        _member(RequestKind, message.request),
    )


def _member(kind: type[E], word: str) -> E | None:
    """The member that ``word`` names; a word of another version of the driver says nothing, and steers nothing."""
    return kind(word) if word in {each.value for each in kind} else None


def navigation_to_message(navigation: Navigation) -> NavigationMsg:
    """The core's navigation as a message with status OK; header, progress and length are the caller's."""
    return NavigationMsg(
        status=NavigationMsg.OK,
        target_points=points_to_ros(navigation.target_points),
        command=int(navigation.command),
        next_command=int(navigation.next_command),
        distance_to_command=float(navigation.distance_to_command),
    )


def message_to_navigation(message: NavigationMsg) -> Navigation:
    """Navigation in the core's frame.

    Raises:
        InvalidInputError: unknown command or numbers that are not finite.
    """
    target_points = points_from_ros(message.target_points)
    if not np.isfinite(target_points).all() or not math.isfinite(message.distance_to_command):
        raise InvalidInputError("navigation holds NaN or infinity; it is not used")
    return Navigation(
        target_points=target_points,
        command=to_command(message.command),
        next_command=to_command(message.next_command),
        distance_to_command=float(message.distance_to_command),
    )


def to_command(number: int) -> Command:
    """CARLA's RoadOption number as a command; VOID means follow the lane.

    Raises:
        InvalidInputError: no such command.
    """
    if number == RoutePoint.VOID:
        return Command.FOLLOW_LANE
    try:
        return Command(number)
    except ValueError:
        raise InvalidInputError(f"command {number} is none of {[int(command) for command in Command]}") from None


def route_to_message(points_in_map: FloatArray, commands: Sequence[Command], route_id: str, stamp_ns: int) -> Route:
    """A sparse route (N, 2) of the core's map frame as a message."""
    message = Route(id=route_id)
    message.header.stamp = ns_to_stamp(stamp_ns)
    message.header.frame_id = "map"
    for position, command in zip(points_to_ros(points_in_map), commands, strict=True):
        message.points.append(RoutePoint(position=position, command=int(command)))
    return message


def message_to_route(message: Route) -> tuple[FloatArray, list[Command]]:
    """Points (N, 2) in the core's map frame and their commands.

    Raises:
        InvalidInputError: fewer than two points, unknown command, or numbers that are not finite.
    """
    return check_route(
        points_from_ros([point.position for point in message.points]),
        [to_command(point.command) for point in message.points],
    )


def check_route(points_in_map: FloatArray, commands: list[Command]) -> tuple[FloatArray, list[Command]]:
    """The route itself if it can be driven.

    Raises:
        InvalidInputError: fewer than two points or numbers that are not finite.
    """
    if len(points_in_map) < 2:
        raise InvalidInputError(f"route has {len(points_in_map)} point(s); publish at least two, from start to goal")
    if not np.isfinite(points_in_map).all():
        raise InvalidInputError("route holds NaN or infinity; publish finite positions in the map frame")
    return points_in_map, commands
