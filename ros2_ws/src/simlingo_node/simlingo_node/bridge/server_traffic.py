"""Traffic on a CARLA server, by CARLA's Python API alone (the embedded world has a population of its own)."""

from __future__ import annotations

from typing import Any

import numpy as np

#: Room around the ego that stays free, m.
EGO_ROOM_M = 12.0


def populate_server(world: Any, ego: Any, vehicles: int, seed: int) -> list[Any]:
    """Spawn ``vehicles`` with four wheels on autopilot; fewer where the town has no room.

    Returns them, for whoever takes them out again. No pedestrians: CARLA's own scripts start those.
    """
    rng = np.random.default_rng(seed)
    kinds = [kind for kind in world.get_blueprint_library().filter("vehicle.*") if _wheels(kind) == 4]
    places = world.get_map().get_spawn_points()
    here = ego.get_location()
    found: list[Any] = []
    for index in rng.permutation(len(places)):
        if len(found) >= vehicles:
            break
        if places[index].location.distance(here) < EGO_ROOM_M:
            continue
        vehicle = world.try_spawn_actor(kinds[int(rng.integers(len(kinds)))], places[index])
        if vehicle is not None:
            vehicle.set_autopilot(True)
            found.append(vehicle)
    return found


def _wheels(blueprint: Any) -> int:
    return int(blueprint.get_attribute("number_of_wheels").as_int())
