"""Shapes of street furniture: benches, bus stop, kiosk, pots. Frame: x to the front, origin on the ground, m."""

from __future__ import annotations

import itertools
import math

from simlingo_sim.object_models import ObjectModel
from simlingo_sim.render.materials import Material
from simlingo_sim.render.mesh import Color, MeshBuilder, Point, ring_points

_WOOD: Color = (160, 104, 58)
_IRON: Color = (52, 56, 60)
_CONCRETE: Color = (170, 166, 158)
_GLASS: Color = (126, 160, 176)
_LEAVES: Color = (70, 128, 52)


def _bench(builder: MeshBuilder, model: ObjectModel, slats: Color, legs: Color) -> None:
    """Slats to sit on and to lean against; who sits there looks along x."""
    half_l, half_w, top = model.length / 2, model.width / 2, model.height
    for i in range(3):
        builder.box((half_l - 0.10 - 0.16 * i, 0.0, 0.44), (0.13, model.width, 0.05), slats, tag=model.tag, bottom=True)
    for z in (0.60, top - 0.06):
        builder.box((-half_l + 0.05, 0.0, z), (0.05, model.width, 0.12), slats, tag=model.tag, bottom=True)
    for side in (-1.0, 1.0):
        y = side * (half_w - 0.18)
        builder.box((half_l - 0.06, y, 0.21), (0.06, 0.06, 0.42), legs, tag=model.tag)
        builder.box((-half_l + 0.10, y, top / 2), (0.06, 0.06, top - 0.02), legs, tag=model.tag)
        builder.box((0.0, y, 0.40), (model.length - 0.1, 0.05, 0.04), legs, tag=model.tag)


def wooden_bench(builder: MeshBuilder, model: ObjectModel) -> None:
    """Brown slats on iron."""
    _bench(builder, model, _WOOD, _IRON)


def green_bench(builder: MeshBuilder, model: ObjectModel) -> None:
    """Green slats on iron."""
    _bench(builder, model, (44, 104, 66), _IRON)


def stone_bench(builder: MeshBuilder, model: ObjectModel) -> None:
    """A slab on two blocks, without a back."""
    builder.box(
        (0.0, 0.0, model.height - 0.06), (model.length, model.width, 0.12), _CONCRETE, tag=model.tag, bottom=True
    )
    for side in (-1.0, 1.0):
        block = (0.0, side * (model.width / 2 - 0.25), (model.height - 0.12) / 2)
        builder.box(block, (model.length * 0.8, 0.22, model.height - 0.12), (140, 136, 130), tag=model.tag)


def bus_stop(builder: MeshBuilder, model: ObjectModel) -> None:
    """A shelter of glass with a roof, a seat and a poster."""
    tag, half_l, half_w, top = model.tag, model.length / 2, model.width / 2, model.height
    builder.box((0.0, 0.0, top - 0.08), (model.length, model.width, 0.16), (56, 84, 108), tag=tag, bottom=True)
    back = -half_l + 0.12
    builder.box((back, 0.0, 1.25), (0.04, model.width - 0.2, 1.9), _GLASS, Material.GLOSSY, tag, bottom=True)
    builder.box((0.0, -half_w + 0.10, 1.25), (model.length - 0.4, 0.05, 1.9), _GLASS, Material.GLOSSY, tag, bottom=True)
    builder.box((0.0, half_w - 0.10, 1.25), (model.length - 0.3, 0.12, 1.9), (70, 74, 80), tag=tag, bottom=True)
    builder.box((0.0, half_w - 0.10, 1.35), (model.length - 0.5, 0.15, 1.5), (232, 120, 40), tag=tag)
    for y in (-half_w + 0.10, 0.0, half_w - 0.10):
        builder.box((back, y, top / 2 - 0.05), (0.08, 0.08, top - 0.14), _IRON, tag=tag)
    builder.box((back + 0.28, 0.0, 0.48), (0.36, model.width - 1.0, 0.06), _WOOD, tag=tag, bottom=True)
    builder.box((half_l - 0.03, 0.0, top - 0.08), (0.05, model.width * 0.5, 0.13), (240, 240, 240), tag=tag)


def mailbox(builder: MeshBuilder, model: ObjectModel) -> None:
    """A blue box with a rounded top on four feet."""
    half_l, top = model.length / 2, model.height
    body = top - 0.30
    builder.box(
        (0.0, 0.0, 0.14 + (body - 0.14) / 2),
        (model.length, model.width, body - 0.14),
        (30, 72, 158),
        tag=model.tag,
        bottom=True,
    )
    arch = [(half_l * math.cos(a), body + 0.30 * math.sin(a)) for a in (math.pi * i / 6 for i in range(7))]
    for (x0, z0), (x1, z1) in itertools.pairwise(arch):
        w = model.width / 2
        builder.quad((x0, -w, z0), (x0, w, z0), (x1, w, z1), (x1, -w, z1), (38, 84, 176), Material.FLAT, model.tag)
    for side in (-1.0, 1.0):
        wall: list[Point] = [(x, side * model.width / 2, z) for x, z in arch]
        builder.fan(wall if side < 0 else wall[::-1], (30, 72, 158), Material.FLAT, model.tag)
    for x in (-0.18, 0.18):
        for y in (-0.18, 0.18):
            builder.box((x, y, 0.08), (0.06, 0.06, 0.16), _IRON, tag=model.tag)
    builder.box((half_l - 0.0, 0.0, body - 0.10), (0.02, model.width * 0.7, 0.07), (238, 238, 238), tag=model.tag)


def vending_machine(builder: MeshBuilder, model: ObjectModel) -> None:
    """Red, with rows of bottles behind glass."""
    tag, front, top = model.tag, model.length / 2, model.height
    builder.box((-0.02, 0.0, top / 2), (model.length - 0.04, model.width, top), (196, 24, 30), tag=tag)
    builder.box(
        (front - 0.03, -0.10, top * 0.62), (0.04, model.width * 0.66, top * 0.62), (218, 226, 232), Material.GLOSSY, tag
    )
    drinks: tuple[Color, ...] = ((200, 40, 40), (60, 140, 60), (240, 180, 40), (40, 90, 180))
    for row in range(4):
        z = top * (0.38 + 0.15 * row)
        builder.box((front - 0.005, -0.10, z), (0.02, model.width * 0.58, 0.13), drinks[row], tag=tag)
    builder.box((front - 0.01, 0.36, top * 0.62), (0.02, 0.14, 0.34), (40, 42, 46), tag=tag)
    builder.box((front - 0.01, -0.10, 0.26), (0.02, model.width * 0.6, 0.18), (40, 42, 46), tag=tag)


def kiosk(builder: MeshBuilder, model: ObjectModel) -> None:
    """A booth with an open front, a counter and a striped awning."""
    tag, half_l, half_w, top = model.tag, model.length / 2, model.width / 2, model.height
    builder.box((-0.15, 0.0, top * 0.46), (model.length - 0.5, model.width - 0.3, top * 0.92), (64, 112, 96), tag=tag)
    builder.box((-0.0, 0.0, top - 0.10), (model.length, model.width, 0.20), (226, 222, 210), tag=tag, bottom=True)
    front = half_l - 0.395
    builder.box((front, 0.0, 1.62), (0.03, model.width - 0.8, 0.9), (30, 34, 38), Material.GLOSSY, tag)
    builder.box((front + 0.14, 0.0, 1.08), (0.34, model.width - 0.6, 0.07), _WOOD, tag=tag, bottom=True)
    stripes = 8
    for i in range(stripes):
        y0 = -half_w + 0.1 + (model.width - 0.2) * i / stripes
        y1 = y0 + (model.width - 0.2) / stripes
        color: Color = (206, 40, 40) if i % 2 == 0 else (240, 240, 236)
        edge: list[Point] = [(front, y0, 2.42), (half_l, y0, 2.10), (half_l, y1, 2.10), (front, y1, 2.42)]
        builder.fan(edge, color, Material.FLAT, tag)
        builder.fan(edge[::-1], color, Material.FLAT, tag)


def round_pot(builder: MeshBuilder, model: ObjectModel) -> None:
    """A pot of clay with a bush."""
    radius, rim = model.width / 2, model.height * 0.5
    builder.cylinder(
        (0.0, 0.0, 0.0), radius * 0.66, rim, (170, 92, 58), tag=model.tag, sides=10, top_radius=radius * 0.92
    )
    levels = ((0.48, 0.7), (0.66, 1.0), (0.86, 0.72), (1.0, 0.2))
    rings = [ring_points(0.0, 0.0, share * model.height, radius * wide, 9, turn=share) for share, wide in levels]
    for lower, upper in itertools.pairwise(rings):
        builder.tube(lower, upper, _LEAVES, Material.FOLIAGE, model.tag)
    builder.fan(rings[-1], _LEAVES, Material.FOLIAGE, model.tag)


def long_pot(builder: MeshBuilder, model: ObjectModel) -> None:
    """A trough of concrete with a hedge in it."""
    rim = model.height * 0.5
    builder.box((0.0, 0.0, rim / 2), (model.length, model.width, rim), _CONCRETE, tag=model.tag)
    size = (model.length * 0.8, model.width * 0.92, model.height - rim)
    builder.box((0.0, 0.0, rim + size[2] / 2), size, _LEAVES, Material.FOLIAGE, model.tag)


def table(builder: MeshBuilder, model: ObjectModel) -> None:
    """A wooden top on four legs."""
    builder.box((0.0, 0.0, model.height - 0.03), (model.length, model.width, 0.06), _WOOD, tag=model.tag, bottom=True)
    for x in (-0.42, 0.42):
        for y in (-0.44, 0.44):
            leg = (x * model.length, y * model.width, (model.height - 0.06) / 2)
            builder.box(leg, (0.07, 0.07, model.height - 0.06), (120, 78, 44), tag=model.tag)


def advertisement(builder: MeshBuilder, model: ObjectModel) -> None:
    """Two boards that lean against each other, written on both sides."""
    half_l, half_w, top = model.length / 2, model.width / 2, model.height

    def board(side: float, out: float, inset: float, color: Color) -> None:
        low, high = inset, top - inset
        foot, head = side * (half_l * (1.0 - low / top) + out), side * (half_l * (1.0 - high / top) + 0.02 + out)
        w = half_w - inset
        corners: list[Point] = [(foot, -w, low), (foot, w, low), (head, w, high), (head, -w, high)]
        builder.fan(corners if side > 0 else corners[::-1], color, Material.FLAT, model.tag)
        if inset == 0.0:
            builder.fan(corners[::-1] if side > 0 else corners, _IRON, Material.FLAT, model.tag)

    for side in (-1.0, 1.0):
        board(side, 0.0, 0.0, (96, 62, 36))
        board(side, 0.01, 0.08, (36, 46, 42))
        board(side, 0.015, 0.22, (236, 206, 90))
        board(side, 0.02, 0.30, (36, 46, 42))


def shopping_cart(builder: MeshBuilder, model: ObjectModel) -> None:
    """A basket of wire on wheels with a red handle."""
    half_l, half_w, top = model.length / 2, model.width / 2, model.height
    low: list[Point] = [
        (-half_l * 0.7, -half_w * 0.8, 0.46),
        (half_l * 0.9, -half_w * 0.7, 0.50),
        (half_l * 0.9, half_w * 0.7, 0.50),
        (-half_l * 0.7, half_w * 0.8, 0.46),
    ]
    high: list[Point] = [
        (-half_l * 0.86, -half_w, top - 0.08),
        (half_l, -half_w * 0.86, top - 0.16),
        (half_l, half_w * 0.86, top - 0.16),
        (-half_l * 0.86, half_w, top - 0.08),
    ]
    builder.tube(low, high, (176, 180, 184), Material.FLAT, model.tag)
    builder.tube(low[::-1], high[::-1], (130, 134, 138), Material.FLAT, model.tag)
    builder.fan(low, (110, 114, 118), Material.FLAT, model.tag)
    builder.box(
        (0.0, 0.0, 0.18), (model.length * 0.8, model.width * 0.7, 0.04), (150, 154, 158), tag=model.tag, bottom=True
    )
    for x in (-0.74, 0.74):
        for y in (-0.6, 0.6):
            builder.box((x * half_l, y * half_w, 0.07), (0.12, 0.05, 0.14), _IRON, tag=model.tag)
    builder.box((-half_l * 0.7, 0.0, 0.32), (0.05, model.width * 0.6, 0.30), (150, 154, 158), tag=model.tag)
    builder.box(
        (-half_l + 0.03, 0.0, top - 0.03), (0.06, model.width * 0.9, 0.06), (200, 30, 30), tag=model.tag, bottom=True
    )
