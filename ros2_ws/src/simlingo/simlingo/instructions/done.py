"""When what was asked for is done: one criterion for each kind of request, in the ego's states."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from simlingo.contracts import EgoState
from simlingo.geometry import wrap_angle
from simlingo.requests import RequestKind

#: A speed counts as reached within this of the wish, m/s, and as held after so long, s (LaMPilot's criterion).
SPEED_TOLERANCE_MPS = 1.0
SPEED_HELD_S = 5.0
#: Faster and slower are told from the speed at the time of the words by this much, m/s, and this share of it.
CHANGE_MPS, CHANGE_SHARE = 0.5, 0.1
CHANGE_HELD_S = 1.0
#: Slower than this it stands, m/s; faster than the other it has moved off.
STANDS_MPS, MOVES_MPS = 0.3, 1.0
#: A lane is reached when the ego is this far beside where it was, m, for so long, s.
LANE_SHIFT_M = 2.6
LANE_HELD_S = 1.0
#: Following and keeping a distance, and whatever has no end of its own, count as done after so long, s.
KEPT_S = 10.0
#: From this angle on a way through a junction is a turn, rad (CARLA's planner uses 35 degrees).
TURN_RAD = math.radians(35.0)

#: Requests that go on after they have been done, until other words come: a car told to stop must not drive off.
LASTING = frozenset(
    {
        RequestKind.STOP,
        RequestKind.PULL_OVER,
        RequestKind.TARGET_SPEED,
        RequestKind.FOLLOW,
        RequestKind.KEEP_DISTANCE,
    }
)
#: Requests that lead to another lane, on which the route goes on.
LANE_CHANGES = frozenset({RequestKind.LANE_LEFT, RequestKind.LANE_RIGHT})
TURNS = frozenset({RequestKind.TURN_LEFT, RequestKind.TURN_RIGHT, RequestKind.STRAIGHT})
#: Requests about something seen, done when it has been passed.
ABOUT_OBJECTS = frozenset({RequestKind.DRIVE_TO, RequestKind.AVOID, RequestKind.OVERTAKE})


@dataclass(frozen=True)
class Surroundings:
    """What map and route know of the ego's place."""

    lateral_m: float | None  # beside the route's line, right positive; None without a route
    in_junction: bool | None  # None without a map


class Criterion(Protocol):
    """Watches the ego from the moment the words came."""

    def update(self, ego: EgoState, around: Surroundings) -> bool:
        """Whether it is done at ``ego``; called with stamps that do not fall."""


class Held:
    """A condition that has held without a break for some seconds."""

    def __init__(self, condition: Callable[[EgoState, Surroundings], bool], seconds: float) -> None:
        self._condition, self._seconds = condition, seconds
        self._since: int | None = None

    def update(self, ego: EgoState, around: Surroundings) -> bool:
        """See ``Criterion``."""
        if not self._condition(ego, around):
            self._since = None
            return False
        self._since = ego.stamp if self._since is None else self._since
        return ego.stamp - self._since >= round(self._seconds * 1e9)


class JunctionLeft:
    """A junction has been entered and left, in the sense asked for."""

    def __init__(self, kind: RequestKind) -> None:
        self._kind = kind
        self._entered_yaw: float | None = None

    def update(self, ego: EgoState, around: Surroundings) -> bool:
        """See ``Criterion``."""
        if around.in_junction:
            self._entered_yaw = ego.yaw if self._entered_yaw is None else self._entered_yaw
            return False
        if self._entered_yaw is None:
            return False
        turned, self._entered_yaw = wrap_angle(ego.yaw - self._entered_yaw), None
        if self._kind is RequestKind.STRAIGHT:
            return abs(turned) <= TURN_RAD
        return turned > TURN_RAD if self._kind is RequestKind.TURN_RIGHT else turned < -TURN_RAD


class Never:
    """Done by what is seen only: see ``ABOUT_OBJECTS``."""

    def update(self, ego: EgoState, around: Surroundings) -> bool:
        """See ``Criterion``."""
        del ego, around
        return False


def criterion_of(
    kind: RequestKind | None, wish_mps: float | None, told_at: EgoState, around: Surroundings
) -> Criterion:
    """What must be seen for a request to be done.

    Args:
        kind: what the driver understood; None: it does not say.
        wish_mps: the speed that the sentence names, m/s.
        told_at: the ego when the words came.
        around: its place then.
    """
    told, step = told_at.speed, max(CHANGE_MPS, CHANGE_SHARE * told_at.speed)
    if kind in ABOUT_OBJECTS:
        return Never()
    if kind in TURNS:
        return JunctionLeft(kind)
    if kind in LANE_CHANGES:
        return _lane_reached(1.0 if kind is RequestKind.LANE_RIGHT else -1.0, around.lateral_m)
    if kind in (RequestKind.STOP, RequestKind.PULL_OVER):
        return Held(lambda ego, _: ego.speed < STANDS_MPS, CHANGE_HELD_S)
    if kind is RequestKind.GO:
        return Held(lambda ego, _: ego.speed > MOVES_MPS, CHANGE_HELD_S)
    if wish_mps is not None and kind in (RequestKind.TARGET_SPEED, RequestKind.FASTER, RequestKind.SLOWER):
        return Held(lambda ego, _: abs(ego.speed - wish_mps) <= SPEED_TOLERANCE_MPS, SPEED_HELD_S)
    if kind is RequestKind.FASTER:
        return Held(lambda ego, _: ego.speed >= told + step, CHANGE_HELD_S)
    if kind is RequestKind.SLOWER:
        return Held(lambda ego, _: ego.speed <= max(told - step, STANDS_MPS), CHANGE_HELD_S)
    return Held(lambda *_: True, KEPT_S)


def _lane_reached(side: float, begin_m: float | None) -> Criterion:
    """``side``: +1 right, -1 left; ``begin_m``: where the ego was beside its route, m."""

    def beside(_: EgoState, around: Surroundings) -> bool:
        if begin_m is None or around.lateral_m is None:
            return False
        return side * (around.lateral_m - begin_m) >= LANE_SHIFT_M

    return Held(beside, LANE_HELD_S)
