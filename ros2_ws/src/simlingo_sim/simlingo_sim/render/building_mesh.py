"""Buildings of seven styles: walls with procedural windows, roofs, doors."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from simlingo_sim.render.materials import Material, Tag
from simlingo_sim.render.mesh import Color, MeshBuilder, Point

#: Columns of a row of the wall table, as shade.shade reads them.
WALL_COLUMNS = 14


@dataclass(frozen=True)
class Style:
    """One way to build. Window sizes are shares of a window's cell."""

    walls: tuple[Color, ...]
    roofs: tuple[Color, ...]
    roof: Literal["flat", "gable", "hip", "shed"]
    bay: float  # m between windows
    storey: float  # m
    window: tuple[float, float]  # width and height
    sill: float  # height of the window's middle
    ground_window: tuple[float, float]


STYLES: tuple[Style, ...] = (
    Style(
        ((168, 92, 70), (150, 80, 64), (178, 106, 80)),
        ((92, 84, 80),),
        "flat",
        2.9,
        3.1,
        (0.42, 0.56),
        0.52,
        (0.60, 0.62),
    ),
    Style(
        ((226, 204, 164), (232, 214, 188), (214, 186, 150), (222, 176, 140)),
        ((156, 78, 58), (140, 70, 54)),
        "gable",
        3.1,
        2.9,
        (0.36, 0.52),
        0.54,
        (0.36, 0.52),
    ),
    Style(
        ((170, 172, 174), (188, 186, 180), (150, 156, 162)),
        ((112, 114, 116),),
        "flat",
        3.4,
        3.2,
        (0.92, 0.46),
        0.54,
        (0.86, 0.70),
    ),
    Style(
        ((236, 232, 222), (206, 216, 220), (222, 228, 208)),
        ((88, 92, 102), (116, 84, 70)),
        "hip",
        3.2,
        3.0,
        (0.40, 0.50),
        0.54,
        (0.46, 0.56),
    ),
    Style(
        ((118, 140, 158), (98, 118, 140), (136, 152, 160)),
        ((92, 98, 104),),
        "flat",
        2.0,
        3.6,
        (0.88, 0.84),
        0.52,
        (0.88, 0.84),
    ),
    Style(
        ((128, 76, 62), (112, 70, 60), (140, 96, 76)),
        ((84, 80, 82), (70, 74, 80)),
        "shed",
        4.4,
        4.2,
        (0.50, 0.36),
        0.62,
        (0.34, 0.34),
    ),
    Style(
        ((190, 66, 56), (70, 112, 140), (226, 176, 76), (92, 130, 98), (224, 220, 208)),
        ((70, 64, 66), (96, 58, 50)),
        "gable",
        2.4,
        2.8,
        (0.34, 0.50),
        0.54,
        (0.42, 0.56),
    ),
)


class Buildings:
    """Collects buildings and the rows of the wall table that their windows need."""

    def __init__(self, builder: MeshBuilder) -> None:
        self._builder = builder
        self.walls: list[list[float]] = [[0.0] * WALL_COLUMNS]

    def add(self, item: dict[str, Any], ground: float) -> None:
        """One building of decor.json: x, y, yaw_deg, length, width, height, style, seed (m, degrees, map frame)."""
        style = STYLES[int(item["style"]) % len(STYLES)]
        dice = np.random.default_rng(int(item["seed"]))
        paint = style.walls[int(dice.integers(len(style.walls)))]
        shade = 0.92 + 0.14 * float(dice.random())
        paint = tuple(min(255.0, channel * shade) for channel in paint)  # type: ignore[assignment]
        cover = style.roofs[int(dice.integers(len(style.roofs)))]
        storeys = max(1, round(float(item["height"]) / style.storey))
        eaves = ground + float(item["height"])
        corners = _footprint(item)
        for i in range(4):
            self._wall(corners[i], corners[(i + 1) % 4], ground, eaves, paint, style, storeys, int(item["seed"]) + i)
        self._roof(corners, eaves, style, paint, cover, dice)
        self._door(corners[2], corners[3], ground, dice)

    def _wall(
        self,
        a: tuple[float, float],
        b: tuple[float, float],
        low: float,
        high: float,
        paint: Color,
        style: Style,
        storeys: int,
        seed: int,
    ) -> None:
        length = math.dist(a, b)
        bays = max(1, round((length - 0.6) / style.bay))
        tx, ty = (b[0] - a[0]) / length, (b[1] - a[1]) / length
        margin = min(0.35, length * 0.05)
        bay = (length - 2 * margin) / bays
        row = [
            tx,
            ty,
            a[0] * tx + a[1] * ty + margin,
            1.0 / bay,
            low + 0.1,
            storeys / (high - low - 0.35),
            style.window[0] / 2,
            style.window[1] / 2,
            style.sill - 0.02,
            style.ground_window[0] / 2,
            style.ground_window[1] / 2,
            float(storeys),
            float(seed % 251),
            float(seed * 7 % 241),
        ]
        self.walls.append(row)
        self._builder.quad(
            (a[0], a[1], low - 0.3),
            (b[0], b[1], low - 0.3),
            (b[0], b[1], high),
            (a[0], a[1], high),
            paint,
            Material.WALL,
            Tag.BUILDING,
            len(self.walls) - 1,
        )

    def _roof(
        self,
        corners: list[tuple[float, float]],
        eaves: float,
        style: Style,
        paint: Color,
        cover: Color,
        dice: np.random.Generator,
    ) -> None:
        if style.roof == "flat":
            self._flat_roof(corners, eaves, paint, cover, dice)
        else:
            self._pitched_roof(corners, eaves, style, paint, cover)

    def _flat_roof(
        self, corners: list[tuple[float, float]], eaves: float, paint: Color, cover: Color, dice: np.random.Generator
    ) -> None:
        """A parapet a little outside of the walls, and a hut on the roof."""
        outer, inner = _grown(corners, 0.12), _grown(corners, -0.28)
        trim: Color = (paint[0] * 0.78, paint[1] * 0.78, paint[2] * 0.78)
        top = eaves + 0.45
        rings = [
            [(x, y, z) for x, y in ring]
            for ring, z in ((outer, eaves - 0.15), (outer, top), (inner, top), (inner, eaves))
        ]
        self._builder.fan(rings[0][::-1], trim, Material.ROOF, Tag.BUILDING)
        for lower, upper in itertools.pairwise(rings):
            self._builder.tube(lower, upper, trim, Material.ROOF, Tag.BUILDING)
        self._builder.fan(rings[3], cover, Material.ROOF, Tag.BUILDING)
        if dice.random() < 0.6:
            x, y = (sum(c[axis] for c in corners) / 4 for axis in (0, 1))
            self._builder.box(
                (x + float(dice.uniform(-1, 1)), y + float(dice.uniform(-1, 1)), eaves + 0.8),
                (2.6, 2.0, 1.6),
                (150, 150, 148),
                Material.ROOF,
                Tag.BUILDING,
            )

    def _pitched_roof(
        self, corners: list[tuple[float, float]], eaves: float, style: Style, paint: Color, cover: Color
    ) -> None:
        """Gable, hip or shed roof over the longer side."""
        if math.dist(corners[0], corners[1]) < math.dist(corners[1], corners[2]):
            corners = [*corners[1:], corners[0]]
        span = math.dist(corners[1], corners[2])
        rise = span * {"gable": 0.42, "hip": 0.32, "shed": 0.16}[style.roof]
        grown = _grown(corners, 0.35)
        foot = [(x, y, eaves - 0.05) for x, y in grown]
        self._builder.fan(foot[::-1], (96, 90, 84), Material.ROOF, Tag.BUILDING)
        west = _between(foot[0], foot[3], 0.5, eaves + rise)
        east = _between(foot[1], foot[2], 0.5, eaves + rise)
        if style.roof == "shed":
            west = _between(foot[3], foot[0], 0.0, eaves + rise * 1.4)
            east = _between(foot[2], foot[1], 0.0, eaves + rise * 1.4)
            self._builder.quad(foot[2], foot[3], west, east, paint, Material.ROOF, Tag.BUILDING)
        if style.roof == "hip":
            inset = min(0.42, 0.5 * span / math.dist(corners[0], corners[1]))
            west, east = _between(west, east, inset, west[2]), _between(east, west, inset, east[2])
        self._builder.quad(foot[0], foot[1], east, west, cover, Material.ROOF, Tag.BUILDING)
        if style.roof != "shed":
            self._builder.quad(foot[2], foot[3], west, east, cover, Material.ROOF, Tag.BUILDING)
        end = cover if style.roof == "hip" else paint
        self._builder.triangle(foot[3], foot[0], west, end, Material.ROOF, Tag.BUILDING)
        self._builder.triangle(foot[1], foot[2], east, end, Material.ROOF, Tag.BUILDING)
        if style.roof == "gable":
            near = _between(west, east, 0.24, eaves + rise * 0.75)
            self._builder.box(
                (near[0], near[1], eaves + rise), (0.6, 0.6, rise * 0.7), (132, 82, 68), Material.ROOF, Tag.BUILDING
            )

    def _door(self, a: tuple[float, float], b: tuple[float, float], ground: float, dice: np.random.Generator) -> None:
        """A door with a step and a canopy on the front, in the gap between two windows."""
        length = math.dist(a, b)
        tx, ty = (b[0] - a[0]) / length, (b[1] - a[1]) / length
        nx, ny = ty, -tx
        at = length * (0.3 + 0.4 * float(dice.random()))
        colors: tuple[Color, ...] = ((92, 52, 36), (44, 62, 84), (56, 78, 58), (120, 36, 34), (60, 60, 62))
        color = colors[int(dice.integers(len(colors)))]

        def place(along: float, out: float, up: float) -> Point:
            return (a[0] + tx * along + nx * out, a[1] + ty * along + ny * out, ground + up)

        self._builder.quad(
            place(at - 0.75, 0.02, 0.0),
            place(at + 0.75, 0.02, 0.0),
            place(at + 0.75, 0.02, 2.45),
            place(at - 0.75, 0.02, 2.45),
            (222, 216, 204),
            Material.FLAT,
            Tag.BUILDING,
        )
        self._builder.quad(
            place(at - 0.55, 0.04, 0.0),
            place(at + 0.55, 0.04, 0.0),
            place(at + 0.55, 0.04, 2.25),
            place(at - 0.55, 0.04, 2.25),
            color,
            Material.FLAT,
            Tag.BUILDING,
        )
        yaw = math.atan2(ty, tx)
        self._builder.box(
            place(at, 0.4, 2.6), (1.9, 0.8, 0.12), color, Material.ROOF, Tag.BUILDING, yaw=yaw, bottom=True
        )
        self._builder.box(place(at, 0.4, 0.06), (1.7, 0.8, 0.22), (168, 164, 158), Material.KERB, Tag.BUILDING, yaw=yaw)


def _footprint(item: dict[str, Any]) -> list[tuple[float, float]]:
    """Corners in numeric counter-clockwise order; the edge from the third to the fourth looks to the street."""
    yaw = math.radians(float(item["yaw_deg"]))
    half_l, half_w = float(item["length"]) / 2, float(item["width"]) / 2
    cosine, sine = math.cos(yaw), math.sin(yaw)
    local = ((-half_l, -half_w), (half_l, -half_w), (half_l, half_w), (-half_l, half_w))
    return [(item["x"] + u * cosine - v * sine, item["y"] + u * sine + v * cosine) for u, v in local]


def _grown(corners: list[tuple[float, float]], by: float) -> list[tuple[float, float]]:
    """A rectangle with every side moved outwards by ``by`` m."""
    ux, uy = _unit(corners[0], corners[1])
    vx, vy = _unit(corners[1], corners[2])
    signs = ((-1, -1), (1, -1), (1, 1), (-1, 1))
    return [
        (x + by * (a * ux + b * vx), y + by * (a * uy + b * vy)) for (x, y), (a, b) in zip(corners, signs, strict=True)
    ]


def _unit(a: tuple[float, float], b: tuple[float, float]) -> tuple[float, float]:
    length = math.dist(a, b)
    return (b[0] - a[0]) / length, (b[1] - a[1]) / length


def _between(a: Point, b: Point, share: float, z: float) -> Point:
    return (a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1]), z)
