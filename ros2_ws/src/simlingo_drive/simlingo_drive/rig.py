"""The ego and its sensors, by CARLA's API alone."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import carla
import numpy as np

from simlingo.contracts import (
    MODEL_CAMERA,
    MODEL_CAMERA_POSITION_IN_EGO,
    TICK_S,
    CameraIntrinsics,
    EgoState,
    ImageArray,
    SimlingoError,
)

#: The car of the published system (spec D.1).
EGO_BLUEPRINT = "vehicle.lincoln.mkz_2020"
#: Horizontal field of view of the model's camera (spec A.2), degrees.
FIELD_OF_VIEW_DEG = 110.0
#: The vehicle is dropped onto the road from this height, m.
DROP_M = 0.3
#: A sensor's data of a tick must come within this time, s of the steady clock.
DATA_TIMEOUT_S = 5.0


@dataclass(frozen=True)
class SensorSpec:
    """One sensor to put on the ego."""

    name: str
    blueprint: str
    attributes: dict[str, str] = field(default_factory=dict)
    pose: carla.Transform = field(default_factory=carla.Transform)  # in the ego frame
    every: int = 1  # ticks from reading to reading


def camera_spec(
    name: str = "camera",
    camera: CameraIntrinsics = MODEL_CAMERA,
    fov_deg: float = FIELD_OF_VIEW_DEG,
    every: int = 1,
    kind: str = "rgb",
) -> SensorSpec:
    """A camera in the place of the model's (spec A.2); ``kind`` rgb, semantic_segmentation or depth."""
    attributes = {"image_size_x": str(camera.width), "image_size_y": str(camera.height), "fov": str(fov_deg)}
    if every > 1:
        attributes["sensor_tick"] = f"{every * TICK_S:.3f}"
    pose = carla.Transform(carla.Location(*MODEL_CAMERA_POSITION_IN_EGO))
    return SensorSpec(name, f"sensor.camera.{kind}", attributes, pose, every)


class SensorRig:
    """Sensors on the ego; gives out the data of one frame once all of it has come.

    The embedded world calls back inside ``tick``, a CARLA server later and from another thread; ``collect`` works
    with both.
    """

    def __init__(self, world: Any, ego: Any, specs: Sequence[SensorSpec]) -> None:
        self._condition = threading.Condition()
        self._newest: dict[str, Any] = {}
        self._taken: dict[str, int] = {}  # frame that was taken last, by sensor
        self._waited_for = tuple(spec.name for spec in specs if spec.every == 1)
        self.sensors: dict[str, Any] = {}
        library = world.get_blueprint_library()
        for spec in specs:
            blueprint = library.find(spec.blueprint)
            for name, value in spec.attributes.items():
                blueprint.set_attribute(name, value)
            sensor = world.spawn_actor(blueprint, spec.pose, attach_to=ego)
            sensor.listen(self._keeper(spec.name))
            self.sensors[spec.name] = sensor

    def collect(self, frame: int) -> dict[str, Any]:
        """The data of ``frame`` by sensor; of those that read at every tick.

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

    def take(self, name: str) -> Any:
        """The newest data of a sensor that nobody has taken yet; None: there is none."""
        with self._condition:
            data = self._newest.get(name)
            if data is None or self._taken.get(name) == data.frame:
                return None
            self._taken[name] = data.frame
            return data

    def close(self) -> None:
        """Take the sensors away."""
        for sensor in self.sensors.values():
            sensor.stop()
            sensor.destroy()
        self.sensors = {}

    def _missing(self, frame: int) -> list[str]:
        return [name for name in self._waited_for if name not in self._newest or self._newest[name].frame < frame]

    def _keeper(self, name: str) -> Callable[[Any], None]:
        def keep(data: Any) -> None:
            with self._condition:
                self._newest[name] = data
                self._condition.notify()

        return keep


def spawn_ego(world: Any, pose: carla.Transform, role: str = "ego_vehicle") -> Any:
    """The ego at ``pose`` (map frame)."""
    blueprint = world.get_blueprint_library().find(EGO_BLUEPRINT)
    blueprint.set_attribute("role_name", role)
    return world.spawn_actor(blueprint, pose)


def ego_state(world: Any, ego: Any) -> EgoState:
    """Pose and speed of the ego at this tick."""
    pose, velocity = ego.get_transform(), ego.get_velocity()
    seconds = world.get_snapshot().timestamp.elapsed_seconds
    return EgoState(
        round(seconds * 1e9),
        float(pose.location.x),
        float(pose.location.y),
        math.radians(pose.rotation.yaw),
        math.hypot(velocity.x, velocity.y),
    )


def to_rgb(image: Any) -> ImageArray:
    """A CARLA image (BGRA) as (H, W, 3) RGB of its own."""
    frame = np.frombuffer(image.raw_data, dtype=np.uint8).reshape(image.height, image.width, 4)
    return frame[:, :, 2::-1].copy()
