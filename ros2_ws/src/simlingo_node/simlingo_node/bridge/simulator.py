"""One CARLA world, embedded or on a server, with the ego vehicle and its mission in it."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import carla

from simlingo.contracts import InvalidInputError, SimlingoError
from simlingo_node.bridge.mission import Mission, choose_mission, mission_between, mission_name, world_seed
from simlingo_node.bridge.server_traffic import populate_server
from simlingo_sim import Client as EmbeddedClient
from simlingo_sim.population import populate
from simlingo_sim.spawn_split import benchmark_spawn_points
from simlingo_sim.traffic_density import TRAFFIC
from simlingo_sim.vehicle_models import EGO_BLUEPRINT
from simlingo_sim.weather import weather_named

#: Length of a tick, s (20 Hz, spec D.1).
TICK_S = 0.05
#: A CARLA server takes a connection within this time, s, and answers a call within that.
CONNECT_TIMEOUT_S = 3.0
SERVER_TIMEOUT_S = 20.0
_SIGNAL_TYPE = "1000001"  # OpenDRIVE: traffic light


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
    """The world and the ego. ``tick`` advances by ``TICK_S``."""

    def __init__(self, settings: WorldSettings) -> None:
        """Connect, load the town, choose the mission, and put traffic and the ego in place.

        Raises:
            SimlingoError: something asked for does not exist or cannot be had; the text says what and the cure.
        """
        self._settings = settings
        self._own: list[Any] = []
        self._before: Any = None
        try:
            with _plain_errors():
                self._open(settings)
        except BaseException:
            self.close()  # a server must not be left synchronous, nor with half a traffic
            raise

    def _open(self, settings: WorldSettings) -> None:
        name = mission_name(settings.town, settings.seed, settings.route)
        seed = world_seed(name)
        self.client = _connect(settings, seed)
        self.world = self.client.load_world(settings.town)
        self._before = self.world.get_settings()
        self.world.apply_settings(carla.WorldSettings(synchronous_mode=True, fixed_delta_seconds=TICK_S))
        self.world.set_weather(weather_named(settings.weather))
        self.map = self.world.get_map()
        self.mission = self._choose(settings, name)
        blueprint = self.world.get_blueprint_library().find(EGO_BLUEPRINT)
        blueprint.set_attribute("role_name", settings.role)
        self.ego = self.world.spawn_actor(blueprint, self.mission.start)
        self._own.append(self.ego)
        vehicles, walkers = TRAFFIC[settings.traffic]
        if settings.simulator == "embedded":
            populate(self.world, self.client, vehicles=vehicles, walkers=walkers, seed=seed)
        else:
            self._own += populate_server(self.world, self.ego, vehicles, seed)
        self.world.tick()
        self.traffic_lights = list(self.world.get_actors().filter("traffic.traffic_light*"))

    def _choose(self, settings: WorldSettings, name: str) -> Mission:
        if settings.start is not None and settings.goal is not None:
            start, goal = (carla.Location(x, y, 0.0) for x, y in (settings.start, settings.goal))
            return mission_between(self.map, name, start, goal)
        starts = benchmark_spawn_points(self.map.get_spawn_points())
        return choose_mission(self.map, settings.town, settings.seed, settings.route, starts, signalled_lanes(self.map))

    def tick(self) -> int:
        """Advance the world; returns the frame number."""
        return int(self.world.tick())

    def close(self) -> None:
        """Leave a server's world as it was found; the embedded one goes with this process."""
        for actor in reversed(self._own):
            actor.destroy()
        if self._settings.simulator == "carla" and self._before is not None:
            self.world.apply_settings(self._before)
        self._own = []


def signalled_lanes(carla_map: Any) -> set[tuple[int, int]]:
    """(road id, lane id) of the lanes that a traffic light holds back."""
    found: set[tuple[int, int]] = set()
    for landmark in carla_map.get_all_landmarks_of_type(_SIGNAL_TYPE):
        for first, last in landmark.get_lane_validities():
            lanes = range(min(first, last), max(first, last) + 1)
            found.update((landmark.road_id, lane) for lane in lanes if lane != 0)
    return found


def _connect(settings: WorldSettings, seed: int) -> Any:
    if settings.simulator == "embedded":
        return EmbeddedClient(seed=seed)
    try:
        socket.create_connection((settings.host, settings.port), CONNECT_TIMEOUT_S).close()
        client = carla.Client(settings.host, settings.port)
        client.set_timeout(SERVER_TIMEOUT_S)
        version = client.get_server_version()
    except (RuntimeError, OSError) as error:
        raise SimlingoError(
            f"no CARLA server answers at {settings.host}:{settings.port} ({error}); start CARLA 0.9.15 or 0.9.16 there,"
            " or set the parameters 'host' and 'port', or 'simulator' to 'embedded'"
        ) from error
    if not version.startswith(("0.9.15", "0.9.16")):
        raise SimlingoError(f"the CARLA server at {settings.host}:{settings.port} is {version}; run 0.9.15 or 0.9.16")
    client.get_trafficmanager().set_random_device_seed(seed)
    client.get_trafficmanager().set_synchronous_mode(True)
    return client


@contextmanager
def _plain_errors() -> Iterator[None]:
    """The simulators raise RuntimeError; the stack's own error carries the same words."""
    try:
        yield
    except RuntimeError as error:
        raise InvalidInputError(str(error)) from error
