"""Cameras as sensors see what the rendering camera sees, from the ego and from one placed pose, and nothing else."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any

import carla
import numpy as np
import pytest

from simlingo.contracts import EgoState, FloatArray
from simlingo.geometry import ego_to_map, map_to_ego
from simlingo_drive.backends.base import CapabilityError
from simlingo_drive.backends.embedded import EmbeddedBackend
from simlingo_drive.backends.sensor_views import SensorViews
from simlingo_drive.session import Session, open_session
from simlingo_drive.views import DrawnVehicle, View, ViewChanges, beside

SHIFT_M, TURN_RAD = 1.2, math.radians(12.0)
#: Focal length of the model's camera, px: 1024 wide, 110 degrees.
FOCAL = 512.0 / math.tan(math.radians(55.0))
#: The camera stands so far behind the ego's middle, m.
BACK_M = 1.5


@dataclass
class Scene:
    """The ego on the move, with both kinds of cameras on it."""

    session: Session
    sensors: SensorViews
    rendered: Any
    here: EgoState
    there: EgoState
    car: Any


@pytest.fixture(scope="module")
def scene() -> Scene:
    backend = EmbeddedBackend()
    session = open_session(backend, "gridtown", 3, "cloudy_noon")
    spot = session.map.get_spawn_points()[4]
    session.begin(spot, 0, 0, 3)
    ahead = session.map.get_waypoint(spot.location).next(14.0)[0].transform
    ahead.location.z += 0.1
    car = session.world.spawn_actor(session.world.get_blueprint_library().find("vehicle.tesla.model3"), ahead)
    sensors = SensorViews(session.world, session.ego)
    for _ in range(8):
        session.ego.apply_control(carla.VehicleControl(throttle=0.5, steer=0.2))
        session.tick()
    sensors.place_second(SHIFT_M, TURN_RAD)
    session.tick()
    here = session.ego_state()
    rendered = backend.views(session.world, session.ego)
    return Scene(session, sensors, rendered, here, beside(here, SHIFT_M, TURN_RAD), car)


def equal(one: View, other: View) -> None:
    """Alike but for edges, where a heading that is rounded otherwise takes another pixel."""
    assert one.rgb.shape == (512, 1024, 3)
    assert one.rgb.dtype == one.semantic.dtype == np.uint8
    assert one.depth.dtype == np.float32
    assert (one.rgb == other.rgb).all(axis=2).mean() > 0.999
    assert (one.semantic == other.semantic).mean() > 0.9999
    assert len(np.unique(one.semantic)) > 4
    near = other.depth < 500.0
    assert near.mean() > 0.4
    assert (np.abs(one.depth - other.depth)[near] < 0.01).mean() > 0.999
    assert (one.depth[~near] > 490.0).mean() > 0.999


def test_both_cameras_see_the_same_from_the_ego(scene: Scene) -> None:
    equal(scene.sensors.capture(scene.here), scene.rendered.capture(scene.here))
    assert (scene.sensors.rgb(scene.here) == scene.rendered.rgb(scene.here)).mean() > 0.999


def test_the_second_cameras_see_from_beside_it(scene: Scene) -> None:
    own, beside_it = scene.sensors.capture(scene.here), scene.sensors.capture(scene.there)
    # A sensor on the ego sees its body from where it stands; the rendering camera carries the body along.
    rendered = scene.rendered.capture(scene.there)
    assert (own.rgb != beside_it.rgb).mean() > 0.3
    same = (beside_it.rgb == rendered.rgb).all(axis=2)
    assert same.mean() > 0.8
    assert same[:300].mean() > 0.99
    assert (beside_it.semantic[same] == rendered.semantic[same]).mean() > 0.999
    assert (scene.sensors.rgb(scene.there) == beside_it.rgb).all()


def points_in_map(view: View, pose: EgoState, rows: slice, columns: slice) -> FloatArray:
    """Places (N, 2) m in the map of the pixels of a view, by its depth."""
    depth = view.depth[rows, columns]
    across = (np.arange(1024)[columns] + 0.5 - 512.0) / FOCAL
    forward, right = depth - BACK_M, depth * across[None, :]
    return ego_to_map(np.stack((forward.ravel(), right.ravel()), axis=1), pose)


@pytest.mark.parametrize("camera", ["sensors", "rendered"])
def test_places_of_the_map_are_where_both_views_say(camera: str, scene: Scene) -> None:
    made = getattr(scene, camera)
    tag = 14  # car
    box = scene.car.get_transform()
    middles = {}
    for name, pose in (("ego", scene.here), ("second", scene.there)):
        view = made.capture(pose)
        rows, columns = np.nonzero((view.semantic == tag) & (view.depth > 6.0) & (view.depth < 30.0))
        assert len(rows) > 300
        places = points_in_map(view, pose, slice(None), slice(None)).reshape(512, 1024, 2)[rows, columns]
        own = EgoState(0, box.location.x, box.location.y, math.radians(box.rotation.yaw), 0.0)
        inside = np.abs(map_to_ego(places, own))
        extent = scene.car.bounding_box.extent
        assert (inside < (extent.x + 0.25, extent.y + 0.25)).all(axis=1).mean() > 0.97
        place = map_to_ego(np.array([[box.location.x, box.location.y]]), pose)[0]
        column = 512.0 + FOCAL * place[1] / (place[0] + BACK_M)
        assert columns.min() < column < columns.max()
        middles[name] = column
    # The second view is turned clockwise: things move to the left.
    assert middles["second"] < middles["ego"] - 40.0


def test_a_pose_without_a_camera_is_refused(scene: Scene) -> None:
    for pose in (
        beside(scene.here, -SHIFT_M, TURN_RAD),
        beside(scene.here, SHIFT_M, -TURN_RAD),
        dataclasses.replace(scene.here, x=scene.here.x + 0.01),
        dataclasses.replace(scene.here, yaw=scene.here.yaw + 0.01),
    ):
        for ask in (scene.sensors.capture, scene.sensors.rgb):
            with pytest.raises(CapabilityError, match=r"render the camera from any pose within a tick.*place_second"):
                ask(pose)
        assert scene.rendered.rgb(pose).shape == (512, 1024, 3)


def test_what_is_not_there_is_refused_by_name(scene: Scene) -> None:
    vehicle = DrawnVehicle("vehicle.tesla.model3", scene.here.x + 10.0, scene.here.y, 0.0, 0.0, (200, 0, 0), brake=True)
    with pytest.raises(CapabilityError, match="draw a vehicle that is not in the world"):
        scene.sensors.capture(scene.here, ViewChanges(vehicles=(vehicle,)))
    with pytest.raises(CapabilityError, match="draw a traffic light in another colour"):
        scene.sensors.capture(scene.here, ViewChanges(lights={"1": "red"}))
    equal(scene.sensors.capture(scene.here, ViewChanges()), scene.rendered.capture(scene.here))


def test_a_drawn_vehicle_stands_at_its_place(scene: Scene) -> None:
    empty = scene.rendered.capture(scene.here)
    ((x, y),) = ego_to_map(np.array([[9.0, -2.5]]), scene.here)
    vehicle = DrawnVehicle("vehicle.tesla.model3", x, y, 0.0, scene.here.yaw, (0, 0, 230), brake=False)
    shown = scene.rendered.capture(scene.here, ViewChanges(vehicles=(vehicle,)))
    changed = (shown.semantic == 14) & (empty.depth - shown.depth > 0.05)
    assert changed.sum() > 1000
    places = points_in_map(shown, scene.here, slice(None), slice(None)).reshape(512, 1024, 2)[changed]
    seen = map_to_ego(places, scene.here)
    assert (np.abs(seen - (9.0, -2.5)) < (2.7, 1.3)).all(axis=1).mean() > 0.97


def test_closing_takes_the_sensors_away(scene: Scene) -> None:
    other = SensorViews(scene.session.world, scene.session.ego)
    before = len(scene.session.world.get_actors().filter("sensor.*"))
    other.close()
    assert len(scene.session.world.get_actors().filter("sensor.*")) == before - 6
