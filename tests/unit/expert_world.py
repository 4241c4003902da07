"""A world small enough for unit tests of the expert: a town's map, actors where a test puts them, one driven car."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import carla

import simlingo_sim.towns
from simlingo.contracts import TICK_S
from simlingo.navigation.global_planner import GlobalPlanner

TOWNS = Path(simlingo_sim.towns.__file__).parent
WHEELBASE = 2.86
FULL_STEER_RAD = math.radians(45.4)


@lru_cache
def town_map(name: str) -> carla.Map:
    return carla.Map(name, (TOWNS / name / f"{name}.xodr").read_text(encoding="utf-8"))


@lru_cache
def town_planner(name: str) -> GlobalPlanner:
    return GlobalPlanner(town_map(name))


@dataclass
class Car:
    """An actor with the attributes that the expert reads."""

    id: int
    x: float
    y: float
    yaw: float = 0.0  # rad
    speed: float = 0.0
    type_id: str = "vehicle.test.car"
    yaw_rate: float = 0.0
    extent: carla.Vector3D = field(default_factory=lambda: carla.Vector3D(2.45, 0.92, 0.75))
    is_alive: bool = True
    limit_kmh: float = 50.0
    lights: carla.VehicleLightState = carla.VehicleLightState.NONE
    throttle: float = 0.0  # as the car has answered so far
    brake: float = 0.0

    @property
    def bounding_box(self) -> carla.BoundingBox:
        return carla.BoundingBox(carla.Location(0.0, 0.0, 0.75), self.extent)

    def get_transform(self) -> carla.Transform:
        return carla.Transform(carla.Location(self.x, self.y, 0.0), carla.Rotation(yaw=math.degrees(self.yaw)))

    def get_velocity(self) -> carla.Vector3D:
        return carla.Vector3D(self.speed * math.cos(self.yaw), self.speed * math.sin(self.yaw), 0.0)

    def get_angular_velocity(self) -> carla.Vector3D:
        return carla.Vector3D(0.0, 0.0, math.degrees(self.yaw_rate))

    def get_speed_limit(self) -> float:
        return self.limit_kmh

    def get_light_state(self) -> carla.VehicleLightState:
        return self.lights

    def drive(self, control: carla.VehicleControl) -> None:
        """One tick of a simple car whose pedals have strengths and lags as those of the embedded world's cars."""
        self.throttle += (control.throttle - self.throttle) * (1.0 - math.exp(-TICK_S / 0.15))
        self.brake += (control.brake - self.brake) * (1.0 - math.exp(-TICK_S / 0.06))
        coasting = 0.12 + 0.35 * (1.0 - self.throttle)
        self.speed += (3.3 * self.throttle - 8.0 * self.brake - coasting) * TICK_S
        self.speed = max(self.speed, 0.0)
        self.yaw_rate = self.speed * math.tan(control.steer * FULL_STEER_RAD) / WHEELBASE
        self.yaw += self.yaw_rate * TICK_S
        self.x += self.speed * math.cos(self.yaw) * TICK_S
        self.y += self.speed * math.sin(self.yaw) * TICK_S


@dataclass
class Light:
    """A traffic light that holds back the lane of ``stop``."""

    id: int
    stop: carla.Waypoint
    state: str = "Red"
    type_id: str = "traffic.traffic_light"

    def get_state(self) -> str:
        return self.state

    def get_stop_waypoints(self) -> list[carla.Waypoint]:
        return [self.stop]


@dataclass
class StopSign(Light):
    type_id: str = "traffic.stop"


class ActorList(list[Any]):
    def filter(self, pattern: str) -> ActorList:
        return ActorList(actor for actor in self if actor.type_id.startswith(pattern.rstrip("*")))


class StubWorld:
    """World of one town; actors do not move by themselves unless a test says so."""

    def __init__(self, town: str = "gridtown") -> None:
        self.map = town_map(town)
        self.actors = ActorList()
        self.frame = 0

    def get_map(self) -> carla.Map:
        return self.map

    def get_actors(self) -> ActorList:
        return self.actors

    def get_snapshot(self) -> SimpleNamespace:
        return SimpleNamespace(frame=self.frame, timestamp=SimpleNamespace(elapsed_seconds=self.frame * TICK_S))

    def tick(self) -> None:
        self.frame += 1
        for actor in self.actors[1:]:
            if isinstance(actor, Car):
                actor.drive(carla.VehicleControl(throttle=0.4 / 3.7 if actor.speed > 0 else 0.0))
