"""From the visibility buffer to semantic tags and depth."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from simlingo_sim.jit import kernel
from simlingo_sim.render.materials import FloatImage
from simlingo_sim.render.raster import Indices

#: Depth written where nothing is seen, m (CARLA's far plane).
FAR_M = 1000.0


@kernel
def read_tags(depth: FloatImage, numbers: Indices, tags: npt.NDArray[np.uint8], picture: npt.NDArray[np.uint8]) -> None:
    """Semantic tag (H, W) of each pixel's sample nearest to its middle; 11 (sky) where nothing is."""
    for row in range(picture.shape[0]):
        for column in range(picture.shape[1]):
            if depth[2 * row + 1, 2 * column] > 0.0:
                picture[row, column] = tags[numbers[2 * row + 1, 2 * column]]
            else:
                picture[row, column] = 11


@kernel
def read_depth(depth: FloatImage, numbers: Indices, picture: FloatImage) -> None:
    """Depth (H, W) along the optical axis, m; FAR_M where nothing is.

    Exact for the pixel's middle where one triangle fills it, else that of the sample :func:`read_tags` uses.
    """
    for row in range(picture.shape[0]):
        for column in range(picture.shape[1]):
            below, here = 2 * row + 1, 2 * column
            value = depth[below, here]
            if value <= 0.0:
                picture[row, column] = FAR_M
                continue
            tri = numbers[below, here]
            a, b, c = depth[below - 1, here], depth[below - 1, here + 1], depth[below, here + 1]
            same = numbers[below - 1, here] == tri and numbers[below - 1, here + 1] == tri
            if same and numbers[below, here + 1] == tri and min(a, min(b, c)) > 0.0:
                picture[row, column] = 4.0 / (value + a + b + c)
            else:
                picture[row, column] = 1.0 / value
