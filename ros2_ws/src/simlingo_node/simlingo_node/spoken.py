"""The driver's words on topics of their own, for those who read no plans."""

from __future__ import annotations

from rclpy.node import Node
from simlingo_msgs.msg import Commentary
from std_msgs.msg import String

from simlingo.contracts import DrivingPlan
from simlingo_node import qos
from simlingo_node.conversions import ns_to_stamp


class Spoken:
    """Publishes the words of plans when they change: ``/simlingo/commentary`` for programs, its twin for people."""

    def __init__(self, node: Node, frame_id: str, model: str) -> None:
        self._frame_id, self._model = frame_id, model
        self._stamped = node.create_publisher(Commentary, "/simlingo/commentary", qos.LATCHED)
        self._plain = node.create_publisher(String, "/simlingo/commentary_text", qos.LATCHED)
        self._last = ""

    def say(self, plan: DrivingPlan) -> None:
        """Publish what came with ``plan``, unless there is nothing, or nothing new."""
        if not plan.text or plan.text == self._last:
            return
        self._last = plan.text
        message = Commentary(text=plan.text, model=self._model)
        message.header.frame_id = self._frame_id
        message.header.stamp = ns_to_stamp(plan.text_stamp)
        self._stamped.publish(message)
        self._plain.publish(String(data=plan.text))
