"""A CARLA 0.9.15 or 0.9.16 server, by CARLA's Python API alone."""

from __future__ import annotations

import socket
from typing import Any

import carla
import numpy as np

from simlingo.contracts import SimlingoError
from simlingo_drive.backends.base import Backend, Capability
from simlingo_drive.backends.sensor_views import SensorViews

#: A CARLA server takes a connection within this time, s, and answers a call within that.
CONNECT_TIMEOUT_S = 3.0
SERVER_TIMEOUT_S = 20.0
#: Room around the ego that stays free, m.
EGO_ROOM_M = 12.0


class CarlaBackend(Backend):
    """Worlds of a CARLA server."""

    name = "carla"
    capabilities: frozenset[Capability] = frozenset()

    def __init__(self, host: str = "127.0.0.1", port: int = 2000) -> None:
        self._host, self._port = host, port
        self._client: Any = None

    def load(self, town: str, seed: int) -> Any:
        """Load ``town`` on the server, and give its traffic manager the seed.

        Raises:
            SimlingoError: no server of a known version answers, or it has no such town.
        """
        client = self._connected()
        manager = client.get_trafficmanager()
        manager.set_random_device_seed(seed)
        manager.set_synchronous_mode(True)
        return client.load_world(town)

    def map_of(self, town: str) -> Any:
        """The map of ``town``, which the server must load for that."""
        return self._connected().load_world(town).get_map()

    def populate(self, world: Any, ego: Any, vehicles: int, walkers: int, seed: int) -> list[Any]:
        """Vehicles with four wheels on autopilot; fewer where the town has no room.

        No pedestrians, whatever ``walkers`` says: CARLA's own scripts start those.
        """
        del walkers
        return populate_server(world, ego, vehicles, seed)

    def views(self, world: Any, ego: Any, paint: np.random.Generator | None = None) -> SensorViews:
        """Cameras as sensors on the ego."""
        if paint is not None:
            self.require(Capability.DOMAIN_RANDOMISATION)
        return SensorViews(world, ego)

    def _connected(self) -> Any:
        if self._client is not None:
            return self._client
        place = f"{self._host}:{self._port}"
        try:
            socket.create_connection((self._host, self._port), CONNECT_TIMEOUT_S).close()
            client = carla.Client(self._host, self._port)
            client.set_timeout(SERVER_TIMEOUT_S)
            version = client.get_server_version()
        except (RuntimeError, OSError) as error:
            raise SimlingoError(
                f"no CARLA server answers at {place} ({error}); start CARLA 0.9.15 or 0.9.16 there,"
                " or set the parameters 'host' and 'port', or 'simulator' to 'embedded'"
            ) from error
        if not version.startswith(("0.9.15", "0.9.16")):
            raise SimlingoError(f"the CARLA server at {place} is {version}; run 0.9.15 or 0.9.16")
        self._client = client
        return client


def populate_server(world: Any, ego: Any, vehicles: int, seed: int) -> list[Any]:
    """Spawn ``vehicles`` with four wheels on autopilot; fewer where the town has no room.

    Returns them, for whoever takes them out again.
    """
    rng = np.random.default_rng(seed)
    kinds = [kind for kind in world.get_blueprint_library().filter("vehicle.*") if _wheels(kind) == 4]
    places = world.get_map().get_spawn_points()
    here = ego.get_location()
    found: list[Any] = []
    for index in rng.permutation(len(places)):
        if len(found) >= vehicles:
            break
        if places[index].location.distance(here) < EGO_ROOM_M:
            continue
        vehicle = world.try_spawn_actor(kinds[int(rng.integers(len(kinds)))], places[index])
        if vehicle is not None:
            vehicle.set_autopilot(True)
            found.append(vehicle)
    return found


def _wheels(blueprint: Any) -> int:
    return int(blueprint.get_attribute("number_of_wheels").as_int())
