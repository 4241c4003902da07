"""Runs nodes as processes on a ROS domain of their own and talks to them from the test's process."""

from __future__ import annotations

import dataclasses
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import rclpy
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState, GetState
from nav_msgs.msg import Odometry
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions
from sensor_msgs.msg import Image
from simlingo_msgs.msg import Navigation, Score

from simlingo.contracts import Command
from simlingo.contracts import Navigation as CoreNavigation
from simlingo_node import conversions, dds, qos
from simlingo_node.stack import NodeSpec, StackOptions, Value, stack
from simlingo_node.supervisor import Supervisor

HERE = Path(__file__).parent
T = TypeVar("T")
TICK = 50_000_000
#: Starting processes on a busy machine takes its time, s.
START_S = 60.0


class Network:
    """A domain of this test's own, with the test's node on it."""

    def __init__(self) -> None:
        self.domain = dds.take_domain()
        self.environment = dds.environment(self.domain.number, pictures=True) | {"PYTHONPATH": str(HERE)}
        for name in (
            "ROS_AUTOMATIC_DISCOVERY_RANGE",
            "FASTRTPS_DEFAULT_PROFILES_FILE",
            "FASTDDS_DEFAULT_PROFILES_FILE",
        ):
            os.environ[name] = self.environment[name]
        self.context = Context()
        rclpy.init(context=self.context, domain_id=self.domain.number, signal_handler_options=SignalHandlerOptions.NO)
        self.node = Node("test", context=self.context)
        self.executor = SingleThreadedExecutor(context=self.context)
        self.executor.add_node(self.node)

    def close(self) -> None:
        """Leave the network."""
        self.executor.shutdown(timeout_sec=0.2)
        self.node.destroy_node()
        rclpy.shutdown(context=self.context)
        self.domain.release()

    def listen(self, kind: type[T], topic: str, profile: Any = qos.DEFAULT) -> list[T]:
        """A list that fills with what is said on ``topic``."""
        heard: list[T] = []
        self.node.create_subscription(kind, topic, heard.append, profile)
        return heard

    def speak(self, kind: type[T], topic: str, profile: Any = qos.DEFAULT) -> Callable[[T], None]:
        """A function that publishes."""
        return self.node.create_publisher(kind, topic, profile).publish

    def spin(self, seconds: float) -> None:
        """Let messages come in for ``seconds``."""
        self.until(lambda: False, seconds, must=False)

    def until(self, condition: Callable[[], Any], seconds: float, what: str = "", must: bool = True) -> Any:
        """Spin until ``condition`` holds; fails naming ``what`` after ``seconds``."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            value = condition()
            if value:
                return value
            self.executor.spin_once(timeout_sec=0.02)
        assert not must, f"waited {seconds:g} s in vain for {what or 'it'}"
        return None

    def end_of_drive(self, seconds: float) -> str:
        """Wait until the drive is over; its status."""
        scores = self.listen(Score, "/simlingo/score", qos.LATCHED)
        self.until(lambda: scores and scores[-1].status != "running", seconds, "the end of the drive")
        return str(scores[-1].status)

    def call(self, kind: Any, name: str, request: Any, seconds: float = START_S) -> Any:
        """Answer of a service."""
        client = self.node.create_client(kind, name)
        self.until(client.service_is_ready, seconds, f"service {name}")
        future = client.call_async(request)
        self.until(future.done, seconds, f"answer of {name}")
        self.node.destroy_client(client)
        return future.result()

    def transition(self, node: str, *numbers: int) -> bool:
        """Make lifecycle transitions; false when one failed."""
        requests = (ChangeState.Request(transition=Transition(id=number)) for number in numbers)
        return all(self.call(ChangeState, f"/{node}/change_state", request).success for request in requests)

    def up(self, node: str) -> None:
        """Configure and activate ``node``."""
        assert self.transition(node, Transition.TRANSITION_CONFIGURE, Transition.TRANSITION_ACTIVATE)

    def state(self, node: str) -> str:
        """Lifecycle state of ``node``."""
        return str(self.call(GetState, f"/{node}/get_state", GetState.Request()).current_state.label)

    def matched(self, topic: str, subscribers: int, publishers: int, seconds: float = START_S) -> None:
        """Wait until so many speak and listen on ``topic``."""
        node = self.node
        self.until(
            lambda: node.count_subscribers(topic) >= subscribers and node.count_publishers(topic) >= publishers,
            seconds,
            f"{subscribers} subscriber(s) and {publishers} publisher(s) of {topic}",
        )
        self.spin(0.2)


def process(name: str, parameters: Mapping[str, Value] | None = None, module: str = "") -> NodeSpec:
    """One node of the stack."""
    return NodeSpec(name, name, module or f"simlingo_node.{name}", parameters or {})


def geometric(nodes: list[NodeSpec]) -> list[NodeSpec]:
    """The same list with the test's driver in the planner."""
    return [dataclasses.replace(node, module="geometric_planner") if node.name == "planner" else node for node in nodes]


@contextmanager
def running(nodes: list[NodeSpec], log_dir: Path) -> Iterator[tuple[Network, Supervisor]]:
    """The nodes as processes, and the network to talk to them."""
    network = Network()
    supervisor = Supervisor(nodes, network.environment, log_dir)
    try:
        with supervisor:
            yield network, supervisor
    except BaseException:
        for log in sorted(log_dir.glob("*.log")):
            print(f"--- {log.name}\n{log.read_text(errors='replace')[-2000:]}")
        raise
    finally:
        network.close()


@contextmanager
def whole_stack(log_dir: Path, shipped: bool = False, **options: Any) -> Iterator[tuple[Network, Supervisor]]:
    """The stack without page and recorder, driven by the geometric driver or by the ``shipped`` network."""
    nodes = stack(StackOptions(**{"page_port": None, "traffic": "none", **options}))
    with running(nodes if shipped else geometric(nodes), log_dir) as (network, supervisor):
        yield network, supervisor


def log_of(log_dir: Path, node: str) -> str:
    """What a node has logged."""
    return (log_dir / f"{node}.log").read_text(errors="replace")


def odometry(stamp: int, x: float = 0.0, y: float = 0.0, speed: float = 5.0) -> Odometry:
    """Odometry as the bridge sends it."""
    message = Odometry()
    message.header.stamp = conversions.ns_to_stamp(stamp)
    message.header.frame_id = "map"
    message.pose.pose.position.x, message.pose.pose.position.y = x, y
    message.pose.pose.orientation.w = 1.0
    message.twist.twist.linear.x = speed
    return message


def picture(stamp: int, width: int = 1024, height: int = 512, moved: int = 0) -> Image:
    """Grey bars, from black to white; ``moved``: by so many shades."""
    bars = np.repeat(((np.arange(width) * 256 // width + moved) % 256).astype(np.uint8), 4).tobytes()
    return conversions.bgra_to_image(bars * height, width, height, stamp, "ego_vehicle/rgb_front")


def navigation(stamp: int, command: Command = Command.FOLLOW_LANE) -> Navigation:
    """Target points straight ahead, whatever the ``command``."""
    ahead = np.array(((20.0, 0.0), (50.0, 0.0)))
    message = conversions.navigation_to_message(CoreNavigation(ahead, command, Command.FOLLOW_LANE, 0.0))
    message.header.stamp = conversions.ns_to_stamp(stamp)
    return message
