"""Which stop lines a track crosses, when, and whether the ego had stood before them."""

from __future__ import annotations

import math

import numpy as np

from simlingo.contracts import FloatArray
from simlingo_sim.jit import kernel
from training.language.dreams.record import IntArray

#: Who stands at most so far before a stop line has stood at it, m.
STOOD_WITHIN_M = 3.0


@kernel
def first_crossings(
    track: FloatArray, lines: FloatArray, reach_m: float, half_width_m: float, stood_mps: float
) -> IntArray:
    """(lines, 2): the tick at which each line is crossed first, -1 without, and 1 where the ego had stood before it.

    Args:
        track: (ticks, 4 or more) x, y, yaw, speed (m, rad, m/s) of the ego's middle.
        lines: (lines, 3) x, y, yaw (m, rad).
        reach_m: from the middle to the point that crosses.
        half_width_m: half the length of a line.
        stood_mps: slower is standing.
    """
    found = np.full((len(lines), 2), -1, dtype=np.int64)
    for number in range(len(lines)):
        cos, sin = math.cos(lines[number, 2]), math.sin(lines[number, 2])
        before, stood = 0.0, 0
        for tick in range(len(track)):
            yaw = track[tick, 2]
            dx = track[tick, 0] + reach_m * math.cos(yaw) - lines[number, 0]
            dy = track[tick, 1] + reach_m * math.sin(yaw) - lines[number, 1]
            along, right = dx * cos + dy * sin, dy * cos - dx * sin
            towards = math.cos(yaw - lines[number, 2]) > 0.5
            if tick > 0 and before < 0.0 <= along and abs(right) < half_width_m and towards:
                found[number, 0], found[number, 1] = tick, stood
                break
            if track[tick, 3] < stood_mps and along > -STOOD_WITHIN_M:
                stood = 1
            before = along
    return found
