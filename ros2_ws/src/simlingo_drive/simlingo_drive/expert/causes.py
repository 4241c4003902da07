"""The kinds of things that bound the expert's speed."""

from __future__ import annotations

from enum import IntEnum


class Cause(IntEnum):
    """What bounds the expert's speed."""

    ROAD = 0  # limits and bends
    TRAFFIC_LIGHT = 1  # red or yellow
    STOP_SIGN = 2
    JUNCTION = 3  # others have the right of way there, or stand behind it
    WALKER = 4
    VEHICLE = 5  # one that will cross the ego's way
    LEAD = 6  # one ahead on the ego's way
    OBSTACLE = 7  # something that stands at the lane's edge and leaves little room, or blocks the lane
