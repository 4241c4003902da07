"""Traffic lights with three lenses, their repeaters, and stop signs."""

from __future__ import annotations

import itertools
import math

import carla

from simlingo_sim.render.materials import Material, Tag
from simlingo_sim.render.mesh import Color, MeshBuilder, Point

#: OpenDRIVE / CARLA types of signals.
TRAFFIC_LIGHT_TYPE = "1000001"
STOP_SIGN_TYPE = "206"

#: Lens radius (the lens is 0.4 m wide) and distance between lens centres, m.
LENS_RADIUS = 0.2
_PITCH = 0.5
_HOUSING: Color = (28, 30, 30)
_POLE: Color = (92, 98, 102)

#: Lenses from top to bottom. The param of a lens' triangles is LENS_ROWS * signal number + row + 1, that of the glow
#: around it the same + GLOW.
LENSES = ("red", "yellow", "green")
LENS_ROWS, GLOW = 8, 4
_GLOW_RADIUS = 0.27
#: Displayed colours of lit lenses, of the glow on the housing around them, and of dark lenses (sRGB).
LIT: tuple[Color, ...] = ((255, 30, 20), (255, 190, 20), (20, 255, 120))
GLOWING: tuple[Color, ...] = ((176, 18, 12), (150, 108, 12), (10, 150, 66))
DARK: tuple[Color, ...] = ((62, 16, 14), (60, 46, 14), (12, 52, 30))


class SignalHeads:
    """Collects the heads of all signals; ``numbers`` maps an OpenDRIVE signal id to the number in its lenses' params."""

    def __init__(self, builder: MeshBuilder) -> None:
        self._builder = builder
        self.numbers: dict[str, int] = {}

    def add(self, signal_id: str, middle: Point, facing: float, ground: float, on_arm: bool) -> None:
        """A head whose middle lens is at ``middle`` (m, map frame) and whose lenses look towards ``facing`` (rad)."""
        number = self.numbers.setdefault(signal_id, len(self.numbers))
        x, y, z = middle
        ahead_x, ahead_y = math.cos(facing), math.sin(facing)
        box = self._builder.box
        box((x, y, z), (0.26, 0.56, 1.62), _HOUSING, Material.FLAT, Tag.TRAFFIC_LIGHT, yaw=facing, bottom=True)
        back = (x - 0.10 * ahead_x, y - 0.10 * ahead_y, z)
        box(back, (0.03, 0.86, 1.94), (16, 17, 18), Material.FLAT, Tag.TRAFFIC_LIGHT, yaw=facing, bottom=True)
        pole = (x - 0.24 * ahead_x, y - 0.24 * ahead_y, ground)
        top = z + 0.7 if on_arm else z + 0.5
        self._builder.cylinder(pole, 0.075, top - ground, _POLE, tag=Tag.POLE, sides=6)
        box((x - 0.17 * ahead_x, y - 0.17 * ahead_y, z + 0.4), (0.14, 0.06, 0.06), _POLE, tag=Tag.POLE, yaw=facing)
        for row in range(len(LENSES)):
            self._lens((x + 0.135 * ahead_x, y + 0.135 * ahead_y, z + _PITCH * (1 - row)), facing, row, number)

    def _lens(self, center: Point, facing: float, row: int, number: int) -> None:
        """A disc, and a hood above it."""
        across = (-math.sin(facing), math.cos(facing))
        ahead = (math.cos(facing), math.sin(facing))

        def place(right: float, up: float, out: float) -> Point:
            return (
                center[0] + right * across[0] + out * ahead[0],
                center[1] + right * across[1] + out * ahead[1],
                center[2] + up,
            )

        param = LENS_ROWS * number + row + 1
        for sides, radius, out, color, which in (
            (8, _GLOW_RADIUS, 0.002, _HOUSING, param + GLOW),
            (12, LENS_RADIUS, 0.014, DARK[row], param),
        ):
            angles = [2.0 * math.pi * i / sides for i in range(sides)]
            rim = [place(radius * math.cos(a), radius * math.sin(a), out) for a in angles]
            self._builder.fan(rim, color, Material.FLAT, Tag.TRAFFIC_LIGHT, which)
        arc = [math.radians(angle) for angle in (150.0, 115.0, 65.0, 30.0)]
        for first, second in itertools.pairwise(arc):
            radius = LENS_RADIUS + 0.03
            a, b = (place(radius * math.cos(t), radius * math.sin(t), 0.0) for t in (first, second))
            c, d = (place(radius * math.cos(t), radius * math.sin(t), 0.16) for t in (second, first))
            self._builder.quad(a, b, c, d, _HOUSING, Material.FLAT, Tag.TRAFFIC_LIGHT)
            self._builder.quad(d, c, b, a, _HOUSING, Material.FLAT, Tag.TRAFFIC_LIGHT)


def add_stop_sign(builder: MeshBuilder, middle: Point, facing: float, ground: float) -> None:
    """A red octagon with a white rim and a white band where the word would be."""
    across, ahead = (-math.sin(facing), math.cos(facing)), (math.cos(facing), math.sin(facing))

    def place(right: float, up: float, out: float) -> Point:
        return (
            middle[0] + right * across[0] + out * ahead[0],
            middle[1] + right * across[1] + out * ahead[1],
            middle[2] + up,
        )

    angles = [math.pi / 8 + math.pi / 4 * i for i in range(8)]
    white, red, steel = (236, 236, 232), (196, 24, 30), (120, 124, 126)
    plate = [place(0.41 * math.cos(a), 0.41 * math.sin(a), 0.0) for a in angles]
    builder.fan(plate, white, Material.FLAT, Tag.TRAFFIC_SIGN)
    builder.fan(plate[::-1], steel, Material.FLAT, Tag.TRAFFIC_SIGN)
    builder.fan(
        [place(0.365 * math.cos(a), 0.365 * math.sin(a), 0.01) for a in angles], red, Material.FLAT, Tag.TRAFFIC_SIGN
    )
    for letter in range(4):
        right = -0.225 + 0.15 * letter
        builder.quad(
            place(right - 0.05, -0.09, 0.02),
            place(right + 0.05, -0.09, 0.02),
            place(right + 0.05, 0.09, 0.02),
            place(right - 0.05, 0.09, 0.02),
            white,
            Material.FLAT,
            Tag.TRAFFIC_SIGN,
        )
    pole = place(0.0, 0.0, -0.06)
    builder.cylinder(
        (pole[0], pole[1], ground), 0.04, middle[2] + 0.35 - ground, (128, 132, 134), tag=Tag.POLE, sides=5
    )


def approach_heading(carla_map: carla.Map, road_id: int, lane_id: int, s: float) -> float:
    """Driving direction (rad, map frame) of a lane."""
    return math.radians(carla_map.get_waypoint_xodr(road_id, lane_id, s).transform.rotation.yaw)
