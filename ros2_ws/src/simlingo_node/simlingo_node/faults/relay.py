"""Carries the messages between bridge and stack, and spoils them while a fault lasts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from carla_msgs.msg import CarlaEgoVehicleControl
from nav_msgs.msg import Odometry
from rclpy.node import Node
from sensor_msgs.msg import Image
from simlingo_msgs.msg import DrivingPlan, Navigation

from simlingo_node import qos
from simlingo_node.faults.changes import Change
from simlingo_node.stack import NodeSpec

ROLE = "ego_vehicle"
#: Before the relay topics have this in front.
BEFORE = "/before"
#: Wall time after which a message is taken for lost: many times what a plan takes.
LOST_S = 1.0


@dataclass(frozen=True)
class Channel:
    """A topic that passes the relay."""

    kind: type
    topic: str
    source: str  # the node that publishes it
    listeners: int  # nodes of the stack that must listen before the first message


CHANNELS: dict[str, Channel] = {
    "image": Channel(Image, f"/carla/{ROLE}/rgb_front/image", "carla_bridge", 1),
    "odometry": Channel(Odometry, f"/carla/{ROLE}/odometry", "carla_bridge", 3),
    "navigation": Channel(Navigation, "/simlingo/navigation", "route", 1),
    "plan": Channel(DrivingPlan, "/simlingo/plan", "planner", 2),
    "command": Channel(CarlaEgoVehicleControl, f"/carla/{ROLE}/vehicle_control_cmd", "controller", 1),
}


def through_relay(nodes: list[NodeSpec]) -> list[NodeSpec]:
    """The same nodes, whose publishers speak to the relay; in lockstep a lost message costs a second, not five."""
    return [
        replace(
            node,
            remaps={each.topic: BEFORE + each.topic for each in CHANNELS.values() if each.source == node.name},
            parameters={**node.parameters, **({"lockstep_lost_s": LOST_S} if node.name == "carla_bridge" else {})},
        )
        for node in nodes
    ]


class Relay:
    """Listens to what comes before it and speaks on the stack's own topics.

    Args:
        node: of this process.
        watch: is called, by channel, with every message that comes, before it is spoilt.
    """

    def __init__(self, node: Node, watch: Mapping[str, Callable[[Any], None]]) -> None:
        self._node, self._watch = node, watch
        self._changes: dict[str, Change] = {}
        self._speak = {
            name: node.create_publisher(each.kind, each.topic, qos.DEFAULT) for name, each in CHANNELS.items()
        }
        self._listening = False

    def begin(self) -> bool:
        """Listen once all nodes of the stack do: the world begins when somebody listens, and no message may be lost."""
        if self._listening:
            return True
        for each in CHANNELS.values():
            if self._node.count_subscribers(each.topic) < each.listeners:
                return False
        for name, each in CHANNELS.items():
            self._node.create_subscription(each.kind, BEFORE + each.topic, self._carrier(name), qos.DEFAULT)
        self._listening = True
        return True

    def spoil(self, name: str, change: Change) -> None:
        """Let ``change`` have every message of a channel from now on."""
        self._changes[name] = change

    def mend(self) -> None:
        """Carry everything as it comes again."""
        self._changes.clear()

    def _carrier(self, name: str) -> Callable[[Any], None]:
        speak = self._speak[name].publish

        watch = self._watch.get(name)

        def carry(message: Any) -> None:
            if watch is not None:
                watch(message)
            change = self._changes.get(name)
            for each in [message] if change is None else change(message):
                speak(each)

        return carry
