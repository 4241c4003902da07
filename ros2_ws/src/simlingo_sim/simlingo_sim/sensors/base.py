"""What all sensors share: a place on their parent, a period, a listener."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import carla

from simlingo_sim.actor import Actor

if TYPE_CHECKING:
    from simlingo_sim.world import World


@dataclass(frozen=True)
class SensorData:
    """Head of every measurement: tick, simulation time in s, pose of the sensor in the map frame."""

    frame: int
    timestamp: float
    transform: carla.Transform


class Sensor(Actor):
    """A sensor on its parent, or standing free where it has none."""

    def __init__(
        self,
        world: World,
        actor_id: int,
        type_id: str,
        attributes: dict[str, str],
        transform: carla.Transform,
        parent: Actor | None,
    ) -> None:
        super().__init__(world, actor_id, type_id, attributes, parent)
        self._mount = transform
        self._period_s = float(attributes["sensor_tick"])
        self._due_s = 0.0
        self._callback: Callable[[Any], None] | None = None

    @property
    def is_listening(self) -> bool:
        return self._callback is not None

    def listen(self, callback: Callable[[Any], None]) -> None:
        """Call ``callback`` with every measurement, synchronously inside ``World.tick``."""
        self._require_alive()
        self._callback = callback

    def stop(self) -> None:
        """Measure no more."""
        self._callback = None

    def get_transform(self) -> carla.Transform:
        """Pose in the map frame: the mount carried by the parent."""
        if self.parent is None:
            return self._mount
        carrier = self.parent.get_transform()
        turn = self._mount.rotation
        spot = self._mount.location
        place = carrier.transform(carla.Location(spot.x, spot.y, spot.z))
        return carla.Transform(place, carla.Rotation(turn.pitch, carrier.rotation.yaw + turn.yaw, turn.roll))

    def set_transform(self, transform: carla.Transform) -> None:
        """Move the sensor: relative to its parent where it has one."""
        self._mount = transform

    def get_velocity(self) -> carla.Vector3D:
        return carla.Vector3D() if self.parent is None else self.parent.get_velocity()

    def due(self, elapsed_s: float) -> bool:
        """Whether to measure in this tick; keeps the period of ``sensor_tick``."""
        if self._callback is None:
            return False
        if elapsed_s + 1e-6 < self._due_s:
            return False
        self._due_s = max(self._due_s + self._period_s, elapsed_s)
        return True

    def measure(self, frame: int, elapsed_s: float, dt: float) -> list[SensorData]:
        """Measurements of this tick, none where nothing happened."""
        raise NotImplementedError

    def deliver(self, data: SensorData) -> None:
        """Hand a measurement to the listener, if it still listens."""
        if self._callback is not None:
            self._callback(data)

    def on_destroyed(self) -> None:
        self.stop()
        super().on_destroyed()
