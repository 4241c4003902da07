"""One world with the ego in it: opened, filled and left in one way, whoever drives there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import carla

from simlingo.contracts import TICK_S, EgoState, InvalidInputError, SimlingoError
from simlingo_drive.backends.base import Backend
from simlingo_drive.rig import ego_state, spawn_ego
from simlingo_drive.routes.route import Route
from simlingo_sim.traffic_density import TRAFFIC
from simlingo_sim.weather import weather_named


class Session:
    """A loaded world; ``begin`` puts the ego and the traffic into it. Synchronous, ``TICK_S`` a tick."""

    def __init__(self, backend: Backend, world: Any, weather: str) -> None:
        """Take over ``world`` (carla.World of ``backend``).

        Raises:
            SimlingoError: no such weather.
        """
        self.backend, self.world = backend, world
        self.ego: Any = None
        self._own: list[Any] = []
        self._before = world.get_settings()
        with plain_errors():
            world.apply_settings(carla.WorldSettings(synchronous_mode=True, fixed_delta_seconds=TICK_S))
            world.set_weather(weather_named(weather))
            self.map = world.get_map()

    def begin(
        self,
        start: carla.Transform,
        vehicles: int,
        walkers: int,
        seed: int,
        role: str = "ego_vehicle",
        obstacles: str = "none",
    ) -> None:
        """Put the ego at ``start``, fill the town, and make the first tick.

        ``obstacles`` says how much stands beside and at the edge of the lanes: none, some, many.

        Raises:
            SimlingoError: something stands at ``start``, or the world has no such obstacles.
        """
        with plain_errors():
            self.ego = spawn_ego(self.world, start, role)
            self._own.append(self.ego)
            self.backend.place_objects(self.world, obstacles, seed)
            self._own += self.backend.populate(self.world, self.ego, vehicles, walkers, seed)
            self.world.tick()

    @property
    def traffic_lights(self) -> list[Any]:
        """All traffic lights of the town."""
        return list(self.world.get_actors().filter("traffic.traffic_light*"))

    def ego_state(self) -> EgoState:
        """Pose and speed of the ego at this tick."""
        return ego_state(self.world, self.ego)

    def tick(self) -> int:
        """Advance the world; returns the frame number."""
        return int(self.world.tick())

    def close(self) -> None:
        """Leave the world as it was found: a server must not be left synchronous, nor with our traffic."""
        for actor in reversed(self._own):
            actor.destroy()
        self._own = []
        self.world.apply_settings(self._before)


def open_session(backend: Backend, town: str, seed: int, weather: str) -> Session:
    """A fresh world of ``town`` whose traffic and lights follow ``seed``.

    Raises:
        SimlingoError: no such town or weather, or the world cannot be had; the text says what and the cure.
    """
    with plain_errors():
        return Session(backend, backend.load(town, seed), weather)


def open_numbered(
    backend: Backend, route: Route, traffic: str, weather: str | None = None, obstacles: str = "none"
) -> Session:
    """The world of a numbered route with the ego at its start, in ``weather`` or its own.

    ``traffic`` and ``obstacles`` are names: of :data:`simlingo_sim.traffic_density.TRAFFIC`, and none, some or many.
    """
    if route.spec is None:
        raise InvalidInputError(f"route {route.name} has no number that its world could follow")
    session = open_session(backend, route.spec.town, route.spec.world_seed, weather or route.spec.weather)
    vehicles, walkers = TRAFFIC[traffic]
    session.begin(route.start, vehicles, walkers, route.spec.world_seed, obstacles=obstacles)
    return session


@contextmanager
def plain_errors() -> Iterator[None]:
    """Simulators raise RuntimeError; the stack's own error carries the same words."""
    try:
        yield
    except SimlingoError:
        raise
    except RuntimeError as error:
        raise InvalidInputError(str(error)) from error
