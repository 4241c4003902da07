"""What a camera sees in one tick beyond the town itself: weather, vehicles, pedestrians and signal states.

Positions are in CARLA's map frame (x east, y south, z up, left-handed, metres; yaw in degrees, clockwise
from above). The simulator fills a :class:`SceneFrame` each tick; the renderer only reads it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import carla

#: Names that :attr:`SceneFrame.signals` may hold.
SIGNAL_STATES = ("red", "yellow", "green", "off")


@dataclass(frozen=True, slots=True)
class VehicleVisual:
    """One vehicle to draw; its origin is the actor's: middle of the footprint, on the ground."""

    kind: str  # blueprint id, as "vehicle.tesla.model3"
    x: float  # m, map frame
    y: float  # m
    z: float  # m, height of the ground contact
    pitch_deg: float = 0.0  # nose up positive, as carla.Rotation
    yaw_deg: float = 0.0
    roll_deg: float = 0.0
    color: tuple[int, int, int] = (120, 120, 125)  # RGB of the paint, 0-255
    brake: bool = False
    left_indicator: bool = False  # lit in this very frame: whoever fills the scene decides on the blinking
    right_indicator: bool = False
    headlights: bool = False
    seed: int = 0


@dataclass(frozen=True, slots=True)
class WalkerVisual:
    """One pedestrian to draw; ``z`` is the height of the soles."""

    x: float  # m, map frame
    y: float  # m
    z: float  # m
    yaw_deg: float = 0.0
    speed: float = 0.0  # m/s, sets the width of the stride
    phase: float = 0.0  # rad, place in the cycle of two steps
    seed: int = 0  # picks build and clothes


@dataclass(frozen=True, slots=True)
class PropVisual:
    """One thing that stands about; its origin is the actor's: middle of the footprint, on the ground."""

    kind: str  # blueprint id of a thing, as "static.prop.bench01", or of the vehicle that is parked there
    x: float  # m, map frame
    y: float  # m
    z: float  # m
    yaw_deg: float = 0.0
    color: tuple[int, int, int] = (128, 128, 128)  # RGB of a parked vehicle's paint, 0-255


@dataclass(frozen=True, slots=True)
class SceneFrame:
    """The moving part of one picture."""

    weather: carla.WeatherParameters
    vehicles: list[VehicleVisual] = field(default_factory=list)
    walkers: list[WalkerVisual] = field(default_factory=list)
    signals: dict[str, str] = field(default_factory=dict)  # OpenDRIVE signal id -> one of SIGNAL_STATES
    props: Sequence[PropVisual] = ()
