"""The embedded simulator: towns, traffic and sensors behind CARLA's Python API."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from simlingo_sim.client import Client
    from simlingo_sim.errors import SimulatorError
    from simlingo_sim.towns import TOWNS
    from simlingo_sim.world import World

__all__ = ["TOWNS", "Client", "SimulatorError", "World"]
_HOME = {"TOWNS": "towns", "Client": "client", "SimulatorError": "errors", "World": "world"}


def __getattr__(name: str) -> Any:
    """Import on first use: the help of a command must not need numpy and carla."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
