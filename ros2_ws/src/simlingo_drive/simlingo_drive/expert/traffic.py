"""What the expert knows of the other road users at one tick: plain arrays out of CARLA actors."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from simlingo.contracts import FloatArray

#: Ticks between two looks at the list of actors (spawned and destroyed ones).
REFRESH_TICKS = 20


@dataclass(frozen=True)
class RoadUsers:
    """N vehicles or pedestrians near the ego; map frame."""

    ids: list[int]
    position: FloatArray  # (N, 2) m, middle of the footprint
    yaw: FloatArray  # (N,) rad
    speed: FloatArray  # (N,) m/s
    velocity: FloatArray  # (N, 2) m/s
    yaw_rate: FloatArray  # (N,) rad/s
    half_length: FloatArray  # (N,) m
    half_width: FloatArray  # (N,) m
    actors: Sequence[Any]  # the CARLA actors, for what is asked rarely

    def __len__(self) -> int:
        return len(self.ids)

    def without(self, ids: set[int]) -> RoadUsers:
        """The road users that are not in ``ids``."""
        rows = [row for row, actor_id in enumerate(self.ids) if actor_id not in ids]
        return RoadUsers(
            [self.ids[row] for row in rows],
            self.position[rows],
            self.yaw[rows],
            self.speed[rows],
            self.velocity[rows],
            self.yaw_rate[rows],
            self.half_length[rows],
            self.half_width[rows],
            [self.actors[row] for row in rows],
        )


class TrafficView:
    """Reads the road users of a world; keeps the actor list for a second."""

    def __init__(self, world: Any, ego: Any, pattern: str, radius: float) -> None:
        """``pattern`` is an actor filter such as ``vehicle.*``; ``radius`` m around the ego."""
        self._world, self._ego, self._pattern, self._radius = world, ego, pattern, radius
        self._actors: list[Any] = []
        self._age = REFRESH_TICKS

    def read(self, x: float, y: float) -> RoadUsers:
        """Road users within the radius of (x, y) m, without the ego."""
        if self._age >= REFRESH_TICKS:
            self._actors = [
                actor for actor in self._world.get_actors().filter(self._pattern) if actor.id != self._ego.id
            ]
            self._age = 0
        self._age += 1
        rows, chosen = [], []
        for actor in self._actors:
            if not actor.is_alive:
                continue
            transform = actor.get_transform()
            location = transform.location
            if math.hypot(location.x - x, location.y - y) > self._radius:
                continue
            velocity, extent, offset = actor.get_velocity(), actor.bounding_box.extent, actor.bounding_box.location
            yaw = math.radians(transform.rotation.yaw)
            cos, sin = math.cos(yaw), math.sin(yaw)
            middle_x = location.x + offset.x * cos - offset.y * sin
            middle_y = location.y + offset.x * sin + offset.y * cos
            rate = math.radians(actor.get_angular_velocity().z)
            rows.append((middle_x, middle_y, yaw, velocity.x, velocity.y, rate, extent.x, extent.y))
            chosen.append(actor)
        table = np.array(rows, dtype=np.float64).reshape(-1, 8)
        return RoadUsers(
            [actor.id for actor in chosen],
            table[:, 0:2],
            table[:, 2],
            np.hypot(table[:, 3], table[:, 4]),
            table[:, 3:5],
            table[:, 5],
            table[:, 6],
            table[:, 7],
            chosen,
        )
