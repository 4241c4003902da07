"""What a criterion is: it watches one ego at every tick and says what went wrong, or that the route has ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any


class Kind(str, Enum):  # noqa: UP042  Humble's Python 3.10 has no StrEnum
    """What can go wrong on a route."""

    COLLISION_PEDESTRIAN = "collision_pedestrian"
    COLLISION_VEHICLE = "collision_vehicle"
    COLLISION_STATIC = "collision_static"
    RED_LIGHT = "red_light"
    STOP_SIGN = "stop_sign"
    OUTSIDE_LANES = "outside_lanes"
    ROUTE_DEVIATION = "route_deviation"
    BLOCKED = "blocked"
    TIMEOUT = "timeout"
    MINIMUM_SPEED = "minimum_speed"


@dataclass(frozen=True)
class EgoMotion:
    """The ego at one tick: CARLA's map frame, m, rad, m/s."""

    x: float
    y: float
    yaw: float
    speed: float
    front: float  # m from the reference point to the front bumper
    rear: float  # m from the reference point to the rear bumper
    now: float = 0.0  # s, simulation time
    begin: float = 0.0  # s, simulation time at which the route began
    step: float = 0.0  # m driven since the last tick

    @property
    def time(self) -> float:
        """Seconds since the route began."""
        return self.now - self.begin


@dataclass(frozen=True)
class Finding:
    """One thing that a criterion found at a tick."""

    kind: Kind
    other: str  # type of the other actor, or id of the light or sign; empty where there is none
    text: str  # one sentence for a person


@dataclass(frozen=True)
class Infraction:
    """One thing that went wrong."""

    kind: Kind
    time: float  # s since the route began
    x: float  # m, map frame (CARLA)
    y: float  # m, map frame (CARLA)
    other: str  # type of the other actor, or id of the light or sign; empty where there is none
    text: str  # one sentence for a person


class Criterion:
    """Watches one thing. A list of criteria makes a score."""

    #: How the route ends where this criterion ends it, such as ``completed``; empty: it goes on.
    ending: str = ""

    def update(self, ego: EgoMotion) -> Sequence[Finding]:
        """Look at the tick that the world has just made; what went wrong in it."""
        raise NotImplementedError

    def factor(self) -> float:
        """What the driving score is multiplied by, beside the penalties of what was found: 0 to 1."""
        return 1.0

    def figures(self) -> dict[str, Any]:
        """Fields of :class:`simlingo_drive.criteria.score.RouteResult` that this criterion knows."""
        return {}

    def close(self) -> None:
        """Take what was put into the world out of it."""
