"""Short pushes on the controls, so that the data show how to come back."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import carla
import numpy as np

from simlingo.contracts import TICK_S

#: Seconds between two pushes.
PAUSE_S = (4.0, 12.0)
#: Length of a push, s, and how far a push on the steering moves the car sideways, m.
STEER_S, SIDEWAYS_M = (0.7, 1.4), (0.3, 1.1)
PEDAL_S, THROTTLE, BRAKE = (0.4, 1.2), (0.4, 0.9), (0.15, 0.5)
#: Curvature per unit of steering, 1/m (spec D.3).
CURVATURE_PER_STEER = 0.28
MAX_STEER = 0.3


@dataclass(frozen=True)
class Push:
    """One push; ``amount`` is a steering offset, or a pedal that replaces the driver's."""

    kind: str  # "steer", "throttle", "brake"
    amount: float
    ticks: int
    left: int


class Disturbance:
    """Disturbs a driver's controls now and then."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self._push: Push | None = None
        self._pause = self._pause_ticks()

    @property
    def active(self) -> bool:
        """A push is going on."""
        return self._push is not None

    def apply(self, control: carla.VehicleControl, speed: float, free: bool) -> carla.VehicleControl:
        """``control`` with the push of this tick.

        Args:
            control: the driver's.
            speed: m/s.
            free: nothing but the road bounds the speed: only then pedals are pushed.
        """
        if self._push is None:
            self._pause -= 1
            if self._pause <= 0 and speed > 2.0:
                self._push = self._draw(speed, free)
        if self._push is None:
            return control
        push = self._push
        self._push = replace(push, left=push.left - 1) if push.left > 1 else None
        if self._push is None:
            self._pause = self._pause_ticks()
        if push.kind == "steer":
            wave = math.sin(math.pi * (push.ticks - push.left + 0.5) / push.ticks)
            return carla.VehicleControl(
                throttle=control.throttle, steer=control.steer + push.amount * wave, brake=control.brake
            )
        if not free or control.brake > 0.0:
            return control
        if push.kind == "throttle":
            return carla.VehicleControl(throttle=push.amount, steer=control.steer)
        return carla.VehicleControl(brake=push.amount, steer=control.steer)

    def _pause_ticks(self) -> int:
        return int(self._rng.uniform(*PAUSE_S) / TICK_S)

    def _draw(self, speed: float, free: bool) -> Push:
        kind = str(self._rng.choice(["steer", "steer", "throttle", "brake"])) if free else "steer"
        if kind == "steer":
            seconds, sideways = self._rng.uniform(*STEER_S), self._rng.uniform(*SIDEWAYS_M)
            amount = 2.0 * sideways / (seconds**2 * max(speed, 3.0) ** 2 * CURVATURE_PER_STEER)
            amount = min(amount, MAX_STEER) * float(self._rng.choice([-1.0, 1.0]))
        else:
            seconds = self._rng.uniform(*PEDAL_S)
            amount = float(self._rng.uniform(*(THROTTLE if kind == "throttle" else BRAKE)))
        ticks = max(int(seconds / TICK_S), 1)
        return Push(kind, amount, ticks, ticks)
