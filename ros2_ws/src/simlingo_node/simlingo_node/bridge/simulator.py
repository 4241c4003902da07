"""The world that the bridge carries: opened by the driving layer, with the ego and its route in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import carla

from simlingo.contracts import CameraIntrinsics
from simlingo.navigation.global_planner import GlobalPlanner
from simlingo_drive.backends.base import Backend
from simlingo_drive.backends.carla_server import CarlaBackend
from simlingo_drive.backends.embedded import EmbeddedBackend
from simlingo_drive.rig import SensorRig, SensorSpec, camera_spec
from simlingo_drive.routes import Route, RouteSpec, numbered_route, route_between
from simlingo_drive.session import open_session
from simlingo_sim.traffic_density import TRAFFIC


@dataclass(frozen=True)
class WorldSettings:
    """What the bridge is asked for."""

    simulator: str  # embedded, carla
    host: str
    port: int
    town: str
    seed: int
    route: int  # number of the route among those of town and seed
    start: tuple[float, float] | None  # m, CARLA's map frame; with goal instead of a numbered route
    goal: tuple[float, float] | None
    weather: str
    traffic: str
    role: str


class Simulator:
    """A session of the driving layer with its route."""

    def __init__(self, settings: WorldSettings) -> None:
        """Connect, load the town, choose the route, and put traffic and the ego in place.

        Raises:
            SimlingoError: something asked for does not exist or cannot be had; the text says what and the cure.
        """
        spec = RouteSpec(settings.town, settings.seed, settings.route)
        self._session = open_session(_backend(settings), settings.town, spec.world_seed, settings.weather)
        try:
            self.route = self._choose(settings, spec)
            vehicles, walkers = TRAFFIC[settings.traffic]
            self._session.begin(self.route.start, vehicles, walkers, spec.world_seed, settings.role)
        except BaseException:
            self.close()  # a server must not be left synchronous, nor with half a traffic
            raise
        self.world, self.map, self.ego = self._session.world, self._session.map, self._session.ego
        self.traffic_lights: list[Any] = self._session.traffic_lights

    def _choose(self, settings: WorldSettings, spec: RouteSpec) -> Route:
        planner = GlobalPlanner(self._session.map)
        if settings.start is not None and settings.goal is not None:
            start, goal = (carla.Location(x, y, 0.0) for x, y in (settings.start, settings.goal))
            return route_between(planner, spec.name, start, goal)
        return numbered_route(self._session.map, planner, spec)

    def tick(self) -> int:
        """Advance the world; returns the frame number."""
        return self._session.tick()

    def close(self) -> None:
        """Leave a server's world as it was found; the embedded one goes with this process."""
        self._session.close()


def sensor_rig(simulator: Simulator, camera: CameraIntrinsics, fov_deg: float) -> SensorRig:
    """Camera, IMU and GNSS on the ego."""
    specs = [
        camera_spec("camera", camera, fov_deg),
        SensorSpec("imu", "sensor.other.imu"),
        SensorSpec("gnss", "sensor.other.gnss"),
    ]
    return SensorRig(simulator.world, simulator.ego, specs)


def _backend(settings: WorldSettings) -> Backend:
    if settings.simulator == "embedded":
        return EmbeddedBackend()
    return CarlaBackend(settings.host, settings.port)
