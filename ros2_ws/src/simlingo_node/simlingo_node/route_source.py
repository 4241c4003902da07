"""Where the route comes from; a parameter says which, nothing is guessed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nav_msgs.msg import Path
from rclpy.node import Node
from rclpy.subscription import Subscription
from simlingo_msgs.msg import Route

from simlingo.contracts import Command, FloatArray, InvalidInputError
from simlingo_node import conversions, qos

#: Values of the parameter ``route_source``.
ROUTE_SOURCES = ("simlingo", "waypoints", "leaderboard")

#: Reads points (N, 2) in the core's map frame and commands (None: from the geometry), or raises InvalidInputError.
RouteReader = Callable[[], tuple[FloatArray, list[Command] | None]]


def subscribe_to_route(node: Node, source: str, role: str, take: Callable[[str, RouteReader], None]) -> Subscription:
    """Call ``take`` with the id of every route that comes, and its reader.

    Raises:
        InvalidInputError: the source's message is not installed.
    """

    def take_mission(message: Route) -> None:
        take(message.id, lambda: conversions.message_to_route(message))

    if source == "simlingo":
        return node.create_subscription(
            Route,
            "/simlingo/mission",
            take_mission,
            qos.LATCHED,
        )
    if source == "waypoints":
        topic = f"/carla/{role}/waypoints"
        return node.create_subscription(Path, topic, lambda message: take(source, lambda: _path(message)), qos.LATCHED)
    try:
        from carla_msgs.msg import CarlaRoute
    except ImportError as error:
        raise InvalidInputError(
            "route_source 'leaderboard' needs carla_msgs with CarlaRoute: build the branch leaderboard-2.0 of"
            " ros-carla-msgs, or choose route_source 'waypoints' or 'simlingo'"
        ) from error
    topic = f"/carla/{role}/global_plan"
    return node.create_subscription(
        CarlaRoute, topic, lambda message: take("global_plan", lambda: _leaderboard(message)), qos.LATCHED
    )


def _path(message: Path) -> tuple[FloatArray, None]:
    return conversions.points_from_ros([pose.pose.position for pose in message.poses]), None


def _leaderboard(message: Any) -> tuple[FloatArray, list[Command]]:
    points = conversions.points_from_ros([pose.position for pose in message.poses])
    return points, [conversions.to_command(option) for option in message.road_options]
