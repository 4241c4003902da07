"""A model that drives for stretches of time, while the expert watches and labels (corrected on-policy data)."""

from __future__ import annotations

import carla
import numpy as np

from simlingo.contracts import TICK_S, EgoState, Navigation
from simlingo_drive.drivers.model import Pilot

#: Seconds that the model, and then the expert, drives.
MODEL_S, EXPERT_S = (6.0, 25.0), (1.0, 4.0)
#: The model plans at every so many ticks, 10 Hz; the controller carries its plans on in between.
PLAN_EVERY = 2
#: The expert takes over when the model is so far beside the route, m.
RESCUE_M = 2.2


class PolicyStretches:
    """Decides tick by tick whether the model drives, and how."""

    def __init__(self, pilot: Pilot, rng: np.random.Generator) -> None:
        self._pilot, self._rng = pilot, rng
        self._model = False
        self._left = self._ticks(EXPERT_S)

    def control(self, tick: int, ego: EgoState, navigation: Navigation, lateral: float) -> carla.VehicleControl | None:
        """The model's control at ``ego``, or ``None`` while the expert is to drive.

        ``lateral`` is the distance from the route, m.
        """
        self._left -= 1
        lost = self._model and abs(lateral) > RESCUE_M
        if self._left <= 0 or lost:
            self._model = not self._model
            self._left = self._ticks(MODEL_S if self._model else EXPERT_S)
            self._pilot.restart()
        return self._pilot.control(tick, ego, navigation) if self._model else None

    def _ticks(self, seconds: tuple[float, float]) -> int:
        return int(self._rng.uniform(*seconds) / TICK_S)
