"""Copies of template meshes (vehicles, limbs of pedestrians) placed in the map frame."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from simlingo_sim.jit import kernel
from simlingo_sim.render.materials import FloatImage
from simlingo_sim.render.raster import Doubles, Indices

#: Template triangles with param 1..PALETTE take that colour of the instance; 0 keeps its own.
PALETTE = 4
#: Template triangles with param LAMP + k glow when bit k of the instance's lamps is set.
LAMP = 16


@kernel
def place_instances(
    first: int,
    template_vertices: FloatImage,
    template_normals: FloatImage,
    template_colors: FloatImage,
    template_materials: npt.NDArray[np.uint8],
    template_tags: npt.NDArray[np.uint8],
    template_params: Indices,
    ranges: Indices,
    poses: Doubles,
    palettes: FloatImage,
    lamps: Indices,
    lamp_colors: FloatImage,
    vertices: FloatImage,
    normals: FloatImage,
    colors: FloatImage,
    materials: npt.NDArray[np.uint8],
    tags: npt.NDArray[np.uint8],
) -> int:
    """Write the triangles of all instances from row ``first`` on; returns the row after the last.

    ``ranges`` (K, 2): template rows; ``poses`` (K, 12): rotation (row by row) and translation, m;
    ``palettes`` (K, PALETTE, 3) linear; ``lamps`` (K,) bits; ``lamp_colors`` (bits, 3).
    """
    out = first
    for k in range(ranges.shape[0]):
        pose = poses[k]
        for t in range(ranges[k, 0], ranges[k, 1]):
            for corner in range(3):
                x = template_vertices[t, corner, 0]
                y = template_vertices[t, corner, 1]
                z = template_vertices[t, corner, 2]
                vertices[out, corner, 0] = pose[0] * x + pose[1] * y + pose[2] * z + pose[9]
                vertices[out, corner, 1] = pose[3] * x + pose[4] * y + pose[5] * z + pose[10]
                vertices[out, corner, 2] = pose[6] * x + pose[7] * y + pose[8] * z + pose[11]
            nx, ny, nz = template_normals[t, 0], template_normals[t, 1], template_normals[t, 2]
            normals[out, 0] = pose[0] * nx + pose[1] * ny + pose[2] * nz
            normals[out, 1] = pose[3] * nx + pose[4] * ny + pose[5] * nz
            normals[out, 2] = pose[6] * nx + pose[7] * ny + pose[8] * nz
            materials[out] = template_materials[t]
            tags[out] = template_tags[t]
            param = template_params[t]
            for channel in range(3):
                if param >= 16 and lamps[k] >> (param - 16) & 1:
                    colors[out, channel] = lamp_colors[param - 16, channel]
                elif param >= 1 and param <= 4:
                    colors[out, channel] = palettes[k, param - 1, channel]
                else:
                    colors[out, channel] = template_colors[t, channel]
            if param >= 16 and lamps[k] >> (param - 16) & 1:
                materials[out] = 1
            out += 1
    return out


@kernel
def place_bodies(states: Doubles, poses: Doubles) -> None:
    """Fill ``poses`` (K, 12) from ``states`` (K, 7): x, y, z (m), pitch, yaw, roll (degrees, as carla.Rotation), scale."""
    for k in range(states.shape[0]):
        pitch, yaw, roll = np.radians(states[k, 3]), np.radians(states[k, 4]), np.radians(states[k, 5])
        cp, sp, cy, sy = np.cos(pitch), np.sin(pitch), np.cos(yaw), np.sin(yaw)
        cr, sr = np.cos(roll), np.sin(roll)
        scale = states[k, 6]
        poses[k, 0] = scale * cp * cy
        poses[k, 1] = scale * (cy * sp * sr - sy * cr)
        poses[k, 2] = scale * (-cy * sp * cr - sy * sr)
        poses[k, 3] = scale * cp * sy
        poses[k, 4] = scale * (sy * sp * sr + cy * cr)
        poses[k, 5] = scale * (-sy * sp * cr + cy * sr)
        poses[k, 6] = scale * sp
        poses[k, 7] = scale * -cp * sr
        poses[k, 8] = scale * cp * cr
        poses[k, 9], poses[k, 10], poses[k, 11] = states[k, 0], states[k, 1], states[k, 2]


def body_pose(x: float, y: float, z: float, yaw_deg: float) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Rotation (3, 3) and translation (3,) of something upright in the map frame."""
    poses = np.empty((1, 12))
    place_bodies(np.array([[x, y, z, 0.0, yaw_deg, 0.0, 1.0]]), poses)
    return poses[0, :9].reshape(3, 3), poses[0, 9:]
