"""How many picture elements of a thing the camera sees, from the picture's tags and depth in full size."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from simlingo.contracts import MODEL_CAMERA, MODEL_CAMERA_POSITION_IN_EGO, EgoState, FloatArray
from simlingo_drive.views import View
from simlingo_sim.jit import kernel
from training.language.surroundings.visibility import MARGIN_M, OBJECT_TAGS, PEDESTRIAN_TAGS, SEEN_ROWS, VEHICLE_TAGS

#: Nearer than this to the camera's plane, m, nothing is projected: the thing may fill the picture.
_NEAREST_M = 0.3
_LENS = np.array(
    (
        MODEL_CAMERA.focal_x, MODEL_CAMERA.focal_y, MODEL_CAMERA.center_x, MODEL_CAMERA.center_y,
        *MODEL_CAMERA_POSITION_IN_EGO,
    )
)  # fmt: skip
_TAGS = {"car": VEHICLE_TAGS, "walker": PEDESTRIAN_TAGS}


class Visible:
    """Counts in one picture of the ego's own camera."""

    def __init__(self, view: View, ego: EgoState, ground_m: float) -> None:
        """``ground_m``: height of the ego's ground."""
        self._view, self._ego, self._ground_m = view, ego, ground_m

    def pixels(self, name: str, actor: Any) -> int:
        """Picture elements above the bonnet that show ``actor``, whose box record has the class ``name``."""
        transform, box = actor.get_transform(), actor.bounding_box
        yaw = math.radians(transform.rotation.yaw)
        cos, sin = math.cos(yaw), math.sin(yaw)
        x = transform.location.x + box.location.x * cos - box.location.y * sin - self._ego.x
        y = transform.location.y + box.location.x * sin + box.location.y * cos - self._ego.y
        ahead, right = math.cos(self._ego.yaw), math.sin(self._ego.yaw)
        middle = np.array((
            x * ahead + y * right, y * ahead - x * right,
            transform.location.z + box.location.z - self._ground_m,
        ))  # fmt: skip
        half = np.array((box.extent.x, box.extent.y, box.extent.z))
        return pixels_of(self._view, middle, yaw - self._ego.yaw, half, _TAGS.get(name, OBJECT_TAGS))


def pixels_of(view: View, middle_m: FloatArray, yaw_rad: float, half_m: FloatArray, tags: tuple[int, ...]) -> int:
    """Picture elements above the bonnet that show the box of half sizes ``half_m`` around ``middle_m`` (x, y, z m, ego frame).

    Such an element has one of ``tags`` and lies in the box or at most a margin outside it
    (``training.language.surroundings.visibility``).
    """
    wanted = np.zeros(256, dtype=np.bool_)
    wanted[list(tags)] = True
    reach = half_m + np.array((MARGIN_M, MARGIN_M, 2.0 * MARGIN_M))
    pose = np.array((*middle_m, math.cos(yaw_rad), math.sin(yaw_rad)))
    return int(_count(view.semantic[:SEEN_ROWS], view.depth[:SEEN_ROWS], wanted, pose, reach, _LENS, _NEAREST_M))


@kernel
def _count(
    semantic: npt.NDArray[np.uint8],
    depth: npt.NDArray[np.float32],
    wanted: npt.NDArray[np.bool_],
    pose: FloatArray,
    reach: FloatArray,
    lens: FloatArray,
    nearest_m: float,
) -> int:
    """Elements of ``wanted`` tags whose place lies in the box at ``pose`` (x, y, z, cosine, sine) of half sizes ``reach``."""
    height, width = semantic.shape
    left, right, top, bottom = float(width), -1.0, float(height), -1.0
    for corner in range(8):
        along = reach[0] if corner & 1 else -reach[0]
        across = reach[1] if corner & 2 else -reach[1]
        up = reach[2] if corner & 4 else -reach[2]
        ahead = pose[0] + along * pose[3] - across * pose[4] - lens[4]
        if ahead < nearest_m:
            if pose[0] - lens[4] < -math.hypot(reach[0], reach[1]):  # however it is turned
                return 0
            left, right, top, bottom = 0.0, float(width), 0.0, float(height)
            break
        column = lens[2] + lens[0] * (pose[1] + along * pose[4] + across * pose[3] - lens[5]) / ahead
        row = lens[3] - lens[1] * (pose[2] + up - lens[6]) / ahead
        left, right = min(left, column), max(right, column)
        top, bottom = min(top, row), max(bottom, row)
    found = 0
    for row in range(max(int(top), 0), min(int(bottom) + 2, height)):
        for column in range(max(int(left), 0), min(int(right) + 2, width)):
            if not wanted[semantic[row, column]]:
                continue
            ahead = float(depth[row, column])
            x = ahead + lens[4] - pose[0]
            y = lens[5] + (column + 0.5 - lens[2]) / lens[0] * ahead - pose[1]
            z = lens[6] - (row + 0.5 - lens[3]) / lens[1] * ahead - pose[2]
            along, across = x * pose[3] + y * pose[4], y * pose[3] - x * pose[4]
            if abs(along) < reach[0] and abs(across) < reach[1] and abs(z) < reach[2]:
                found += 1
    return found
