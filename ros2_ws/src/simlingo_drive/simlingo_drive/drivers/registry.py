"""By which name a driver is had."""

from __future__ import annotations

import difflib
from collections.abc import Callable

from simlingo.contracts import InvalidInputError
from simlingo.navigation.global_planner import GlobalPlanner
from simlingo_drive.driver import DriverSettings, InstructedDriver
from simlingo_drive.drivers.expert import make_expert
from simlingo_drive.drivers.model import make_model
from simlingo_drive.routes.route import Route
from simlingo_drive.session import Session

#: Makes a driver at the start of a route.
DriverFactory = Callable[[Session, Route, GlobalPlanner, DriverSettings], InstructedDriver]
_FACTORIES: dict[str, DriverFactory] = {"expert": make_expert, "model": make_model}


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


def make_driver(session: Session, route: Route, planner: GlobalPlanner, settings: DriverSettings) -> InstructedDriver:
    """The driver that ``settings`` names, at the start of ``route``.

    Raises:
        InvalidInputError: no driver of that name; says the nearest.
    """
    factory = _FACTORIES.get(settings.driver)
    if factory is None:
        nearest = difflib.get_close_matches(settings.driver, _FACTORIES, n=1)
        hint = f"; did you mean {nearest[0]!r}?" if nearest else ""
        raise InvalidInputError(f"no driver is named {settings.driver!r} ({', '.join(sorted(_FACTORIES))}){hint}")
    return factory(session, route, planner, settings)
