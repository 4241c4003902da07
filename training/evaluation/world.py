"""A world for one route: town, traffic, ego and its camera, all from the route's seed."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import carla
import numpy as np

from simlingo.contracts import MODEL_CAMERA, MODEL_CAMERA_POSITION_IN_EGO, EgoState, ImageArray
from simlingo_sim import Client
from simlingo_sim.population import populate
from simlingo_sim.traffic_density import TRAFFIC
from simlingo_sim.vehicle_models import EGO_BLUEPRINT
from simlingo_sim.weather import WEATHERS
from training.evaluation.routes import BenchRoute

TICK_S = 0.05
FIELD_OF_VIEW_DEG = 110.0


@dataclass
class RouteWorld:
    """The world of one route with the ego at its start."""

    world: Any
    ego: Any

    def ego_state(self) -> EgoState:
        """Pose and speed of the ego now."""
        pose, velocity = self.ego.get_transform(), self.ego.get_velocity()
        seconds = self.world.get_snapshot().timestamp.elapsed_seconds
        return EgoState(
            round(seconds * 1e9),
            pose.location.x,
            pose.location.y,
            math.radians(pose.rotation.yaw),
            math.hypot(velocity.x, velocity.y),
        )


def open_world(route: BenchRoute, traffic: str, weather: str | None = None) -> RouteWorld:
    """Load the route's town with its weather and traffic, and put the ego at the start."""
    client = Client(seed=route.spec.world_seed)
    world = client.load_world(route.spec.town)
    world.apply_settings(carla.WorldSettings(synchronous_mode=True, fixed_delta_seconds=TICK_S))
    world.set_weather(WEATHERS[weather or route.spec.weather])
    blueprint = world.get_blueprint_library().find(EGO_BLUEPRINT)
    blueprint.set_attribute("role_name", "ego_vehicle")
    ego = world.spawn_actor(blueprint, route.start)
    vehicles, walkers = TRAFFIC[traffic]
    populate(world, client, vehicles=vehicles, walkers=walkers, seed=route.spec.world_seed)
    world.tick()
    return RouteWorld(world, ego)


class FrontCamera:
    """The model's camera on the ego (spec A.2), with a frame every so many ticks."""

    def __init__(self, world: Any, ego: Any, every: int) -> None:
        blueprint = world.get_blueprint_library().find("sensor.camera.rgb")
        blueprint.set_attribute("image_size_x", str(MODEL_CAMERA.width))
        blueprint.set_attribute("image_size_y", str(MODEL_CAMERA.height))
        blueprint.set_attribute("fov", str(FIELD_OF_VIEW_DEG))
        blueprint.set_attribute("sensor_tick", f"{every * TICK_S:.3f}")
        pose = carla.Transform(carla.Location(*MODEL_CAMERA_POSITION_IN_EGO))
        self._sensor = world.spawn_actor(blueprint, pose, attach_to=ego)
        self._sensor.listen(self._keep)
        self._image: ImageArray | None = None

    def take(self) -> ImageArray | None:
        """The frame of this tick, (512, 1024, 3) RGB; None where the camera made none since the last call."""
        image, self._image = self._image, None
        return image

    def _keep(self, image: Any) -> None:
        frame = np.frombuffer(image.raw_data, dtype=np.uint8).reshape(image.height, image.width, 4)
        self._image = frame[:, :, 2::-1].copy()
