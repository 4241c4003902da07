"""The model's camera as sensors on the ego, by CARLA's API alone: one at its place, one beside it."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import carla
import numpy as np

from simlingo.contracts import MODEL_CAMERA_POSITION_IN_EGO, EgoState, ImageArray
from simlingo_drive.backends.base import Capability, CapabilityError
from simlingo_drive.rig import SensorRig, camera_spec, ego_state, to_rgb
from simlingo_drive.views import View, ViewChanges, beside

_KINDS = {"rgb": "rgb", "semantic": "semantic_segmentation", "depth": "depth"}
#: CARLA's depth images hold 24 bits over this range, m.
_DEPTH_RANGE_M = 1000.0
#: A pose is a camera's when it is this near, m and rad.
_NEAR = 1e-3


class SensorViews:
    """Sees from the ego and from one pose beside it, chosen before the tick; see :class:`simlingo_drive.views.ViewCamera`."""

    def __init__(self, world: Any, ego: Any) -> None:
        self._world, self._ego = world, ego
        self._second = (0.0, 0.0)
        specs = [
            replace(camera_spec(kind=blueprint), name=f"{prefix}{kind}")
            for prefix in ("", "second_")
            for kind, blueprint in _KINDS.items()
        ]
        self._rig = SensorRig(world, ego, specs)

    def place_second(self, shift: float, turn: float) -> None:
        """Move the second camera; it is there from the next tick on."""
        self._second = (shift, turn)
        x, y, z = MODEL_CAMERA_POSITION_IN_EGO
        cos, sin = math.cos(turn), math.sin(turn)
        # The ego moved to its right by ``shift`` and turned by ``turn`` carries the camera there.
        place = carla.Location(x * cos - y * sin, shift + x * sin + y * cos, z)
        pose = carla.Transform(place, carla.Rotation(yaw=math.degrees(turn)))
        for kind in _KINDS:
            self._rig.sensors[f"second_{kind}"].set_transform(pose)

    def capture(self, pose: EgoState, changes: ViewChanges | None = None) -> View:
        """The pictures of this tick from the ego's pose or the one beside it."""
        if changes:
            raise CapabilityError(
                f"a CARLA server cannot {Capability.DRAWN_VEHICLE.value if changes.vehicles else Capability.OTHER_LIGHT.value};"
                " use the embedded world, or do without"
            )
        data = self._rig.collect(int(self._world.get_snapshot().frame))
        prefix = self._prefix(pose)
        rgb, semantic, depth = (data[f"{prefix}{kind}"] for kind in _KINDS)
        return View(to_rgb(rgb), _red(semantic), _metres(depth))

    def rgb(self, pose: EgoState) -> ImageArray:
        """Only the colours, (512, 1024, 3)."""
        data = self._rig.collect(int(self._world.get_snapshot().frame))
        return to_rgb(data[f"{self._prefix(pose)}rgb"])

    def close(self) -> None:
        """Take the sensors away."""
        self._rig.close()

    def _prefix(self, pose: EgoState) -> str:
        """Which camera stands at ``pose``: the ego's own or the second one."""
        here = ego_state(self._world, self._ego)
        for prefix, place in (("", here), ("second_", beside(here, *self._second))):
            if math.dist((pose.x, pose.y), (place.x, place.y)) < _NEAR and abs(pose.yaw - place.yaw) < _NEAR:
                return prefix
        raise CapabilityError(
            f"a CARLA server cannot {Capability.ANY_VIEW.value}; call place_second before the tick, or use the embedded world"
        )


def _pixels(image: Any) -> np.ndarray:
    return np.frombuffer(image.raw_data, dtype=np.uint8).reshape(image.height, image.width, 4)


def _red(image: Any) -> np.ndarray:
    """Semantic tags (H, W) uint8."""
    return _pixels(image)[:, :, 2].copy()


def _metres(image: Any) -> np.ndarray:
    """Depth (H, W) float32 m."""
    blue, green, red = (_pixels(image)[:, :, channel].astype(np.float32) for channel in range(3))
    return np.asarray((red + green * 256.0 + blue * 65536.0) * (_DEPTH_RANGE_M / (2.0**24 - 1.0)), dtype=np.float32)
