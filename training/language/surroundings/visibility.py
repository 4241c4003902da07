"""Which things are in the picture: depth samples and lit lenses that lie where a thing is known to stand."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from simlingo.contracts import MODEL_CAMERA, MODEL_CAMERA_POSITION_IN_EGO, FloatArray
from training.datasets.pictures import LENS_GREEN, LENS_RED, LENS_YELLOW, DepthArray, LabelArray
from training.datasets.schema import DEPTH_STEP

#: Rows below are the bonnet, which the model does not see (spec A.2).
SEEN_ROWS = 359
#: CARLA's tags of what a thing may be drawn as.
VEHICLE_TAGS = (13, 14, 15, 16, 18, 19)  # the rider belongs to the bicycle
PEDESTRIAN_TAGS = (12,)
OBJECT_TAGS = (5, 14, 15, 16, 18, 19, 20, 21, 28)
SIGN_TAGS = (8,)
LENSES = {"red": LENS_RED, "yellow": LENS_YELLOW, "green": LENS_GREEN}
#: A thing is seen when so many samples of the stored depth (one of 16 pixels) lie on it; published: five lidar points
#: (spec C.1). One with fewer, but some, is half seen: nothing is said that hangs on it.
SEEN_SAMPLES = 5
#: A sample belongs to a box when it lies at most so far outside it, m.
MARGIN_M = 0.25
#: A lens, and a sign's plate, lie at most so far from the middle of the head, m.
HEAD_RADIUS_M = 0.9
_THINGS = np.isin(np.arange(256), (*VEHICLE_TAGS, *PEDESTRIAN_TAGS, *OBJECT_TAGS))
#: Fewest picture elements of a lit lens, and of a plate, that can be made out.
LENS_PIXELS, PLATE_PIXELS = 3, 12


@dataclass(frozen=True)
class Seen:
    """The surfaces in a view's picture."""

    points_m: FloatArray  # (N, 3) of the depth samples on things, view frame, z above the ego's ground
    tags: npt.NDArray[np.uint8]  # (N,) CARLA tags
    semantic: LabelArray  # (H, W)
    _groups: dict[tuple[int, ...], FloatArray] = field(default_factory=dict, repr=False)  # points by their tags

    def samples_on(
        self, position_m: Sequence[float], yaw_rad: float, extent_m: Sequence[float], tags: tuple[int, ...]
    ) -> int:
        """Samples with one of ``tags`` on a box of half sizes ``extent_m`` that stands at ``position_m`` (x, y of its middle, z of its foot)."""
        if tags not in self._groups:
            self._groups[tags] = self.points_m[np.isin(self.tags, tags)]
        points = self._groups[tags]
        if not len(points):
            return 0
        delta = points - (position_m[0], position_m[1], position_m[2])
        cos, sin = math.cos(yaw_rad), math.sin(yaw_rad)
        along, across = delta[:, 0] * cos + delta[:, 1] * sin, delta[:, 1] * cos - delta[:, 0] * sin
        inside = (np.abs(along) < extent_m[0] + MARGIN_M) & (np.abs(across) < extent_m[1] + MARGIN_M)
        inside &= (delta[:, 2] > -2.0 * MARGIN_M) & (delta[:, 2] < 2.0 * extent_m[2] + 2.0 * MARGIN_M)
        return int(inside.sum())

    def lens_lit(self, heads_m: Iterable[Sequence[float]], state: str) -> bool:
        """Whether a lens of ``state`` is lit about one of the heads (x, y, z of their middles, view frame)."""
        return any(self._pixels(head, (LENSES[state],)) >= LENS_PIXELS for head in heads_m)

    def plate_seen(self, plates_m: Iterable[Sequence[float]]) -> bool:
        """Whether a sign's plate is seen about one of the places (x, y, z, view frame)."""
        return any(self._pixels(plate, SIGN_TAGS) >= PLATE_PIXELS for plate in plates_m)

    def shows(self, tags: tuple[int, ...]) -> bool:
        """Whether anything of ``tags`` is in the picture."""
        above = self.semantic[:SEEN_ROWS].tobytes()  # searching bytes is by far the quickest
        return any(bytes((tag,)) in above for tag in tags)

    def _pixels(self, middle_m: Sequence[float], tags: tuple[int, ...]) -> int:
        """Picture elements of ``tags`` around a place."""
        at = pixel_of(middle_m)
        if at is None:
            return 0
        column, row, ahead = at
        reach = HEAD_RADIUS_M * MODEL_CAMERA.focal_x / ahead + 2.0
        top, bottom = max(int(row - reach), 0), min(int(row + reach) + 1, SEEN_ROWS)
        left, right = max(int(column - reach), 0), min(int(column + reach) + 1, MODEL_CAMERA.width)
        if top >= bottom or left >= right:
            return 0
        return int(np.isin(self.semantic[top:bottom, left:right], tags).sum())


def seen_in(semantic: LabelArray, depth: DepthArray) -> Seen:
    """The surfaces of a stored view.

    Args:
        semantic: (512, 1024) uint8 tags, as stored.
        depth: (128, 256) float32 m, as stored.
    """
    grid = semantic[:SEEN_ROWS:DEPTH_STEP, ::DEPTH_STEP]
    rows, columns = np.nonzero(_THINGS[grid])
    ahead = depth[rows, columns].astype(np.float64)
    camera, (x, y, z) = MODEL_CAMERA, MODEL_CAMERA_POSITION_IN_EGO
    right = y + (columns * DEPTH_STEP + 0.5 - camera.center_x) / camera.focal_x * ahead
    up = z - (rows * DEPTH_STEP + 0.5 - camera.center_y) / camera.focal_y * ahead
    return Seen(np.stack((ahead + x, right, up), axis=1), grid[rows, columns], semantic)


def pixel_of(point_m: Sequence[float]) -> tuple[float, float, float] | None:
    """Column, row and distance ahead of the camera (m) of a point (x, y, z) m of the view frame; None behind the camera."""
    x, y, z = MODEL_CAMERA_POSITION_IN_EGO
    ahead = point_m[0] - x
    if ahead < 0.5:
        return None
    column = MODEL_CAMERA.center_x + (point_m[1] - y) / ahead * MODEL_CAMERA.focal_x
    row = MODEL_CAMERA.center_y - (point_m[2] - z) / ahead * MODEL_CAMERA.focal_y
    return column, row, ahead
