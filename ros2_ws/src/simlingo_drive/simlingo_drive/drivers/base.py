"""What a driver is, and by which name one is had."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import carla

from simlingo.contracts import Instruction, InvalidInputError
from simlingo.navigation.global_planner import DenseRoute, GlobalPlanner
from simlingo_drive.routes.route import Route
from simlingo_drive.session import Session


class Driver(Protocol):
    """Gives one control a tick."""

    def control(self, tick: int) -> carla.VehicleControl:
        """Control for the state before tick ``tick`` (from 0) of the drive."""

    def instruct(self, instruction: Instruction, dense: DenseRoute) -> None:
        """Obey a navigation instruction: drive along ``dense``, the way that it means, from now on."""

    @property
    def planner_ms(self) -> list[float]:
        """How long each plan took, frame in to plan out, ms."""

    @property
    def texts(self) -> int:
        """How many commentaries came with the plans."""


@dataclass(frozen=True)
class DriverSettings:
    """How a driver is made."""

    driver: str = "model"  # name in the registry
    weights: str = "simlingo-mini"  # name or folder of the model
    camera: str = "real"  # real, grey, shuffled: what the model sees
    route_as: str = "target_point"  # target_point, command: what of the navigation the model reads
    plan_every: int = 1  # ticks from frame to frame and plan to plan
    threads: int = 2  # of the network
    text: str = "never"  # never, every_n, on_change, always: when the model puts its driving into words
    text_before_plan: bool = False  # a plan waits for a text that is due, and reads it
    traffic: str = "light"  # of the route whose frames are shown instead, where they are


#: Makes a driver at the start of a route.
DriverFactory = Callable[[Session, Route, GlobalPlanner, DriverSettings], Driver]
_FACTORIES: dict[str, DriverFactory] = {}


def register(name: str, factory: DriverFactory) -> None:
    """Let ``DriverSettings.driver`` name ``factory``.

    Raises:
        ValueError: the name is taken.
    """
    if name in _FACTORIES and _FACTORIES[name] is not factory:
        raise ValueError(f"a driver named {name!r} is registered already")
    _FACTORIES[name] = factory


def unregister(name: str) -> None:
    """Take a driver out again."""
    _FACTORIES.pop(name, None)


def make_driver(session: Session, route: Route, planner: GlobalPlanner, settings: DriverSettings) -> Driver:
    """The driver that ``settings`` names, at the start of ``route``.

    Raises:
        InvalidInputError: no driver of that name; says the nearest.
    """
    import simlingo_drive.drivers.expert
    import simlingo_drive.drivers.model  # noqa: F401  both register themselves

    factory = _FACTORIES.get(settings.driver)
    if factory is None:
        nearest = difflib.get_close_matches(settings.driver, _FACTORIES, n=1)
        hint = f"; did you mean {nearest[0]!r}?" if nearest else ""
        raise InvalidInputError(f"no driver is named {settings.driver!r} ({', '.join(sorted(_FACTORIES))}){hint}")
    return factory(session, route, planner, settings)
