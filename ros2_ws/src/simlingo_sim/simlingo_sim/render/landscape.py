"""The ground between the streets, and fields and hills around the town."""

from __future__ import annotations

import math

import numpy as np

from simlingo_sim.render.materials import Material, Tag
from simlingo_sim.render.mesh import Color, MeshBuilder

#: Height of the ground beside the road, m: below the road, so that neither shows through the other.
GROUND_Z = -0.05
#: The fine ground reaches this far beyond the outermost street; then come large fields, then hills, m.
_MARGIN, _TILE = 150.0, 40.0
_HORIZON = 2600.0
_LOOKS: dict[str, tuple[Color, Material, Tag]] = {
    "grass": ((112, 140, 74), Material.GRASS, Tag.TERRAIN),
    "paved": ((142, 138, 132), Material.PAVED, Tag.GROUND),
}
Border = tuple[float, float, float, float]


def add_ground(builder: MeshBuilder, low: tuple[float, float], high: tuple[float, float], kind: str) -> Border:
    """Square tiles under the town; returns the outline x0, y0, x1, y1 that they fill, m."""
    color, material, tag = _LOOKS[kind]
    x0, y0 = (math.floor((value - _MARGIN) / _TILE) for value in low)
    x1, y1 = (math.ceil((value + _MARGIN) / _TILE) for value in high)
    for i in range(x0, x1):
        for j in range(y0, y1):
            corners = [((i + a) * _TILE, (j + b) * _TILE, GROUND_Z) for a, b in ((0, 0), (1, 0), (1, 1), (0, 1))]
            builder.fan(corners, color, material, tag)
    return x0 * _TILE, y0 * _TILE, x1 * _TILE, y1 * _TILE


def add_far_ground(builder: MeshBuilder, border: Border, kind: str) -> None:
    """Fields from ``border`` to the horizon and a ring of hills."""
    x0, y0, x1, y1 = border
    color, _, tag = _LOOKS["grass" if kind == "grass" else kind]
    inner = [(x0, y0, GROUND_Z), (x1, y0, GROUND_Z), (x1, y1, GROUND_Z), (x0, y1, GROUND_Z)]
    outer = [
        (x0 - _HORIZON, y0 - _HORIZON, GROUND_Z),
        (x1 + _HORIZON, y0 - _HORIZON, GROUND_Z),
        (x1 + _HORIZON, y1 + _HORIZON, GROUND_Z),
        (x0 - _HORIZON, y1 + _HORIZON, GROUND_Z),
    ]
    for i in range(4):
        j = (i + 1) % 4
        builder.quad(outer[i], outer[j], inner[j], inner[i], color, Material.FLAT, tag)
    dice = np.random.default_rng(5)
    middle_x, middle_y = (x0 + x1) / 2, (y0 + y1) / 2
    radius = 0.5 * math.hypot(x1 - x0, y1 - y0) + 160.0
    for ring, (away, height, green) in enumerate(((0.0, 16.0, (84, 112, 66)), (260.0, 46.0, (92, 116, 84)))):
        sides = 56
        ridge = [height * (0.45 + 0.75 * float(dice.random())) for _ in range(sides)]
        for i in range(sides):
            j = (i + 1) % sides
            a, b = (2.0 * math.pi * (k + 0.5 * ring) / sides for k in (i, i + 1))
            points = [
                (middle_x + (radius + away) * math.cos(t), middle_y + (radius + away) * math.sin(t)) for t in (a, b)
            ]
            crest = [
                (middle_x + (radius + away + 90.0) * math.cos(t), middle_y + (radius + away + 90.0) * math.sin(t))
                for t in (a, b)
            ]
            builder.quad(
                (*points[1], GROUND_Z),
                (*points[0], GROUND_Z),
                (*crest[0], ridge[i]),
                (*crest[1], ridge[j]),
                green,
                Material.FLAT,
                Tag.TERRAIN,
            )
