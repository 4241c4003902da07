"""What a world must offer, and what only some worlds can do.

Everything that drives speaks CARLA's Python API to the world itself. What that API has no word for is a capability: who
needs one asks for it by name, and a world without it refuses by name.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np

from simlingo.contracts import SimlingoError
from simlingo_drive.views import ViewCamera


class Capability(Enum):
    """What goes beyond CARLA's API; the value says it to a person."""

    ANY_VIEW = "render the camera from any pose within a tick"
    DOMAIN_RANDOMISATION = "draw the town in other colours"
    DRAWN_VEHICLE = "draw a vehicle that is not in the world"
    OBSTACLES = "put things beside and at the edge of the lanes"
    OTHER_LIGHT = "draw a traffic light in another colour"
    PROCEDURAL_TOWN = "make a town of random layout"
    SECOND_WORLD = "open a second world beside the first"


class CapabilityError(SimlingoError):
    """A world was asked for something that it cannot do."""


@dataclass(frozen=True)
class VehicleSize:
    """A kind of vehicle that can be drawn."""

    type_id: str  # blueprint
    length_m: float


class Backend(ABC):
    """Loads towns, and does for them what CARLA's API cannot say."""

    name: str
    capabilities: frozenset[Capability]

    @abstractmethod
    def load(self, town: str, seed: int) -> Any:
        """A fresh carla.World of ``town``, whose traffic and lights follow ``seed`` as far as the world allows.

        Raises:
            SimlingoError: there is no such town, or the world cannot be had; names the cure.
        """

    @abstractmethod
    def populate(self, world: Any, ego: Any, vehicles: int, walkers: int, seed: int) -> list[Any]:
        """Fill the town with traffic and people, as many as there is room for.

        Returns:
            the actors that whoever leaves the world must take out again.
        """

    def place_objects(self, world: Any, setting: str, seed: int) -> None:
        """Put cones, road works, parked cars, benches and bins along the streets, by ``seed`` (``OBSTACLES``).

        A vehicle of 2 m width still gets past in its lane. Before ``populate``; what stands there already keeps its room.

        Args:
            world: of this backend.
            setting: none, some, many.
            seed: of the places and of what stands there.

        Raises:
            SimlingoError: there is no such setting.
        """
        del world, seed
        if setting != "none":
            raise self._lacks(Capability.OBSTACLES)

    @abstractmethod
    def map_of(self, town: str) -> Any:
        """carla.Map of ``town`` with its spawn points; where that is cheap, no world is made."""

    @abstractmethod
    def views(self, world: Any, ego: Any, paint: np.random.Generator | None = None) -> ViewCamera:
        """The model's camera on the ego, with semantic tags and depth.

        Args:
            world: of this backend.
            ego: who carries the camera.
            paint: draws the town in other colours (``DOMAIN_RANDOMISATION``).
        """

    def require(self, capability: Capability) -> None:
        """Raise where this world lacks ``capability``.

        Raises:
            CapabilityError: names what is asked for, and the world that can do it.
        """
        if capability not in self.capabilities:
            raise CapabilityError(
                f"the world '{self.name}' cannot {capability.value}; use the embedded world, or do without"
            )

    def procedural_town(self, seed: tuple[int, ...], world_seed: int) -> Any:
        """A fresh world of a town whose layout follows ``seed`` (``PROCEDURAL_TOWN``)."""
        raise self._lacks(Capability.PROCEDURAL_TOWN)

    def drawable_vehicles(self) -> list[VehicleSize]:
        """The kinds that a view can show without their being there (``DRAWN_VEHICLE``), in a fixed order."""
        raise self._lacks(Capability.DRAWN_VEHICLE)

    def light_colours(self, light: Any, state: str) -> Mapping[str, str]:
        """Colour of each light of a junction, by OpenDRIVE id, were ``light`` to show ``state`` (``OTHER_LIGHT``)."""
        raise self._lacks(Capability.OTHER_LIGHT)

    def signal_programs(self, world: Any) -> list[dict[str, Any]]:
        """What is known of the lights' programs, as plain data; empty where the world does not tell."""
        del world
        return []

    def map_files(self, world: Any) -> tuple[str, dict[str, Any] | None]:
        """OpenDRIVE text of the map, and what stands beside its streets where the world keeps it as data."""
        return str(world.get_map().to_opendrive()), None

    def _lacks(self, capability: Capability) -> CapabilityError:
        return CapabilityError(f"the world '{self.name}' cannot {capability.value}; use the embedded world")
