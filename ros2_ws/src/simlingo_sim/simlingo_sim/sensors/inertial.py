"""IMU and GNSS."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import carla
import numpy as np

from simlingo_sim.actor import Actor
from simlingo_sim.sensors.base import Sensor, SensorData

if TYPE_CHECKING:
    from simlingo_sim.world import World

_GRAVITY = 9.81


@dataclass(frozen=True)
class IMUMeasurement(SensorData):
    """Accelerometer (m/s^2, with gravity) and gyroscope (rad/s) in the sensor's frame, compass in rad from north."""

    accelerometer: carla.Vector3D
    gyroscope: carla.Vector3D
    compass: float


@dataclass(frozen=True)
class GnssMeasurement(SensorData):
    """Latitude and longitude in degrees, altitude in m."""

    latitude: float
    longitude: float
    altitude: float


class _NoisySensor(Sensor):
    def __init__(
        self,
        world: World,
        actor_id: int,
        type_id: str,
        attributes: dict[str, str],
        transform: carla.Transform,
        parent: Actor | None,
    ) -> None:
        super().__init__(world, actor_id, type_id, attributes, transform, parent)
        self._rng = world.sensor_rng(actor_id)

    def _noise(self, name: str) -> float:
        deviation = float(self.attributes[name])
        return float(self._rng.normal(0.0, deviation)) if deviation > 0 else 0.0


class ImuSensor(_NoisySensor):
    """``sensor.other.imu``; mounted level."""

    def measure(self, frame: int, elapsed_s: float, dt: float) -> list[SensorData]:
        pose = self.get_transform()
        yaw = math.radians(pose.rotation.yaw)
        push = self.parent.get_acceleration() if self.parent is not None else carla.Vector3D()
        turn = self.parent.get_angular_velocity() if self.parent is not None else carla.Vector3D()
        accel = (
            push.x * math.cos(yaw) + push.y * math.sin(yaw),
            -push.x * math.sin(yaw) + push.y * math.cos(yaw),
            push.z + _GRAVITY,
        )
        gyro = tuple(math.radians(rate) for rate in (turn.x, turn.y, turn.z))
        noisy_accel = (
            value + self._noise(f"noise_accel_stddev_{axis}") for value, axis in zip(accel, "xyz", strict=True)
        )
        noisy_gyro = (value + self._noise(f"noise_gyro_stddev_{axis}") for value, axis in zip(gyro, "xyz", strict=True))
        # North is -y in CARLA's map frame; the compass counts clockwise from it.
        compass = (yaw + math.pi / 2) % (2 * math.pi)
        return [
            IMUMeasurement(frame, elapsed_s, pose, carla.Vector3D(*noisy_accel), carla.Vector3D(*noisy_gyro), compass)
        ]


class GnssSensor(_NoisySensor):
    """``sensor.other.gnss``: the map's own geo-reference."""

    def measure(self, frame: int, elapsed_s: float, dt: float) -> list[SensorData]:
        pose = self.get_transform()
        place = self._world.get_map().transform_to_geolocation(pose.location)
        return [
            GnssMeasurement(
                frame,
                elapsed_s,
                pose,
                place.latitude + self._noise("noise_lat_stddev"),
                place.longitude + self._noise("noise_lon_stddev"),
                place.altitude + self._noise("noise_alt_stddev"),
            )
        ]


def sensor_generator(seed: np.random.SeedSequence, actor_id: int) -> np.random.Generator:
    """Noise of one sensor: depends on the world's seed and the sensor's id alone."""
    return np.random.default_rng([int(word) for word in seed.generate_state(2)] + [actor_id])
