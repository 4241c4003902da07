"""What the video shows of a drive: the picture, the plan on it, and a line of numbers."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from nav_msgs.msg import Odometry
from PIL import Image
from rclpy.serialization import deserialize_message
from simlingo_msgs.msg import Commentary, InstructionStatus, Navigation, Score
from simlingo_msgs.msg import DrivingPlan as DrivingPlanMsg

from simlingo.contracts import InvalidInputError
from simlingo_node.conversions import message_to_plan, odometry_to_ego_state
from simlingo_node.instruction_status import word_of
from simlingo_node.overlay import Camera, Caption, draw_caption, draw_overlay
from simlingo_node.watch import PoseHistory

_INSTRUCTION_SHOWN_S = 8.0


@dataclass
class DriveFrames:
    """Keeps the newest serialized messages and reads them only when a frame is drawn. Not thread-safe."""

    camera: Camera = field(default_factory=Camera)
    poses: PoseHistory = field(default_factory=PoseHistory)
    plan: bytes | None = None
    navigation: bytes | None = None
    control: Any = None  # CarlaEgoVehicleControl
    score: bytes | None = None
    instruction: bytes | None = None
    instruction_stamp: int = 0  # ns
    commentary: bytes | None = None

    def add_odometry(self, serialized: bytes) -> None:
        """Keep a pose; a broken message is left out."""
        try:
            self.poses.add(odometry_to_ego_state(deserialize_message(serialized, Odometry)))
        except InvalidInputError:
            return

    def draw(self, picture: Image.Image, stamp: int) -> None:
        """Draw plan and numbers onto ``picture`` (RGB) of simulation time ``stamp`` (ns), in place."""
        if self.plan is not None:
            self._draw_plan(picture, self.plan, stamp)
        draw_caption(picture, self._caption(stamp))

    def _draw_plan(self, picture: Image.Image, serialized: bytes, stamp: int) -> None:
        try:
            plan = message_to_plan(deserialize_message(serialized, DrivingPlanMsg))
        except InvalidInputError:
            return  # a broken plan is the controller's to report; the video shows that there is none
        overlay = self.poses.overlay(plan, stamp, self.camera)
        if overlay is not None:
            draw_overlay(picture, overlay)

    def _caption(self, stamp: int) -> Caption:
        pose, control = self.poses.newest(), self.control
        left = f"{pose.speed * 3.6:3.0f} km/h" if pose is not None else ""
        if control is not None:
            left += f"   steer {control.steer:+.2f}   throttle {control.throttle:.2f}   brake {control.brake:.2f}"
        navigation = _read(self.navigation, Navigation)
        score = _read(self.score, Score)
        right = f"{stamp / 1e9:.1f} s"
        progress = 0.0
        if navigation is not None and navigation.length > 0.0:
            progress = navigation.progress / navigation.length
            right = f"{navigation.progress:.0f} of {navigation.length:.0f} m   " + right
        if score is not None and math.isfinite(score.driving_score):
            right = f"score {score.driving_score:.0f}   " + right
        words = _read(self.commentary, Commentary)
        return Caption(
            left,
            right,
            progress if math.isfinite(progress) else 0.0,
            self._instruction_text(stamp),
            words.text if words is not None else "",
        )

    def _instruction_text(self, stamp: int) -> str:
        status = _read(self.instruction, InstructionStatus)
        if status is None or stamp - self.instruction_stamp > _INSTRUCTION_SHOWN_S * 1e9:
            return ""
        return f"“{status.text}”  {word_of(status.status)}" if status.text else ""


def _read(serialized: bytes | None, kind: Callable[[], Any]) -> Any:
    return None if serialized is None else deserialize_message(serialized, kind)
