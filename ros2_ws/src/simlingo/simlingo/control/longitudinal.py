"""Throttle and brake from speed waypoints (spec D.5)."""

from __future__ import annotations

import math

import numpy as np

from simlingo.contracts import SPEED_WAYPOINT_PERIOD_S, FloatArray
from simlingo.control.pid import WindowPid

#: Waypoints that give the target speed: those 0.25 s and 0.75 s ahead (spec D.5).
NEAR_WAYPOINT, FAR_WAYPOINT = 0, 2
#: Below this target the car brakes to a stop, m/s (spec D.5).
STOP_SPEED = 0.4
#: Above this ratio of speed to target the car brakes (spec D.5).
BRAKE_RATIO = 1.1
#: Bound of the speed error that the PID sees, m/s (spec D.5).
MAX_SPEED_ERROR = 1.0
#: Throttle PID: gains and window in 20 Hz calls (spec D.5).
KP, KI, KD, WINDOW = 1.75, 1.0, 2.0, 20


def target_speed(speed_waypoints: FloatArray) -> float:
    """Speed (m/s) that ``speed_waypoints`` (N >= 3, 2), 0.25 s apart, ask for."""
    step = speed_waypoints[NEAR_WAYPOINT] - speed_waypoints[FAR_WAYPOINT]
    return math.hypot(step[0], step[1]) / ((FAR_WAYPOINT - NEAR_WAYPOINT) * SPEED_WAYPOINT_PERIOD_S)


def shift_in_time(speed_waypoints: FloatArray, age_s: float) -> FloatArray:
    """``speed_waypoints`` (10, 2) of a plan ``age_s`` old, read again at +0.25, +0.5, ... s from now.

    The points stay in the plan's frame (the target speed needs distances only). Between waypoints the
    car moves evenly, and beyond the last one it goes on at the last pace. ``age_s`` = 0 is the identity.
    """
    if age_s == 0.0:
        return speed_waypoints
    line = np.vstack(((0.0, 0.0), speed_waypoints))
    wanted = age_s / SPEED_WAYPOINT_PERIOD_S + np.arange(1, len(line))
    index = np.minimum(wanted.astype(np.int64), len(line) - 2)
    fraction = (wanted - index)[:, None]
    return np.asarray(line[index] + fraction * (line[index + 1] - line[index]), dtype=np.float64)


class LongitudinalController:
    """Speed waypoints and measured speed to throttle and (binary) brake, once per 20 Hz tick."""

    def __init__(self) -> None:
        self._pid = WindowPid(KP, KI, KD, WINDOW, initial_errors=(0.0,) * WINDOW)

    def reset(self) -> None:
        """Forget the past errors."""
        self._pid.reset()

    def step(self, speed_waypoints: FloatArray, speed: float) -> tuple[float, float]:
        """Throttle [0, 1] and brake {0, 1} for ``speed_waypoints`` (N >= 3, 2) m at ``speed`` m/s."""
        target = target_speed(speed_waypoints)
        brake = target < STOP_SPEED or speed / target > BRAKE_RATIO
        error = min(max(target - speed, 0.0), MAX_SPEED_ERROR)
        throttle = min(max(self._pid.step(error), 0.0), 1.0)
        return (0.0, 1.0) if brake else (throttle, 0.0)
