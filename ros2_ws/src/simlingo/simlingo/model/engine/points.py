"""Points as they go into a network and come out of it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from simlingo.contracts import PATH_POINTS, SPEED_WAYPOINTS, FloatArray, ImageArray, InvalidInputError


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


def check_batch(pictures: Sequence[ImageArray], ids: Sequence[list[int]], target_points: FloatArray) -> int:
    """How many frames a batch has.

    Raises:
        InvalidInputError: none, or the counts differ.
    """
    count = len(pictures)
    if not count or len(ids) != count or target_points.shape != (count, 2, 2):
        raise InvalidInputError(
            f"a batch needs as many pictures, prompts and pairs of target points, and one at least; "
            f"got {count}, {len(ids)} and an array {target_points.shape}"
        )
    return count
