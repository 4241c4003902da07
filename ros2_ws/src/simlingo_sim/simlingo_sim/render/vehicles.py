"""Meshes of vehicles in their own frame: x forward, y right, z up, origin on the ground below the middle.

``params`` of the triangles say which part takes the instance's paint and which are lamps (see instances.py).
"""

from __future__ import annotations

import itertools
import math
from enum import IntEnum
from functools import cache

from simlingo_sim.render.car_shapes import SEDAN, SHAPES, CarShape
from simlingo_sim.render.instances import LAMP
from simlingo_sim.render.materials import Material, Tag
from simlingo_sim.render.mesh import Color, MeshBuilder, Point, Triangles, ring_points
from simlingo_sim.render.vehicle_extras import EXTRAS
from simlingo_sim.semantic_tags import vehicle_tag
from simlingo_sim.vehicle_models import EGO_BLUEPRINT, VEHICLE_MODELS, VehicleModel, traffic_models


class Lamp(IntEnum):
    """Bits of an instance's lamps."""

    BRAKE = 0
    LEFT = 1
    RIGHT = 2
    HEAD = 3
    TAIL = 4


#: Displayed colour of each lit lamp (sRGB), by bit.
LAMP_COLORS: tuple[Color, ...] = ((255, 36, 22), (255, 165, 20), (255, 165, 20), (255, 248, 222), (205, 24, 18))
_UNLIT: dict[Lamp, Color] = {
    Lamp.BRAKE: (86, 14, 14),
    Lamp.LEFT: (150, 92, 36),
    Lamp.RIGHT: (150, 92, 36),
    Lamp.HEAD: (205, 210, 215),
    Lamp.TAIL: (110, 20, 20),
}

_PAINT = 1
_SECOND = 2  # clothes of a rider
_GLASS: Color = (38, 48, 58)
_TYRE: Color = (26, 26, 28)
_RIM: Color = (150, 152, 156)
_TRIM: Color = (40, 41, 44)
_SKIN: Color = (196, 150, 122)


def _lamp(
    builder: MeshBuilder, lamp: Lamp, tag: Tag, x: float, sides: tuple[float, float], heights: tuple[float, float]
) -> None:
    """A lamp's flat face at ``x``, facing backwards for negative ``x`` and forwards otherwise."""
    left, right = min(sides), max(sides)
    low, high = heights
    corners = [(x, left, low), (x, right, low), (x, right, high), (x, left, high)]
    if x < 0:
        corners.reverse()
    builder.fan(corners, _UNLIT[lamp], Material.FLAT, tag, LAMP + lamp)


def _lamps(
    builder: MeshBuilder,
    tag: Tag,
    length: float,
    half_width: float,
    rear: tuple[float, float],
    front: tuple[float, float],
    inset: tuple[float, float] = (0.0, 0.0),
) -> None:
    """Brake, tail and head lamps and indicators at heights ``rear`` and ``front`` (m)."""
    back, ahead = -length / 2 - 0.015 + inset[0], length / 2 + 0.015 - inset[1]
    for side, indicator in ((-1.0, Lamp.LEFT), (1.0, Lamp.RIGHT)):

        def across(a: float, b: float, side: float = side) -> tuple[float, float]:
            return side * a * half_width, side * b * half_width

        middle = rear[0] + 0.62 * (rear[1] - rear[0])
        _lamp(builder, Lamp.BRAKE, tag, back, across(0.44, 0.74), rear)
        _lamp(builder, Lamp.TAIL, tag, back, across(0.74, 0.92), (middle, rear[1]))
        _lamp(builder, indicator, tag, back, across(0.74, 0.92), (rear[0], middle))
        _lamp(builder, Lamp.HEAD, tag, ahead, across(0.45, 0.76), front)
        _lamp(builder, indicator, tag, ahead, across(0.77, 0.93), front)


def _wheel(builder: MeshBuilder, x: float, y: float, radius: float, width: float, tag: Tag, sides: int = 8) -> None:
    """A wheel whose outer face is at ``y`` (right for positive)."""
    side = 1.0 if y > 0 else -1.0
    outer, inner = [], []
    for i in range(sides):
        angle = 2.0 * math.pi * (i + 0.5) / sides
        px, pz = x + radius * math.cos(angle), radius + radius * math.sin(angle)
        outer.append((px, y, pz))
        inner.append((px, y - side * width, pz))
    rim = [(x + 0.58 * (p[0] - x), y + side * 0.012, radius + 0.58 * (p[2] - radius)) for p in outer]
    if side > 0:
        outer.reverse()
        inner.reverse()
        rim.reverse()
    builder.fan(outer, _TYRE, Material.FLAT, tag)
    builder.fan(rim, _RIM, Material.FLAT, tag)
    for i in range(sides):
        j = (i + 1) % sides
        builder.quad(outer[j], outer[i], inner[i], inner[j], _TYRE, Material.FLAT, tag)


def _loft(
    builder: MeshBuilder,
    rings: list[list[Point]],
    color: Color,
    material: Material,
    tag: Tag,
    param: int,
    caps: bool = True,
) -> None:
    """Skin through cross-sections from rear to front; each runs from bottom right over the top to bottom left."""
    for back, front in itertools.pairwise(rings):
        for i in range(len(back) - 1):
            builder.quad(back[i], back[i + 1], front[i + 1], front[i], color, material, tag, param)
    if caps:
        builder.fan(rings[-1], color, material, tag, param)
        builder.fan(rings[0][::-1], color, material, tag, param)


def _cabin(builder: MeshBuilder, model: VehicleModel, shape: CarShape, tag: Tag) -> None:
    """Roof in paint, glass all round with painted pillars."""
    length, half, height = model.length, model.width / 2, model.height
    roof = [(x * length, z * height) for x, z in zip(shape.cabin_roof, shape.roof_heights, strict=True)]
    rear = (shape.cabin_base[0] * length, shape.foot_heights[0] * height)
    front = (shape.cabin_base[1] * length, shape.foot_heights[1] * height)
    wide, narrow = half * 0.955, half * shape.roof_width
    for (x0, z0), (x1, z1) in itertools.pairwise(roof):
        builder.quad(
            (x0, -narrow, z0),
            (x1, -narrow, z1),
            (x1, narrow, z1),
            (x0, narrow, z0),
            (0, 0, 0),
            Material.FLAT,
            tag,
            _PAINT,
        )
    builder.quad(
        (front[0], -wide * 0.92, front[1]),
        (front[0], wide * 0.92, front[1]),
        (roof[2][0], narrow, roof[2][1]),
        (roof[2][0], -narrow, roof[2][1]),
        _GLASS,
        Material.GLOSSY,
        tag,
    )
    builder.quad(
        (rear[0], wide * 0.92, rear[1]),
        (rear[0], -wide * 0.92, rear[1]),
        (roof[0][0], -narrow, roof[0][1]),
        (roof[0][0], narrow, roof[0][1]),
        _GLASS,
        Material.GLOSSY,
        tag,
    )
    middle_x = roof[1][0]
    middle_z = rear[1] + (front[1] - rear[1]) * (middle_x - rear[0]) / (front[0] - rear[0])
    for side in (-1.0, 1.0):
        foot_rear, foot_front = (rear[0], side * wide * 0.92, rear[1]), (front[0], side * wide * 0.92, front[1])
        foot = (middle_x, side * wide, middle_z)
        tops = [(x, side * narrow, z) for x, z in roof]
        panels: list[tuple[list[Point], Color, int]] = [
            ([foot_rear, foot, tops[1], tops[0]], _GLASS, 0),
            ([foot, foot_front, tops[2], tops[1]], _GLASS, 0),
        ]
        pillar = 0.035 * side
        panels.append(
            (
                [
                    (foot[0] - 0.05, foot[1] + pillar * 0.4, foot[2]),
                    (foot[0] + 0.05, foot[1] + pillar * 0.4, foot[2]),
                    (tops[1][0] + 0.05, tops[1][1] + pillar * 0.4, tops[1][2] - 0.02),
                    (tops[1][0] - 0.05, tops[1][1] + pillar * 0.4, tops[1][2] - 0.02),
                ],
                (0, 0, 0),
                _PAINT,
            )
        )
        for corners, color, param in panels:
            ordered = corners if side < 0 else corners[::-1]
            builder.fan(ordered, color, Material.FLAT if param else Material.GLOSSY, tag, param)


def _car(builder: MeshBuilder, model: VehicleModel, tag: Tag) -> None:
    shape = SHAPES.get(model.type_id, SEDAN)
    length, half, height = model.length, model.width / 2, model.height
    rings: list[list[Point]] = []
    for x, width, low, high in shape.stations:
        w, bottom, top = width * half, low * height, high * height
        waist = bottom + 0.62 * (top - bottom)
        rings.append(
            [
                (x * length, w * 0.94, bottom),
                (x * length, w, waist),
                (x * length, w * 0.90, top),
                (x * length, -w * 0.90, top),
                (x * length, -w, waist),
                (x * length, -w * 0.94, bottom),
            ]
        )
    _loft(builder, rings, (0, 0, 0), Material.FLAT, tag, _PAINT)
    _cabin(builder, model, shape, tag)
    rear_top, front_top = shape.stations[0][3] * height, shape.stations[-1][3] * height
    _lamps(builder, tag, length, half, (rear_top - 0.20, rear_top - 0.03), (front_top - 0.14, front_top - 0.01))
    top = shape.foot_heights[0] * height
    _lamp(builder, Lamp.BRAKE, tag, shape.cabin_base[0] * length - 0.02, (-0.22, 0.22), (top + 0.02, top + 0.08))
    builder.box((-length / 2 + 0.02, 0.0, rear_top - 0.42), (0.10, model.width * 0.78, 0.16), _TRIM, tag=tag)
    builder.box((length / 2 - 0.03, 0.0, front_top - 0.25), (0.10, model.width * 0.62, 0.14), _TRIM, tag=tag)
    builder.box((-length / 2 - 0.02, 0.0, rear_top - 0.26), (0.03, 0.46, 0.11), (225, 225, 220), tag=tag)
    for share in shape.wheels_x:
        for side in (-1.0, 1.0):
            _wheel(builder, share * length, side * half * 0.985, shape.wheel_radius, 0.22, tag)


def _boxy(
    builder: MeshBuilder,
    model: VehicleModel,
    tag: Tag,
    rear: float,
    front: float,
    low: float,
    high: float,
    color: Color,
    param: int,
) -> None:
    half = model.width / 2
    builder.box(
        ((rear + front) / 2, 0.0, (low + high) / 2),
        (front - rear, half * 2, high - low),
        color,
        Material.FLAT,
        tag,
        param,
    )


def _glass_band(
    builder: MeshBuilder, rear: float, front: float, half: float, low: float, high: float, tag: Tag, panes: int
) -> None:
    """Side windows of a bus or cab, a little proud of the body."""
    step = (front - rear) / panes
    for side in (-1.0, 1.0):
        y = side * (half + 0.012)
        for i in range(panes):
            a, b = rear + i * step + 0.06, rear + (i + 1) * step - 0.06
            corners = [(a, y, low), (b, y, low), (b, y, high), (a, y, high)]
            builder.fan(corners if side < 0 else corners[::-1], _GLASS, Material.GLOSSY, tag)


def _bus(builder: MeshBuilder, model: VehicleModel, tag: Tag) -> None:
    length, half, height = model.length, model.width / 2, model.height
    _boxy(builder, model, tag, -length / 2, length / 2, 0.32, height * 0.94, (0, 0, 0), _PAINT)
    builder.box((-0.1, 0.0, height * 0.97), (length * 0.86, half * 1.7, height * 0.06), (214, 216, 218), tag=tag)
    _glass_band(builder, -length * 0.47, length * 0.44, half, height * 0.46, height * 0.82, tag, 6)
    x = length / 2 + 0.014
    builder.quad(
        (x, -half * 0.92, 1.15),
        (x, half * 0.92, 1.15),
        (x, half * 0.92, height * 0.86),
        (x, -half * 0.92, height * 0.86),
        _GLASS,
        Material.GLOSSY,
        tag,
    )
    builder.quad(
        (-x, half * 0.8, 1.5),
        (-x, -half * 0.8, 1.5),
        (-x, -half * 0.8, height * 0.86),
        (-x, half * 0.8, height * 0.86),
        _GLASS,
        Material.GLOSSY,
        tag,
    )
    _lamps(builder, tag, length, half, (0.80, 1.12), (0.62, 0.86))
    for wheel_x in (-model.wheelbase * 0.5 - 0.4, model.wheelbase * 0.5 + 0.3):
        for side in (-1.0, 1.0):
            _wheel(builder, wheel_x, side * (half + 0.03), 0.46, 0.28, tag)


def _truck(builder: MeshBuilder, model: VehicleModel, tag: Tag) -> None:
    length, half, height = model.length, model.width / 2, model.height
    cab_rear = length / 2 - 2.0
    _boxy(builder, model, tag, -length / 2 + 0.1, cab_rear, 0.55, 0.98, _TRIM, 0)
    cargo_param = _PAINT if model.paints else 0  # in one colour with the cab where it comes in no other
    _boxy(builder, model, tag, -length / 2, cab_rear - 0.2, 1.0, height, (222, 222, 218), cargo_param)
    _boxy(builder, model, tag, cab_rear, length / 2, 0.45, height * 0.86, (0, 0, 0), _PAINT)
    x = length / 2 + 0.014
    builder.quad(
        (x, -half * 0.9, 1.55),
        (x, half * 0.9, 1.55),
        (x, half * 0.9, height * 0.80),
        (x, -half * 0.9, height * 0.80),
        _GLASS,
        Material.GLOSSY,
        tag,
    )
    builder.quad(
        (x, -half * 0.6, 0.85),
        (x, half * 0.6, 0.85),
        (x, half * 0.6, 1.35),
        (x, -half * 0.6, 1.35),
        _TRIM,
        Material.FLAT,
        tag,
    )
    _glass_band(builder, cab_rear + 0.5, length / 2 - 0.15, half, 1.6, height * 0.80, tag, 1)
    _lamps(builder, tag, length, half, (0.66, 0.94), (0.60, 0.82))
    for wheel_x in (-model.wheelbase * 0.5 - 0.3, -model.wheelbase * 0.5 + 0.75, model.wheelbase * 0.5 + 0.4):
        for side in (-1.0, 1.0):
            _wheel(builder, wheel_x, side * (half + 0.03), 0.50, 0.32, tag)


def _two_wheeler(builder: MeshBuilder, model: VehicleModel, tag: Tag) -> None:
    """A motorcycle or bicycle with its rider."""
    heavy = model.base_type == "motorcycle"
    radius, reach = (0.31, model.wheelbase / 2) if heavy else (0.34, model.wheelbase / 2)
    width = 0.14 if heavy else 0.045
    for x in (-reach, reach):
        for side in (-1.0, 1.0):
            _wheel(builder, x, side * width / 2, radius, width, tag, sides=10)
    body = 0.26 if heavy else 0.05
    builder.box((0.0, 0.0, 0.62), (reach * 1.7, body, 0.24 if heavy else 0.06), (0, 0, 0), Material.FLAT, tag, _PAINT)
    builder.box((reach * 0.72, 0.0, 0.78), (0.10, 0.05, 0.52), _TRIM, tag=tag)
    builder.box((reach * 0.62, 0.0, 1.03), (0.06, 0.56, 0.05), _TRIM, tag=tag)
    if heavy:
        builder.box((0.16, 0.0, 0.82), (0.50, 0.30, 0.18), (0, 0, 0), Material.FLAT, tag, _PAINT)
    back, ahead = -model.length / 2 - 0.01, reach * 0.72 + 0.08
    _lamp(builder, Lamp.BRAKE, tag, back + 0.05, (-0.09, 0.09), (0.70, 0.86))
    _lamp(builder, Lamp.HEAD, tag, ahead, (-0.09, 0.09), (0.84, 1.00))
    for side, lamp in ((-1.0, Lamp.LEFT), (1.0, Lamp.RIGHT)):
        _lamp(builder, lamp, tag, back + 0.06, (side * 0.14, side * 0.24), (0.70, 0.80))
    seat = 0.82 if heavy else 0.92
    rider = Tag.RIDER
    builder.box((-0.18, 0.0, seat + 0.28), (0.26, 0.42, 0.56), (0, 0, 0), Material.FLAT, rider, _SECOND, bottom=True)
    lower = ring_points(-0.10, 0.0, seat + 0.58, 0.10, 6)
    upper = ring_points(-0.08, 0.0, seat + 0.84, 0.12, 6)
    helmet: Color = (200, 60, 50) if heavy else _SKIN
    builder.tube(lower, upper, helmet, Material.FLAT, rider)
    builder.fan(upper, helmet, Material.FLAT, rider)
    for side in (-1.0, 1.0):
        builder.box((0.02, side * 0.17, seat - 0.10), (0.46, 0.13, 0.16), (44, 48, 66), tag=rider, bottom=True)
        builder.box((0.16, side * 0.17, seat - 0.38), (0.13, 0.12, 0.50), (44, 48, 66), tag=rider)
        builder.box((0.16, side * 0.24, seat + 0.34), (0.52, 0.09, 0.10), (0, 0, 0), Material.FLAT, rider, _SECOND)


@cache
def vehicle_mesh(kind: str) -> Triangles:
    """Mesh of a blueprint id; an unknown id is drawn as the ego's saloon."""
    model = VEHICLE_MODELS.get(kind, VEHICLE_MODELS[EGO_BLUEPRINT])
    builder, tag = MeshBuilder(), vehicle_tag(model)
    if model.base_type in ("car", "van"):
        _car(builder, model, tag)
    elif model.base_type == "bus":
        _bus(builder, model, tag)
    elif model.base_type == "truck":
        _truck(builder, model, tag)
    else:
        _two_wheeler(builder, model, tag)
    if kind in EXTRAS:
        EXTRAS[kind](builder, model, tag)
    half_l, half_w = model.length * 0.45, model.width * (0.44 if model.wheels == 4 else 0.2)
    # The gloom below the body: without it a car floats where there is no sun to throw its shadow.
    builder.fan(
        [(-half_l, -half_w, 0.02), (half_l, -half_w, 0.02), (half_l, half_w, 0.02), (-half_l, half_w, 0.02)],
        (42, 42, 45),
        Material.FLAT,
        Tag.ROAD,
    )
    return builder.build()


def parked_kinds() -> tuple[str, ...]:
    """Blueprint ids that a town's own parked cars may have."""
    return tuple(model.type_id for model in traffic_models() if model.base_type == "car")
