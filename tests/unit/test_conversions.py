"""Messages to the core's values and back; the flip of y."""

from __future__ import annotations

import array
import math

import numpy as np
import pytest
from builtin_interfaces.msg import Time
from geometry_msgs.msg import Point
from hypothesis import given
from hypothesis import strategies as st
from nav_msgs.msg import Odometry
from sensor_msgs.msg import CameraInfo, Image
from simlingo_msgs.msg import Route, RoutePoint

from simlingo.contracts import MODEL_CAMERA, Command, DrivingPlan, InvalidInputError, Navigation
from simlingo_node import conversions

COORDINATE = st.floats(-1e4, 1e4)
ANGLE = st.floats(-math.pi, math.pi)


def points(count: int) -> st.SearchStrategy[np.ndarray]:
    return st.lists(st.tuples(COORDINATE, COORDINATE), min_size=count, max_size=count).map(np.array)


def odometry(x: float, y: float, yaw: float, vx: float, vy: float = 0.0) -> Odometry:
    message = Odometry()
    message.header.stamp = Time(sec=3, nanosec=50_000_000)
    message.pose.pose.position.x, message.pose.pose.position.y = x, y
    message.pose.pose.orientation = conversions.quaternion_from_euler(0.0, 0.0, yaw)
    message.twist.twist.linear.x, message.twist.twist.linear.y = vx, vy
    return message


def picture(
    encoding: str, channels: int, height: int = 4, width: int = 6, padding: int = 0
) -> tuple[Image, np.ndarray]:
    """An image message of random pixels and its raw rows."""
    rows = np.random.default_rng(0).integers(0, 256, (height, width * channels + padding), dtype=np.uint8)
    message = Image(height=height, width=width, encoding=encoding, step=width * channels + padding)
    message.data = array.array("B", rows.tobytes())
    return message, rows


@given(st.integers(0, 2**31 * 10**9 - 1))
def test_stamps_survive(stamp: int) -> None:
    assert conversions.stamp_to_ns(conversions.ns_to_stamp(stamp)) == stamp


@given(st.integers(0, 10_000_000))
def test_ticks_of_a_float_clock_are_whole(tick: int) -> None:
    assert conversions.seconds_to_ns(tick * 0.05) == tick * 50_000_000


@given(COORDINATE, COORDINATE, ANGLE, st.floats(0, 60))
def test_odometry_flips_y_and_yaw(x: float, y: float, yaw: float, speed: float) -> None:
    ego = conversions.odometry_to_ego_state(odometry(x, y, yaw, speed))
    assert (ego.x, ego.y, ego.speed) == (x, -y, speed)
    assert math.cos(ego.yaw + yaw) == pytest.approx(1.0)
    assert ego.stamp == 3_050_000_000


def test_a_left_turn_in_ros_is_a_negative_yaw_in_carla() -> None:
    rotation = conversions.carla_rotation_to_quaternion(0.0, -90.0, 0.0)  # CARLA: heading to the left
    assert conversions.yaw_of(rotation) == pytest.approx(math.pi / 2)


@given(ANGLE, st.floats(-1.5, 1.5), ANGLE)
def test_carla_rotation_turns_vectors_as_carla_does(roll: float, pitch: float, yaw: float) -> None:
    carla = pytest.importorskip("carla")
    pose = carla.Transform(carla.Location(), carla.Rotation(math.degrees(pitch), math.degrees(yaw), math.degrees(roll)))
    turned = pose.transform(carla.Location(1.0, 2.0, 3.0))
    rotation = pose.rotation
    q = conversions.carla_rotation_to_quaternion(rotation.pitch, rotation.yaw, rotation.roll)
    u = np.array((q.x, q.y, q.z))
    vector = np.array((1.0, -2.0, 3.0))
    ros = vector + 2.0 * np.cross(u, np.cross(u, vector) + q.w * vector)
    assert ros == pytest.approx((turned.x, -turned.y, turned.z), abs=1e-4)


@pytest.mark.parametrize("field", ["x", "y"])
@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_odometry_with_nan_is_refused(field: str, value: float) -> None:
    message = odometry(0.0, 0.0, 0.0, 1.0)
    setattr(message.pose.pose.position, field, value)
    with pytest.raises(InvalidInputError, match="NaN"):
        conversions.odometry_to_ego_state(message)


def test_odometry_without_orientation_is_refused() -> None:
    message = odometry(0.0, 0.0, 0.0, 1.0)
    message.pose.pose.orientation.w = 0.0
    with pytest.raises(InvalidInputError, match="quaternion"):
        conversions.odometry_to_ego_state(message)


@pytest.mark.parametrize(
    ("encoding", "channels", "order"), [("bgra8", 4, [2, 1, 0]), ("bgr8", 3, [2, 1, 0]), ("rgb8", 3, [0, 1, 2])]
)
@pytest.mark.parametrize("padding", [0, 5])
def test_images_decode_to_rgb(encoding: str, channels: int, order: list[int], padding: int) -> None:
    message, rows = picture(encoding, channels, padding=padding)
    rgb = conversions.image_to_rgb(message)
    assert rgb.flags.c_contiguous
    assert np.array_equal(rgb, rows[:, : 6 * channels].reshape(4, 6, channels)[..., order])


def test_bad_images_are_named() -> None:
    other, _ = picture("mono8", 1)
    with pytest.raises(InvalidInputError, match=r"mono8.*bgra8"):
        conversions.image_to_rgb(other)
    cut, _ = picture("bgra8", 4)
    cut.data = cut.data[:-1]
    with pytest.raises(InvalidInputError, match="truncated"):
        conversions.image_to_rgb(cut)
    narrow, _ = picture("bgr8", 3)
    narrow.step = 3
    with pytest.raises(InvalidInputError, match="step 3"):
        conversions.image_to_rgb(narrow)
    with pytest.raises(InvalidInputError, match="empty"):
        conversions.image_to_rgb(Image(encoding="bgr8"))


def test_carla_bytes_round_trip_and_take_the_fast_path() -> None:
    raw = np.random.default_rng(1).integers(0, 256, (512, 1024, 4), dtype=np.uint8)
    message = conversions.bgra_to_image(raw.tobytes(), 1024, 512, 7, "cam")
    assert isinstance(message.data, array.array)  # a numpy array as data takes twice as long and more
    assert np.array_equal(conversions.image_to_rgb(message), raw[..., 2::-1])
    assert np.array_equal(
        conversions.image_to_rgb(conversions.bgra_to_image(memoryview(raw), 1024, 512, 7, "")), raw[..., 2::-1]
    )


def test_camera_info_round_trip() -> None:
    message = conversions.intrinsics_to_camera_info(MODEL_CAMERA, 5, "cam")
    assert conversions.camera_info_to_intrinsics(message) == MODEL_CAMERA


def test_bad_camera_infos_are_named() -> None:
    with pytest.raises(InvalidInputError, match="size"):
        conversions.camera_info_to_intrinsics(CameraInfo())
    blind = conversions.intrinsics_to_camera_info(MODEL_CAMERA, 0, "")
    blind.k[0] = 0.0
    with pytest.raises(InvalidInputError, match="focal"):
        conversions.camera_info_to_intrinsics(blind)
    fisheye = conversions.intrinsics_to_camera_info(MODEL_CAMERA, 0, "")
    fisheye.d = [0.1, 0.0, 0.0, 0.0, 0.0]
    with pytest.raises(InvalidInputError, match="rectified"):
        conversions.camera_info_to_intrinsics(fisheye)


@given(points(20), points(10), st.integers(0, 10**15), st.text(max_size=20))
def test_plans_survive(path: np.ndarray, waypoints: np.ndarray, stamp: int, text: str) -> None:
    plan = DrivingPlan(stamp, path, waypoints, instruction_id="i", text=text, text_stamp=stamp, timing={"a": 0.25})
    message = conversions.plan_to_message(plan, "ego", "m")
    assert message.path[0].y == -path[0, 1]
    back = conversions.message_to_plan(message)
    assert np.array_equal(back.path, path)
    assert np.array_equal(back.speed_waypoints, waypoints)
    assert (back.stamp, back.text, back.instruction_id, dict(back.timing)) == (stamp, text, "i", {"a": 0.25})


def test_bad_plans_are_refused() -> None:
    plan = DrivingPlan(0, np.zeros((20, 2)), np.zeros((10, 2)))
    short = conversions.plan_to_message(plan, "", "")
    short.path = short.path[:-1]
    with pytest.raises(InvalidInputError, match="19 path points"):
        conversions.message_to_plan(short)
    broken = conversions.plan_to_message(plan, "", "")
    broken.speed_waypoints[3].x = math.nan
    with pytest.raises(InvalidInputError, match="NaN"):
        conversions.message_to_plan(broken)


@given(points(2), st.sampled_from(Command), st.sampled_from(Command), st.floats(0, 100, width=32))
def test_navigation_survives(targets: np.ndarray, command: Command, following: Command, distance: float) -> None:
    message = conversions.navigation_to_message(Navigation(targets, command, following, distance))
    assert message.target_points[1].y == -targets[1, 1]
    back = conversions.message_to_navigation(message)
    assert np.array_equal(back.target_points, targets)
    assert (back.command, back.next_command, back.distance_to_command) == (command, following, distance)


@given(points(5), st.lists(st.sampled_from(Command), min_size=5, max_size=5))
def test_routes_survive(line: np.ndarray, commands: list[Command]) -> None:
    message = conversions.route_to_message(line, commands, "r", 0)
    back, back_commands = conversions.message_to_route(message)
    assert np.array_equal(back, line)
    assert back_commands == commands


@pytest.mark.parametrize("count", [0, 1])
def test_routes_of_less_than_two_points_are_refused(count: int) -> None:
    with pytest.raises(InvalidInputError, match=f"route has {count} point"):
        conversions.message_to_route(Route(points=[RoutePoint(command=4)] * count))


def test_a_route_with_nan_or_an_unknown_command_is_refused() -> None:
    good = RoutePoint(command=RoutePoint.VOID)
    with pytest.raises(InvalidInputError, match="NaN"):
        conversions.message_to_route(Route(points=[good, RoutePoint(position=Point(x=math.nan), command=4)]))
    with pytest.raises(InvalidInputError, match="command 9"):
        conversions.message_to_route(Route(points=[good, RoutePoint(command=9)]))
    assert conversions.to_command(RoutePoint.VOID) == Command.FOLLOW_LANE
