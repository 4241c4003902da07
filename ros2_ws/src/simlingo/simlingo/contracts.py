"""Values that cross the borders between the parts of the stack.

Frames: the *map* frame and the *ego* frame are CARLA's (x forward, y right, left-handed, metres,
yaw in radians, positive clockwise seen from above). ROS's REP-103 frames exist only inside
``simlingo_node``, which flips them in ``conversions.py``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from simlingo.requests import Reason, RequestKind

FloatArray = npt.NDArray[np.float64]
ImageArray = npt.NDArray[np.uint8]

#: Seconds of one tick of world, controller and expert: 20 Hz (spec D.1).
TICK_S = 0.05
TICK_NS = round(TICK_S * 1e9)
#: Number of path points, one a metre along the path (spec 0.6).
PATH_POINTS = 20
#: Number of speed waypoints (spec 0.6).
SPEED_WAYPOINTS = 10
#: Seconds between two speed waypoints (spec B.3).
SPEED_WAYPOINT_PERIOD_S = 0.25


class SimlingoError(Exception):
    """Base of every error this project raises on purpose; its text names the cause and the cure."""


class InvalidInputError(SimlingoError, ValueError):
    """An input from outside (frame, odometry, route, file, parameter) breaks its contract."""


class Command(IntEnum):
    """High-level navigation command, numbered as CARLA's RoadOption (spec A.6)."""

    LEFT = 1
    RIGHT = 2
    STRAIGHT = 3
    FOLLOW_LANE = 4
    CHANGE_LANE_LEFT = 5
    CHANGE_LANE_RIGHT = 6


@dataclass(frozen=True)
class CameraIntrinsics:
    """Pinhole camera without distortion."""

    width: int  # px
    height: int  # px
    focal_x: float  # px
    focal_y: float  # px
    center_x: float  # px
    center_y: float  # px

    @classmethod
    def from_field_of_view(cls, width: int, height: int, fov_deg: float) -> CameraIntrinsics:
        """Square-pixel camera of the horizontal field of view ``fov_deg`` (degrees), as CARLA's."""
        focal = width / (2.0 * np.tan(np.radians(fov_deg) / 2.0))
        return cls(width, height, float(focal), float(focal), width / 2.0, height / 2.0)


#: The camera the model was made for (spec A.2): 1024x512, 110 degrees, at (-1.5, 0, 2.0) m in the
#: ego frame (x forward, y right, z up), looking straight ahead.
MODEL_CAMERA = CameraIntrinsics.from_field_of_view(1024, 512, 110.0)
MODEL_CAMERA_POSITION_IN_EGO: tuple[float, float, float] = (-1.5, 0.0, 2.0)


@dataclass(frozen=True)
class EgoState:
    """Pose and speed of the ego vehicle at one instant."""

    stamp: int  # ns, simulation time
    x: float  # m, map frame
    y: float  # m, map frame
    yaw: float  # rad, map frame, clockwise positive (CARLA)
    speed: float  # m/s, >= 0


@dataclass(frozen=True)
class Navigation:
    """What the route tells the model at one instant (spec A.6, B.6, D.4)."""

    target_points: FloatArray  # (2, 2) m, ego frame: the next two sparse route points
    command: Command
    next_command: Command
    distance_to_command: float  # m to the place where ``command`` is to be carried out


@dataclass(frozen=True)
class Observation:
    """Everything the model sees for one plan; nothing else reaches it."""

    stamp: int  # ns, the image's stamp
    image: ImageArray  # (H, W, 3) RGB
    intrinsics: CameraIntrinsics
    speed: float  # m/s
    navigation: Navigation


@dataclass(frozen=True)
class DrivingPlan:
    """A plan in the ego frame of its image's instant."""

    stamp: int  # ns, the image's stamp, not now
    path: FloatArray  # (20, 2) m, ego frame, one point a metre
    speed_waypoints: FloatArray  # (10, 2) m, ego frame, one every 0.25 s, first at +0.25 s
    instruction_id: str = ""  # the instruction the driver was told, which this plan obeys or refuses; empty: none
    refused: bool = False  # the instruction does not act on this plan
    reason: Reason | None = None  # why it is refused; its verdict tells unsafe, impossible and not understood apart
    request: RequestKind | None = None  # what the driver understood; None: it does not say, or was told no words
    text: str = ""
    text_stamp: int = 0  # ns, the frame ``text`` speaks of; 0 without text
    text_fault: str = ""  # why a text that was due has been dropped; the plan itself is whole
    timing: Mapping[str, float] = field(default_factory=dict)  # s per phase; the parts sum to the whole


@dataclass(frozen=True)
class Control:
    """Actuation for one 20 Hz tick."""

    stamp: int  # ns, the simulation time this answers
    steer: float  # [-1, 1], right positive
    throttle: float  # [0, 1]
    brake: float  # [0, 1]


@dataclass(frozen=True)
class Instruction:
    """A request in words."""

    id: str
    stamp: int  # ns, simulation time from which it holds
    text: str  # to a driver: what only it can do; empty where the route alone carries the instruction out


@dataclass(frozen=True)
class Answer:
    """Reply to a question about the scene: exactly one of ``text`` and ``error`` is set."""

    text: str | None = None
    error: str | None = None
    stamp: int = 0  # ns, the frame that the text speaks of

    def __post_init__(self) -> None:
        if (self.text is None) == (self.error is None):
            raise ValueError("an Answer holds exactly one of text and error")
