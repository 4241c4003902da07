"""From a blueprint to an actor."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import carla
import numpy as np

from simlingo_sim.actor import Actor
from simlingo_sim.blueprints import WALKER_SIZE, ActorBlueprint
from simlingo_sim.bodies import DRIVEN, FREE, STROLLING, VEHICLE, WALKER
from simlingo_sim.errors import SimulatorError
from simlingo_sim.prop import Prop
from simlingo_sim.sensors.base import Sensor
from simlingo_sim.sensors.camera import CameraSensor
from simlingo_sim.sensors.events import CollisionSensor, LaneInvasionSensor
from simlingo_sim.sensors.inertial import GnssSensor, ImuSensor
from simlingo_sim.traffic.following import overlap_depth
from simlingo_sim.vehicle import Vehicle
from simlingo_sim.vehicle_models import VEHICLE_MODELS
from simlingo_sim.walker import Walker, WalkerAIController

if TYPE_CHECKING:
    from simlingo_sim.world import World

_SENSORS: dict[str, type[Sensor]] = {
    "sensor.camera.rgb": CameraSensor,
    "sensor.camera.semantic_segmentation": CameraSensor,
    "sensor.camera.depth": CameraSensor,
    "sensor.other.imu": ImuSensor,
    "sensor.other.gnss": GnssSensor,
    "sensor.other.collision": CollisionSensor,
    "sensor.other.lane_invasion": LaneInvasionSensor,
}


def make_actor(
    world: World, actor_id: int, blueprint: ActorBlueprint, transform: carla.Transform, parent: Actor | None
) -> Actor:
    """The actor of ``blueprint``; :class:`SimulatorError` where it cannot stand there or lacks its parent."""
    if parent is not None and not parent.is_alive:
        raise SimulatorError(f"cannot attach {blueprint.id} to actor {parent.id}: it was destroyed")
    attributes = blueprint.values()
    if blueprint.id in VEHICLE_MODELS:
        model = VEHICLE_MODELS[blueprint.id]
        row = _place(world, blueprint.id, VEHICLE, transform, model.length / 2, model.width / 2)
        world.bodies.drive.wheelbase[row], world.bodies.drive.agility[row] = model.wheelbase, model.agility
        world.bodies.arrays.mode[row] = DRIVEN
        return Vehicle(world, actor_id, model, attributes, row)
    if blueprint.id.startswith("walker."):
        row = _place(world, blueprint.id, WALKER, transform, WALKER_SIZE[0] / 2, WALKER_SIZE[1] / 2)
        world.bodies.arrays.mode[row] = STROLLING
        world.walker_pace[row] = world.walked[row] = 0.0
        return Walker(world, actor_id, blueprint.id, attributes, row)
    if blueprint.id == "controller.ai.walker":
        if not isinstance(parent, Walker):
            raise SimulatorError("controller.ai.walker needs a walker: give it as attach_to")
        return WalkerAIController(world, actor_id, attributes, parent)
    if blueprint.id in _SENSORS:
        return _SENSORS[blueprint.id](world, actor_id, blueprint.id, attributes, transform, parent)
    place = carla.Transform(
        carla.Location(transform.location.x, transform.location.y, transform.location.z),
        carla.Rotation(yaw=transform.rotation.yaw),
    )
    return Prop(world, actor_id, blueprint.id, attributes, place)


def _place(
    world: World, type_id: str, kind: int, transform: carla.Transform, half_length: float, half_width: float
) -> int:
    """A row of the table of bodies for a body at ``transform``, which must be free."""
    arrays = world.bodies.arrays
    place, yaw = transform.location, math.radians(transform.rotation.yaw)
    for other in np.flatnonzero(arrays.kind != FREE):
        if (
            overlap_depth(
                place.x,
                place.y,
                yaw,
                half_length,
                half_width,
                arrays.x[other],
                arrays.y[other],
                arrays.yaw[other],
                arrays.half_length[other],
                arrays.half_width[other],
            )
            > 0
        ):
            raise SimulatorError(
                f"cannot spawn {type_id} at ({place.x:.1f}, {place.y:.1f}): another actor stands there; "
                "choose another spawn point"
            )
    row = world.bodies.allocate(kind)
    arrays.x[row], arrays.y[row], arrays.yaw[row] = place.x, place.y, yaw
    arrays.z[row] = world.ground_height(place)
    arrays.half_length[row], arrays.half_width[row] = half_length, half_width
    return row
