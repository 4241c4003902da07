"""Traffic for a CARLA server uses CARLA's API only, so the embedded world, which has the same face, can check it."""

from __future__ import annotations

import math

from simlingo_drive.backends.carla_server import EGO_ROOM_M, populate_server
from simlingo_sim import Client
from simlingo_sim.vehicle_models import EGO_BLUEPRINT


def test_vehicles_come_keep_away_from_the_ego_and_drive() -> None:
    world = Client(seed=1).load_world("gridtown")
    start = world.get_map().get_spawn_points()[0]
    ego = world.spawn_actor(world.get_blueprint_library().find(EGO_BLUEPRINT), start)
    made = populate_server(world, ego, 12, seed=3)
    assert len(made) == 12
    assert min(vehicle.get_location().distance(ego.get_location()) for vehicle in made) >= EGO_ROOM_M
    before = [vehicle.get_location() for vehicle in made]
    for _ in range(100):
        world.tick()
    moved = [vehicle.get_location().distance(place) for vehicle, place in zip(made, before, strict=True)]
    assert sum(distance > 3.0 for distance in moved) >= 4
    assert all(math.isfinite(distance) for distance in moved)


def test_a_full_town_takes_no_more() -> None:
    world = Client(seed=1).load_world("gridtown")
    places = world.get_map().get_spawn_points()
    ego = world.spawn_actor(world.get_blueprint_library().find(EGO_BLUEPRINT), places[0])
    made = populate_server(world, ego, 10_000, seed=3)
    assert 20 < len(made) < len(places)
