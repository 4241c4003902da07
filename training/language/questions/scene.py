"""What questions are asked about: one view of one frame, with everything around the car in that view's frame.

A :class:`Scene` holds plain facts and no map, no row and no picture, so that one can be written by hand. Frames are CARLA's:
x forward, y right, yaw clockwise; *view* is the ego as the row's camera saw it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from simlingo.contracts import Command, FloatArray
from simlingo_drive.expert.causes import Cause
from training.language.naming import PEDESTRIAN, VEHICLES
from training.language.surroundings.visibility import SEEN_SAMPLES

#: Slower things stand, faster ones move, m/s; between the two nobody can tell.
STANDS_BELOW_MPS, MOVES_ABOVE_MPS = 0.2, 0.8


class Where(Enum):
    """Where a thing is, told from the road the view stands on; the value is the answer."""

    OWN_LANE = "in our lane"
    LEFT_LANE = "in the lane to our left"
    RIGHT_LANE = "in the lane to our right"
    ONCOMING = "in an oncoming lane"
    JUNCTION = "in the junction"
    ROAD_LEFT = "on the road to the left"
    ROAD_RIGHT = "on the road to the right"
    ROAD_BEYOND = "on the road beyond the junction"
    CROSSING = "on the crossing"
    CARRIAGEWAY = "on the carriageway"
    BESIDE_LEFT = "beside the road on the left"
    BESIDE_RIGHT = "beside the road on the right"


@dataclass(frozen=True)
class Thing:
    """A vehicle, a pedestrian, or an object that stands about."""

    id: int
    kind: str  # what it is called, see ``training.language.naming``
    position_m: tuple[float, float]  # its middle, view frame
    yaw_rad: float = 0.0  # view frame
    velocity_mps: tuple[float, float] = (0.0, 0.0)  # view frame
    extent_m: tuple[float, float, float] = (2.3, 0.9, 0.75)  # half length, width, height
    colour: str = ""  # of its paint; empty: unknown, or it has none
    samples: int = 100  # of the stored depth that lie on it
    where: Where | None = None  # None: cannot be told
    parked: bool = False  # stands for good
    ways: tuple[FloatArray, ...] = ()  # where its lanes lead: lines (N, 2) m, view frame

    @property
    def speed_mps(self) -> float:
        """How fast it moves."""
        return math.hypot(*self.velocity_mps)

    @property
    def distance_m(self) -> float:
        """From the ego's middle to its own."""
        return math.hypot(*self.position_m)

    @property
    def seen(self) -> bool:
        """Enough of it is in the picture."""
        return self.samples >= SEEN_SAMPLES

    @property
    def half_seen(self) -> bool:
        """Too little of it is in the picture to count on, and too much to say that it is not there."""
        return 0 < self.samples < SEEN_SAMPLES

    @property
    def is_vehicle(self) -> bool:
        """Somebody drives it, or has parked it."""
        return self.kind in VEHICLES

    @property
    def is_object(self) -> bool:
        """It is neither vehicle nor pedestrian."""
        return not self.is_vehicle and self.kind != PEDESTRIAN


@dataclass(frozen=True)
class Lanes:
    """The road that the view stands on, as its own direction sees it."""

    index: int  # of the own lane, 0 is the leftmost of the direction
    same: int  # lanes of the own direction
    opposite: int  # lanes of the other
    left_marking: str  # such as "broken yellow"; "none"
    right_marking: str
    may_left: bool  # a lane of the same direction is there and the marks let one change to it
    may_right: bool
    from_left: bool  # the marks let who drives there change to the own lane
    from_right: bool
    marks_end: bool = False  # so near to a junction that no lane marks are painted beside the car


@dataclass(frozen=True)
class Way:
    """One way through a junction."""

    line_m: FloatArray  # (N, 2) m, view frame: from the ego through the junction and a bit beyond
    watch: frozenset[str] = frozenset()  # "left", "ahead", "right": whose traffic crosses or joins it


@dataclass(frozen=True)
class Junction:
    """The junction that the view stands in, or the next one on the route."""

    inside: bool
    distance_m: float  # along the route to where it begins; 0 inside
    ways: Mapping[Command, Way] = field(default_factory=dict)  # LEFT, RIGHT, STRAIGHT from the own lane
    offered: frozenset[Command] = frozenset()  # from any lane of the own direction


@dataclass(frozen=True)
class Light:
    """The light that holds for the ego."""

    state: str  # red, yellow, green
    distance_m: float  # bumper to stop line along the route
    seen: bool  # a lit lens of that state is in the picture
    must_stop: bool  # the expert stops for it


@dataclass(frozen=True)
class StopSign:
    """The stop sign that holds for the ego."""

    distance_m: float  # bumper to stop line along the route
    seen: bool  # its plate is in the picture
    holds: bool  # the ego has not stood there yet


@dataclass(frozen=True)
class Plan:
    """What the expert does, and where it goes."""

    speed_mps: float
    target_speed_mps: float  # half a second from now
    end_speed_mps: float  # two and a half seconds from now
    acceleration_mps2: float
    cause: Cause
    cause_seen: bool  # what bounds the speed is in the picture, or is the road itself
    bends: bool  # the road bends within the next 20 m
    manoeuvre: Command  # the next on the route that is not to follow the lane, within MANOEUVRE_AHEAD_M
    manoeuvre_m: float  # to where it begins
    offset_m: float = 0.0  # the path leaves the lane's middle so far, right positive
    blocked_by: int | None = None  # the object beside which it does


@dataclass(frozen=True)
class Lead:
    """The vehicle ahead on the ego's way."""

    thing: Thing
    gap_m: float  # bumper to bumper


@dataclass(frozen=True)
class Weather:
    """Sky and road, in CARLA's numbers (percent, degrees)."""

    cloudiness: float
    precipitation: float
    wetness: float
    fog_density: float
    sun_altitude_deg: float


@dataclass(frozen=True)
class Scene:
    """One view of one frame."""

    plan: Plan
    weather: Weather
    speed_limit_mps: float
    things: tuple[Thing, ...] = ()
    lanes: Lanes | None = None  # None: in a junction, or the view stands astride
    lanes_soon: Lanes | None = None  # SOON_M ahead on the route, before any junction
    junction: Junction | None = None  # None: none within JUNCTION_AHEAD_M
    at_junction_known: bool = True  # map and route agree on whether the ego is in a junction
    road_line_m: FloatArray | None = None  # (N, 2) m, view frame: the own lane ahead
    side_lines_m: Mapping[str, FloatArray] = field(default_factory=dict)  # "left", "right": lanes of the same direction
    light: Light | None = None  # None: none holds for the ego
    stop_sign: StopSign | None = None
    lead: Lead | None = None  # None: nothing ahead within LEAD_AHEAD_M
    lead_known: bool = True  # picture, boxes and labels agree on it

    def seen(self) -> tuple[Thing, ...]:
        """The things in the picture, nearest first."""
        return tuple(sorted((thing for thing in self.things if thing.seen), key=lambda thing: thing.distance_m))


#: How far a scene looks, m.
MANOEUVRE_AHEAD_M, JUNCTION_AHEAD_M, LEAD_AHEAD_M, SOON_M = 50.0, 40.0, 40.0, 20.0
