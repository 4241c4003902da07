"""What the expert says about its speed: which kind of thing bounds it, and whether that is a hazard."""

from __future__ import annotations

from simlingo_drive.expert.causes import Cause
from simlingo_drive.expert.expert import ExpertInfo
from simlingo_drive.expert.situation import Bound, Lead, Narrow


def cause_of(bound: Bound | None) -> Cause:
    """The label of what bounds the expert's speed."""
    if bound is None:
        return Cause.ROAD
    if isinstance(bound, Narrow):
        return Cause.OBSTACLE
    return Cause.LEAD if isinstance(bound, Lead) else Cause[bound.reason.upper()]


def is_hazard(info: ExpertInfo) -> bool:
    """A vehicle or pedestrian makes the expert slow down."""
    if info.cause is None or info.acceleration > -0.3:
        return False
    return cause_of(info.cause) in (Cause.LEAD, Cause.WALKER, Cause.VEHICLE, Cause.JUNCTION)
