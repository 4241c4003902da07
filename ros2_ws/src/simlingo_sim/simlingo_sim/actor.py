"""What every actor of the embedded world answers, under carla's names."""

from __future__ import annotations

import fnmatch
import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import carla

from simlingo_sim.errors import SimulatorError

if TYPE_CHECKING:
    from simlingo_sim.world import World


class Actor:
    """Something with an id and a place in the world; alive until destroyed. Frame: CARLA's, degrees in rotations."""

    def __init__(
        self, world: World, actor_id: int, type_id: str, attributes: dict[str, str], parent: Actor | None = None
    ) -> None:
        self.id = actor_id
        self.type_id = type_id
        self.attributes = attributes
        self.parent = parent
        self.is_alive = True
        self.bounding_box = carla.BoundingBox(carla.Location(), carla.Vector3D())
        self.semantic_tags: list[int] = []
        self._world = world

    @property
    def is_active(self) -> bool:
        return self.is_alive

    @property
    def is_dormant(self) -> bool:
        return False

    def get_world(self) -> World:
        return self._world

    def get_transform(self) -> carla.Transform:
        raise NotImplementedError

    def get_location(self) -> carla.Location:
        return self.get_transform().location

    def get_velocity(self) -> carla.Vector3D:
        """Velocity in the map frame, m/s."""
        return carla.Vector3D()

    def get_acceleration(self) -> carla.Vector3D:
        """Acceleration in the map frame, m/s^2."""
        return carla.Vector3D()

    def get_angular_velocity(self) -> carla.Vector3D:
        """Angular velocity in the map frame, deg/s."""
        return carla.Vector3D()

    def destroy(self) -> bool:
        """Take the actor out of the world, and those attached to it; False where it is gone already."""
        return self._world.remove_actor(self)

    def on_destroyed(self) -> None:
        """Called once by the world as the actor leaves it."""
        self.is_alive = False

    def _require_alive(self) -> None:
        if not self.is_alive:
            raise SimulatorError(f"actor {self.id} ({self.type_id}) was destroyed; spawn a new one")

    def __repr__(self) -> str:
        return f"Actor(id={self.id}, type={self.type_id})"


class StaticActor(Actor):
    """An actor that stands where it was put: props, signs, what a vehicle may hit."""

    def __init__(
        self,
        world: World,
        actor_id: int,
        type_id: str,
        attributes: dict[str, str],
        transform: carla.Transform,
        box: carla.BoundingBox | None = None,
    ) -> None:
        super().__init__(world, actor_id, type_id, attributes)
        self._transform = transform
        if box is not None:
            self.bounding_box = box

    def get_transform(self) -> carla.Transform:
        return _copied(self._transform)

    def set_transform(self, transform: carla.Transform) -> None:
        self._transform = _copied(transform)
        self._world.scenery_changed()

    def footprint(self) -> tuple[float, float, float, float, float]:
        """Middle x, y (m), yaw (rad), half length and half width (m) of the ground it stands on."""
        transform, box = self.get_transform(), self.bounding_box
        middle = transform.transform(carla.Location(box.location.x, box.location.y, box.location.z))
        yaw = math.radians(transform.rotation.yaw)
        return middle.x, middle.y, yaw, max(box.extent.x, 0.05), max(box.extent.y, 0.05)


class BodyActor(Actor):
    """An actor whose state is a row of the table of bodies."""

    def __init__(self, world: World, actor_id: int, type_id: str, attributes: dict[str, str], row: int) -> None:
        super().__init__(world, actor_id, type_id, attributes)
        self.row = row
        self._arrays = world.bodies.arrays

    def get_transform(self) -> carla.Transform:
        self._require_alive()
        arrays, row = self._arrays, self.row
        return carla.Transform(
            carla.Location(arrays.x[row], arrays.y[row], arrays.z[row]),
            carla.Rotation(yaw=wrapped_degrees(float(arrays.yaw[row]))),
        )

    def get_location(self) -> carla.Location:
        self._require_alive()
        return carla.Location(self._arrays.x[self.row], self._arrays.y[self.row], self._arrays.z[self.row])

    def get_velocity(self) -> carla.Vector3D:
        self._require_alive()
        return carla.Vector3D(self._arrays.vx[self.row], self._arrays.vy[self.row], 0.0)

    def get_acceleration(self) -> carla.Vector3D:
        self._require_alive()
        return carla.Vector3D(self._arrays.ax[self.row], self._arrays.ay[self.row], 0.0)

    def get_angular_velocity(self) -> carla.Vector3D:
        self._require_alive()
        return carla.Vector3D(0.0, 0.0, math.degrees(self._arrays.yaw_rate[self.row]))

    def set_transform(self, transform: carla.Transform) -> None:
        """Move the actor at once; it stands still there, on the ground."""
        self._require_alive()
        arrays, row = self._arrays, self.row
        arrays.x[row], arrays.y[row] = transform.location.x, transform.location.y
        arrays.z[row] = self._world.ground_height(transform.location)
        arrays.yaw[row] = math.radians(transform.rotation.yaw)
        for column in (arrays.speed, arrays.vx, arrays.vy, arrays.ax, arrays.ay, arrays.yaw_rate):
            column[row] = 0.0

    def set_simulate_physics(self, enabled: bool = True) -> None:
        """Physics are always on here; carla's callers may ask for that."""
        if not enabled:
            raise SimulatorError("the embedded world moves every actor by its own rules; physics cannot be disabled")

    def set_target_velocity(self, velocity: carla.Vector3D) -> None:
        """Give the body a velocity (m/s, map frame); only its part along the body counts."""
        self._require_alive()
        arrays, row = self._arrays, self.row
        yaw = float(arrays.yaw[row])
        along = velocity.x * math.cos(yaw) + velocity.y * math.sin(yaw)
        arrays.speed[row] = along
        arrays.vx[row], arrays.vy[row] = along * math.cos(yaw), along * math.sin(yaw)

    def on_destroyed(self) -> None:
        super().on_destroyed()
        self._world.bodies.release(self.row)


class ActorList:
    """Actors in ascending order of their ids."""

    def __init__(self, actors: Sequence[Actor]) -> None:
        self._actors = list(actors)

    def filter(self, wildcard: str) -> ActorList:
        return ActorList([actor for actor in self._actors if fnmatch.fnmatchcase(actor.type_id, wildcard)])

    def find(self, actor_id: int) -> Actor | None:
        return next((actor for actor in self._actors if actor.id == actor_id), None)

    def __iter__(self) -> Iterator[Actor]:
        return iter(self._actors)

    def __len__(self) -> int:
        return len(self._actors)

    def __getitem__(self, index: int) -> Actor:
        return self._actors[index]


def wrapped_degrees(angle: float) -> float:
    """Radians to degrees in (-180, 180]."""
    return math.degrees(math.atan2(math.sin(angle), math.cos(angle)))


def _copied(transform: carla.Transform) -> carla.Transform:
    place, turn = transform.location, transform.rotation
    return carla.Transform(carla.Location(place.x, place.y, place.z), carla.Rotation(turn.pitch, turn.yaw, turn.roll))
