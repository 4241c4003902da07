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
        self._stood = False

    def say(self, plan: DrivingPlan, stands: bool) -> None:
        """Publish what came with ``plan``, unless there is nothing new.

        ``stands``: the words tell why the car stands for want of guidance; the next plan that drives takes them back.
        """
        outdated = self._stood and not stands
        self._stood = stands
        text = plan.text or ("" if outdated else self._last)
        if text == self._last:
            return
        self._last = text
        message = Commentary(text=text, model=self._model)
        message.header.frame_id = self._frame_id
        message.header.stamp = ns_to_stamp(plan.text_stamp if plan.text else plan.stamp)
        self._stamped.publish(message)
        self._plain.publish(String(data=text))
