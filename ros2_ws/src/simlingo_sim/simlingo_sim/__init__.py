"""The embedded simulator: towns, traffic and sensors behind CARLA's Python API."""

from simlingo_sim.client import Client
from simlingo_sim.errors import SimulatorError
from simlingo_sim.towns import TOWNS
from simlingo_sim.world import TICK_S, World

__all__ = ["TICK_S", "TOWNS", "Client", "SimulatorError", "World"]
