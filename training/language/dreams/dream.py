"""What a dream is: a request to the driver, what the vehicle would do then, and what comes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from simlingo.contracts import FloatArray
from simlingo.requests import Reason, RequestKind, Verdict

KMH, MPS = "km/h", "m/s"


@dataclass(frozen=True)
class ObjectSlots:
    """How a thing is described; the words that are needed to tell it from others, and sometimes more."""

    name: str  # car, bus, pedestrian, cone, traffic light, ...
    colour: str | None = None
    place: str | None = None  # left, right, ahead: beside or on the ego's way
    actor_id: int | None = None  # whom it means; None: nothing of that description is there


@dataclass(frozen=True)
class Slots:
    """What the words of a request fill in; ``None`` where the kind has no such thing."""

    speed_mps: float | None = None  # exactly what the words say in ``unit``
    unit: str | None = None  # "km/h" or "m/s"
    lanes: int | None = None  # 1 or 2, to the side that the kind names
    lane: str | None = None  # "leftmost", "rightmost", or "1", "2", ... counted from the left
    distance_m: float | None = None  # bumper to bumper
    object: ObjectSlots | None = None


@dataclass(frozen=True)
class Dream:
    """One request at one frame; path and waypoints hold what following it to the letter would be."""

    kind: RequestKind
    slots: Slots
    path: FloatArray  # (20, 2) m, ego frame, a point a metre, the first at the car
    speed_waypoints: FloatArray  # (10, 2) m, ego frame, at 0.25 s, 0.5 s, ... 2.5 s
    verdict: Verdict
    reason: Reason | None = None  # None: it is followed
    by: int | None = None  # the actor that the reason speaks of: whom it would hit, whose light it would run
    at_s: float | None = None  # when that happens; None: not within what was rolled out, or nothing happens
    dreamt: bool = True  # False: there is nothing to imagine, path and waypoints are those without instruction
    track: FloatArray = field(default_factory=lambda: np.zeros((0, 4)), repr=False)
    """(ticks + 1, 4) x m, y m, yaw rad (ego frame), speed m/s of the 2.5 s rolled out; empty where nothing was."""

    def labels(self, row: Mapping[str, Any], safety: bool) -> tuple[FloatArray, FloatArray]:
        """Path (20, 2) m and speed waypoints (10, 2) m that a model is to give.

        Args:
            row: of the frame, with ``path_m`` and ``speed_waypoints_m``: what the expert does without instruction.
            safety: refuse what is unsafe (the published flag SAFETY); else follow whatever can be imagined.
        """
        if self.verdict is Verdict.FOLLOW or (self.dreamt and not safety):
            return self.path, self.speed_waypoints
        return uninstructed(row)


def uninstructed(row: Mapping[str, Any]) -> tuple[FloatArray, FloatArray]:
    """The expert's path (20, 2) m and speed waypoints (10, 2) m of ``row``."""
    return np.asarray(row["path_m"], dtype=np.float64), np.asarray(row["speed_waypoints_m"], dtype=np.float64)
