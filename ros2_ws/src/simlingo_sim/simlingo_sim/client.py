"""The client: carla's ``Client`` for the embedded simulator."""

from __future__ import annotations

import carla

from simlingo_sim.errors import SimulatorError, unknown_name
from simlingo_sim.towns import TOWNS, Town, load
from simlingo_sim.traffic.manager import TrafficManager
from simlingo_sim.world import World

_BARE = {
    "ground": "grass",
    "buildings": [],
    "trees": [],
    "parked_cars": [],
    "poles": [],
    "repeaters": [],
    "junctions": [],
}


class Client:
    """Loads towns. ``seed`` decides everything that is random in the worlds it makes."""

    def __init__(self, host: str = "embedded", port: int = 0, worker_threads: int = 0, *, seed: int = 0) -> None:
        self._seed = seed
        self._world: World | None = None

    def set_timeout(self, seconds: float) -> None:
        """Nothing here can time out; carla's callers set it."""

    def get_client_version(self) -> str:
        return "embedded"

    def get_server_version(self) -> str:
        return "embedded"

    def get_available_maps(self) -> list[str]:
        return list(TOWNS)

    def get_world(self) -> World:
        """The loaded world; the first town where none is."""
        if self._world is None:
            return self.load_world(TOWNS[0])
        return self._world

    def load_world(self, name: str, reset_settings: bool = True) -> World:
        """A fresh world of a town; :class:`SimulatorError` naming the towns where there is none such."""
        if name not in TOWNS:
            raise unknown_name("town", name, TOWNS)
        return self.load_town(load(name))

    def load_town(self, town: Town) -> World:
        """A fresh world of any town; not a part of carla's client."""
        self._world = World(town, self._seed)
        return self._world

    def reload_world(self, reset_settings: bool = True) -> World:
        """The same town anew."""
        self._world = World(self.get_world().town, self._seed)
        return self._world

    def generate_opendrive_world(self, opendrive: str) -> World:
        """A world on any OpenDRIVE text, without decor; :class:`SimulatorError` where the text is broken."""
        try:
            town = Town("OpenDriveMap", opendrive, dict(_BARE), carla.Map("OpenDriveMap", opendrive))
            self._world = World(town, self._seed)
        except (ValueError, KeyError) as error:
            raise SimulatorError(f"broken OpenDRIVE: {error}; restore the .xodr or run its generator again") from error
        except RuntimeError as error:
            raise SimulatorError(f"broken OpenDRIVE: {error}") from error
        return self._world

    def get_trafficmanager(self, port: int = 8000) -> TrafficManager:
        """The traffic manager of the loaded world."""
        return self.get_world().traffic
