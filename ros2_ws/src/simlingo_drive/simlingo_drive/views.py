"""What the model's camera sees from the ego, or from a pose beside it, with tags and depth for the labels."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt

from simlingo.contracts import EgoState, ImageArray

#: Bounds of the shift (m) and turn (rad) of the view beside the ego's (spec B.5).
MAX_SHIFT_M, MAX_TURN_RAD = 1.5, math.radians(20.0)


@dataclass(frozen=True)
class View:
    """What one camera saw."""

    rgb: ImageArray  # (512, 1024, 3)
    semantic: npt.NDArray[np.uint8]  # (512, 1024), CARLA 0.9.15 tags
    depth: npt.NDArray[np.float32]  # (512, 1024) m


@dataclass(frozen=True)
class DrawnVehicle:
    """A vehicle that a view shows and the world does not have; CARLA's map frame."""

    type_id: str
    x: float  # m
    y: float  # m
    z: float  # m, height of the ground
    yaw: float  # rad, clockwise
    color: tuple[int, int, int]  # RGB of the paint
    brake: bool  # its brake lamps are lit
    seed: int = 0


@dataclass(frozen=True)
class ViewChanges:
    """What a view shows that is not so."""

    lights: Mapping[str, str] = field(default_factory=dict)  # OpenDRIVE signal id -> red, yellow, green
    vehicles: tuple[DrawnVehicle, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.lights or self.vehicles)


class ViewCamera(Protocol):
    """The model's camera (spec A.2) on the ego of one world."""

    def place_second(self, shift: float, turn: float) -> None:
        """Where the next tick's view beside the ego stands: m to its right, rad clockwise. Before the tick."""

    def capture(self, pose: EgoState, changes: ViewChanges | None = None) -> View:
        """What it sees at this tick from the ego standing at ``pose``.

        Raises:
            CapabilityError: the world cannot show the changes, or has no camera at that pose.
        """

    def rgb(self, pose: EgoState) -> ImageArray:
        """Only the colours, (512, 1024, 3)."""

    def close(self) -> None:
        """Take the camera out of the world."""


def beside(ego: EgoState, shift: float, turn: float) -> EgoState:
    """The ego's state moved ``shift`` m to its right and turned by ``turn`` rad (clockwise)."""
    return dataclasses.replace(
        ego, x=ego.x - shift * math.sin(ego.yaw), y=ego.y + shift * math.cos(ego.yaw), yaw=ego.yaw + turn
    )
