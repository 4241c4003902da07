"""Speaks to a running stack from a process of its own: instructions with their steps, questions with their answers."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import rclpy
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import QoSProfile
from rclpy.signals import SignalHandlerOptions
from simlingo_msgs.msg import Instruction, InstructionStatus
from simlingo_msgs.srv import Ask

from simlingo.contracts import SimlingoError
from simlingo_node import dds
from simlingo_node.running import find_stack

#: A stack that runs is found within this time, s.
FOUND_WITHIN_S = 10.0
#: An answer may come so much later than its deadline, s: the way there and back.
_ON_THE_WAY_S = 2.0
_STEPS_KEPT = 64


class Talker:
    """A node that speaks and listens."""

    def __init__(self, domain: int) -> None:
        self.domain = domain
        self._context = Context()
        rclpy.init(context=self._context, domain_id=domain, signal_handler_options=SignalHandlerOptions.NO)
        self._node = Node("talk", context=self._context, enable_rosout=False, start_parameter_services=False)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self._node)

    def close(self) -> None:
        """Leave the network."""
        self._executor.shutdown(timeout_sec=0.2)
        self._node.destroy_node()
        rclpy.shutdown(context=self._context)

    def say(self, text: str, within_s: float) -> Iterator[InstructionStatus]:
        """Give an instruction; each step that it takes, until ``within_s`` have passed.

        Raises:
            SimlingoError: nobody listens on this domain.
        """
        heard: list[InstructionStatus] = []
        name = f"say-{uuid.uuid4().hex[:8]}"
        topic, status = "/simlingo/instruction_stamped", "/simlingo/instruction_status"
        self._node.create_subscription(InstructionStatus, status, heard.append, QoSProfile(depth=_STEPS_KEPT))
        publisher = self._node.create_publisher(Instruction, topic, 10)
        ready = (publisher.get_subscription_count, lambda: self._node.count_publishers(status))
        if not self._until(lambda: all(count() > 0 for count in ready), FOUND_WITHIN_S):
            raise self._nobody(topic)
        self._until(lambda: False, 0.2)  # who is seen is matched a moment later
        publisher.publish(Instruction(id=name, text=text))
        end = time.monotonic() + within_s
        while self._until(lambda: bool(heard), end - time.monotonic()):
            step = heard.pop(0)
            if step.id == name:
                yield step

    def ask(self, question: str, within_s: float) -> Ask.Response:
        """The answer to ``question``.

        Raises:
            SimlingoError: nobody answers on this domain.
        """
        client = self._node.create_client(Ask, "/simlingo/ask")
        if not self._until(client.service_is_ready, FOUND_WITHIN_S):
            raise self._nobody("/simlingo/ask")
        future = client.call_async(Ask.Request(question=question, deadline_s=within_s))
        if not self._until(future.done, within_s + _ON_THE_WAY_S):
            raise SimlingoError(f"no answer within {within_s:g} s; is the planner alive? Its log is in runs/")
        return future.result()

    def _until(self, condition: Callable[[], bool], seconds: float) -> bool:
        end = time.monotonic() + seconds
        while not condition():
            left = end - time.monotonic()
            if left <= 0.0:
                return False
            self._executor.spin_once(timeout_sec=min(left, 0.05))
        return True

    def _nobody(self, name: str) -> SimlingoError:
        return SimlingoError(
            f"nobody offers {name} on ROS domain {self.domain}; is the stack still starting, or on another --domain?"
        )


@contextmanager
def talker(domain: int | None) -> Iterator[Talker]:
    """Someone to speak with to the stack of ``domain``, or to the only one that runs here.

    Raises:
        SimlingoError: no stack runs, or several do.
    """
    found = find_stack(domain)
    os.environ.update(dds.environment(found, pictures=False))
    made = Talker(found)
    try:
        yield made
    finally:
        made.close()
