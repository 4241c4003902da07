"""``python -m simlingo_sim.render.contact_sheet FILE``: a picture of everything that can stand or drive about, with names."""

from __future__ import annotations

import argparse
import math
import os
from pathlib import Path

import carla
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from simlingo_sim.object_models import OBJECT_MODELS
from simlingo_sim.render.materials import Material, Tag
from simlingo_sim.render.mesh import MeshBuilder
from simlingo_sim.render.renderer import Renderer
from simlingo_sim.render.scene import PropVisual, SceneFrame, VehicleVisual, WalkerVisual
from simlingo_sim.render.town_mesh import Layer, assemble
from simlingo_sim.vehicle_models import VEHICLE_MODELS

_CELL = (192, 150)  # pixels; the lowest rows hold the name
_LABEL = 16
_COLUMNS = 9
_FOV_DEG = 34.0
#: From where each is seen: degrees beside its front, and above the ground.
_ASIDE_DEG, _ABOVE_DEG = 34.0, 17.0
#: Paints of the vehicles that come in any colour, in turn.
_PAINTS = ((178, 24, 28), (28, 62, 140), (236, 238, 240), (36, 96, 60), (232, 176, 32), (40, 42, 46), (150, 154, 158))


def bare_ground() -> Renderer:
    """A renderer of an empty square."""
    builder = MeshBuilder()
    corners = [(-60.0, -60.0, 0.0), (60.0, -60.0, 0.0), (60.0, 60.0, 0.0), (-60.0, 60.0, 0.0)]
    builder.fan(corners, (112, 112, 112), Material.PAVEMENT, Tag.GROUND)
    return Renderer(assemble([Layer(builder.build(), 1.0e6)]))


def _camera(length: float, width: float, height: float) -> carla.Transform:
    """Sees a box of this size, which stands at the origin, as a whole."""
    radius = 0.5 * math.sqrt(length * length + width * width + height * height)
    away = 1.12 * radius / math.sin(math.radians(_FOV_DEG) * 0.5 * (_CELL[1] - _LABEL) / _CELL[0]) * 0.80
    aside, above = math.radians(_ASIDE_DEG), math.radians(_ABOVE_DEG)
    place = carla.Location(
        away * math.cos(above) * math.cos(aside),
        away * math.cos(above) * math.sin(aside),
        height / 2 + away * math.sin(above),
    )
    return carla.Transform(place, carla.Rotation(pitch=-_ABOVE_DEG, yaw=180.0 + _ASIDE_DEG))


def _weather() -> carla.WeatherParameters:
    weather = carla.WeatherParameters()
    weather.sun_altitude_angle, weather.sun_azimuth_angle, weather.cloudiness = 50.0, 75.0, 10.0
    return weather


def _entries() -> list[tuple[str, SceneFrame, tuple[float, float, float]]]:
    """Name, scene and size (m) of each cell."""
    weather = _weather()
    found = []
    for model in OBJECT_MODELS.values():
        frame = SceneFrame(weather, props=[PropVisual(model.type_id, 0.0, 0.0, 0.0)])
        found.append((model.type_id.removeprefix("static.prop."), frame, (model.length, model.width, model.height)))
    for number, kind in enumerate(VEHICLE_MODELS.values()):
        paint = (
            tuple(int(part) for part in kind.paints[0].split(",")) if kind.paints else _PAINTS[number % len(_PAINTS)]
        )
        visual = VehicleVisual(kind.type_id, 0.0, 0.0, 0.0, color=(paint[0], paint[1], paint[2]), seed=number)
        name = kind.type_id.removeprefix("vehicle.")
        found.append((name, SceneFrame(weather, [visual]), (kind.length, kind.width, kind.height)))
    walker = WalkerVisual(0.0, 0.0, 0.0, 0.0, 1.3, 0.8, 3)
    found.append(("walker.pedestrian", SceneFrame(weather, walkers=[walker]), (0.6, 0.6, 1.8)))
    return found


def contact_sheet() -> npt.NDArray[np.uint8]:
    """The sheet, (H, W, 3) uint8."""
    renderer, entries = bare_ground(), _entries()
    rows = -(-len(entries) // _COLUMNS)
    sheet = Image.new("RGB", (_COLUMNS * _CELL[0], rows * _CELL[1]), (255, 255, 255))
    drawing = ImageDraw.Draw(sheet)
    for number, (name, frame, size) in enumerate(entries):
        left, top = number % _COLUMNS * _CELL[0], number // _COLUMNS * _CELL[1]
        made = renderer.render(_camera(*size), _CELL[0], _CELL[1] - _LABEL, _FOV_DEG, frame)
        sheet.paste(Image.fromarray(np.asarray(made["rgb"], np.uint8)), (left, top))
        drawing.text((left + 4, top + _CELL[1] - _LABEL + 2), name, fill=(20, 20, 20))
    return np.asarray(sheet)


def main() -> None:
    """Write the sheet whole: temporary name, then rename."""
    parser = argparse.ArgumentParser(prog="python -m simlingo_sim.render.contact_sheet", description=main.__doc__)
    parser.add_argument("file", type=Path, help="picture to write, .jpg or .png")
    path: Path = parser.parse_args().file
    temporary = path.with_name(f".{os.getpid()}.{path.name}")
    Image.fromarray(contact_sheet()).save(temporary, quality=58)
    temporary.replace(path)
    print(f"{path}: {path.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
