"""Quality of service of every topic, as carla-ros-bridge and the leaderboard use them."""

from __future__ import annotations

from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy


def _profile(reliable: bool, depth: int, latched: bool = False) -> QoSProfile:
    return QoSProfile(
        reliability=ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT,
        durability=DurabilityPolicy.TRANSIENT_LOCAL if latched else DurabilityPolicy.VOLATILE,
        history=HistoryPolicy.KEEP_LAST,
        depth=depth,
    )


#: Topics of the bridge and of the stack.
DEFAULT = _profile(reliable=True, depth=10)
#: One value that late subscribers get too: routes, world information, readiness, the score.
LATCHED = _profile(reliable=True, depth=1, latched=True)


def camera_subscription(lockstep: bool) -> QoSProfile:
    """RELIABLE in lockstep, where every frame counts; best effort and newest only in real time."""
    return _profile(reliable=True, depth=10) if lockstep else _profile(reliable=False, depth=1)
