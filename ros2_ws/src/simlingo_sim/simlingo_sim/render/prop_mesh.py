"""Trees, lamp posts and parked cars."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np

from simlingo_sim.render.instances import body_pose
from simlingo_sim.render.materials import Material, Tag, to_linear
from simlingo_sim.render.mesh import Color, MeshBuilder, Point, Triangles, ring_points
from simlingo_sim.render.vehicles import parked_kinds, vehicle_mesh

_LEAVES: tuple[Color, ...] = ((72, 118, 48), (88, 132, 56), (62, 104, 50), (104, 138, 54), (84, 116, 44))
_NEEDLES: tuple[Color, ...] = ((42, 84, 54), (50, 92, 60), (36, 74, 50))
_BARK: Color = (92, 72, 54)

#: Param of the glass of lamp posts.
LAMP_GLASS = 1

#: Paints of cars that nobody chose (sRGB).
PAINTS: tuple[tuple[int, int, int], ...] = (
    (188, 190, 194),
    (40, 42, 46),
    (232, 232, 230),
    (150, 28, 32),
    (36, 66, 122),
    (96, 102, 108),
    (60, 92, 78),
    (196, 160, 96),
    (104, 132, 160),
    (120, 62, 44),
)


def add_tree(builder: MeshBuilder, item: dict[str, Any], ground: float) -> None:
    """A tree of decor.json: x, y, height, radius (m), kind."""
    x, y, height, radius = (float(item[key]) for key in ("x", "y", "height", "radius"))
    dice = np.random.default_rng(int(abs(x) * 97 + abs(y) * 131) % 100003)
    if item["kind"] == "conifer":
        color = _NEEDLES[int(dice.integers(len(_NEEDLES)))]
        builder.cylinder(
            (x, y, ground - 0.1), 0.14, height * 0.22, _BARK, Material.FLAT, Tag.VEGETATION, 5, capped=False
        )
        for level, share in enumerate((1.0, 0.76, 0.5)):
            base = ground + height * (0.14 + 0.26 * level)
            tint = 0.86 + 0.14 * level
            skirt = ring_points(x, y, base, radius * share, 7, turn=float(dice.random()) * 6.0)
            tip = (x, y, min(base + height * 0.44, ground + height))
            green: Color = (color[0] * tint, color[1] * tint, color[2] * tint)
            for i in range(7):
                builder.triangle(skirt[i], skirt[(i + 1) % 7], tip, green, Material.FOLIAGE, Tag.VEGETATION)
            builder.fan(skirt[::-1], (color[0] * 0.6, color[1] * 0.6, color[2] * 0.6), Material.FOLIAGE, Tag.VEGETATION)
        return
    color = _LEAVES[int(dice.integers(len(_LEAVES)))]
    builder.cylinder(
        (x, y, ground - 0.1),
        0.10 + height * 0.012,
        height * 0.5,
        _BARK,
        Material.FLAT,
        Tag.VEGETATION,
        5,
        top_radius=0.09,
        capped=False,
    )
    _crown(builder, (x, y, ground + height * 0.64), radius, height * 0.36, color, dice)


def _crown(
    builder: MeshBuilder, center: Point, radius: float, half_height: float, color: Color, dice: np.random.Generator
) -> None:
    """A dented ball of leaves, darker below."""
    sides = 7
    turn = float(dice.random()) * 6.0
    rings: list[list[Point]] = []
    for level in (-0.62, -0.12, 0.42, 0.80):
        wide = radius * math.sqrt(1.0 - level * level) * 1.04
        ring = []
        for i in range(sides):
            angle = 2.0 * math.pi * i / sides + turn + level
            dent = wide * (0.82 + 0.34 * float(dice.random()))
            ring.append(
                (
                    center[0] + dent * math.cos(angle),
                    center[1] + dent * math.sin(angle),
                    center[2] + half_height * (level + 0.12 * float(dice.random())),
                )
            )
        rings.append(ring)
    foot = (center[0], center[1], center[2] - half_height * 0.92)
    top = (center[0], center[1], center[2] + half_height * 1.05)
    tints = (0.62, 0.82, 1.0, 1.12, 1.18)
    greens: list[Color] = [(color[0] * t, color[1] * t, color[2] * t) for t in tints]
    for i in range(sides):
        j = (i + 1) % sides
        builder.triangle(rings[0][j], rings[0][i], foot, greens[0], Material.FOLIAGE, Tag.VEGETATION)
        for band, (lower, upper) in enumerate(itertools.pairwise(rings)):
            shade = greens[band + 1]
            builder.triangle(lower[i], lower[j], upper[i], shade, Material.FOLIAGE, Tag.VEGETATION)
            builder.triangle(lower[j], upper[j], upper[i], shade, Material.FOLIAGE, Tag.VEGETATION)
        builder.triangle(rings[-1][i], rings[-1][j], top, greens[4], Material.FOLIAGE, Tag.VEGETATION)


def add_lamp_post(builder: MeshBuilder, item: dict[str, Any], ground: float, toward: tuple[float, float]) -> None:
    """A lamp post of decor.json whose arm points along ``toward`` (unit vector, map frame)."""
    x, y, height = float(item["x"]), float(item["y"]), float(item["height"])
    steel: Color = (104, 110, 114)
    builder.cylinder((x, y, ground), 0.09, height, steel, tag=Tag.POLE, sides=6, top_radius=0.055)
    yaw = math.atan2(toward[1], toward[0])
    arm = (x + toward[0] * 0.75, y + toward[1] * 0.75, ground + height - 0.04)
    builder.box(arm, (1.6, 0.07, 0.07), steel, tag=Tag.POLE, yaw=yaw, bottom=True)
    head = (x + toward[0] * 1.7, y + toward[1] * 1.7, ground + height - 0.06)
    builder.box(head, (0.75, 0.26, 0.11), (206, 208, 206), tag=Tag.POLE, yaw=yaw)
    under = [
        (head[0] + u * toward[0] - v * toward[1], head[1] + u * toward[1] + v * toward[0], head[2] - 0.06)
        for u, v in ((-0.37, 0.13), (0.37, 0.13), (0.37, -0.13), (-0.37, -0.13))
    ]
    builder.fan(under, (206, 208, 206), Material.FLAT, Tag.POLE, LAMP_GLASS)


def parked_car(item: dict[str, Any], ground: float) -> Triangles:
    """A parked car of decor.json in the map frame, unlit."""
    seed = int(item["seed"])
    kinds = parked_kinds()
    mesh = vehicle_mesh(kinds[seed % len(kinds)])
    rotation, place = body_pose(float(item["x"]), float(item["y"]), ground, float(item["yaw_deg"]))
    colors = mesh.colors.copy()
    colors[mesh.params == 1] = to_linear(PAINTS[seed // 7 % len(PAINTS)])
    params = np.zeros(len(mesh), np.int32)
    vertices = mesh.vertices.astype(np.float64) @ rotation.T + place
    normals = mesh.normals.astype(np.float64) @ rotation.T
    return Triangles(vertices.astype(np.float32), normals.astype(np.float32), colors, mesh.materials, mesh.tags, params)
