"""The embedded world's camera: renders on request, from any pose, also what is not there."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import carla
import numpy as np

from simlingo.contracts import MODEL_CAMERA, MODEL_CAMERA_POSITION_IN_EGO, EgoState, ImageArray
from simlingo_drive.rig import FIELD_OF_VIEW_DEG
from simlingo_drive.views import DrawnVehicle, View, ViewChanges
from simlingo_sim.render.scene import SceneFrame, VehicleVisual

_OUTPUTS = ("rgb", "semantic", "depth")


class RenderedViews:
    """The model's camera (spec A.2) in the embedded world; see :class:`simlingo_drive.views.ViewCamera`."""

    def __init__(self, world: Any, ego: Any, renderer: Any) -> None:
        self._world, self._ego, self._renderer = world, ego, renderer

    def place_second(self, shift: float, turn: float) -> None:
        """Nothing to prepare: every pose can be rendered at once."""

    def capture(self, pose: EgoState, changes: ViewChanges | None = None) -> View:
        """The picture with the ego, and its camera, standing at ``pose``."""
        made = self._render(pose, _OUTPUTS, changes or ViewChanges())
        return View(made["rgb"], made["semantic"], made["depth"])

    def rgb(self, pose: EgoState) -> ImageArray:
        """Only the colours, (512, 1024, 3)."""
        return np.asarray(self._render(pose, ("rgb",), ViewChanges())["rgb"])

    def close(self) -> None:
        """Nothing of it is in the world."""

    def _render(self, pose: EgoState, outputs: tuple[str, ...], changes: ViewChanges) -> dict[str, Any]:
        x, y, z = MODEL_CAMERA_POSITION_IN_EGO
        cos, sin = math.cos(pose.yaw), math.sin(pose.yaw)
        ground = self._ego.get_transform().location.z
        transform = carla.Transform(
            carla.Location(pose.x + x * cos - y * sin, pose.y + x * sin + y * cos, ground + z),
            carla.Rotation(yaw=math.degrees(pose.yaw)),
        )
        made: dict[str, Any] = self._renderer.render(
            transform,
            MODEL_CAMERA.width,
            MODEL_CAMERA.height,
            FIELD_OF_VIEW_DEG,
            self._scene(pose, changes),
            outputs,
        )
        return made

    def _scene(self, pose: EgoState, changes: ViewChanges) -> SceneFrame:
        """The world's scene with the ego's body moved to ``pose``, and with the changes."""
        scene: SceneFrame = self._world.scene()
        vehicles = [
            dataclasses.replace(vehicle, x=pose.x, y=pose.y, yaw_deg=math.degrees(pose.yaw))
            if vehicle.seed == self._ego.id
            else vehicle
            for vehicle in scene.vehicles
        ]
        headlights = bool(self._world.night_lamps())
        drawn = [_visual(vehicle, headlights) for vehicle in changes.vehicles]
        return dataclasses.replace(
            scene, vehicles=[*vehicles, *drawn], signals={**scene.signals, **dict(changes.lights)}
        )


def _visual(vehicle: DrawnVehicle, headlights: bool) -> VehicleVisual:
    return VehicleVisual(
        vehicle.type_id,
        vehicle.x,
        vehicle.y,
        vehicle.z,
        yaw_deg=math.degrees(vehicle.yaw),
        color=vehicle.color,
        brake=vehicle.brake,
        headlights=headlights,
        seed=vehicle.seed,
    )
