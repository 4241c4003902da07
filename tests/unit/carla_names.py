"""The embedded world behind exactly the names of CARLA's own classes: what CARLA lacks is an error here, by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import carla
import numpy as np

import simlingo_sim.actor
import simlingo_sim.blueprints
import simlingo_sim.sensors.base
import simlingo_sim.snapshot
import simlingo_sim.traffic_light
import simlingo_sim.vehicle
import simlingo_sim.walker
import simlingo_sim.world
from simlingo_drive.backends.base import Backend, Capability
from simlingo_drive.backends.carla_server import populate_server
from simlingo_drive.backends.sensor_views import SensorViews
from simlingo_sim import Client


class NotInCarlaError(AttributeError):
    """Something was asked for that CARLA's class does not have."""


#: Class of this simulator -> class of CARLA, the narrowest first.
KINDS: list[tuple[type, type]] = [
    (simlingo_sim.world.World, carla.World),
    (simlingo_sim.vehicle.Vehicle, carla.Vehicle),
    (simlingo_sim.walker.WalkerAIController, carla.WalkerAIController),
    (simlingo_sim.walker.Walker, carla.Walker),
    (simlingo_sim.traffic_light.TrafficLight, carla.TrafficLight),
    (simlingo_sim.traffic_light.TrafficSign, carla.TrafficSign),
    (simlingo_sim.sensors.base.Sensor, carla.Sensor),
    (simlingo_sim.actor.Actor, carla.Actor),
    (simlingo_sim.actor.ActorList, carla.ActorList),
    (simlingo_sim.blueprints.BlueprintLibrary, carla.BlueprintLibrary),
    (simlingo_sim.blueprints.ActorBlueprint, carla.ActorBlueprint),
    (simlingo_sim.snapshot.WorldSnapshot, carla.WorldSnapshot),
]
#: Sensor data and the like, by the name of their class.
NAMED = {name: getattr(carla, name) for name in ("Image", "CollisionEvent", "LaneInvasionEvent", "ActorAttribute")}
#: What CARLA's objects hold themselves, and numbers, texts and arrays: passed as they are.
asked: list[tuple[str, str]] = []  # (class of CARLA, name), in order


def wrapped(value: Any) -> Any:
    """``value`` behind the names of its class in CARLA; values of CARLA's own classes and plain ones as they are."""
    if isinstance(value, list) and not isinstance(value, simlingo_sim.actor.ActorList):
        return [wrapped(item) for item in value]
    for own, theirs in KINDS:
        if isinstance(value, own):
            return Named(value, theirs)
    theirs = NAMED.get(type(value).__name__)
    if theirs is not None and not isinstance(value, theirs):
        return Named(value, theirs)
    if type(value).__module__.startswith("simlingo_sim") and not isinstance(value, carla.Map):
        raise NotInCarlaError(f"{type(value).__name__} comes out of the world, and CARLA has no such class")
    if callable(value) and not isinstance(value, type):
        return through(value)
    return value


def through(function: Callable[..., Any]) -> Callable[..., Any]:
    """``function`` with what goes in unwrapped, and what comes out, also to callbacks, wrapped."""

    def call(*arguments: Any, **named: Any) -> Any:
        return wrapped(
            function(*(unwrapped(item) for item in arguments), **{key: unwrapped(item) for key, item in named.items()})
        )

    return call


def unwrapped(value: Any) -> Any:
    """The simulator's own object; callbacks get wrapped values."""
    if isinstance(value, Named):
        return object.__getattribute__(value, "_inside")
    if callable(value) and not isinstance(value, type) and not type(value).__module__.startswith("carla"):
        return lambda *items: value(*(wrapped(item) for item in items))
    return value


class Named:
    """One object of the simulator, with the names of a class of CARLA."""

    def __init__(self, inside: Any, theirs: type) -> None:
        object.__setattr__(self, "_inside", inside)
        object.__setattr__(self, "_theirs", theirs)

    def __getattr__(self, name: str) -> Any:
        theirs = object.__getattribute__(self, "_theirs")
        asked.append((theirs.__name__, name))
        if not hasattr(theirs, name):
            raise NotInCarlaError(f"carla.{theirs.__name__} has no '{name}'")
        return wrapped(getattr(object.__getattribute__(self, "_inside"), name))

    def __setattr__(self, name: str, value: Any) -> None:
        raise NotInCarlaError(f"nothing of carla.{object.__getattribute__(self, '_theirs').__name__} is set ('{name}')")

    def __len__(self) -> int:
        return len(object.__getattribute__(self, "_inside"))

    def __getitem__(self, index: int) -> Any:
        return wrapped(object.__getattribute__(self, "_inside")[index])

    def __iter__(self) -> Any:
        return (wrapped(item) for item in object.__getattribute__(self, "_inside"))


class NamedBackend(Backend):
    """A CARLA server in all but name."""

    name = "carla"
    capabilities: frozenset[Capability] = frozenset()

    def load(self, town: str, seed: int) -> Any:
        return wrapped(Client(seed=seed).load_world(town))

    def map_of(self, town: str) -> Any:
        return self.load(town, 0).get_map()

    def populate(self, world: Any, ego: Any, vehicles: int, walkers: int, seed: int) -> list[Any]:
        del walkers
        return populate_server(world, ego, vehicles, seed)

    def views(self, world: Any, ego: Any, paint: np.random.Generator | None = None) -> SensorViews:
        if paint is not None:
            self.require(Capability.DOMAIN_RANDOMISATION)
        return SensorViews(world, ego)
