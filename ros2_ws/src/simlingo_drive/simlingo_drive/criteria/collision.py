"""Collisions, one a contact (CARLA's CollisionTest)."""

from __future__ import annotations

import math
from typing import Any

import carla

from simlingo_drive.criteria.base import Criterion, EgoMotion, Finding, Kind

#: A contact with the same actor (all that is static is one) counts again after this time without one, s, and not this
#: near to where it counted, m, unless the ego has been further away meanwhile, m (CARLA's CollisionTest).
SAME_ACTOR_S = 5.0
SAME_PLACE_M = 3.0
FORGOTTEN_M = 5.0


class Collisions(Criterion):
    """Counts a contact once: two vehicles that stand locked into each other touch again and again."""

    def __init__(self, world: Any, ego: Any) -> None:
        self._hits: list[Any] = []
        self._last_hits: dict[int, float] = {}
        self._hit_places: dict[int | None, tuple[float, float]] = {}  # by actor; None: anything static
        self._speed = 0.0  # m/s, before the tick: a collision changes it
        self._sensor = attached_sensor(world, ego, "sensor.other.collision", self._hits.append)

    def update(self, ego: EgoMotion) -> list[Finding]:
        """The contacts of this tick that count."""
        self._hit_places = {
            key: place for key, place in self._hit_places.items() if math.dist(place, (ego.x, ego.y)) <= FORGOTTEN_M
        }
        hits = list(self._hits)
        self._hits.clear()  # the sensor holds on to this very list
        found = []
        for event in hits:
            other = event.other_actor
            kind = collision_kind(other.type_id)
            seen = self._last_hits.get(other.id)
            self._last_hits[other.id] = ego.now
            if seen is not None and ego.now - seen < SAME_ACTOR_S:
                continue
            key = None if kind == Kind.COLLISION_STATIC else other.id
            place = self._hit_places.get(key)
            if place is not None and math.dist(place, (ego.x, ego.y)) < SAME_PLACE_M:
                continue
            self._hit_places[key] = (ego.x, ego.y)
            found.append(Finding(kind, other.type_id, f"hit {other.type_id} ({other.id}) at {self._speed:.1f} m/s"))
        self._speed = ego.speed
        return found

    def close(self) -> None:
        """Take the sensor away."""
        remove_sensor(self._sensor)


def collision_kind(type_id: str) -> Kind:
    """Kind of a collision by the other's blueprint (CARLA's CollisionTest)."""
    if type_id.startswith("walker."):
        return Kind.COLLISION_PEDESTRIAN
    return Kind.COLLISION_VEHICLE if type_id.startswith("vehicle.") else Kind.COLLISION_STATIC


def attached_sensor(world: Any, ego: Any, blueprint: str, callback: Any) -> Any:
    """A sensor of events on the ego that calls ``callback`` with each."""
    sensor = world.spawn_actor(world.get_blueprint_library().find(blueprint), carla.Transform(), attach_to=ego)
    sensor.listen(callback)
    return sensor


def remove_sensor(sensor: Any) -> None:
    """Take a sensor out of the world, if it is still there."""
    if sensor.is_alive:
        sensor.stop()
        sensor.destroy()
