"""The traffic manager: which vehicles the traffic drives, and how."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import carla
import numpy as np

from simlingo_sim.bodies import DRIVEN, FREE, TRAFFIC, VEHICLE, Ints
from simlingo_sim.errors import SimulatorError
from simlingo_sim.roads.conflicts import ConflictArrays
from simlingo_sim.roads.lane_graph import LaneGraph
from simlingo_sim.traffic.arrays import make_traffic_arrays
from simlingo_sim.traffic.detours import Footprint, bent_around
from simlingo_sim.traffic.motion import enter_traffic, step_traffic

if TYPE_CHECKING:
    from simlingo_sim.vehicle import Vehicle
    from simlingo_sim.world import World

_DICE = 16381  # prime, so that the walk through the table visits all of it


class TrafficManager:
    """Drives every vehicle on autopilot. Under carla's names where carla has one."""

    def __init__(self, world: World, graph: LaneGraph, conflicts: ConflictArrays, rng: np.random.Generator) -> None:
        self._world = world
        self._graph = graph
        self._conflicts = conflicts
        self._arrays = make_traffic_arrays()
        self._dice = rng.random(_DICE)
        self._slower_percent = 0.0
        self._lane_changes = True
        self._drivers: dict[int, tuple[float, float]] = {}  # row -> own share of the limit, own slowness in percent

    @property
    def arrays(self) -> object:
        """State of the driven vehicles, for tests and tools (see ``TrafficArrays``)."""
        return self._arrays

    def get_port(self) -> int:
        return 8000

    def set_random_device_seed(self, seed: int) -> None:
        """Draw the choices of way and character from ``seed`` from now on."""
        self._dice = np.random.default_rng(seed).random(_DICE)

    def set_synchronous_mode(self, enabled: bool) -> None:
        """The traffic always moves in the world's tick."""
        if not enabled:
            raise SimulatorError("the embedded world is synchronous; its traffic cannot run on its own clock")

    def global_percentage_speed_difference(self, percentage: float) -> None:
        """Drive this many percent below the limit (above where negative)."""
        self._slower_percent = min(float(percentage), 95.0)
        for row in self._drivers:
            self._set_pace(row)

    def vehicle_percentage_speed_difference(self, vehicle: Vehicle, percentage: float) -> None:
        """The same for one vehicle on autopilot, in addition to the global value."""
        pace, _ = self._driver_of(vehicle)
        self._drivers[vehicle.row] = (pace, min(float(percentage), 95.0))
        self._set_pace(vehicle.row)

    def ignore_lights_percentage(self, vehicle: Vehicle, percentage: float) -> None:
        """Let one vehicle drive over red lights and stop signs (more than 50 %) or not."""
        self._driver_of(vehicle)
        self._arrays.obeys[vehicle.row] = 0 if percentage > 50 else 1

    def set_lane_changes(self, enabled: bool) -> None:
        """Whether vehicles may change lanes."""
        self._lane_changes = enabled

    def adopt(self, vehicle: Vehicle) -> None:
        """Drive ``vehicle`` from where it stands; :class:`SimulatorError` where no lane is near."""
        if vehicle.row in self._drivers:
            return
        lane, s = self._nearest_lane(vehicle)
        arrays, row, model = self._arrays, vehicle.row, vehicle.model
        for column in arrays:
            column[row] = 0
        arrays.number[row] = vehicle.id
        arrays.wheelbase[row] = model.wheelbase
        arrays.top_speed[row] = model.top_speed
        arrays.obeys[row] = 1
        first, second, third = (self._dice[(vehicle.id * 31 + step) % _DICE] for step in (1, 2, 3))
        arrays.urge[row] = (1.5 + 0.7 * first) * min(model.agility, 1.2)
        arrays.headway[row] = 1.0 + 0.5 * second
        arrays.change_wait[row] = 1.0 + 3.0 * first
        self._drivers[row] = (0.86 + 0.16 * third, 0.0)
        self._set_pace(row)
        self._world.bodies.arrays.mode[row] = TRAFFIC
        enter_traffic(self._graph.arrays, self._world.bodies.arrays, arrays, row, lane, s, self._dice)

    def drive_around(self, boxes: Sequence[Footprint]) -> None:
        """Keep off these things at the edges of the lanes from now on; not a part of carla's traffic manager."""
        self._graph = replace(self._graph, arrays=bent_around(self._graph.arrays, boxes))

    def dismiss(self, vehicle: Vehicle) -> None:
        """Stop driving ``vehicle``."""
        self._drivers.pop(vehicle.row, None)

    def tick(self, dt: float, lights: Ints) -> None:
        """Advance every vehicle on autopilot by ``dt`` s; ``lights`` as the kernels read them."""
        bodies = self._world.bodies.arrays
        rows = np.flatnonzero(bodies.mode == TRAFFIC)
        if not len(rows):
            return
        everyone = np.flatnonzero(bodies.kind != FREE)
        strangers = np.flatnonzero((bodies.kind == VEHICLE) & (bodies.mode == DRIVEN))
        places = [self._locate(int(row)) for row in strangers]
        step_traffic(
            self._graph.arrays,
            self._conflicts,
            bodies,
            self._arrays,
            rows,
            everyone,
            strangers,
            np.array([lane for lane, _ in places], dtype=np.int64),
            np.array([s for _, s in places], dtype=float),
            lights,
            self._dice,
            self._lane_changes,
            dt,
        )

    def light_state(self, vehicle: Vehicle) -> carla.VehicleLightState:
        """Lamps of a vehicle on autopilot."""
        arrays, row = self._arrays, vehicle.row
        state = int(carla.VehicleLightState.Brake) if arrays.braking[row] else 0
        if arrays.blinker[row]:
            lamp = (
                carla.VehicleLightState.LeftBlinker if arrays.blinker[row] < 0 else carla.VehicleLightState.RightBlinker
            )
            state |= int(lamp)
        return carla.VehicleLightState(state | self._world.night_lamps())

    def lamps(self, row: int) -> tuple[bool, int]:
        """Brake lamp and blinker (-1 left, 0, 1 right) of the vehicle in a row."""
        return bool(self._arrays.braking[row]), int(self._arrays.blinker[row])

    def _driver_of(self, vehicle: Vehicle) -> tuple[float, float]:
        if vehicle.row not in self._drivers:
            raise SimulatorError(f"vehicle {vehicle.id} is not on autopilot; call set_autopilot(True) first")
        return self._drivers[vehicle.row]

    def _set_pace(self, row: int) -> None:
        pace, slower = self._drivers[row]
        self._arrays.pace[row] = pace * (1 - self._slower_percent / 100) * (1 - slower / 100)

    def _nearest_lane(self, vehicle: Vehicle) -> tuple[int, float]:
        waypoint = self._world.get_map().get_waypoint(vehicle.get_location())
        lane, s = (-1, 0.0) if waypoint is None else self._graph.locate(waypoint)
        if lane < 0 or waypoint.transform.location.distance(vehicle.get_location()) > 5.0:
            raise SimulatorError(
                f"vehicle {vehicle.id} stands on no driving lane; move it to a spawn point before set_autopilot"
            )
        return lane, s

    def _locate(self, row: int) -> tuple[int, float]:
        """Lane and s of a vehicle that somebody else drives; (-1, 0.0) where it is off the road or wrong way."""
        bodies = self._world.bodies.arrays
        waypoint = self._world.get_map().get_waypoint(carla.Location(bodies.x[row], bodies.y[row], bodies.z[row]))
        if waypoint is None:
            return -1, 0.0
        place = waypoint.transform.location
        if math.hypot(place.x - bodies.x[row], place.y - bodies.y[row]) > 4.0:
            return -1, 0.0
        return self._graph.locate(waypoint)
