"""Walkers, moved by a WalkerControl, and the controller that walks one over sidewalks and crossings."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import carla

from simlingo_sim.actor import Actor, BodyActor
from simlingo_sim.blueprints import WALKER_SIZE
from simlingo_sim.bodies import GUIDED, STROLLING
from simlingo_sim.errors import SimulatorError

if TYPE_CHECKING:
    from simlingo_sim.world import World

_FASTEST = 6.0  # m/s


class Walker(BodyActor):
    """A pedestrian. As in carla, its origin is the middle of the body, half its height above the ground."""

    def __init__(self, world: World, actor_id: int, type_id: str, attributes: dict[str, str], row: int) -> None:
        super().__init__(world, actor_id, type_id, attributes, row)
        length, width, height = WALKER_SIZE
        self.bounding_box = carla.BoundingBox(carla.Location(), carla.Vector3D(length / 2, width / 2, height / 2))
        self._control = carla.WalkerControl()

    def get_transform(self) -> carla.Transform:
        transform = super().get_transform()
        transform.location.z += WALKER_SIZE[2] / 2
        return transform

    def get_location(self) -> carla.Location:
        location = super().get_location()
        location.z += WALKER_SIZE[2] / 2
        return location

    def apply_control(self, control: carla.WalkerControl) -> None:
        """Walk in ``direction`` (map frame) at ``speed`` m/s until another control comes."""
        self._require_alive()
        values = (control.direction.x, control.direction.y, control.speed)
        if not all(math.isfinite(value) for value in values):
            raise SimulatorError(f"control of walker {self.id} is not a number: {values}")
        self._control = control
        if self._arrays.mode[self.row] != GUIDED:
            self._arrays.mode[self.row] = STROLLING
        still = math.hypot(control.direction.x, control.direction.y) < 1e-6
        self._world.walker_pace[self.row] = 0.0 if still else min(max(control.speed, 0.0), _FASTEST)
        if not still:
            self._world.walker_heading[self.row] = math.atan2(control.direction.y, control.direction.x)

    def get_control(self) -> carla.WalkerControl:
        return self._control

    def on_destroyed(self) -> None:
        self._world.pedestrians.dismiss(self.row)
        super().on_destroyed()


class WalkerAIController(Actor):
    """``controller.ai.walker``: walks its parent along the town's sidewalks and over its crossings."""

    def __init__(self, world: World, actor_id: int, attributes: dict[str, str], parent: Walker) -> None:
        super().__init__(world, actor_id, "controller.ai.walker", attributes, parent)
        self._walker = parent
        self._pace = 1.4

    def get_transform(self) -> carla.Transform:
        return self._walker.get_transform()

    def start(self) -> None:
        """Begin to walk; :class:`SimulatorError` where the town has no sidewalk."""
        self._require_alive()
        self._world.pedestrians.adopt(self._walker.row, self._pace)

    def stop(self) -> None:
        """Stand still."""
        if self.is_alive:
            self._world.pedestrians.dismiss(self._walker.row)

    def set_max_speed(self, speed: float) -> None:
        """Walking pace in m/s."""
        self._pace = min(max(speed, 0.0), _FASTEST)
        self._world.pedestrians.set_pace(self._walker.row, self._pace)

    def on_destroyed(self) -> None:
        self.stop()
        super().on_destroyed()
