"""What people call a thing, by its blueprint and its paint: one vocabulary for dreams, questions and commentary.

Names are the classes and colours of a language's ``objects.yaml``, with blanks where those have underscores.
"""

from __future__ import annotations

import colorsys

from simlingo_sim.object_models import PARKED_VEHICLES
from simlingo_sim.vehicle_models import VEHICLE_MODELS

PEDESTRIAN = "pedestrian"
#: A thing that has no name of its own.
OBSTACLE = "obstacle"
#: Vehicles named by their task, by a part of the blueprint's id.
_TASKS = (
    ("police", "police car"), ("ambulance", "ambulance"), ("firetruck", "fire engine"), ("ford.crown", "taxi"),
)  # fmt: skip
#: Other things likewise; the first that fits.
_THINGS = (
    ("cone", "cone"), ("barrier", "barrier"), ("warning", "warning sign"), ("bench", "bench"), ("bin", "bin"),
    ("trashcan", "bin"), ("container", "bin"), ("mailbox", OBSTACLE), ("box", "box"), ("barrel", "barrel"),
    ("trailer", "trailer"),
)  # fmt: skip
#: What vehicles are called.
VEHICLES = ("car", "van", "truck", "bus", "motorcycle", "bicycle", *(name for _, name in _TASKS))


def name_of(type_id: str, mesh_path: str = "") -> str:
    """What a thing of this blueprint is called.

    Args:
        type_id: CARLA's blueprint id.
        mesh_path: the attribute of a ``static.prop.mesh``, which tells what kind of vehicle is parked there.
    """
    shown = PARKED_VEHICLES.get(mesh_path, "vehicle" if "/Car/" in mesh_path else type_id)
    if shown.startswith("walker"):
        return PEDESTRIAN
    if shown.startswith("vehicle"):
        model = VEHICLE_MODELS.get(shown)
        return _first(shown, _TASKS) or (model.base_type if model is not None else "car")
    return _first(shown, _THINGS) or OBSTACLE


def _first(type_id: str, parts: tuple[tuple[str, str], ...]) -> str:
    return next((name for part, name in parts if part in type_id.lower()), "")


def paint_of(color: str) -> str:
    """Name of the paint of a blueprint's attribute ``color``, "r,g,b"; empty where there is none."""
    parts = color.split(",")
    return colour_of(*(int(part) for part in parts)) if len(parts) == 3 else ""


def colour_of(red: int, green: int, blue: int) -> str:
    """The name that most people would give a paint (0 to 255 each); empty where they would differ."""
    hue, saturation, value = colorsys.rgb_to_hsv(red / 255.0, green / 255.0, blue / 255.0)
    degrees = 360.0 * hue
    if value < 0.22:
        return "black"
    if saturation < 0.17:
        return _grey(value)
    if saturation < 0.3 or value < 0.25:
        return ""
    if 10.0 < degrees < 50.0:
        return _earthy(degrees, saturation, value)
    for name, low, high in (
        ("yellow", 50.0, 66.0),
        ("green", 80.0, 160.0),
        ("blue", 200.0, 245.0),
        ("purple", 265.0, 310.0),
    ):
        if low <= degrees <= high:
            return name
    return "red" if (degrees >= 345.0 or degrees <= 10.0) and saturation > 0.5 else ""


def _grey(value: float) -> str:
    if value < 0.27 or 0.78 < value < 0.86:
        return ""
    return "white" if value >= 0.86 else "grey"


def _earthy(degrees: float, saturation: float, value: float) -> str:
    """Brown, beige and orange differ in how bright and how full they are."""
    if value < 0.5:
        return "brown"
    if value > 0.65 and saturation < 0.6 and degrees > 28.0:
        return "beige"
    return "orange" if value > 0.7 and saturation > 0.7 and degrees < 42.0 else ""
