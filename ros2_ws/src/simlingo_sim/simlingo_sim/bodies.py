"""State of everything that moves, as arrays: one row a vehicle or walker.

The kernels (dynamics, traffic, walkers, collisions) work on these arrays; actors are views of one row.
Frame: CARLA's map frame (x east, y south, z up, left-handed, metres, yaw in rad, clockwise from above).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from simlingo_sim.errors import SimulatorError

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

#: Rows of the table; more actors than this are refused with the reason.
CAPACITY = 512

#: Values of ``BodyArrays.kind``.
FREE, VEHICLE, WALKER = 0, 1, 2

#: Values of ``BodyArrays.mode``: who moves the body.
HELD, DRIVEN, TRAFFIC, STROLLING, GUIDED = 0, 1, 2, 3, 4


class BodyArrays(NamedTuple):
    """Pose, motion and footprint of every body, each array of shape (CAPACITY,)."""

    kind: Ints  # FREE, VEHICLE or WALKER
    mode: Ints  # HELD (nobody), DRIVEN (VehicleControl), TRAFFIC, STROLLING (WalkerControl), GUIDED (walker AI)
    x: Floats  # m, middle of the footprint
    y: Floats  # m
    z: Floats  # m, ground contact
    yaw: Floats  # rad
    speed: Floats  # m/s, signed, along the body
    vx: Floats  # m/s, map frame
    vy: Floats  # m/s
    ax: Floats  # m/s^2, map frame, from the change of velocity over the last tick
    ay: Floats  # m/s^2
    yaw_rate: Floats  # rad/s
    half_length: Floats  # m
    half_width: Floats  # m
    exposed: Ints  # 1 for a walker on the carriageway, who is then expected to walk on
    halt_s: Floats  # s left during which traffic or a walker stands still after a collision


class DriveArrays(NamedTuple):
    """Controls and the state of the drive train of driven vehicles, each of shape (CAPACITY,)."""

    throttle: Floats  # 0..1, commanded
    brake: Floats  # 0..1, commanded
    steer: Floats  # -1..1, commanded, right positive
    reverse: Ints
    hand_brake: Ints
    throttle_now: Floats  # 0..1, after the engine's lag
    brake_now: Floats  # 0..1, after the hydraulics' lag
    wheel_angle: Floats  # rad, of the single-track front wheel, right positive
    wheelbase: Floats  # m
    agility: Floats  # scale of the driving force: 1 for a family car, less for trucks


class Bodies:
    """The table of bodies. Rows are handed out lowest first, so equal histories give equal rows."""

    def __init__(self) -> None:
        self.arrays = BodyArrays(*(column(BodyArrays, name) for name in BodyArrays._fields))
        self.drive = DriveArrays(*(column(DriveArrays, name) for name in DriveArrays._fields))

    def allocate(self, kind: int) -> int:
        """A cleared row for a new body of ``kind``; :class:`SimulatorError` when the table is full."""
        free = np.flatnonzero(self.arrays.kind == FREE)
        if not len(free):
            raise SimulatorError(f"the world holds {CAPACITY} moving actors already; destroy some first")
        row = int(free[0])
        for values in (*self.arrays, *self.drive):
            values[row] = 0
        self.arrays.kind[row] = kind
        return row

    def release(self, row: int) -> None:
        """Give a row back."""
        self.arrays.kind[row] = FREE
        self.arrays.mode[row] = HELD

    def rows(self, mode: int) -> Ints:
        """Rows moved by ``mode``, ascending."""
        return np.flatnonzero(self.arrays.mode == mode)


def column(table: type[tuple[Any, ...]], name: str, shape: tuple[int, ...] = (CAPACITY,)) -> Any:
    """Zeros for the field ``name`` of a table of arrays: whole numbers where it is annotated ``Ints``."""
    kind = table.__annotations__[name]
    whole = getattr(kind, "__forward_arg__", kind) in ("Ints", Ints)
    return np.zeros(shape, dtype=np.int64 if whole else np.float64)
