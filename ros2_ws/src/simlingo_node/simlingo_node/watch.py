"""What the watching nodes (live page, recorder) share: names of topics, the newest frame, poses by stamp."""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from typing import TypeVar

from rclpy.lifecycle import TransitionCallbackReturn
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy

from simlingo.contracts import DrivingPlan, EgoState, SimlingoError
from simlingo_node.node_base import StackNode
from simlingo_node.overlay import Camera, Overlay, carried_overlay

#: Pictures for people: the newest only, and never a reason for the publisher to wait.
PICTURES = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT, durability=DurabilityPolicy.VOLATILE)
#: Everything else that is watched; best effort, so that a slow watcher cannot hold the stack up.
WATCHED = QoSProfile(depth=20, reliability=ReliabilityPolicy.BEST_EFFORT, durability=DurabilityPolicy.VOLATILE)
#: Rare messages of which none may be missed.
EVENTS = QoSProfile(depth=50, reliability=ReliabilityPolicy.RELIABLE, durability=DurabilityPolicy.VOLATILE)

#: Waking up costs rclpy a millisecond, whatever the message. So a watcher lets the other messages of a tick arrive
#: behind the odometry for this long (s) and takes them all in one go.
SETTLE_S = 0.03

_POSES_KEPT = 200
_POSE_TOLERANCE_NS = 60_000_000


Watcher = TypeVar("Watcher", bound=StackNode)


def started(node: Watcher) -> Watcher:
    """``node``, active. A watcher needs no manager: it shows how the others come up.

    Raises:
        SimlingoError: it could not start; the reason has been logged.
    """
    for step in (node.trigger_configure, node.trigger_activate):
        if step() != TransitionCallbackReturn.SUCCESS:
            name = node.get_name()
            node.destroy_node()
            raise SimlingoError(f"the {name} did not start, for the reason logged above")
    return node


class PoseHistory:
    """The last poses of the vehicle, in the order of their stamps. Not thread-safe."""

    def __init__(self) -> None:
        self._poses: deque[EgoState] = deque(maxlen=_POSES_KEPT)

    def add(self, pose: EgoState) -> None:
        """Keep ``pose``; a stamp that goes backwards (another run) forgets the past."""
        if self._poses and pose.stamp < self._poses[-1].stamp:
            self._poses.clear()
        self._poses.append(pose)

    def newest(self) -> EgoState | None:
        """The last pose, ``None`` before the first."""
        return self._poses[-1] if self._poses else None

    def at(self, stamp: int) -> EgoState | None:
        """The pose of ``stamp`` (ns): the nearest one within 60 ms, ``None`` without one."""
        index = bisect_left(self._poses, stamp, key=lambda pose: pose.stamp)
        near = [self._poses[i] for i in (index - 1, index) if 0 <= i < len(self._poses)]
        best = min(near, key=lambda pose: abs(pose.stamp - stamp), default=None)
        return best if best is not None and abs(best.stamp - stamp) <= _POSE_TOLERANCE_NS else None

    def overlay(self, plan: DrivingPlan | None, stamp: int, camera: Camera) -> Overlay | None:
        """``plan`` as the picture of ``stamp`` (ns) shows it; ``None`` without pose, or with a plan over 1 s off."""
        if plan is None or abs(plan.stamp - stamp) > 1_000_000_000:
            return None
        then, now = self.at(plan.stamp), self.at(stamp)
        return None if then is None or now is None else carried_overlay(plan, then, now, camera)
