"""Shapes of what stands at road works and wrecks: cones, barriers, warning boards, rubble. Frame: x to the front, m."""

from __future__ import annotations

import itertools
import math

from simlingo_sim.object_models import ObjectModel
from simlingo_sim.render.materials import Material, Tag
from simlingo_sim.render.mesh import Color, MeshBuilder, Point, ring_points

_ORANGE: Color = (238, 92, 18)
_WHITE: Color = (240, 240, 236)
_RED: Color = (204, 26, 26)
_BLACK: Color = (28, 28, 30)
_STEEL: Color = (128, 132, 136)
_AMBER: Color = (255, 184, 30)


def cone(builder: MeshBuilder, model: ObjectModel, bands: tuple[tuple[float, float], ...], base: Color) -> None:
    """A cone with white ``bands`` (shares of its height) on a square foot."""
    foot = 0.05 * model.height + 0.015
    builder.box((0.0, 0.0, foot / 2), (model.length, model.width, foot), base, tag=model.tag)
    edges = sorted({0.0, 1.0, *(edge for band in bands for edge in band)})
    wide, narrow, rise = 0.40 * model.length, 0.085 * model.length, model.height - foot
    for low, high in itertools.pairwise(edges):
        color = _WHITE if any(band[0] <= low and high <= band[1] for band in bands) else _ORANGE
        lower, upper = (
            ring_points(0.0, 0.0, foot + share * rise, wide + (narrow - wide) * share, 8) for share in (low, high)
        )
        builder.tube(lower, upper, color, Material.FLAT, model.tag)
    builder.fan(ring_points(0.0, 0.0, model.height, narrow, 8), _BLACK, Material.FLAT, model.tag)


def traffic_cone_small(builder: MeshBuilder, model: ObjectModel) -> None:
    """Orange, one white band, black foot."""
    cone(builder, model, ((0.42, 0.72),), _BLACK)


def traffic_cone_tall(builder: MeshBuilder, model: ObjectModel) -> None:
    """Orange, two white bands, orange foot."""
    cone(builder, model, ((0.30, 0.48), (0.62, 0.80)), _ORANGE)


def construction_cone(builder: MeshBuilder, model: ObjectModel) -> None:
    """A low cone with a broad white band."""
    cone(builder, model, ((0.30, 0.70),), _ORANGE)


def street_barrier(builder: MeshBuilder, model: ObjectModel) -> None:
    """Two boards striped red and white on four slanting legs."""
    tag, half = model.tag, model.length / 2
    for low, high in ((0.46, 0.66), (0.78, 0.98)):
        pieces = 6
        for i in range(pieces):
            color = _RED if i % 2 == 0 else _WHITE
            middle = -half + model.length * (i + 0.5) / pieces
            builder.box(
                (middle, 0.0, (low + high) / 2 * model.height),
                (model.length / pieces, 0.07, (high - low) * model.height),
                color,
                tag=tag,
                bottom=True,
            )
    for x in (-half + 0.10, half - 0.10):
        for side in (-1.0, 1.0):
            foot: list[Point] = [(x + dx, side * 0.19 + dy, 0.0) for dx, dy in _SQUARE]
            top: list[Point] = [(x + dx, side * 0.05 + dy, 0.98 * model.height) for dx, dy in _SQUARE]
            builder.tube(foot, top, _STEEL, Material.FLAT, tag)
    builder.box((half - 0.10, 0.0, 0.99 * model.height), (0.10, 0.10, 0.02 * model.height), _AMBER, tag=tag)


_SQUARE = ((-0.02, -0.01), (0.02, -0.01), (0.02, 0.01), (-0.02, 0.01))


def warning_board(builder: MeshBuilder, model: ObjectModel) -> None:
    """A trailer that carries a dark board with a glowing arrow, and a red and white apron below it."""
    tag, half = model.tag, model.width / 2
    builder.box((-0.1, 0.0, 0.50), (1.9, 0.9, 0.18), _STEEL, tag=tag, bottom=True)
    for y in (-0.62, 0.62):
        builder.box((-0.3, y, 0.30), (0.60, 0.18, 0.60), _BLACK, tag=tag)
    builder.box((-0.95, 0.0, 0.30), (0.30, 0.10, 0.60), _STEEL, tag=tag)
    for y in (-0.45, 0.45):
        builder.box((0.80, y, 0.95), (0.08, 0.08, 0.85), _STEEL, tag=tag)
    low, high, x = 1.70, model.height, model.length / 2 - 0.12
    builder.box((x, 0.0, (low + high) / 2), (0.10, model.width, high - low), _BLACK, tag=tag, bottom=True)
    for i in range(8):
        middle = -half + model.width * (i + 0.5) / 8
        color = _RED if i % 2 == 0 else _WHITE
        builder.box((x, middle, 1.45), (0.08, model.width / 8, 0.42), color, tag=tag, bottom=True)
    front, middle_z = x + 0.065, (low + high) / 2
    # An arrow to the left of who comes towards it: that is the board's own right.
    head: list[Point] = [(front, half - 0.2, middle_z), (front, 0.25, middle_z + 0.62), (front, 0.25, middle_z - 0.62)]
    builder.fan(head, _AMBER, Material.EMISSIVE, tag)
    shaft: list[Point] = [
        (front, -half + 0.25, middle_z - 0.18),
        (front, 0.25, middle_z - 0.18),
        (front, 0.25, middle_z + 0.18),
        (front, -half + 0.25, middle_z + 0.18),
    ]
    builder.fan(shaft, _AMBER, Material.EMISSIVE, tag)


def _triangle_sign(builder: MeshBuilder, model: ObjectModel, fill: Color) -> None:
    tag, half, low, high = model.tag, model.width / 2, 0.42, model.height

    def plate(x: float, inset: float, color: Color, turned: bool = False) -> None:
        corners: list[Point] = [
            (x, -half + 1.7 * inset, low + inset),
            (x, half - 1.7 * inset, low + inset),
            (x, 0.0, high - 1.9 * inset),
        ]
        builder.fan(corners[::-1] if turned else corners, color, Material.FLAT, tag)

    plate(0.03, 0.0, _RED)
    plate(0.04, 0.10, fill)
    plate(0.015, 0.0, _STEEL, turned=True)
    for y in (-0.30, 0.30):
        builder.box((0.0, y, 0.23), (0.03, 0.04, 0.46), _STEEL, tag=tag)
        builder.box((0.0, y, 0.02), (model.length, 0.06, 0.04), _STEEL, tag=tag)


def construction_sign(builder: MeshBuilder, model: ObjectModel) -> None:
    """A yellow triangle with a red rim: a man with a shovel and his heap."""
    _triangle_sign(builder, model, (250, 196, 30))
    x, tag = 0.05, model.tag

    def mark(points: list[tuple[float, float]]) -> None:
        builder.fan([(x, y, z) for y, z in points], _BLACK, Material.FLAT, tag)

    mark([(-0.22, 0.56), (-0.13, 0.56), (-0.03, 0.74), (-0.10, 0.78)])
    mark([(-0.05, 0.56), (0.03, 0.56), (-0.03, 0.76), (-0.09, 0.74)])
    mark([(-0.12, 0.76), (-0.02, 0.72), (0.08, 0.90), (-0.01, 0.94)])
    mark([(0.05, 0.93), (0.11, 0.90), (0.15, 0.97), (0.09, 1.01)])
    mark([(0.02, 0.84), (0.06, 0.88), (0.18, 0.66), (0.15, 0.64)])
    mark([(0.08, 0.56), (0.30, 0.56), (0.19, 0.69)])


def accident_sign(builder: MeshBuilder, model: ObjectModel) -> None:
    """A white triangle with a red rim and an exclamation mark."""
    _triangle_sign(builder, model, _WHITE)
    x, tag = 0.05, model.tag
    bar: list[Point] = [(x, -0.035, 0.74), (x, 0.035, 0.74), (x, 0.055, 1.02), (x, -0.055, 1.02)]
    builder.fan(bar, _BLACK, Material.FLAT, tag)
    dot: list[Point] = [(x, -0.045, 0.58), (x, 0.045, 0.58), (x, 0.045, 0.67), (x, -0.045, 0.67)]
    builder.fan(dot, _BLACK, Material.FLAT, tag)


def planks(builder: MeshBuilder, model: ObjectModel) -> None:
    """A stack of rusty beams."""
    for level, count in enumerate((3, 2)):
        for i in range(count):
            y = (i - (count - 1) / 2) * 0.165
            tint = 1.0 - 0.12 * ((i + level) % 2)
            color: Color = (150 * tint, 78 * tint, 44 * tint)
            builder.box((0.0, y, 0.075 + 0.15 * level), (model.length - 0.1 * level, 0.15, 0.15), color, tag=model.tag)
    for x in (-0.8, 0.8):
        builder.box((x, 0.0, 0.02), (0.10, model.width, 0.04), (110, 84, 58), tag=model.tag)


def rubble(builder: MeshBuilder, model: ObjectModel) -> None:
    """A heap of earth with stones in it."""
    half_l, half_w = model.length / 2, model.width / 2
    rim: list[Point] = []
    crown: list[Point] = []
    for i in range(9):
        angle = 2.0 * math.pi * i / 9
        dent = 0.92 if i % 2 else 1.0
        rim.append((half_l * dent * math.cos(angle), half_w * dent * math.sin(angle), 0.0))
        crown.append(
            (0.45 * half_l * math.cos(angle), 0.45 * half_w * math.sin(angle), model.height * (0.72 + 0.06 * (i % 3)))
        )
    top = (0.03, 0.02, model.height)
    builder.tube(rim, crown, (120, 88, 58), Material.FLAT, model.tag)
    for i in range(9):
        builder.triangle(crown[i], crown[(i + 1) % 9], top, (138, 104, 70), Material.FLAT, model.tag)
    for x, y, size in ((0.52, 0.30, 0.20), (-0.45, -0.45, 0.16), (-0.15, 0.62, 0.14), (0.2, -0.62, 0.18)):
        side = size * half_w / 0.65
        middle = (x * half_l, y * half_w, 0.22 * model.height + side / 2)
        builder.box(middle, (side, side, side), (150, 146, 140), tag=model.tag, yaw=x * 3.0)


def barrel(builder: MeshBuilder, model: ObjectModel) -> None:
    """A blue steel drum with two hoops."""
    radius = model.width / 2
    builder.cylinder((0.0, 0.0, 0.0), radius * 0.94, model.height, (36, 78, 150), tag=model.tag, sides=10)
    for share in (0.30, 0.66):
        builder.cylinder((0.0, 0.0, share * model.height), radius, 0.05, (70, 116, 190), tag=model.tag, sides=10)
    builder.cylinder((0.0, 0.0, model.height - 0.04), radius, 0.04, (70, 116, 190), tag=model.tag, sides=10)


def hay_bale(builder: MeshBuilder, model: ObjectModel) -> None:
    """Straw, tied twice."""
    straw: Color = (214, 178, 84)
    builder.box(
        (0.0, 0.0, model.height / 2),
        (model.length - 0.02, model.width - 0.02, model.height - 0.02),
        straw,
        Material.FOLIAGE,
        model.tag,
    )
    for x in (-0.3, 0.3):
        builder.box((x, 0.0, model.height / 2), (0.05, model.width, model.height), (150, 112, 44), tag=model.tag)
    builder.box((0.0, 0.0, 0.02), (model.length, 0.2, 0.04), straw, tag=model.tag)


def trailer(builder: MeshBuilder, model: ObjectModel) -> None:
    """A closed car trailer with two wheels and a drawbar."""
    tag = model.tag
    body_l = model.length - 0.9
    builder.box(
        (-0.45, 0.0, 0.98), (body_l, model.width - 0.34, model.height - 0.46), (206, 210, 212), tag=tag, bottom=True
    )
    builder.box((-0.45, 0.0, 0.50), (body_l, model.width - 0.30, 0.10), _STEEL, tag=tag, bottom=True)
    builder.box((-0.45 - body_l / 2 - 0.0, 0.0, 0.62), (0.06, model.width - 0.30, 0.14), (190, 30, 30), tag=tag)
    for side in (-1.0, 1.0):
        wheel = [
            (-0.5 + 0.32 * math.cos(2 * math.pi * i / 10), 0.32 + 0.32 * math.sin(2 * math.pi * i / 10))
            for i in range(10)
        ]
        outer: list[Point] = [(x, side * model.width / 2, z) for x, z in wheel]
        inner: list[Point] = [(x, side * (model.width / 2 - 0.16), z) for x, z in wheel]
        if side > 0:
            outer.reverse()
            inner.reverse()
        builder.fan(outer, _BLACK, Material.FLAT, tag)
        builder.tube(outer, inner, _BLACK, Material.FLAT, tag)
    builder.box((model.length / 2 - 0.5, 0.0, 0.48), (1.0, 0.10, 0.10), _STEEL, tag=tag, bottom=True)
    builder.box((model.length / 2 - 0.2, 0.0, 0.24), (0.07, 0.07, 0.48), _STEEL, tag=tag)
    builder.fan(
        [(-1.0, -0.8, 0.02), (0.9, -0.8, 0.02), (0.9, 0.8, 0.02), (-1.0, 0.8, 0.02)],
        (42, 42, 45),
        Material.FLAT,
        Tag.ROAD,
    )
