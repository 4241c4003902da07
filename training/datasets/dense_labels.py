"""Dense labels at a few cells per patch: what is where, how far, and which light is lit.

They supervise the vision tower during training and are dropped at inference.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from simlingo.contracts import ImageArray
from simlingo.model.config import ImageConfig

#: Cells per tile edge; a tile of 8 x 8 patches gets 4 x 4 cells a patch.
CELLS = 32
CLASSES = (
    "sky", "ground", "road", "marking", "sidewalk", "building", "vegetation", "object",
    "vehicle", "pedestrian", "light_off", "light_red", "light_yellow", "light_green", "sign",
)  # fmt: skip
_CLASS = {name: index for index, name in enumerate(CLASSES)}
#: CARLA 0.9.15 semantic tag -> class.
_TAG_TO_CLASS = np.full(256, _CLASS["object"], dtype=np.uint8)
for _tags, _name in (
    ((0, 11), "sky"), ((10, 22, 25), "ground"), ((1,), "road"), ((24,), "marking"), ((2,), "sidewalk"),
    ((3, 4), "building"), ((9,), "vegetation"), ((14, 15, 16, 17, 18, 19), "vehicle"), ((12, 13), "pedestrian"),
    ((7,), "light_off"), ((8,), "sign"),
):  # fmt: skip
    _TAG_TO_CLASS[list(_tags)] = _CLASS[_name]
#: Share of a cell from which a thin but important class names the whole cell, rarest last.
_THIN: tuple[tuple[str, float], ...] = (
    ("marking", 0.15), ("vehicle", 0.3), ("pedestrian", 0.08), ("light_off", 0.08), ("sign", 0.08),
    ("light_yellow", 0.015), ("light_green", 0.015), ("light_red", 0.015),
)  # fmt: skip
MAX_DEPTH_M = 100.0

LabelArray = npt.NDArray[np.uint8]


def dense_labels(
    rgb: ImageArray, semantic: LabelArray, depth: npt.NDArray[np.float32], config: ImageConfig
) -> tuple[LabelArray, npt.NDArray[np.float16]]:
    """Cell labels of a raw frame.

    Args:
        rgb: (H, W, 3) uint8, the raw camera frame.
        semantic: (H, W) uint8, CARLA tags.
        depth: (H, W) float32, m.
        config: the crop the model sees.

    Returns:
        classes (CELLS, 2 * CELLS) uint8, indices into ``CLASSES``; depth (CELLS, 2 * CELLS) float16, m, at most 100.
    """
    rows = slice(config.crop_top, config.crop_bottom)
    height, width = config.crop_bottom - config.crop_top, config.raw_width
    cell_rows, cell_columns = height // CELLS, width // (2 * CELLS)
    kinds = _TAG_TO_CLASS[semantic[rows]]
    light = kinds == _CLASS["light_off"]
    if light.any():
        kinds = _lit_lenses(kinds, light, rgb[rows])
    grid = kinds.reshape(CELLS, cell_rows, 2 * CELLS, cell_columns).transpose(0, 2, 1, 3)
    blocks = grid.reshape(CELLS, 2 * CELLS, cell_rows * cell_columns)
    counts = np.stack([(blocks == index).sum(axis=2) for index in range(len(CLASSES))], axis=2)
    classes = counts.argmax(axis=2).astype(np.uint8)
    for name, share in _THIN:
        classes[counts[..., _CLASS[name]] >= share * cell_rows * cell_columns] = _CLASS[name]
    cells = np.minimum(depth[rows], MAX_DEPTH_M).reshape(CELLS, cell_rows, 2 * CELLS, cell_columns)
    return classes, np.median(cells[:, ::3, :, ::4], axis=(1, 3)).astype(np.float16)


def _lit_lenses(kinds: LabelArray, light: npt.NDArray[np.bool_], rgb: ImageArray) -> LabelArray:
    """Tell the lit lens's pixels within traffic lights by their saturated colour."""
    red, green, blue = (rgb[..., channel].astype(np.int16) for channel in range(3))
    bright = light & (np.maximum(red, green) > 150)
    kinds = kinds.copy()
    kinds[bright & (red - green > 100)] = _CLASS["light_red"]
    kinds[bright & (np.abs(red - green) <= 100) & (red - blue > 90)] = _CLASS["light_yellow"]
    kinds[bright & (green - red > 90)] = _CLASS["light_green"]
    return kinds
