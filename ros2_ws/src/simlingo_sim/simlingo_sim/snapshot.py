"""The state of all actors at one tick."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import carla
import numpy as np

from simlingo_sim.actor import Actor, BodyActor, wrapped_degrees


@dataclass(frozen=True)
class ActorSnapshot:
    """State of one actor at a tick, in the units of :class:`~simlingo_sim.actor.Actor`."""

    id: int
    transform: carla.Transform
    velocity: carla.Vector3D
    acceleration: carla.Vector3D
    angular_velocity: carla.Vector3D

    def get_transform(self) -> carla.Transform:
        return self.transform

    def get_velocity(self) -> carla.Vector3D:
        return self.velocity

    def get_acceleration(self) -> carla.Vector3D:
        return self.acceleration

    def get_angular_velocity(self) -> carla.Vector3D:
        return self.angular_velocity


class WorldSnapshot:
    """All actors at one tick. The rows are copied; the carla objects are made when somebody asks."""

    def __init__(
        self, frame: int, timestamp: carla.Timestamp, actors: dict[int, Actor], arrays: tuple[np.ndarray, ...]
    ) -> None:
        self.frame = frame
        self.id = frame
        self.timestamp = timestamp
        self._actors = actors
        self._x, self._y, self._z, self._yaw, self._vx, self._vy, self._ax, self._ay, self._rate = arrays

    def find(self, actor_id: int) -> ActorSnapshot | None:
        """State of one actor, or None where it was not there."""
        actor = self._actors.get(actor_id)
        return None if actor is None else self._make(actor)

    def has_actor(self, actor_id: int) -> bool:
        return actor_id in self._actors

    def __iter__(self) -> Iterator[ActorSnapshot]:
        return (self._make(actor) for actor in self._actors.values())

    def __len__(self) -> int:
        return len(self._actors)

    def _make(self, actor: Actor) -> ActorSnapshot:
        if not isinstance(actor, BodyActor):
            return ActorSnapshot(actor.id, actor.get_transform(), carla.Vector3D(), carla.Vector3D(), carla.Vector3D())
        row = actor.row
        height = float(actor.bounding_box.extent.z - actor.bounding_box.location.z)
        transform = carla.Transform(
            carla.Location(self._x[row], self._y[row], self._z[row] + height),
            carla.Rotation(yaw=wrapped_degrees(float(self._yaw[row]))),
        )
        return ActorSnapshot(
            actor.id,
            transform,
            carla.Vector3D(self._vx[row], self._vy[row], 0.0),
            carla.Vector3D(self._ax[row], self._ay[row], 0.0),
            carla.Vector3D(0.0, 0.0, float(np.degrees(self._rate[row]))),
        )
