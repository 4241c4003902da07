"""Vehicles, pedestrians and things of a scene, placed into the renderer's table."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from simlingo_sim.render.buffers import TriangleTable
from simlingo_sim.render.instances import PALETTE, place_bodies, place_instances
from simlingo_sim.render.materials import FloatImage, displayed_light, to_linear, tone_table
from simlingo_sim.render.mesh import Triangles, join
from simlingo_sim.render.object_mesh import object_mesh
from simlingo_sim.render.scene import SceneFrame, VehicleVisual
from simlingo_sim.render.vehicles import LAMP_COLORS, Lamp, vehicle_mesh
from simlingo_sim.render.walkers import walker_joints, walker_look, walker_parts
from simlingo_sim.vehicle_models import EGO_BLUEPRINT, VEHICLE_MODELS

#: Vehicles, pedestrians and things farther away than this are left out, m.
VEHICLE_REACH, WALKER_REACH, PROP_REACH = 260.0, 130.0, 150.0
#: Colours of a rider's clothes, by seed (sRGB).
_RIDERS = ((52, 60, 84), (168, 44, 40), (60, 104, 72), (210, 150, 60), (70, 70, 74))


class ActorMeshes:
    """Templates of everything that moves or was put somewhere, and their placement."""

    def __init__(self) -> None:
        self._rows: dict[str, tuple[int, int]] = {}
        parts: list[Triangles] = []
        first = 0
        for kind in VEHICLE_MODELS:
            mesh = vehicle_mesh(kind)
            self._rows[kind] = (first, first + len(mesh))
            parts.append(mesh)
            first += len(mesh)
        self._limbs: list[tuple[int, int]] = []
        for part in walker_parts():
            self._limbs.append((first, first + len(part.mesh)))
            parts.append(part.mesh)
            first += len(part.mesh)
        self._templates = join(parts)
        tone = tone_table()
        self._lamp_colors = np.array([displayed_light(color, tone) for color in LAMP_COLORS], np.float32)

    def place(self, table: TriangleTable, frame: SceneFrame, camera: npt.NDArray[np.float64]) -> int:
        """Append what is near enough to ``camera`` to ``table``; returns the number of triangles in it."""
        ranges: list[tuple[int, int]] = []
        states: list[tuple[float, ...]] = []
        palettes: list[FloatImage] = []
        lamps: list[int] = []
        camera_x, camera_y = float(camera[0]), float(camera[1])
        for vehicle in frame.vehicles:
            if math.hypot(vehicle.x - camera_x, vehicle.y - camera_y) > VEHICLE_REACH:
                continue
            ranges.append(self._rows.get(vehicle.kind, self._rows[EGO_BLUEPRINT]))
            states.append((vehicle.x, vehicle.y, vehicle.z, vehicle.pitch_deg, vehicle.yaw_deg, vehicle.roll_deg, 1.0))
            palettes.append(_vehicle_palette(tuple(vehicle.color), vehicle.seed % len(_RIDERS)))
            lamps.append(_lamp_bits(vehicle))
        for walker in frame.walkers:
            if math.hypot(walker.x - camera_x, walker.y - camera_y) > WALKER_REACH:
                continue
            ranges.extend(self._limbs)
            states.extend(walker_joints(walker))
            palettes.extend([walker_look(walker.seed)[1]] * len(self._limbs))
            lamps.extend([0] * len(self._limbs))
        for prop in frame.props:
            if math.hypot(prop.x - camera_x, prop.y - camera_y) > PROP_REACH:
                continue
            ranges.append(self._rows.get(prop.kind) or self._add(prop.kind))
            states.append((prop.x, prop.y, prop.z, 0.0, prop.yaw_deg, 0.0, 1.0))
            palettes.append(_vehicle_palette(tuple(prop.color), 0))
            lamps.append(0)
        if not ranges:
            return table.static
        rows = np.array(ranges, np.int32)
        table.reserve(int((rows[:, 1] - rows[:, 0]).sum()))
        poses = np.empty((len(states), 12))
        place_bodies(np.array(states), poses)
        mesh = self._templates
        return int(
            place_instances(
                table.static,
                mesh.vertices,
                mesh.normals,
                mesh.colors,
                mesh.materials,
                mesh.tags,
                mesh.params,
                rows,
                poses,
                np.array(palettes),
                np.array(lamps, np.int32),
                self._lamp_colors,
                table.vertices,
                table.normals,
                table.colors,
                table.materials,
                table.tags,
            )
        )

    def _add(self, kind: str) -> tuple[int, int]:
        """Take in the template of a thing that was not seen before; worlds without things hold none."""
        mesh, first = object_mesh(kind), len(self._templates)
        self._templates = join([self._templates, mesh])
        self._rows[kind] = first, first + len(mesh)
        return self._rows[kind]


@lru_cache(maxsize=1024)
def _vehicle_palette(color: tuple[int, ...], rider: int) -> FloatImage:
    palette = np.zeros((PALETTE, 3), np.float32)
    palette[0] = to_linear((color[0], color[1], color[2]))
    palette[1] = to_linear(_RIDERS[rider])
    return palette


def _lamp_bits(vehicle: VehicleVisual) -> int:
    lit = (
        (Lamp.BRAKE, vehicle.brake),
        (Lamp.LEFT, vehicle.left_indicator),
        (Lamp.RIGHT, vehicle.right_indicator),
        (Lamp.HEAD, vehicle.headlights),
        (Lamp.TAIL, vehicle.headlights),
    )
    return sum(1 << lamp for lamp, on in lit if on)
