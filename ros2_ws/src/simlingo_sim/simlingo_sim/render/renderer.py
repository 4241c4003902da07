"""The renderer: a town and a scene in, colour, tags and depth out."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Sequence

import carla
import numpy as np
import numpy.typing as npt

from simlingo_sim.errors import SimulatorError
from simlingo_sim.render.actors import ActorMeshes
from simlingo_sim.render.buffers import TriangleTable
from simlingo_sim.render.materials import (
    cloud_table,
    light_triangles,
    material_table,
    noise_table,
    patch_table,
    tone_table,
)
from simlingo_sim.render.raster import draw_triangles, visible_chunks
from simlingo_sim.render.readout import read_depth, read_tags
from simlingo_sim.render.scene import SceneFrame
from simlingo_sim.render.shade import shade
from simlingo_sim.render.shadow import ShadowMaps, cast
from simlingo_sim.render.sky import SKY_STEP, Light, light_of, paint_sky, thin_air
from simlingo_sim.render.town_mesh import TownMesh

#: What :meth:`Renderer.render` can make.
OUTPUTS = ("rgb", "semantic", "depth")
_SIZES = (8, 8192)


def camera_row(transform: carla.Transform) -> npt.NDArray[np.float64]:
    """(12,) position, forward, right and up axis of a camera in the map frame, as the kernels read it."""
    matrix = np.array(transform.get_matrix())
    return np.concatenate([matrix[:3, 3], matrix[:3, 0], matrix[:3, 1], matrix[:3, 2]])


class Renderer:
    """Draws one town. Not thread-safe: one renderer a thread; the town's mesh may be shared."""

    def __init__(self, town_mesh: TownMesh) -> None:
        self._town = town_mesh
        self._table = TriangleTable(town_mesh)
        self._actors = ActorMeshes()
        self._textures, self._noise, self._clouds = material_table(), noise_table(), cloud_table()
        self._patches, self._tone = patch_table(), tone_table()
        self._ramp = np.arange(2 * _SIZES[1], dtype=np.float32)
        self._shadows = ShadowMaps()
        self._light: Light | None = None
        self._light_key: tuple[float, ...] = ()
        self._buffers: OrderedDict[tuple[int, int], tuple[npt.NDArray[np.float32], npt.NDArray[np.int32]]] = (
            OrderedDict()
        )
        self._everything = np.arange(len(town_mesh.starts), dtype=np.int64)

    def render(
        self,
        camera_transform: carla.Transform,
        width: int,
        height: int,
        fov_deg: float,
        frame: SceneFrame,
        outputs: Sequence[str] = ("rgb",),
    ) -> dict[str, npt.NDArray[np.generic]]:
        """Pictures of ``frame`` from ``camera_transform`` (map frame, x along the optical axis).

        ``width``, ``height`` in pixels, ``fov_deg`` the horizontal field of view. Returns for each of ``outputs``:
        "rgb" uint8 (H, W, 3), "semantic" uint8 (H, W) tags of CARLA 0.9.15, "depth" float32 (H, W) metres
        along the optical axis (1000 for the sky). SimulatorError for a size, view or output that cannot be drawn.
        """
        _check(width, height, fov_deg, outputs)
        camera = camera_row(camera_transform)
        if not np.isfinite(camera).all():
            raise SimulatorError("the camera's pose is not finite; check the actor it is attached to")
        focal = width / (2.0 * math.tan(math.radians(fov_deg) / 2.0))
        light = self._light_for(frame.weather)
        last = self._place_actors(frame, light, camera)
        depth, numbers = self._draw(camera, width, height, focal, last)
        pictures: dict[str, npt.NDArray[np.generic]] = {}
        if "rgb" in outputs:
            self._table.light_signals(frame.signals)
            pictures["rgb"] = self._shade(camera, width, height, focal, light, last, depth, numbers)
        if "semantic" in outputs:
            tags = np.empty((height, width), np.uint8)
            read_tags(depth, numbers, self._table.tags, tags)
            pictures["semantic"] = tags
        if "depth" in outputs:
            metres = np.empty((height, width), np.float32)
            read_depth(depth, numbers, metres)
            pictures["depth"] = metres
        return pictures

    def _light_for(self, weather: carla.WeatherParameters) -> Light:
        """Light of a weather; the town is lit anew only when the weather changes."""
        key = (
            weather.cloudiness,
            weather.precipitation,
            weather.precipitation_deposits,
            weather.sun_azimuth_angle,
            weather.sun_altitude_angle,
            weather.fog_density,
            weather.wetness,
        )
        if self._light is None or key != self._light_key:
            self._light, self._light_key = light_of(weather), key
            self._relight(0, self._table.static, self._light)
            self._table.light_lamps(self._light.dark)
            self._table.forget_signals()
        return self._light

    def _relight(self, first: int, last: int, light: Light) -> None:
        table = self._table
        light_triangles(
            first,
            last,
            table.normals,
            table.colors,
            table.materials,
            table.params,
            self._textures,
            light.surfaces,
            light.wetness,
            table.lit,
        )

    def _place_actors(self, frame: SceneFrame, light: Light, camera: npt.NDArray[np.float64]) -> int:
        """Append vehicles and pedestrians to the table; returns the number of triangles in it."""
        last = self._actors.place(self._table, frame, camera)
        self._relight(self._table.static, last, light)
        return last

    def _draw(
        self, camera: npt.NDArray[np.float64], width: int, height: int, focal: float, last: int
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int32]]:
        """Depth and triangle numbers at 2 x 2 samples a pixel."""
        depth, numbers = self._buffer(width, height)
        depth.fill(0.0)
        town, table = self._town, self._table
        seen = visible_chunks(
            town.boxes,
            town.reach,
            _stretch(camera, focal, width),
            camera,
            width / (2.0 * focal),
            height / (2.0 * focal),
        )
        starts = np.append(town.starts[seen], table.static)
        ends = np.append(town.ends[seen], last)
        draw_triangles(
            table.vertices, table.normals, starts, ends, camera, 2.0 * focal, depth, numbers, self._ramp, np.int32(0)
        )
        return depth, numbers

    def _buffer(self, width: int, height: int) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int32]]:
        size = (width, height)
        if size not in self._buffers:
            while len(self._buffers) >= 3:
                self._buffers.popitem(last=False)
            shape = (2 * height, 2 * width)
            self._buffers[size] = (np.empty(shape, np.float32), np.zeros(shape, np.int32))
        self._buffers.move_to_end(size)
        return self._buffers[size]

    def _shade(
        self,
        camera: npt.NDArray[np.float64],
        width: int,
        height: int,
        focal: float,
        light: Light,
        last: int,
        depth: npt.NDArray[np.float32],
        numbers: npt.NDArray[np.int32],
    ) -> npt.NDArray[np.uint8]:
        table = self._table
        view = self._shadow_map(camera, light, last)
        nodes = np.empty((height // SKY_STEP + 2, width // SKY_STEP + 2, 3), np.float32)
        paint_sky(camera, focal, width, height, light.sky, self._clouds, nodes)
        picture = np.empty((height, width, 3), np.uint8)
        shade(
            depth,
            numbers,
            camera,
            focal,
            table.lit,
            table.normals,
            self._textures,
            self._town.walls,
            self._noise,
            self._patches,
            self._shadows.heights,
            view,
            thin_air(light, float(camera[2])),
            nodes,
            SKY_STEP,
            self._tone,
            self._ramp,
            picture,
        )
        return picture

    def _shadow_map(self, camera: npt.NDArray[np.float64], light: Light, last: int) -> npt.NDArray[np.float64]:
        """Cast the town's shadows (kept by region) and those of this frame's actors; returns the map's view."""
        view = self._shadows.view(camera, light.sun, light.shadow_strength)
        if light.shadow_strength <= 0.0:
            view[6] = 0.0
            return view
        table, town = self._table, self._town
        still, is_new = self._shadows.begin(view, light.sun)
        if is_new:
            cast(table.vertices, table.normals, table.materials, town.starts, town.ends, light.sun, view, still)
        np.copyto(self._shadows.heights, still)
        moving = np.array([table.static], np.int64), np.array([last], np.int64)
        cast(table.vertices, table.normals, table.materials, *moving, light.sun, view, self._shadows.heights)
        return view


def _stretch(camera: npt.NDArray[np.float64], focal: float, width: int) -> float:
    """How much farther than a driver a camera sees that stands high up or has a narrow view."""
    return max(1.0, float(camera[2]) / 25.0) * max(1.0, 1.2 * focal / width)


def _check(width: int, height: int, fov_deg: float, outputs: Sequence[str]) -> None:
    if not (_SIZES[0] <= width <= _SIZES[1] and _SIZES[0] <= height <= _SIZES[1]):
        raise SimulatorError(f"a picture of {width} x {height} pixels cannot be drawn: each side must be 8 to 8192")
    if not 1.0 <= fov_deg <= 170.0:
        raise SimulatorError(f"fov {fov_deg} degrees cannot be drawn: it must be 1 to 170")
    unknown = [name for name in outputs if name not in OUTPUTS]
    if unknown:
        raise SimulatorError(f"unknown output {unknown[0]!r}: choose from {', '.join(OUTPUTS)}")
