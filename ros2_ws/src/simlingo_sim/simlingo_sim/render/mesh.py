"""Triangles and the builder that makes them. All shapes wind so that their normals point outwards."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from simlingo_sim.render.materials import FloatImage, Material, Tag, to_linear

Point = tuple[float, float, float]
Color = tuple[float, float, float]  # sRGB, 0-255


@dataclass(frozen=True)
class Triangles:
    """A soup of N triangles in one frame (map or object), metres."""

    vertices: FloatImage  # (N, 3, 3): corner, axis
    normals: FloatImage  # (N, 3), unit length, outwards
    colors: FloatImage  # (N, 3), linear light
    materials: npt.NDArray[np.uint8]  # (N,) Material
    tags: npt.NDArray[np.uint8]  # (N,) Tag
    params: npt.NDArray[np.int32]  # (N,) meaning by material or owner: wall row, lens, part of a vehicle

    def __len__(self) -> int:
        return len(self.materials)

    def select(self, order: npt.NDArray[np.int64]) -> Triangles:
        """The triangles at these indices, in their order."""
        return Triangles(
            np.ascontiguousarray(self.vertices[order]),
            np.ascontiguousarray(self.normals[order]),
            np.ascontiguousarray(self.colors[order]),
            self.materials[order],
            self.tags[order],
            self.params[order],
        )


class MeshBuilder:
    """Collects triangles; coordinates are those of whoever calls (map or object frame), metres."""

    def __init__(self) -> None:
        self._corners: list[tuple[Point, Point, Point]] = []
        self._looks: list[tuple[Color, int, int, int]] = []

    def __len__(self) -> int:
        return len(self._corners)

    def triangle(
        self, a: Point, b: Point, c: Point, color: Color, material: Material, tag: Tag, param: int = 0
    ) -> None:
        """One triangle; its normal is (b - a) x (c - a)."""
        self._corners.append((a, b, c))
        self._looks.append((color, int(material), int(tag), param))

    def quad(
        self, a: Point, b: Point, c: Point, d: Point, color: Color, material: Material, tag: Tag, param: int = 0
    ) -> None:
        """A flat four-sided face a-b-c-d."""
        self.triangle(a, b, c, color, material, tag, param)
        self.triangle(a, c, d, color, material, tag, param)

    def fan(self, points: Sequence[Point], color: Color, material: Material, tag: Tag, param: int = 0) -> None:
        """A convex flat polygon."""
        for second, third in itertools.pairwise(points):
            self.triangle(points[0], second, third, color, material, tag, param)

    def tube(
        self,
        lower: Sequence[Point],
        upper: Sequence[Point],
        color: Color,
        material: Material,
        tag: Tag,
        param: int = 0,
        smooth_seam: bool = True,
    ) -> None:
        """Side faces between two rings of equal length, counter-clockwise in numeric x, y seen from above."""
        count = len(lower)
        for i in range(count if smooth_seam else count - 1):
            j = (i + 1) % count
            self.quad(lower[i], lower[j], upper[j], upper[i], color, material, tag, param)

    def box(
        self,
        center: Point,
        size: Point,
        color: Color,
        material: Material = Material.FLAT,
        tag: Tag = Tag.STATIC,
        param: int = 0,
        yaw: float = 0.0,
        bottom: bool = False,
    ) -> None:
        """A box of ``size`` (along its own x, y, z) turned by ``yaw`` (rad); its bottom face on request."""
        half_x, half_y, half_z = size[0] / 2, size[1] / 2, size[2] / 2
        cosine, sine = math.cos(yaw), math.sin(yaw)
        corners = [(-half_x, -half_y), (half_x, -half_y), (half_x, half_y), (-half_x, half_y)]
        ring = [(center[0] + x * cosine - y * sine, center[1] + x * sine + y * cosine) for x, y in corners]
        lower = [(x, y, center[2] - half_z) for x, y in ring]
        upper = [(x, y, center[2] + half_z) for x, y in ring]
        self.tube(lower, upper, color, material, tag, param)
        self.fan(upper, color, material, tag, param)
        if bottom:
            self.fan(lower[::-1], color, material, tag, param)

    def cylinder(
        self,
        base: Point,
        radius: float,
        height: float,
        color: Color,
        material: Material = Material.FLAT,
        tag: Tag = Tag.STATIC,
        sides: int = 6,
        top_radius: float | None = None,
        capped: bool = True,
    ) -> None:
        """An upright cylinder or, with ``top_radius``, a cone (0: pointed)."""
        upper_radius = radius if top_radius is None else top_radius
        lower, upper = (
            ring_points(base[0], base[1], z, r, sides) for z, r in ((base[2], radius), (base[2] + height, upper_radius))
        )
        if upper_radius <= 0.0:
            tip = (base[0], base[1], base[2] + height)
            for i in range(sides):
                self.triangle(lower[i], lower[(i + 1) % sides], tip, color, material, tag)
            return
        self.tube(lower, upper, color, material, tag)
        if capped:
            self.fan(upper, color, material, tag)

    def build(self) -> Triangles:
        """All triangles so far; those without an area are left out."""
        count = len(self._corners)
        vertices = np.asarray(self._corners, np.float64).reshape(count, 3, 3)
        cross = np.cross(vertices[:, 1] - vertices[:, 0], vertices[:, 2] - vertices[:, 0])
        length = np.linalg.norm(cross, axis=1)
        keep = length > 1e-9
        colors = np.asarray([to_linear(look[0]) for look in self._looks], np.float32).reshape(count, 3)
        numbers = np.asarray([look[1:] for look in self._looks], np.int64).reshape(count, 3)
        return Triangles(
            np.ascontiguousarray(vertices[keep], np.float32),
            np.ascontiguousarray(cross[keep] / length[keep, None], np.float32),
            np.ascontiguousarray(colors[keep]),
            numbers[keep, 0].astype(np.uint8),
            numbers[keep, 1].astype(np.uint8),
            numbers[keep, 2].astype(np.int32),
        )


def ring_points(x: float, y: float, z: float, radius: float, sides: int, turn: float = 0.0) -> list[Point]:
    """Corners of a level regular polygon, in the winding that :meth:`MeshBuilder.tube` expects."""
    angles = [turn + 2.0 * math.pi * i / sides for i in range(sides)]
    return [(x + radius * math.cos(angle), y + radius * math.sin(angle), z) for angle in angles]


def join(parts: Sequence[Triangles]) -> Triangles:
    """Several soups as one."""
    return Triangles(
        np.concatenate([part.vertices for part in parts]),
        np.concatenate([part.normals for part in parts]),
        np.concatenate([part.colors for part in parts]),
        np.concatenate([part.materials for part in parts]),
        np.concatenate([part.tags for part in parts]),
        np.concatenate([part.params for part in parts]),
    )
