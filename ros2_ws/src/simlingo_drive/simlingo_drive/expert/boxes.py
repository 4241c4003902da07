"""Overlap of oriented rectangles, vectorised (separating axes, spec E.2)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from simlingo.contracts import FloatArray


def overlaps(
    center_a: FloatArray,
    yaw_a: FloatArray,
    half_a: FloatArray,
    center_b: FloatArray,
    yaw_b: FloatArray,
    half_b: FloatArray,
) -> npt.NDArray[np.bool_]:
    """Whether rectangles a and b overlap; all arguments broadcast over the leading axes.

    Args:
        center_a, center_b: (..., 2) m.
        yaw_a, yaw_b: (...) rad.
        half_a, half_b: (..., 2) half length and half width, m.
    """
    delta = center_b - center_a
    turn_cos, turn_sin = np.abs(np.cos(yaw_b - yaw_a)), np.abs(np.sin(yaw_b - yaw_a))
    cos_a, sin_a, cos_b, sin_b = np.cos(yaw_a), np.sin(yaw_a), np.cos(yaw_b), np.sin(yaw_b)
    x, y = delta[..., 0], delta[..., 1]
    length_a, width_a, length_b, width_b = half_a[..., 0], half_a[..., 1], half_b[..., 0], half_b[..., 1]
    return np.asarray(
        (np.abs(x * cos_a + y * sin_a) < length_a + length_b * turn_cos + width_b * turn_sin)
        & (np.abs(y * cos_a - x * sin_a) < width_a + length_b * turn_sin + width_b * turn_cos)
        & (np.abs(x * cos_b + y * sin_b) < length_b + length_a * turn_cos + width_a * turn_sin)
        & (np.abs(y * cos_b - x * sin_b) < width_b + length_a * turn_sin + width_a * turn_cos)
    )
