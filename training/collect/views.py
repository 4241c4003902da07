"""Pictures of the model's camera from the ego's pose, or from a pose beside it."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import carla
import numpy as np
import numpy.typing as npt

from simlingo.contracts import MODEL_CAMERA, MODEL_CAMERA_POSITION_IN_EGO, EgoState, ImageArray
from simlingo_sim.render.scene import SceneFrame, VehicleVisual
from simlingo_sim.towns import Town

FIELD_OF_VIEW_DEG = 110.0
OUTPUTS = ("rgb", "semantic", "depth")
#: Bounds of the shift (m) and turn (rad) of the view beside the ego's (spec B.5).
MAX_SHIFT_M, MAX_TURN_RAD = 1.5, math.radians(20.0)


@dataclass(frozen=True)
class View:
    """What one camera saw."""

    rgb: ImageArray  # (512, 1024, 3)
    semantic: npt.NDArray[np.uint8]  # (512, 1024), CARLA 0.9.15 tags
    depth: npt.NDArray[np.float32]  # (512, 1024) m


def painted_renderer(town: Town, paint: np.random.Generator) -> Any:
    """A renderer of the town in colours drawn from ``paint``."""
    from simlingo_sim.render.renderer import Renderer
    from simlingo_sim.render.town_mesh import mesh_of
    from training.collect.repaint import repainted

    return Renderer(repainted(mesh_of(town), paint))


class Camera:
    """The model's camera (spec A.2) in the embedded world; renders on request, from any pose of the ego."""

    def __init__(self, world: Any, ego: Any, paint: np.random.Generator | None = None) -> None:
        """``paint``: draw the town in other colours than its own, drawn from this generator."""
        self._world, self._ego = world, ego
        self._renderer = world.renderer() if paint is None else painted_renderer(world.town, paint)

    def capture(
        self, pose: EgoState, signals: dict[str, str] | None = None, vehicles: Sequence[VehicleVisual] = ()
    ) -> View:
        """The picture with the ego, and its camera, standing at ``pose``.

        Args:
            pose: of the ego.
            signals: colours that some lights show instead of their own, by OpenDRIVE signal id.
            vehicles: drawn beside those of the world.
        """
        made = self._render(pose, OUTPUTS, signals, vehicles)
        return View(made["rgb"], made["semantic"], made["depth"])

    def rgb(self, pose: EgoState) -> ImageArray:
        """Only the colours, (512, 1024, 3)."""
        return np.asarray(self._render(pose, ("rgb",))["rgb"])

    def _render(
        self,
        pose: EgoState,
        outputs: tuple[str, ...],
        signals: dict[str, str] | None = None,
        vehicles: Sequence[VehicleVisual] = (),
    ) -> dict[str, Any]:
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
            self._scene(pose, signals or {}, vehicles),
            outputs,
        )
        return made

    def _scene(self, pose: EgoState, signals: dict[str, str], more: Sequence[VehicleVisual]) -> SceneFrame:
        """The world's scene with the ego's body moved to ``pose``, ``signals`` in other colours, and ``more`` vehicles."""
        scene: SceneFrame = self._world.scene()
        vehicles = [
            dataclasses.replace(vehicle, x=pose.x, y=pose.y, yaw_deg=math.degrees(pose.yaw))
            if vehicle.seed == self._ego.id
            else vehicle
            for vehicle in scene.vehicles
        ]
        return dataclasses.replace(scene, vehicles=[*vehicles, *more], signals={**scene.signals, **signals})


def beside(ego: EgoState, shift: float, turn: float) -> EgoState:
    """The ego's state moved ``shift`` m to its right and turned by ``turn`` rad (clockwise)."""
    return dataclasses.replace(
        ego, x=ego.x - shift * math.sin(ego.yaw), y=ego.y + shift * math.cos(ego.yaw), yaw=ego.yaw + turn
    )
