"""What stands around in a town and can be hit: buildings, trees, poles, parked cars, posts of signals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import carla

from simlingo_sim.actor import StaticActor

if TYPE_CHECKING:
    from simlingo_sim.world import World

_PARKED_CAR = (4.5, 1.8, 1.5)  # m, length, width, height
_TRUNK = 0.25  # m, half width of a tree's trunk
_POLE = 0.12  # m, half width


def town_scenery(world: World, decor: dict[str, Any]) -> list[StaticActor]:
    """One static actor (id 0, as CARLA's scenery has none of its own) for each solid thing of ``decor``."""
    found = []
    for item in decor.get("buildings", ()):
        found.append(_thing(world, "static.building", item, item["length"] / 2, item["width"] / 2, item["height"]))
    for item in decor.get("trees", ()):
        found.append(_thing(world, "static.vegetation", item, _TRUNK, _TRUNK, item["height"]))
    for item in decor.get("poles", ()):
        found.append(_thing(world, "static.pole", item, _POLE, _POLE, item["height"]))
    for item in decor.get("parked_cars", ()):
        found.append(_thing(world, "static.vehicle", item, _PARKED_CAR[0] / 2, _PARKED_CAR[1] / 2, _PARKED_CAR[2]))
    return found


def _thing(
    world: World, type_id: str, item: dict[str, Any], half_length: float, half_width: float, height: float
) -> StaticActor:
    place = carla.Transform(carla.Location(item["x"], item["y"], 0.0), carla.Rotation(yaw=item.get("yaw_deg", 0.0)))
    box = carla.BoundingBox(carla.Location(0.0, 0.0, height / 2), carla.Vector3D(half_length, half_width, height / 2))
    return StaticActor(world, 0, type_id, {}, place, box)
