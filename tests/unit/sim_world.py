"""Worlds for the tests of the simulator."""

from __future__ import annotations

import math

import carla

from simlingo_sim import Client, World
from simlingo_sim.vehicle import Vehicle

EGO = "vehicle.lincoln.mkz_2020"


def fresh_world(town: str = "gridtown", seed: int = 0) -> World:
    return Client(seed=seed).load_world(town)


def spawn(world: World, place: carla.Transform, kind: str = EGO, *, autopilot: bool = False) -> Vehicle:
    vehicle = world.spawn_actor(world.get_blueprint_library().find(kind), place)
    assert isinstance(vehicle, Vehicle)
    vehicle.set_autopilot(autopilot)
    return vehicle


def spawn_on(world: World, waypoint: carla.Waypoint, kind: str = EGO, *, autopilot: bool = False) -> Vehicle:
    return spawn(world, waypoint.transform, kind, autopilot=autopilot)


def far_from_town(x: float = 800.0, y: float = 0.0, yaw: float = 0.0) -> carla.Transform:
    """An empty plain."""
    return carla.Transform(carla.Location(x, y, 0.0), carla.Rotation(yaw=yaw))


def run(world: World, seconds: float) -> None:
    for _ in range(round(seconds * 20)):
        world.tick()


def speed(actor: Vehicle) -> float:
    velocity = actor.get_velocity()
    return math.hypot(velocity.x, velocity.y)
