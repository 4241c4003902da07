"""Paints lanes into the cells of a town."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from simlingo.contracts import FloatArray
from simlingo_sim.jit import kernel


@kernel
def paint(
    cells: npt.NDArray[np.int32],
    heading: npt.NDArray[np.float32],
    points: FloatArray,
    yaw: FloatArray,
    number: int,
    sizes: FloatArray,
) -> None:
    """Write a lane into the cells between its edges; ``sizes``: origin x and y, metres to the left and right, cell."""
    left, right, cell = sizes[2], sizes[3], sizes[4]
    reach = max(left, right) + 1.0
    for index in range(len(points)):
        cos, sin = np.cos(yaw[index]), np.sin(yaw[index])
        x, y = points[index, 0], points[index, 1]
        for row in range(int((y - reach - sizes[1]) / cell), int((y + reach - sizes[1]) / cell) + 1):
            for column in range(int((x - reach - sizes[0]) / cell), int((x + reach - sizes[0]) / cell) + 1):
                if row < 0 or column < 0 or row >= cells.shape[0] or column >= cells.shape[1]:
                    continue
                dx, dy = sizes[0] + (column + 0.5) * cell - x, sizes[1] + (row + 0.5) * cell - y
                across = dy * cos - dx * sin
                if abs(dx * cos + dy * sin) <= 0.75 and -left <= across <= right:
                    cells[row, column] = number
                    heading[row, column] = yaw[index]
