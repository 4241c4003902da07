"""Shapes of bins, containers, bags and boxes. Frame: x to the front, origin on the ground, m."""

from __future__ import annotations

import itertools
import math

from simlingo_sim.object_models import ObjectModel
from simlingo_sim.render.materials import Material
from simlingo_sim.render.mesh import Color, MeshBuilder, Point, ring_points

_GREEN: Color = (40, 98, 54)
_BLACK: Color = (30, 30, 32)
_METAL: Color = (136, 140, 144)
_CARDBOARD: Color = (176, 132, 84)
_TAPE: Color = (214, 190, 140)


def _tapered(
    builder: MeshBuilder,
    model: ObjectModel,
    low: tuple[float, float, float],
    high: tuple[float, float, float],
    color: Color,
) -> None:
    """Side walls and top between a lower and an upper rectangle: half length, half width, height."""
    rings = [[(-x, -w, z), (x, -w, z), (x, w, z), (-x, w, z)] for x, w, z in (low, high)]
    builder.tube(rings[0], rings[1], color, Material.FLAT, model.tag)
    builder.fan(rings[1], color, Material.FLAT, model.tag)


def wheelie_bin(builder: MeshBuilder, model: ObjectModel) -> None:
    """Green, wider above, with a lid and two wheels."""
    half_l, half_w, top = model.length / 2, model.width / 2, model.height
    _tapered(builder, model, (half_l * 0.66, half_w * 0.78, 0.05), (half_l * 0.9, half_w * 0.94, top - 0.10), _GREEN)
    builder.box((0.0, 0.0, top - 0.06), (model.length, model.width, 0.12), (28, 72, 40), tag=model.tag, bottom=True)
    for side in (-1.0, 1.0):
        builder.box((-half_l * 0.72, side * half_w * 0.8, 0.10), (0.20, 0.07, 0.20), _BLACK, tag=model.tag)
    builder.box((half_l * 0.83, 0.0, 0.62), (0.02, 0.24, 0.20), (236, 238, 232), tag=model.tag)


def container(builder: MeshBuilder, model: ObjectModel) -> None:
    """A large bin on four wheels with a domed lid."""
    half_l, half_w, top = model.length / 2, model.width / 2, model.height
    _tapered(builder, model, (half_l * 0.82, half_w * 0.86, 0.20), (half_l, half_w, top - 0.30), (60, 104, 72))
    _tapered(builder, model, (half_l, half_w, top - 0.28), (half_l * 0.5, half_w * 0.96, top), (40, 44, 46))
    for x in (-0.7, 0.7):
        for y in (-0.75, 0.75):
            builder.box((x * half_l, y * half_w, 0.10), (0.18, 0.08, 0.20), _BLACK, tag=model.tag)
    builder.box((half_l * 0.95, 0.0, 0.66), (0.02, 0.7, 0.26), (230, 200, 40), tag=model.tag)


def cloth_container(builder: MeshBuilder, model: ObjectModel) -> None:
    """A tall yellow box with a flap for clothes."""
    top = model.height
    builder.box((0.0, 0.0, top / 2), (model.length - 0.06, model.width, top), (232, 190, 40), tag=model.tag)
    builder.box((model.length / 2 - 0.02, 0.0, top * 0.74), (0.04, model.width * 0.7, 0.30), _METAL, tag=model.tag)
    builder.box(
        (model.length / 2 - 0.025, 0.0, top * 0.36), (0.02, model.width * 0.7, 0.5), (32, 78, 150), tag=model.tag
    )


def glass_container(builder: MeshBuilder, model: ObjectModel) -> None:
    """A green dome with round holes."""
    radius = model.width / 2
    levels = ((0.0, 0.86), (0.35, 1.0), (0.70, 0.84), (0.92, 0.46), (1.0, 0.16))
    rings = [ring_points(0.0, 0.0, share * model.height, radius * wide, 10) for share, wide in levels]
    for lower, upper in itertools.pairwise(rings):
        builder.tube(lower, upper, (34, 116, 62), Material.FLAT, model.tag)
    builder.fan(rings[-1], (24, 84, 46), Material.FLAT, model.tag)
    builder.cylinder((0.0, 0.0, model.height * 0.30), radius, 0.22, (240, 240, 236), tag=model.tag, sides=10)
    for side in (-1.0, 1.0):
        x = side * radius * 0.86
        hole: list[Point] = [
            (x, 0.14 * math.cos(angle), model.height * 0.66 + 0.14 * math.sin(angle))
            for angle in (2 * math.pi * i / 8 for i in range(8))
        ]
        builder.fan(hole if side > 0 else hole[::-1], _BLACK, Material.FLAT, model.tag)


def _drum(builder: MeshBuilder, model: ObjectModel, body: Color, rim: Color) -> None:
    radius, top = model.width / 2, model.height
    builder.cylinder((0.0, 0.0, 0.0), radius * 0.84, top * 0.9, body, tag=model.tag, sides=10, top_radius=radius * 0.95)
    builder.cylinder((0.0, 0.0, top * 0.86), radius, top * 0.14, rim, tag=model.tag, sides=10)
    builder.fan(ring_points(0.0, 0.0, top + 0.004, radius * 0.7, 10), _BLACK, Material.FLAT, model.tag)


def steel_can(builder: MeshBuilder, model: ObjectModel) -> None:
    """A round can of steel."""
    _drum(builder, model, _METAL, (96, 100, 104))


def wooden_can(builder: MeshBuilder, model: ObjectModel) -> None:
    """A round can behind wooden slats."""
    _drum(builder, model, (134, 90, 52), (72, 74, 76))
    for i in range(8):
        angle = 2 * math.pi * i / 8
        reach = model.width * 0.46
        place = (reach * math.cos(angle), reach * math.sin(angle), model.height * 0.45)
        builder.box(place, (0.03, 0.12, model.height * 0.78), (158, 108, 62), tag=model.tag, yaw=angle)


def square_can(builder: MeshBuilder, model: ObjectModel) -> None:
    """A grey box with a slot on both sides."""
    top = model.height
    builder.box((0.0, 0.0, top / 2), (model.length - 0.04, model.width, top), (92, 98, 104), tag=model.tag)
    for side in (-1.0, 1.0):
        slot = (side * (model.length / 2 - 0.01), 0.0, top * 0.80)
        builder.box(slot, (0.02, model.width * 0.7, 0.14), _BLACK, tag=model.tag)


def park_can(builder: MeshBuilder, model: ObjectModel) -> None:
    """Two green baskets at a post."""
    top = model.height
    builder.cylinder((0.0, 0.0, 0.0), 0.04, top, _METAL, tag=model.tag, sides=6)
    for side in (-1.0, 1.0):
        y = side * model.width / 4
        builder.cylinder(
            (0.0, y, 0.30),
            model.width / 4 * 0.8,
            top - 0.40,
            _GREEN,
            tag=model.tag,
            sides=8,
            top_radius=model.width / 4,
        )
    builder.box((0.0, 0.0, 0.02), (model.length, model.width * 0.4, 0.04), _METAL, tag=model.tag)


def tall_can(builder: MeshBuilder, model: ObjectModel) -> None:
    """A black column with a dome and an opening."""
    radius, top = model.width / 2, model.height
    builder.cylinder((0.0, 0.0, 0.0), radius, top * 0.78, (40, 44, 50), tag=model.tag, sides=10)
    builder.cylinder(
        (0.0, 0.0, top * 0.78), radius, top * 0.22, (56, 62, 70), tag=model.tag, sides=10, top_radius=radius * 0.5
    )
    builder.box((radius * 0.9, 0.0, top * 0.66), (0.08, 0.26, 0.12), (206, 170, 60), tag=model.tag)


def bag(builder: MeshBuilder, model: ObjectModel) -> None:
    """A tied black bag."""
    radius, top = model.width / 2, model.height
    levels = ((0.0, 0.80), (0.30, 1.0), (0.62, 0.72), (0.80, 0.16), (1.0, 0.30))
    rings = [ring_points(0.0, 0.0, share * top, radius * wide, 8) for share, wide in levels]
    for lower, upper in itertools.pairwise(rings):
        builder.tube(lower, upper, (34, 34, 38), Material.GLOSSY, model.tag)
    builder.fan(rings[-1], (60, 60, 66), Material.FLAT, model.tag)


def box(builder: MeshBuilder, model: ObjectModel) -> None:
    """A cardboard box with tape over it."""
    length, w, h = model.length, model.width, model.height
    builder.box((0.0, 0.0, h / 2 - 0.004), (length - 0.012, w - 0.012, h - 0.008), _CARDBOARD, tag=model.tag)
    builder.box((0.0, 0.0, h / 2), (length, 0.09, h), _TAPE, tag=model.tag)
    builder.box((0.0, 0.0, 0.05), (0.3 * length, w, 0.08), (150, 108, 66), tag=model.tag)


def creased_box(builder: MeshBuilder, model: ObjectModel) -> None:
    """A cardboard box that somebody trod on, flaps open."""
    half_l, half_w, top = model.length / 2, model.width / 2, model.height
    _tapered(builder, model, (half_l * 0.86, half_w * 0.8, 0.0), (half_l * 0.7, half_w * 0.62, top * 0.62), _CARDBOARD)
    for side in (-1.0, 1.0):
        flap: list[Point] = [
            (-half_l * 0.7, side * half_w * 0.62, top * 0.62),
            (half_l * 0.7, side * half_w * 0.62, top * 0.62),
            (half_l, side * half_w, top),
            (-half_l, side * half_w, top),
        ]
        builder.fan(flap, _TAPE, Material.FLAT, model.tag)
        builder.fan(flap[::-1], _CARDBOARD, Material.FLAT, model.tag)
