"""What things are called: kinds, colours, and where in the picture they are."""

from __future__ import annotations

import colorsys
import math

from simlingo_sim.vehicle_models import VEHICLE_MODELS
from training.language.questions.scene import PEDESTRIAN, Thing

#: What parts of an object's blueprint name call it; the first that fits.
_OBJECTS = (
    ("cone", "traffic cone"), ("barrier", "barrier"), ("warning", "warning sign"), ("bin", "bin"), ("trash", "bin"),
    ("container", "container"), ("box", "box"), ("bench", "bench"), ("barrel", "barrel"), ("trailer", "trailer"),
)  # fmt: skip
#: Vehicles named by their task; they have no colour of their own to tell them by.
_TASKS = (("police", "police car"), ("ambulance", "ambulance"), ("firetruck", "fire engine"))
#: Bearing from the camera within which a thing is ahead, and beyond which it is aside, rad.
_AHEAD_RAD, _ASIDE_RAD = math.radians(7.0), math.radians(11.0)


def vehicle_kind(type_id: str) -> str:
    """One of ``scene.VEHICLE_KINDS``."""
    model = VEHICLE_MODELS.get(type_id)
    return model.base_type if model is not None else "car"


def object_kind(type_id: str) -> str:
    """What an object of this blueprint is called; "object" where nothing fits."""
    return next((name for part, name in _OBJECTS if part in type_id.lower()), "object")


def task_of(type_id: str) -> str:
    """What a vehicle is called by its task; empty for others."""
    return next((name for part, name in _TASKS if part in type_id.lower()), "")


def colour_name(red: int, green: int, blue: int) -> str:
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


def name_of(thing: Thing) -> str:
    """Such as "red car"."""
    return f"{thing.colour} {thing.kind}".strip() if thing.kind != PEDESTRIAN else PEDESTRIAN


def picture_place(thing: Thing) -> str | None:
    """Where in the picture it is; None between two answers."""
    bearing = math.atan2(thing.position_m[1], thing.position_m[0] + 1.5)
    if abs(bearing) < _AHEAD_RAD:
        return "straight ahead"
    if abs(bearing) < _ASIDE_RAD:
        return None
    return "ahead on the right" if bearing > 0.0 else "ahead on the left"
