"""The embedded world, which can do everything that is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np

from simlingo.contracts import InvalidInputError
from simlingo.navigation.global_planner import GlobalPlanner
from simlingo_drive.backends.base import Backend, Capability, VehicleSize
from simlingo_drive.backends.domain_randomisation import repainted
from simlingo_drive.backends.procedural_town import procedural_town
from simlingo_drive.backends.rendered_views import RenderedViews
from simlingo_sim import Client, towns
from simlingo_sim.errors import SimulatorError
from simlingo_sim.obstacles.placement import place_objects
from simlingo_sim.population import populate
from simlingo_sim.town_map import TownMap
from simlingo_sim.vehicle_models import traffic_models


class EmbeddedBackend(Backend):
    """Worlds of this process; equal seeds give equal drives."""

    name = "embedded"
    capabilities = frozenset(Capability)

    def load(self, town: str, seed: int) -> Any:
        """A fresh world of ``town``."""
        try:
            return Client(seed=seed).load_world(town)
        except SimulatorError as error:
            raise InvalidInputError(str(error)) from error

    def map_of(self, town: str) -> Any:
        """The map of a shipped town, read once a process."""
        return embedded_map(town)

    def procedural_town(self, seed: tuple[int, ...], world_seed: int) -> Any:
        """A fresh world of a town that exists for one drive."""
        return Client(seed=world_seed).load_town(procedural_town(np.random.default_rng(seed)))

    def populate(self, world: Any, ego: Any, vehicles: int, walkers: int, seed: int) -> list[Any]:
        """Traffic on autopilot and people under AI control; they go with the world."""
        del ego
        populate(world, vehicles=vehicles, walkers=walkers, seed=seed)
        return []

    def place_objects(self, world: Any, setting: str, seed: int) -> None:
        """Things of the embedded world; they go with it."""
        place_objects(world, setting, seed)

    def views(self, world: Any, ego: Any, paint: np.random.Generator | None = None) -> RenderedViews:
        """A camera that renders on request."""
        if paint is None:
            return RenderedViews(world, ego, world.renderer())
        from simlingo_sim.render.renderer import Renderer
        from simlingo_sim.render.town_mesh import mesh_of

        return RenderedViews(world, ego, Renderer(repainted(mesh_of(world.town), paint)))

    def drawable_vehicles(self) -> list[VehicleSize]:
        """The kinds that traffic is made of."""
        return [VehicleSize(model.type_id, model.length) for model in traffic_models()]

    def light_colours(self, light: Any, state: str) -> Mapping[str, str]:
        """One phase of the junction has green, the others red."""
        phases = light.program.phases
        own = next(
            number for number, phase in enumerate(phases) if any(s.signal_id == light.get_opendrive_id() for s in phase)
        )
        green = own if state == "green" else (own + 1) % len(phases) if len(phases) > 1 else -1
        return {
            entry.signal_id: "green" if number == green else "red"
            for number, phase in enumerate(phases)
            for entry in phase
        }

    def signal_programs(self, world: Any) -> list[dict[str, Any]]:
        """For each junction the phases (OpenDRIVE ids of the lights that are green together) and the lights' times, s."""
        programs = {id(light.program): light.program for light in world.traffic_lights}
        return [
            {
                "phases": [[entry.signal_id for entry in phase] for phase in program.phases],
                "green_s": [phase[0].green_s for phase in program.phases],
                "yellow_s": [phase[0].yellow_s for phase in program.phases],
                "red_s": [phase[0].red_s for phase in program.phases],
            }
            for program in programs.values()
        ]

    def map_files(self, world: Any) -> tuple[str, dict[str, Any] | None]:
        """The two files of the town."""
        return world.town.xodr_text, world.town.decor


@cache
def embedded_map(town: str) -> Any:
    """carla.Map of a shipped town, with its spawn points; no world is made.

    Raises:
        InvalidInputError: there is no such town.
    """
    try:
        loaded = towns.load(town)
    except SimulatorError as error:
        raise InvalidInputError(str(error)) from error
    return TownMap(town, loaded.xodr_text, loaded.spawn_points)


@cache
def embedded_planner(town: str) -> GlobalPlanner:
    """The planner of a shipped town, made once a process."""
    return GlobalPlanner(embedded_map(town))
