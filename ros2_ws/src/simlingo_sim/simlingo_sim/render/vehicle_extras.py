"""What makes a vehicle one that people have a word for: blue lamps, a taxi's sign, an ambulance's cross, a ladder."""

from __future__ import annotations

from collections.abc import Callable

from simlingo_sim.render.materials import Material, Tag
from simlingo_sim.render.mesh import Color, MeshBuilder, Point
from simlingo_sim.vehicle_models import VehicleModel

_BLUE: Color = (24, 70, 220)
_RED: Color = (206, 24, 28)
_BLACK: Color = (24, 24, 27)
_WHITE: Color = (242, 243, 244)
_STEEL: Color = (150, 154, 158)


def _on_sides(
    builder: MeshBuilder,
    along: tuple[float, float],
    heights: tuple[float, float],
    half_width: float,
    color: Color,
    tag: Tag,
) -> None:
    """A band on both flanks."""
    (rear, front), (low, high) = along, heights
    for side in (-1.0, 1.0):
        y = side * half_width
        corners: list[Point] = [(rear, y, low), (front, y, low), (front, y, high), (rear, y, high)]
        builder.fan(corners if side < 0 else corners[::-1], color, Material.FLAT, tag)


def _light_bar(builder: MeshBuilder, x: float, z: float, width: float, tag: Tag, colors: tuple[Color, Color]) -> None:
    builder.box((x, 0.0, z + 0.02), (0.30, width, 0.04), _BLACK, tag=tag)
    for side, color in ((-1.0, colors[0]), (1.0, colors[1])):
        middle = (x, side * width * 0.28, z + 0.09)
        builder.box(middle, (0.26, width * 0.42, 0.11), color, Material.EMISSIVE, tag)


def _police(builder: MeshBuilder, model: VehicleModel, tag: Tag) -> None:
    half = model.width / 2
    _on_sides(builder, (-0.32 * model.length, 0.24 * model.length), (0.56, 0.74), half + 0.008, _BLUE, tag)
    builder.box((0.36 * model.length, 0.0, 0.90), (0.9, half * 1.1, 0.02), _BLUE, tag=tag)
    _light_bar(builder, -0.05 * model.length, model.height - 0.01, 1.2, tag, (_BLUE, _RED))


def _taxi(builder: MeshBuilder, model: VehicleModel, tag: Tag) -> None:
    half, length = model.width / 2, model.length
    squares = 14
    for i in range(squares):
        rear, front = (-0.30 + 0.54 * (i + part) / squares for part in (0.0, 1.0))
        for row in range(2):
            color = _BLACK if (i + row) % 2 == 0 else _WHITE
            heights = (0.62 + 0.09 * row, 0.71 + 0.09 * row)
            _on_sides(builder, (rear * length, front * length), heights, half + 0.008, color, tag)
    builder.box((-0.06 * length, 0.0, model.height + 0.08), (0.24, 0.62, 0.18), (255, 238, 170), Material.EMISSIVE, tag)


def _ambulance(builder: MeshBuilder, model: VehicleModel, tag: Tag) -> None:
    """The box behind the cab, its red bands and crosses."""
    length, half, top = model.length, model.width / 2, model.height - 0.08
    rear, front = -length / 2, length / 2 - 2.1
    builder.box(
        ((rear + front) / 2, 0.0, (0.45 + top) / 2),
        (front - rear, model.width, top - 0.45),
        _WHITE,
        tag=tag,
        bottom=True,
    )
    _on_sides(builder, (rear, front), (0.95, 1.20), half + 0.01, _RED, tag)
    middle = (rear + front) / 2
    for wide, high in ((0.45, 0.14), (0.14, 0.45)):
        _on_sides(builder, (middle - wide, middle + wide), (1.85 - high, 1.85 + high), half + 0.012, _RED, tag)
    back = rear - 0.012
    for wide, low, high in ((half, 0.95, 1.20), (0.45, 1.71, 1.99), (0.14, 1.40, 2.30)):
        builder.fan(
            [(back, wide, low), (back, -wide, low), (back, -wide, high), (back, wide, high)], _RED, Material.FLAT, tag
        )
    _light_bar(builder, front - 0.2, top, model.width * 0.8, tag, (_BLUE, _BLUE))


def _fire_engine(builder: MeshBuilder, model: VehicleModel, tag: Tag) -> None:
    length, half, top = model.length, model.width / 2, model.height
    _on_sides(builder, (-length / 2 + 0.1, length / 2 - 0.1), (1.02, 1.26), half + 0.012, _WHITE, tag)
    for i in range(4):
        rear = -length / 2 + 0.3 + 1.3 * i
        _on_sides(builder, (rear, rear + 1.1), (1.45, 2.5), half + 0.012, _STEEL, tag)
    for y in (-0.32, 0.32):
        builder.box((-1.0, y, top + 0.06), (length * 0.66, 0.08, 0.12), _STEEL, tag=tag)
    for i in range(9):
        builder.box((-1.0 - length * 0.3 + length * 0.075 * i, 0.0, top + 0.06), (0.06, 0.6, 0.06), _STEEL, tag=tag)
    _light_bar(builder, length / 2 - 1.0, top * 0.86, model.width * 0.8, tag, (_BLUE, _BLUE))


def _delivery(builder: MeshBuilder, model: VehicleModel, tag: Tag) -> None:
    """White waves on a red box."""
    rear, front = -model.length / 2 + 0.15, model.length / 2 - 2.4
    for low in (1.35, 1.75):
        _on_sides(builder, (rear, front), (low, low + 0.16), model.width / 2 + 0.012, _WHITE, tag)


#: What is added to a vehicle's mesh, by blueprint id.
EXTRAS: dict[str, Callable[[MeshBuilder, VehicleModel, Tag], None]] = {
    "vehicle.dodge.charger_police": _police,
    "vehicle.ford.crown": _taxi,
    "vehicle.ford.ambulance": _ambulance,
    "vehicle.carlamotors.firetruck": _fire_engine,
    "vehicle.carlamotors.carlacola": _delivery,
}
