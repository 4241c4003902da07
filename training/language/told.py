"""What a commentary tells, as facts: the way, the pace, and why."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from simlingo.contracts import InvalidInputError


class Way(Enum):
    """Where the ego goes."""

    FOLLOW_ROAD = "follow_road"
    TURN_LEFT = "turn_left"
    TURN_RIGHT = "turn_right"
    STRAIGHT = "straight"
    LANE_LEFT = "lane_left"
    LANE_RIGHT = "lane_right"
    AROUND = "around"  # an object
    OVERTAKE = "overtake"  # an object
    PULL_OVER = "pull_over"


class Pace(Enum):
    """What it does about its speed."""

    KEEP = "keep"
    SPEED_UP = "speed_up"
    SLOW_DOWN = "slow_down"
    STOP = "stop"
    WAIT = "wait"
    START = "start"
    FOLLOW_VEHICLE = "follow_vehicle"


class Why(Enum):
    """Why it does so about its speed."""

    RED_LIGHT = "red_light"
    YELLOW_LIGHT = "yellow_light"
    STOP_SIGN = "stop_sign"
    JUNCTION = "junction"  # others go first
    WALKER = "walker"
    VEHICLE = "vehicle"  # one that will cross the ego's way
    LEAD = "lead"  # one ahead on the ego's way
    BEND = "bend"
    GREEN_LIGHT = "green_light"
    OBSTACLE = "obstacle"
    SPEED_LIMIT = "speed_limit"
    FREE_ROAD = "free_road"
    INSTRUCTION = "instruction"


#: What needs an object, and what may name one.
WAYS_WITH_OBJECT = frozenset({Way.AROUND, Way.OVERTAKE})
PACES_WITH_OBJECT = frozenset({Pace.FOLLOW_VEHICLE})
WHYS_WITH_OBJECT = frozenset({Why.WALKER, Why.VEHICLE, Why.LEAD, Why.OBSTACLE})


@dataclass(frozen=True)
class Told:
    """The facts of one commentary. Objects are described without article: ``red car ahead``.

    Raises:
        InvalidInputError: an object where none is spoken of, or none where one is needed.
    """

    way: Way
    pace: Pace
    why: Why | None = None
    way_object: str | None = None
    pace_object: str | None = None
    why_object: str | None = None

    def __post_init__(self) -> None:
        if (self.way in WAYS_WITH_OBJECT) != (self.way_object is not None):
            raise InvalidInputError(
                f"the way {self.way.value} and the object {self.way_object!r} do not fit; {_WAY_CURE}"
            )
        if self.pace_object is not None and self.pace not in PACES_WITH_OBJECT:
            raise InvalidInputError(f"the pace {self.pace.value} names no object; leave {self.pace_object!r} out")
        if self.why_object is not None and self.why not in WHYS_WITH_OBJECT:
            name = self.why.value if self.why else "none"
            raise InvalidInputError(f"the reason {name} names no object; leave {self.why_object!r} out")


_WAY_CURE = f"only {' and '.join(sorted(way.value for way in WAYS_WITH_OBJECT))} have one, and need it"
