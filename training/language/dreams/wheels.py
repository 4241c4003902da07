"""Where the wheels of a track are: on the road or off it, in a lane of their direction or against one."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from simlingo.contracts import FloatArray
from simlingo_sim.jit import kernel


@kernel
def first_wrong(
    track: FloatArray,
    cells: npt.NDArray[np.int32],
    heading: npt.NDArray[np.float32],
    junctions: npt.NDArray[np.bool_],
    sizes: FloatArray,
) -> tuple[int, int]:
    """Ticks at which a wheel first leaves the road, and first is in a lane against its direction; -1 where none does.

    What is so from the first tick on does not count before it has ended.

    Args:
        track: (ticks, 3 or more) x, y, yaw (m, rad).
        cells, heading: of the town, see :class:`training.language.surroundings.road.RoadMap`.
        junctions: of each lane; nobody is against a lane there.
        sizes: origin x and y and side of the cells, wheels ahead of and beside the middle, how deep one must be in the other
            lane (m), and the cosine of the angle that is against.
    """
    off_tick, against_tick = -1, -1
    off_clean, against_clean = False, False
    for tick in range(len(track)):
        cos, sin = math.cos(track[tick, 2]), math.sin(track[tick, 2])
        off, against = False, False
        for wheel in range(8):
            ahead = sizes[3] if wheel & 1 else -sizes[3]
            beside = sizes[4] if wheel < 4 else sizes[4] - sizes[5]
            right = beside if wheel & 2 else -beside
            column = math.floor((track[tick, 0] + ahead * cos - right * sin - sizes[0]) / sizes[2])
            row = math.floor((track[tick, 1] + ahead * sin + right * cos - sizes[1]) / sizes[2])
            inside = 0 <= row < cells.shape[0] and 0 <= column < cells.shape[1]
            lane = cells[row, column] if inside else -1
            if lane < 0:
                off = off or wheel < 4
            elif wheel >= 4 and not junctions[lane]:
                against = against or math.cos(heading[row, column] - track[tick, 2]) < sizes[6]
        if off and off_clean and off_tick < 0:
            off_tick = tick
        if against and against_clean and against_tick < 0:
            against_tick = tick
        off_clean, against_clean = off_clean or not off, against_clean or not against
    return off_tick, against_tick
