"""Vehicles and pedestrians of a scene, placed into the renderer's table."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from simlingo_sim.render.buffers import TriangleTable
from simlingo_sim.render.instances import PALETTE, place_instances, pose_row, rotation_matrix
from simlingo_sim.render.materials import FloatImage, displayed_light, to_linear, tone_table
from simlingo_sim.render.mesh import Triangles, join
from simlingo_sim.render.scene import SceneFrame, VehicleVisual
from simlingo_sim.render.vehicles import LAMP_COLORS, Lamp, vehicle_mesh
from simlingo_sim.render.walkers import walker_look, walker_parts
from simlingo_sim.vehicle_models import EGO_BLUEPRINT, VEHICLE_MODELS

#: Vehicles and pedestrians farther away than this are left out, m.
VEHICLE_REACH, WALKER_REACH = 260.0, 130.0
#: Colours of a rider's clothes, by seed (sRGB).
_RIDERS = ((52, 60, 84), (168, 44, 40), (60, 104, 72), (210, 150, 60), (70, 70, 74))


class ActorMeshes:
    """Templates of everything that moves, and their placement."""

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
        poses: list[npt.NDArray[np.float64]] = []
        palettes: list[FloatImage] = []
        lamps: list[int] = []
        for vehicle in frame.vehicles:
            if math.hypot(vehicle.x - camera[0], vehicle.y - camera[1]) > VEHICLE_REACH:
                continue
            ranges.append(self._rows.get(vehicle.kind, self._rows[EGO_BLUEPRINT]))
            rotation = rotation_matrix(vehicle.pitch_deg, vehicle.yaw_deg, vehicle.roll_deg)
            poses.append(pose_row(rotation, vehicle.x, vehicle.y, vehicle.z))
            palettes.append(_vehicle_palette(vehicle))
            lamps.append(_lamp_bits(vehicle))
        for walker in frame.walkers:
            if math.hypot(walker.x - camera[0], walker.y - camera[1]) > WALKER_REACH:
                continue
            limb_poses, palette = walker_look(walker)
            ranges.extend(self._limbs)
            poses.extend(limb_poses)
            palettes.extend([palette] * len(self._limbs))
            lamps.extend([0] * len(self._limbs))
        if not ranges:
            return table.static
        rows = np.array(ranges, np.int32)
        table.reserve(int((rows[:, 1] - rows[:, 0]).sum()))
        mesh = self._templates
        return int(place_instances(
            table.static, mesh.vertices, mesh.normals, mesh.colors, mesh.materials, mesh.tags, mesh.params,
            rows, np.array(poses), np.array(palettes, np.float32), np.array(lamps, np.int32), self._lamp_colors,
            table.vertices, table.normals, table.colors, table.materials, table.tags,
        ))


def _vehicle_palette(vehicle: VehicleVisual) -> FloatImage:
    palette = np.zeros((PALETTE, 3), np.float32)
    palette[0] = to_linear(vehicle.color)
    palette[1] = to_linear(_RIDERS[vehicle.seed % len(_RIDERS)])
    return palette


def _lamp_bits(vehicle: VehicleVisual) -> int:
    lit = ((Lamp.BRAKE, vehicle.brake), (Lamp.LEFT, vehicle.left_indicator), (Lamp.RIGHT, vehicle.right_indicator),
           (Lamp.HEAD, vehicle.headlights), (Lamp.TAIL, vehicle.headlights))
    return sum(1 << lamp for lamp, on in lit if on)
