"""What things of a scene are called, and where in the picture they are."""

from __future__ import annotations

import math

from training.language.naming import PEDESTRIAN
from training.language.questions.scene import Thing

#: Bearing from the camera within which a thing is ahead, and beyond which it is aside, rad.
_AHEAD_RAD, _ASIDE_RAD = math.radians(7.0), math.radians(11.0)


def name_of(thing: Thing) -> str:
    """Such as "red car"."""
    return f"{thing.colour} {thing.kind}".strip() if thing.kind != PEDESTRIAN else PEDESTRIAN


def picture_place(thing: Thing) -> str | None:
    """Where in the picture it is; None between two answers."""
    bearing = math.atan2(thing.position_m[1], thing.position_m[0] + 1.5)
    if abs(bearing) < _AHEAD_RAD:
        return "straight ahead"
    if abs(bearing) < _ASIDE_RAD:
        return None
    return "ahead on the right" if bearing > 0.0 else "ahead on the left"
