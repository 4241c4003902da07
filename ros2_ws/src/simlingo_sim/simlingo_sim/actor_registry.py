"""The actors of a world: ids, comings and goings, and the kinds that a tick needs at hand."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING

import carla

from simlingo_sim.actor import Actor, BodyActor, StaticActor
from simlingo_sim.blueprints import ActorBlueprint
from simlingo_sim.errors import SimulatorError
from simlingo_sim.prop import Prop
from simlingo_sim.sensors.base import Sensor
from simlingo_sim.spawning import make_actor
from simlingo_sim.vehicle import Vehicle
from simlingo_sim.walker import Walker

if TYPE_CHECKING:
    from simlingo_sim.world import World


class ActorRegistry:
    """All actors of a world by id, in the order in which they came."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._next_id = 1
        self._residents: set[int] = set()  # lights, signs and the spectator: they stay
        self.actors: dict[int, Actor] = {}
        self.by_row: dict[int, BodyActor] = {}
        self.vehicles: list[Vehicle] = []
        self.walkers: list[Walker] = []
        self.sensors: list[Sensor] = []

    def take_id(self) -> int:
        """An id that nobody had before."""
        self._next_id += 1
        return self._next_id - 1

    def settle(self, actors: Iterable[Actor]) -> None:
        """Add actors that belong to the world and are never destroyed."""
        for actor in actors:
            self.actors[actor.id] = actor
            self._residents.add(actor.id)

    def spawn(self, blueprint: ActorBlueprint, transform: carla.Transform, parent: Actor | None) -> Actor:
        """Make and add an actor; :class:`SimulatorError` where it cannot be there."""
        place, turn = transform.location, transform.rotation
        if not all(math.isfinite(value) for value in (place.x, place.y, place.z, turn.pitch, turn.yaw, turn.roll)):
            raise SimulatorError(f"cannot spawn {blueprint.id}: its transform holds a value that is not a number")
        actor = make_actor(self._world, self.take_id(), blueprint, transform, parent)
        self.actors[actor.id] = actor
        if isinstance(actor, BodyActor):
            self.by_row[actor.row] = actor
        if isinstance(actor, Vehicle):
            self.vehicles.append(actor)
        elif isinstance(actor, Walker):
            self.walkers.append(actor)
        elif isinstance(actor, Sensor):
            self.sensors.append(actor)
        elif isinstance(actor, StaticActor):
            self._world.scenery_changed()
        return actor

    def remove(self, actor: Actor) -> bool:
        """Take out an actor and all that is attached to it; False for one that is gone or belongs to the world."""
        if self.actors.get(actor.id) is not actor or actor.id in self._residents:
            return False
        for child in [other for other in self.actors.values() if other.parent is actor]:
            self.remove(child)
        del self.actors[actor.id]
        actor.on_destroyed()
        if isinstance(actor, BodyActor):
            del self.by_row[actor.row]
        if isinstance(actor, Vehicle):
            self.vehicles.remove(actor)
        elif isinstance(actor, Walker):
            self.walkers.remove(actor)
        elif isinstance(actor, Sensor):
            self.sensors.remove(actor)
        elif isinstance(actor, StaticActor):
            self._world.scenery_changed()
        return True

    def props(self) -> list[Prop]:
        """What was put into the world, in the order in which it came."""
        return [actor for actor in self.actors.values() if isinstance(actor, Prop)]

    def standing(self) -> list[StaticActor]:
        """Props, lights and signs: what a vehicle can hit besides the decor."""
        return [
            actor for actor in self.actors.values() if isinstance(actor, StaticActor) and actor.type_id != "spectator"
        ]
