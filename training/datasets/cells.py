"""Dense labels at a few cells per patch: what is where, how far, and which light is lit.

They supervise the vision tower during training and are dropped at inference.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from simlingo.contracts import InvalidInputError
from simlingo.model.config import ImageConfig
from training.datasets.pictures import LENS_GREEN, LENS_RED, LENS_YELLOW, LIGHT_TAG, DepthArray, LabelArray
from training.datasets.schema import DEPTH_STEP

#: Cells per tile edge; a tile of 8 x 8 patches gets 4 x 4 cells a patch.
CELLS = 32
CLASSES = (
    "sky", "ground", "road", "marking", "sidewalk", "building", "vegetation", "object",
    "vehicle", "pedestrian", "light_off", "light_red", "light_yellow", "light_green", "sign",
)  # fmt: skip
_CLASS = {name: index for index, name in enumerate(CLASSES)}
#: Stored tag -> class.
_TAG_TO_CLASS = np.full(256, _CLASS["object"], dtype=np.int64)
for _tags, _name in (
    ((0, 11), "sky"), ((10, 22, 25), "ground"), ((1,), "road"), ((24,), "marking"), ((2,), "sidewalk"),
    ((3, 4), "building"), ((9,), "vegetation"), ((14, 15, 16, 17, 18, 19), "vehicle"), ((12, 13), "pedestrian"),
    ((LIGHT_TAG,), "light_off"), ((LENS_RED,), "light_red"), ((LENS_YELLOW,), "light_yellow"),
    ((LENS_GREEN,), "light_green"), ((8,), "sign"),
):  # fmt: skip
    _TAG_TO_CLASS[list(_tags)] = _CLASS[_name]
#: Share of a cell from which a thin but important class names the whole cell, rarest last.
_THIN: tuple[tuple[str, float], ...] = (
    ("marking", 0.15), ("vehicle", 0.3), ("pedestrian", 0.08), ("light_off", 0.08), ("sign", 0.08),
    ("light_yellow", 0.015), ("light_green", 0.015), ("light_red", 0.015),
)  # fmt: skip
MAX_DEPTH_M = 100.0
#: Picture rows between two samples of a cell's depth.
_SAMPLE_ROWS = 3
#: Two stored depths one above the other that differ by more than this factor lie on two surfaces.
_ONE_SURFACE = 1.3


def cell_labels(
    semantic: LabelArray, depth: DepthArray, config: ImageConfig
) -> tuple[LabelArray, npt.NDArray[np.float16]]:
    """Cell labels of a stored view.

    Args:
        semantic: (H, W) uint8, CARLA tags and lenses, see ``pictures.with_lenses``.
        depth: (H / 4, W / 4) float32, m, as stored.
        config: the crop the model sees; its height and width are multiples of the cells.

    Returns:
        classes (CELLS, 2 * CELLS) uint8, indices into ``CLASSES``; depth (CELLS, 2 * CELLS) float16, m, at most 100.

    Raises:
        InvalidInputError: the view is of another size than the configuration's camera.
    """
    size = (config.raw_height, config.raw_width)
    if semantic.shape != size or depth.shape != (size[0] // DEPTH_STEP, size[1] // DEPTH_STEP):
        raise InvalidInputError(
            f"the model's camera gives {size[1]}x{size[0]} pictures, the data set has semantic {semantic.shape} and depth "
            f"{depth.shape} (rows, columns); collect with the model's camera"
        )
    return _classes(semantic, config), _depths(depth, config)


def _classes(semantic: LabelArray, config: ImageConfig) -> LabelArray:
    """The commonest class of each cell, or a thin one that has its share."""
    rows, columns = _cell_size(config)
    kinds = _TAG_TO_CLASS[semantic[config.crop_top : config.crop_bottom]]
    cells = np.arange(CELLS).repeat(rows)[:, None] * (2 * CELLS) + np.arange(2 * CELLS).repeat(columns)
    counts = np.bincount((cells * len(CLASSES) + kinds).reshape(-1), minlength=CELLS * 2 * CELLS * len(CLASSES))
    counts = counts.reshape(CELLS, 2 * CELLS, len(CLASSES))
    classes: LabelArray = counts.argmax(axis=2).astype(np.uint8)
    for name, share in _THIN:
        classes[counts[..., _CLASS[name]] >= share * rows * columns] = _CLASS[name]
    return classes


def _depths(depth: DepthArray, config: ImageConfig) -> npt.NDArray[np.float16]:
    """The median depth of each cell, of samples every ``_SAMPLE_ROWS`` rows and ``DEPTH_STEP`` columns."""
    rows, columns = _cell_size(config)
    wanted = config.crop_top + (np.arange(CELLS)[:, None] * rows + np.arange(0, rows, _SAMPLE_ROWS)).reshape(-1)
    samples = np.minimum(_at_rows(depth, wanted), MAX_DEPTH_M)
    grid = samples.reshape(CELLS, -1, 2 * CELLS, columns // DEPTH_STEP)
    return np.asarray(np.median(grid, axis=(1, 3)).astype(np.float16))


def _at_rows(depth: DepthArray, rows: npt.NDArray[np.int64]) -> DepthArray:
    """Depth at picture rows, from every fourth: along a plane the inverse of depth is linear; across an edge, the nearer row's."""
    upper = rows // DEPTH_STEP
    lower = np.minimum(upper + 1, len(depth) - 1)
    part = ((rows % DEPTH_STEP) / DEPTH_STEP)[:, None]
    above, below = np.maximum(depth[upper], 0.01), np.maximum(depth[lower], 0.01)
    between = 1.0 / ((1.0 - part) / above + part / below)
    edge = np.maximum(above, below) > _ONE_SURFACE * np.minimum(above, below)
    return np.where(edge, np.where(part < 0.5, above, below), between).astype(np.float32)


def _cell_size(config: ImageConfig) -> tuple[int, int]:
    """Rows and columns of a cell, px."""
    return (config.crop_bottom - config.crop_top) // CELLS, config.raw_width // (2 * CELLS)
