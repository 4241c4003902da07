"""The network's points as the contracts want them."""

from __future__ import annotations

import numpy as np

from simlingo.contracts import PATH_POINTS, SPEED_WAYPOINTS, FloatArray, InvalidInputError


def checked_points(path: object, speed_waypoints: object) -> tuple[FloatArray, FloatArray]:
    """Path (20, 2) and speed waypoints (10, 2) in m from outputs of a batch of one.

    Raises:
        InvalidInputError: another shape, or not finite.
    """
    found = []
    for values, count in ((path, PATH_POINTS), (speed_waypoints, SPEED_WAYPOINTS)):
        points = np.asarray(values, dtype=np.float64)
        if points.shape != (1, count, 2) or not np.isfinite(points).all():
            raise InvalidInputError("the network's answer is not finite; the weights are damaged")
        found.append(points[0])
    return found[0], found[1]
