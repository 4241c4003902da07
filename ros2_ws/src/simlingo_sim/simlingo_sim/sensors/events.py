"""Collision and lane invasion."""

from __future__ import annotations

import math
from dataclasses import dataclass

import carla

from simlingo_sim.actor import Actor, BodyActor
from simlingo_sim.sensors.base import Sensor, SensorData

LaneKey = tuple[int, int, int]


@dataclass(frozen=True)
class CollisionEvent(SensorData):
    """``actor`` touched ``other_actor``; impulse upon ``actor`` in N s, map frame."""

    actor: Actor
    other_actor: Actor
    normal_impulse: carla.Vector3D


@dataclass(frozen=True)
class LaneInvasionEvent(SensorData):
    """``actor`` crossed these marks in this tick."""

    actor: Actor
    crossed_lane_markings: list[carla.LaneMarking]


class CollisionSensor(Sensor):
    """``sensor.other.collision``: an event for every contact of its parent in every tick of it."""

    def measure(self, frame: int, elapsed_s: float, dt: float) -> list[SensorData]:
        if not isinstance(self.parent, BodyActor):
            return []
        pose = self.get_transform()
        events: list[SensorData] = []
        for other, impulse in self._world.contacts_of(self.parent):
            push = carla.Vector3D(impulse[0], impulse[1], 0.0)
            events.append(CollisionEvent(frame, elapsed_s, pose, self.parent, other, push))
        return events


class LaneInvasionSensor(Sensor):
    """``sensor.other.lane_invasion``: the marks that a corner of the parent crossed since the last tick."""

    _lanes: list[carla.Waypoint | None] | None = None

    def measure(self, frame: int, elapsed_s: float, dt: float) -> list[SensorData]:
        if self.parent is None:
            return []
        now = [self._lane_below(corner) for corner in self._corners(self.parent)]
        before, self._lanes = self._lanes, now
        if before is None:
            return []
        crossed: dict[tuple[str, str], carla.LaneMarking] = {}
        for old, new in zip(before, now, strict=True):
            mark = _mark_between(old, new)
            if mark is not None:
                crossed.setdefault((str(mark.type), str(mark.color)), mark)
        if not crossed:
            return []
        return [LaneInvasionEvent(frame, elapsed_s, self.get_transform(), self.parent, list(crossed.values()))]

    def _corners(self, parent: Actor) -> list[carla.Location]:
        pose, box = parent.get_transform(), parent.bounding_box
        return [
            pose.transform(carla.Location(along * box.extent.x * 0.7, across * box.extent.y, 0.0))
            for along in (1.0, -1.0)
            for across in (-1.0, 1.0)
        ]

    def _lane_below(self, place: carla.Location) -> carla.Waypoint | None:
        return self._world.get_map().get_waypoint(place, project_to_road=False, lane_type=carla.LaneType.Any)


def _mark_between(old: carla.Waypoint | None, new: carla.Waypoint | None) -> carla.LaneMarking | None:
    """The mark between two neighbouring lanes of one road section, or at the road's edge; None where none was crossed."""
    if old is None or old.is_junction or (new is not None and new.is_junction):
        return None
    if new is not None and (new.road_id, new.section_id, new.lane_id) == (old.road_id, old.section_id, old.lane_id):
        return None
    if new is None or new.road_id != old.road_id or new.section_id != old.section_id:
        if new is not None:
            return None
        return old.right_lane_marking
    yaw = math.radians(old.transform.rotation.yaw)
    step = new.transform.location - old.transform.location
    to_right = -step.x * math.sin(yaw) + step.y * math.cos(yaw) > 0
    mark = old.right_lane_marking if to_right else old.left_lane_marking
    return None if mark is None or mark.type == carla.LaneMarkingType.NONE else mark
