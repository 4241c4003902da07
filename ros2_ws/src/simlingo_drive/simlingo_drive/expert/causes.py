"""What the expert says about its speed: which kind of thing bounds it, and whether that is a hazard."""

from __future__ import annotations

from enum import IntEnum

from simlingo_drive.expert.expert import ExpertInfo
from simlingo_drive.expert.situation import Lead, Stop


class Cause(IntEnum):
    """What bounds the expert's speed."""

    ROAD = 0  # limits and bends
    TRAFFIC_LIGHT = 1  # red or yellow
    STOP_SIGN = 2
    JUNCTION = 3  # others have the right of way there, or stand behind it
    WALKER = 4
    VEHICLE = 5  # one that will cross the ego's way
    LEAD = 6  # one ahead on the ego's way


def cause_of(bound: Stop | Lead | None) -> Cause:
    """The label of what bounds the expert's speed."""
    if bound is None:
        return Cause.ROAD
    return Cause.LEAD if isinstance(bound, Lead) else Cause[bound.reason.upper()]


def is_hazard(info: ExpertInfo) -> bool:
    """A vehicle or pedestrian makes the expert slow down."""
    if info.cause is None or info.acceleration > -0.3:
        return False
    return getattr(info.cause, "reason", "lead") in ("lead", "walker", "vehicle", "junction")
