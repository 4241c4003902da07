"""What a person may ask of the driver, and why a driver says no: the vocabulary that data, network and nodes share."""

from __future__ import annotations

from enum import Enum


class RequestKind(Enum):
    """What an instruction asks for; the modes of Action Dreaming (spec C.3) and those of driving commands."""

    FASTER = "faster"
    SLOWER = "slower"
    TARGET_SPEED = "target_speed"
    STOP = "stop"
    GO = "go"
    LANE_LEFT = "lane_left"
    LANE_RIGHT = "lane_right"
    DRIVE_TO = "drive_to"
    AVOID = "avoid"
    FOLLOW = "follow"
    OVERTAKE = "overtake"
    PULL_OVER = "pull_over"
    KEEP_DISTANCE = "keep_distance"
    TURN_LEFT = "turn_left"
    TURN_RIGHT = "turn_right"
    STRAIGHT = "straight"


class Verdict(Enum):
    """What the driver makes of an instruction."""

    FOLLOW = "follow"
    UNSAFE = "unsafe"
    IMPOSSIBLE = "impossible"
    NOT_UNDERSTOOD = "not_understood"


class Reason(Enum):
    """Why an instruction is not followed; each belongs to one verdict, see ``VERDICT_OF``."""

    VEHICLE = "vehicle"  # would hit, or cut in before, a vehicle
    WALKER = "walker"  # would hit a person
    OBSTACLE = "obstacle"  # would hit a thing that stands there
    RED_LIGHT = "red_light"
    STOP_SIGN = "stop_sign"
    SOLID_LINE = "solid_line"
    ONCOMING_LANE = "oncoming_lane"
    OFF_ROAD = "off_road"  # pavement, verge, building
    SPEED_LIMIT = "speed_limit"
    NO_LANE = "no_lane"  # there is no such lane
    NO_OBJECT = "no_object"  # nothing of that description is seen
    NO_JUNCTION = "no_junction"  # no junction near offers that way
    NO_LEAD = "no_lead"  # no vehicle ahead to follow, pass or keep a distance to
    OUT_OF_REACH = "out_of_reach"  # the vehicle cannot get there, or not in time
    NOT_UNDERSTOOD = "not_understood"  # means nothing
    NOT_DRIVING = "not_driving"  # means something that no driver can do

    @property
    def verdict(self) -> Verdict:
        """The verdict that this reason explains."""
        return VERDICT_OF[self]


_IMPOSSIBLE = (Reason.NO_LANE, Reason.NO_OBJECT, Reason.NO_JUNCTION, Reason.NO_LEAD, Reason.OUT_OF_REACH)
_NOT_UNDERSTOOD = (Reason.NOT_UNDERSTOOD, Reason.NOT_DRIVING)
#: A reason's verdict: what could be done but must not, what cannot be done, what is no request to a driver.
VERDICT_OF: dict[Reason, Verdict] = (
    dict.fromkeys(Reason, Verdict.UNSAFE)
    | dict.fromkeys(_IMPOSSIBLE, Verdict.IMPOSSIBLE)
    | dict.fromkeys(_NOT_UNDERSTOOD, Verdict.NOT_UNDERSTOOD)
)
