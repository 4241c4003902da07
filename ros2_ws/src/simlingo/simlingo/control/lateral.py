"""Steering along a path (spec D.6)."""

from __future__ import annotations

import math

import numpy as np
from scipy.interpolate import PchipInterpolator

from simlingo.contracts import FloatArray
from simlingo.control.pid import WindowPid
from simlingo.geometry import arc_length

#: Spacing of the resampled path, m (spec D.6).
SAMPLE_SPACING = 0.1
#: Look-ahead in samples: slope per km/h, offset, least and most (spec D.6).
LOOKAHEAD_SLOPE, LOOKAHEAD_OFFSET = 0.9755321901954155, 1.9152884533402488
LOOKAHEAD_MIN, LOOKAHEAD_MAX = 24, 105
#: Heading errors count in units of 90 degrees (spec D.6).
ERROR_UNIT_RAD = math.pi / 2.0
#: Steering PID: gains and window in 20 Hz calls (spec D.6).
KP, KI, KD, WINDOW = 3.118357247806046, 0.6406067986034124, 1.3782508892109167, 6
#: The least arc length that repeated points get per index, m (spec D.6).
INDEX_EPSILON = 1e-4


def lookahead_samples(speed: float) -> int:
    """Index of the resampled path point to aim at, at ``speed`` m/s."""
    wanted = LOOKAHEAD_SLOPE * speed * 3.6 + LOOKAHEAD_OFFSET
    return int(min(max(wanted, LOOKAHEAD_MIN), LOOKAHEAD_MAX))


def aim_point(path_in_ego: FloatArray, speed: float) -> FloatArray:
    """Point (2,) of ``path_in_ego`` (N >= 1, 2) that the steering aims at.

    The ego origin is prepended; sample i of the resampled path lies ``SAMPLE_SPACING * (i + 1)`` m along it.
    """
    line = np.vstack(((0.0, 0.0), path_in_ego))
    distance = arc_length(line) + INDEX_EPSILON * np.arange(len(line))
    samples = max(math.ceil(distance[-1] / SAMPLE_SPACING - 1.0), 1)
    index = min(lookahead_samples(speed), samples - 1)
    along = min(SAMPLE_SPACING * (index + 1), distance[-1])
    return np.asarray(PchipInterpolator(distance, line)(along), dtype=np.float64)


class LateralController:
    """Path in the current ego frame to steering, once per 20 Hz tick."""

    def __init__(self) -> None:
        self._pid = WindowPid(KP, KI, KD, WINDOW)

    def reset(self) -> None:
        """Forget the past errors."""
        self._pid.reset()

    def step(self, path_in_ego: FloatArray, speed: float) -> float:
        """Steering [-1, 1], right positive, along ``path_in_ego`` (N >= 1, 2) m at ``speed`` m/s."""
        x, y = aim_point(path_in_ego, speed)
        error = math.atan2(y, x) / ERROR_UNIT_RAD
        return round(min(max(self._pid.step(error), -1.0), 1.0), 3)
