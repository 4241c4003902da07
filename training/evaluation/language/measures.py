"""What is measured of a plan."""

from __future__ import annotations

import numpy as np

from simlingo.contracts import SPEED_WAYPOINT_PERIOD_S, FloatArray

_LAST_HALF_SECOND = -1, -3


def end_speed_mps(waypoints: FloatArray) -> float:
    """Mean speed of the last half second of speed waypoints (10, 2) m: the published end speed (spec C.4)."""
    last, before = _LAST_HALF_SECOND
    return float(np.hypot(*(waypoints[last] - waypoints[before]))) / (2.0 * SPEED_WAYPOINT_PERIOD_S)


def mean_speed_mps(waypoints: FloatArray) -> float:
    """Length of the way through the waypoints (10, 2) m from the ego's place on, by the time it takes."""
    steps = np.diff(np.vstack(((0.0, 0.0), waypoints)), axis=0)
    return float(np.hypot(*steps.T).sum()) / (len(waypoints) * SPEED_WAYPOINT_PERIOD_S)


def distance_m(path: FloatArray, point: tuple[float, float]) -> float:
    """From a point to the line through ``path`` (N, 2) m."""
    start, step = path[:-1], np.diff(path, axis=0)
    delta = np.asarray(point) - start
    share = np.clip((delta * step).sum(axis=1) / np.maximum((step * step).sum(axis=1), 1e-9), 0.0, 1.0)
    return float(np.hypot(*(delta - share[:, None] * step).T).min())


def mean_distance_m(path: FloatArray, other: FloatArray) -> float:
    """Mean distance of equal-numbered points (N, 2) m."""
    return float(np.hypot(*(path - other).T).mean())
