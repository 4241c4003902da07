"""Cameras: pictures of the world through the software renderer, made once for all cameras of one pose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import carla
import numpy as np
import numpy.typing as npt

from simlingo_sim.actor import Actor
from simlingo_sim.errors import SimulatorError
from simlingo_sim.jit import kernel
from simlingo_sim.sensors.base import Sensor, SensorData

if TYPE_CHECKING:
    from simlingo_sim.world import World

Pixels = npt.NDArray[np.uint8]

#: What the renderer calls the output of each camera.
_OUTPUTS = {
    "sensor.camera.rgb": "rgb",
    "sensor.camera.semantic_segmentation": "semantic",
    "sensor.camera.depth": "depth",
}
_DEPTH_RANGE_M = 1000.0
_LARGEST = 4096  # px


@dataclass(frozen=True)
class Image(SensorData):
    """A picture as carla gives it: ``raw_data`` is BGRA, row by row from the top; ``fov`` horizontal, degrees.

    Semantic images hold the tag of CARLA 0.9.15 in red; depth images 24 bits (red lowest) over 1000 m.
    """

    width: int
    height: int
    fov: float
    raw_data: memoryview

    def __len__(self) -> int:
        return self.width * self.height


class CameraSensor(Sensor):
    """``sensor.camera.*``: any size and field of view, pinhole."""

    def __init__(
        self,
        world: World,
        actor_id: int,
        type_id: str,
        attributes: dict[str, str],
        transform: carla.Transform,
        parent: Actor | None,
    ) -> None:
        super().__init__(world, actor_id, type_id, attributes, transform, parent)
        self.width, self.height = int(attributes["image_size_x"]), int(attributes["image_size_y"])
        self.fov = float(attributes["fov"])
        if not (1 <= self.width <= _LARGEST and 1 <= self.height <= _LARGEST):
            raise SimulatorError(f"image_size_x/y {self.width}x{self.height} is not within 1..{_LARGEST} pixels")
        if not 1.0 <= self.fov <= 170.0:
            raise SimulatorError(f"fov {self.fov} is not within 1..170 degrees")

    @property
    def output(self) -> str:
        """Name of the renderer's output."""
        return _OUTPUTS[self.type_id]

    def view(self) -> tuple[float, ...]:
        """Two cameras of equal view can share one rendering."""
        pose = self.get_transform()
        place, turn = pose.location, pose.rotation
        return (place.x, place.y, place.z, turn.pitch, turn.yaw, turn.roll, self.width, self.height, self.fov)

    def image(self, frame: int, elapsed_s: float, pixels: npt.NDArray[np.generic]) -> Image:
        """Wrap the renderer's output."""
        packed = _pack(self.output, pixels)
        packed.flags.writeable = False
        return Image(frame, elapsed_s, self.get_transform(), self.width, self.height, self.fov, packed.reshape(-1).data)


def render_cameras(
    world: World, cameras: Sequence[CameraSensor], frame: int, elapsed_s: float
) -> list[tuple[Sensor, SensorData]]:
    """A picture for each camera, in the order of the cameras; the renderer starts with the first one ever asked for."""
    views: dict[tuple[float, ...], list[CameraSensor]] = {}
    for camera in cameras:
        views.setdefault(camera.view(), []).append(camera)
    pictures: dict[int, Image] = {}
    for group in views.values():
        outputs = tuple(sorted({camera.output for camera in group}))
        first = group[0]
        made = world.renderer().render(
            first.get_transform(), first.width, first.height, first.fov, world.scene(), outputs
        )
        for camera in group:
            pictures[camera.id] = camera.image(frame, elapsed_s, made[camera.output])
    return [(camera, pictures[camera.id]) for camera in cameras]


@kernel
def _swap(rgb: npt.NDArray[np.generic], bgra: Pixels) -> None:
    """RGB to BGRA in one pass over the memory (numpy's strided copy takes 20 times as long)."""
    for row in range(rgb.shape[0]):
        for column in range(rgb.shape[1]):
            bgra[row, column, 0] = rgb[row, column, 2]
            bgra[row, column, 1] = rgb[row, column, 1]
            bgra[row, column, 2] = rgb[row, column, 0]
            bgra[row, column, 3] = 255


def _pack(output: str, pixels: npt.NDArray[np.generic]) -> Pixels:
    """(H, W, 4) BGRA of a renderer's output."""
    packed = np.empty((*pixels.shape[:2], 4), dtype=np.uint8)
    if output == "rgb":
        _swap(pixels, packed)
        return packed
    packed[..., 3] = 255
    if output == "semantic":
        packed[..., :2] = 0
        packed[..., 2] = pixels
    else:
        code = (np.clip(pixels.astype(np.float64) / _DEPTH_RANGE_M, 0.0, 1.0) * (256**3 - 1)).astype(np.uint32)
        packed[..., 2] = code & 255
        packed[..., 1] = (code >> 8) & 255
        packed[..., 0] = code >> 16
    return packed
