"""The plan as messages that RViz and Foxglove show: path, speed waypoints, markers. In frame <r> at image time."""

from __future__ import annotations

from geometry_msgs.msg import Point, PoseStamped, Quaternion
from nav_msgs.msg import Path
from rclpy.node import Node
from rclpy.publisher import Publisher
from std_msgs.msg import ColorRGBA
from visualization_msgs.msg import Marker, MarkerArray

from simlingo.contracts import SPEED_WAYPOINT_PERIOD_S, DrivingPlan
from simlingo_node import qos
from simlingo_node.conversions import ns_to_stamp, points_to_ros

_LINE_WIDTH_M = 0.3
_DOT_M = 0.6
_PATH_COLOUR = ColorRGBA(r=0.18, g=0.83, b=0.75, a=0.9)
_DOT_COLOUR = ColorRGBA(r=0.98, g=0.57, b=0.24, a=0.9)
_NO_TURN = Quaternion(w=1.0)


class PlanDisplay:
    """Publishes only what somebody looks at, so that nobody waits for it."""

    def __init__(self, node: Node, frame_id: str) -> None:
        self._frame_id = frame_id
        self._path = node.create_publisher(Path, "/simlingo/path", qos.DEFAULT)
        self._waypoints = node.create_publisher(Path, "/simlingo/speed_waypoints", qos.DEFAULT)
        self._markers = node.create_publisher(MarkerArray, "/simlingo/markers", qos.DEFAULT)

    def show(self, plan: DrivingPlan) -> None:
        """Publish ``plan``."""
        if _watched(self._path):
            self._path.publish(self._as_path(points_to_ros(plan.path), [plan.stamp] * len(plan.path), plan.stamp))
        if _watched(self._waypoints):
            period = round(SPEED_WAYPOINT_PERIOD_S * 1e9)
            stamps = [plan.stamp + period * (index + 1) for index in range(len(plan.speed_waypoints))]
            self._waypoints.publish(self._as_path(points_to_ros(plan.speed_waypoints), stamps, plan.stamp))
        if _watched(self._markers):
            self._markers.publish(self._as_markers(plan))

    def _as_path(self, points: list[Point], stamps: list[int], stamp: int) -> Path:
        """A path whose poses carry their own stamps (ns)."""
        path = Path()
        path.header.frame_id = self._frame_id
        path.header.stamp = ns_to_stamp(stamp)
        for point, pose_stamp in zip(points, stamps, strict=True):
            pose = PoseStamped()
            pose.header.frame_id = self._frame_id
            pose.header.stamp = ns_to_stamp(pose_stamp)
            pose.pose.position = point
            pose.pose.orientation = _NO_TURN
            path.poses.append(pose)
        return path

    def _as_markers(self, plan: DrivingPlan) -> MarkerArray:
        line = self._marker(plan.stamp, 0, Marker.LINE_STRIP, _PATH_COLOUR, points_to_ros(plan.path))
        line.scale.x = _LINE_WIDTH_M
        dots = self._marker(plan.stamp, 1, Marker.SPHERE_LIST, _DOT_COLOUR, points_to_ros(plan.speed_waypoints))
        dots.scale.x = dots.scale.y = dots.scale.z = _DOT_M
        return MarkerArray(markers=[line, dots])

    def _marker(self, stamp: int, number: int, kind: int, colour: ColorRGBA, points: list[Point]) -> Marker:
        marker = Marker(ns="plan", id=number, type=kind, action=Marker.ADD, color=colour, points=points)
        marker.header.frame_id = self._frame_id
        marker.header.stamp = ns_to_stamp(stamp)
        marker.pose.orientation = _NO_TURN
        return marker


def _watched(publisher: Publisher) -> bool:
    return bool(publisher.get_subscription_count())
