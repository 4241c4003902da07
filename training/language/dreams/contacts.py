"""Who is touched first along a track: oriented boxes, tick by tick."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from simlingo.contracts import FloatArray
from simlingo_sim.jit import kernel
from simlingo_sim.traffic.following import overlap_depth


@kernel
def first_contact(
    track: FloatArray,
    half: FloatArray,
    states: FloatArray,
    other_half: FloatArray,
    skipped: npt.NDArray[np.bool_],
    timed: int,
) -> tuple[int, int]:
    """Tick and row of the first overlap; -1 without. After ``timed`` ticks nobody who comes from behind counts."""
    radius = math.hypot(half[0], half[1])
    touching = skipped.copy()
    for tick in range(min(len(track), states.shape[1])):
        x, y, yaw = track[tick, 0], track[tick, 1], track[tick, 2]
        for row in range(len(states)):
            other_x, other_y, other_yaw = states[row, tick, 0], states[row, tick, 1], states[row, tick, 2]
            if touching[row] or math.isnan(other_x):
                continue
            reach = radius + other_half[row, 0] + other_half[row, 1]
            if (other_x - x) ** 2 + (other_y - y) ** 2 > reach * reach:
                continue
            depth = overlap_depth(
                x, y, yaw, half[0], half[1], other_x, other_y, other_yaw, other_half[row, 0], other_half[row, 1]
            )
            if depth <= 0.0:
                continue
            behind = (other_x - x) * math.cos(yaw) + (other_y - y) * math.sin(yaw) < 0.0
            if tick == 0 or (tick > timed and behind):
                touching[row] = True
                continue
            return tick, row
    return -1, -1
