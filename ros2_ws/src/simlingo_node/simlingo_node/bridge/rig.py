"""The ego's sensors; gives out the data of one frame once all of it has come."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import carla

from simlingo.contracts import CameraIntrinsics, SimlingoError

#: A sensor's data of a tick must come within this time, s of the steady clock.
DATA_TIMEOUT_S = 5.0


class SensorRig:
    """Camera, IMU and GNSS on the ego.

    The embedded world calls back inside ``tick``, a CARLA server later and from another thread; ``collect`` works
    with both.
    """

    def __init__(
        self, world: Any, ego: Any, camera: CameraIntrinsics, fov_deg: float, camera_pose: carla.Transform
    ) -> None:
        self._condition = threading.Condition()
        self._newest: dict[str, Any] = {}
        library = world.get_blueprint_library()
        blueprint = library.find("sensor.camera.rgb")
        blueprint.set_attribute("image_size_x", str(camera.width))
        blueprint.set_attribute("image_size_y", str(camera.height))
        blueprint.set_attribute("fov", str(fov_deg))
        origin = carla.Transform()
        placed = (
            ("camera", blueprint, camera_pose),
            ("imu", library.find("sensor.other.imu"), origin),
            ("gnss", library.find("sensor.other.gnss"), origin),
        )
        self.ids = tuple(name for name, _, _ in placed)
        self._sensors = []
        for name, sensor_blueprint, pose in placed:
            sensor = world.spawn_actor(sensor_blueprint, pose, attach_to=ego)
            sensor.listen(self._keeper(name))
            self._sensors.append(sensor)

    def collect(self, frame: int) -> dict[str, Any]:
        """The data of ``frame`` by sensor.

        Raises:
            SimlingoError: a sensor stays silent.
        """
        with self._condition:
            if not self._condition.wait_for(lambda: not self._missing(frame), DATA_TIMEOUT_S):
                raise SimlingoError(
                    f"no data of frame {frame} from {', '.join(self._missing(frame))} within {DATA_TIMEOUT_S:g} s;"
                    " is the simulator overloaded or gone?"
                )
            return dict(self._newest)

    def close(self) -> None:
        """Take the sensors away."""
        for sensor in self._sensors:
            sensor.stop()
            sensor.destroy()
        self._sensors = []

    def _missing(self, frame: int) -> list[str]:
        return [name for name in self.ids if name not in self._newest or self._newest[name].frame < frame]

    def _keeper(self, name: str) -> Callable[[Any], None]:
        def keep(data: Any) -> None:
            with self._condition:
                self._newest[name] = data
                self._condition.notify()

        return keep
