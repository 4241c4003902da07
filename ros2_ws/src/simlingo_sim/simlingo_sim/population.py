"""Fill a world with traffic and people."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import carla
import numpy as np

from simlingo_sim.errors import SimulatorError
from simlingo_sim.traffic.detours import Footprint
from simlingo_sim.traffic.following import overlap_depth
from simlingo_sim.vehicle import Vehicle
from simlingo_sim.vehicle_models import VehicleModel, traffic_models
from simlingo_sim.walker import Walker, WalkerAIController

if TYPE_CHECKING:
    from simlingo_sim.client import Client
    from simlingo_sim.world import World

_EGO_ROOM = 12.0  # m around driven vehicles that stay free
_SWING_M = 5.0  # m ahead and behind within which nothing may reach into a vehicle's way where it begins
_TRIES = 6  # places tried for each walker


def populate(
    world: World, client: Client | None = None, vehicles: int = 20, walkers: int = 10, seed: int = 0
) -> tuple[list[Vehicle], list[Walker]]:
    """Spawn traffic on autopilot and walkers under AI control, the same for the same ``seed``.

    Fewer come where the town has no more room. :class:`SimulatorError` for negative numbers.
    """
    if vehicles < 0 or walkers < 0:
        raise SimulatorError(f"populate needs numbers of at least 0, not {vehicles} vehicles and {walkers} walkers")
    rng = np.random.default_rng(seed)
    return _spawn_vehicles(world, vehicles, rng), _spawn_walkers(world, walkers, rng)


def _spawn_vehicles(world: World, wanted: int, rng: np.random.Generator) -> list[Vehicle]:
    library = world.get_blueprint_library()
    models = traffic_models()
    shares = np.array([model.share for model in models])
    driven = [vehicle.get_location() for vehicle in world.vehicles]
    places = world.get_map().get_spawn_points()
    things = [prop.footprint() for prop in world.props()]
    found: list[Vehicle] = []
    for index in rng.permutation(len(places)):
        if len(found) >= wanted:
            break
        model = models[int(rng.choice(len(models), p=shares / shares.sum()))]
        blueprint = library.find(model.type_id)
        paints = blueprint.get_attribute("color").recommended_values
        blueprint.set_attribute("color", paints[int(rng.integers(len(paints)))])
        if any(places[index].location.distance(other) < _EGO_ROOM for other in driven):
            continue
        if any(_stands_in(box, places[index], model) for box in things):
            continue
        vehicle = world.try_spawn_actor(blueprint, places[index])
        if isinstance(vehicle, Vehicle):
            vehicle.set_autopilot(True)
            found.append(vehicle)
    return found


def _stands_in(box: Footprint, place: carla.Transform, model: VehicleModel) -> bool:
    """Whether something is where a vehicle would begin, or so near ahead or behind that it could not steer past it."""
    spot = place.location
    half = 0.5 * model.length + _SWING_M
    return overlap_depth(spot.x, spot.y, math.radians(place.rotation.yaw), half, 0.5 * model.width + 0.2, *box) > 0


def _spawn_walkers(world: World, wanted: int, rng: np.random.Generator) -> list[Walker]:
    library = world.get_blueprint_library()
    kinds = [blueprint.id for blueprint in library.filter("walker.pedestrian.*")]
    found: list[Walker] = []
    for _ in range(wanted * _TRIES):
        place = world.pedestrians.random_place(rng)
        if place is None or len(found) >= wanted:
            break
        walker = world.try_spawn_actor(library.find(kinds[int(rng.integers(len(kinds)))]), place)
        if not isinstance(walker, Walker):
            continue
        controller = world.spawn_actor(library.find("controller.ai.walker"), carla.Transform(), attach_to=walker)
        assert isinstance(controller, WalkerAIController)
        controller.set_max_speed(float(rng.uniform(1.0, 1.7)))
        controller.start()
        found.append(walker)
    return found
