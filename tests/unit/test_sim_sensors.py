"""Sensors measure what the world does, and call back inside the tick."""

from __future__ import annotations

import math
from typing import Any

import carla
import numpy as np
import pytest
from sim_world import far_from_town, fresh_world, run, spawn, spawn_on

from simlingo_sim import SimulatorError, World
from simlingo_sim.actor import Actor
from simlingo_sim.sensors.camera import _pack


@pytest.fixture
def world() -> World:
    return fresh_world()


def attach(
    world: World, kind: str, parent: Actor | None, place: carla.Transform | None = None, **attributes: object
) -> tuple[Any, list[Any]]:
    blueprint = world.get_blueprint_library().find(kind)
    for name, value in attributes.items():
        blueprint.set_attribute(name, str(value))
    sensor = world.spawn_actor(blueprint, place or carla.Transform(), attach_to=parent)
    readings: list[Any] = []
    sensor.listen(readings.append)
    return sensor, readings


def pixels(image: Any) -> np.ndarray:
    return np.frombuffer(image.raw_data, dtype=np.uint8).reshape(image.height, image.width, 4)


def test_imu_feels_gravity_throttle_and_turning(world: World) -> None:
    car = spawn(world, far_from_town(yaw=30.0))
    _, readings = attach(world, "sensor.other.imu", car)
    car.apply_control(carla.VehicleControl(throttle=1.0, steer=0.2))
    run(world, 1.0)
    last = readings[-1]
    assert len(readings) == 20
    assert last.accelerometer.z == pytest.approx(9.81)
    assert last.accelerometer.x > 1.5
    assert last.accelerometer.y > 0.05
    assert last.gyroscope.z == pytest.approx(math.radians(car.get_angular_velocity().z))
    assert (last.frame, last.timestamp) == (world.frame, pytest.approx(1.0))


@pytest.mark.parametrize(("yaw", "compass"), [(0.0, 90.0), (-90.0, 0.0), (90.0, 180.0), (180.0, 270.0)])
def test_the_compass_counts_from_north(world: World, yaw: float, compass: float) -> None:
    _, readings = attach(world, "sensor.other.imu", spawn(world, far_from_town(yaw=yaw)))
    world.tick()
    assert math.degrees(readings[-1].compass) == pytest.approx(compass, abs=1e-3)


@pytest.mark.medium
def test_noise_is_the_seeds(world: World) -> None:
    def noisy(seed: int) -> list[float]:
        town = fresh_world(seed=seed)
        _, readings = attach(town, "sensor.other.imu", spawn(town, far_from_town()), noise_accel_stddev_x=0.5)
        run(town, 0.5)
        return [reading.accelerometer.x for reading in readings]

    assert noisy(1) == noisy(1)
    assert noisy(1) != noisy(2)
    assert np.std(noisy(1)) > 0.1


def test_gnss_is_the_maps_reference(world: World) -> None:
    car = spawn(world, far_from_town())
    _, readings = attach(world, "sensor.other.gnss", car, carla.Transform(carla.Location(1.0, 0.0, 2.0)))
    world.tick()
    expected = world.get_map().transform_to_geolocation(carla.Location(801.0, 0.0, 2.0))
    assert readings[-1].latitude == pytest.approx(expected.latitude, abs=1e-9)
    assert readings[-1].longitude == pytest.approx(expected.longitude, abs=1e-9)


def test_a_period_thins_the_readings(world: World) -> None:
    _, readings = attach(world, "sensor.other.gnss", spawn(world, far_from_town()), sensor_tick=0.25)
    run(world, 2.0)
    assert 8 <= len(readings) <= 9


def test_a_stopped_sensor_is_silent(world: World) -> None:
    sensor, readings = attach(world, "sensor.other.imu", spawn(world, far_from_town()))
    world.tick()
    sensor.stop()
    world.tick()
    assert len(readings) == 1
    assert not sensor.is_listening


def test_a_sensor_rides_on_its_parent(world: World) -> None:
    car = spawn(world, far_from_town(yaw=90.0))
    sensor, _ = attach(
        world, "sensor.other.imu", car, carla.Transform(carla.Location(2.0, 1.0, 1.5), carla.Rotation(-5.0, 10.0))
    )
    pose = sensor.get_transform()
    assert (pose.location.x, pose.location.y, pose.location.z) == pytest.approx((799.0, 2.0, 1.5), abs=1e-4)
    assert (pose.rotation.pitch, pose.rotation.yaw) == pytest.approx((-5.0, 100.0))


def crash_into(world: World, kind: str) -> list[Any]:
    car = spawn(world, far_from_town())
    place = far_from_town(x=815.0)
    world.spawn_actor(world.get_blueprint_library().find(kind), place)
    _, events = attach(world, "sensor.other.collision", car)
    car.apply_control(carla.VehicleControl(throttle=1.0))
    run(world, 4.0)
    return events


@pytest.mark.parametrize("kind", ["vehicle.audi.a2", "walker.pedestrian.0002", "static.prop.streetbarrier"])
def test_a_crash_names_the_other_and_pushes_back(world: World, kind: str) -> None:
    events = crash_into(world, kind)
    assert events
    assert events[0].other_actor.type_id == kind
    assert events[0].actor.type_id.startswith("vehicle.lincoln")
    assert events[0].normal_impulse.x < -500.0
    assert abs(events[0].normal_impulse.y) < 0.1 * abs(events[0].normal_impulse.x)


def test_a_wall_stops_the_car(world: World) -> None:
    wall = world.town.decor["buildings"][0]
    reach = wall["length"] / 2 + 10.0
    yaw = math.radians(wall["yaw_deg"])
    start = carla.Transform(
        carla.Location(wall["x"] - reach * math.cos(yaw), wall["y"] - reach * math.sin(yaw), 0.0),
        carla.Rotation(yaw=wall["yaw_deg"]),
    )
    car = spawn(world, start)
    _, events = attach(world, "sensor.other.collision", car)
    car.apply_control(carla.VehicleControl(throttle=1.0))
    run(world, 6.0)
    assert any(event.other_actor.type_id.startswith("static.") for event in events)
    assert car.get_location().distance(start.location) < reach
    assert car.get_velocity().length() < 1.0


def test_no_crash_no_event(world: World) -> None:
    car = spawn(world, world.get_map().get_spawn_points()[0], autopilot=True)
    _, events = attach(world, "sensor.other.collision", car)
    run(world, 3.0)
    assert events == []


def test_lane_invasion_tells_the_mark(world: World) -> None:
    starts = [world.get_map().get_waypoint(point.location) for point in world.get_map().get_spawn_points()]
    lane = next(
        waypoint
        for waypoint in starts
        if waypoint.next(40.0) and waypoint.next(40.0)[0].road_id == waypoint.road_id and waypoint.lane_id == -1
    )
    car = spawn_on(world, lane)
    _, events = attach(world, "sensor.other.lane_invasion", car)
    for tick in range(80):
        car.apply_control(carla.VehicleControl(throttle=0.5, steer=-0.15 if tick < 40 else 0.0))
        world.tick()
    assert events
    colors = [mark.color for event in events for mark in event.crossed_lane_markings]
    assert carla.LaneMarkingColor.Yellow in colors


def test_keeping_the_lane_is_no_invasion(world: World) -> None:
    car = spawn(world, world.get_map().get_spawn_points()[0], autopilot=True)
    _, events = attach(world, "sensor.other.lane_invasion", car)
    run(world, 2.0)
    assert events == []


def test_a_camera_gives_bgra_of_its_size(world: World) -> None:
    car = spawn(world, world.get_map().get_spawn_points()[3])
    mount = carla.Transform(carla.Location(-1.5, 0.0, 2.0))
    _, images = attach(world, "sensor.camera.rgb", car, mount, image_size_x=256, image_size_y=128, fov=110)
    world.tick()
    image = images[-1]
    assert (image.width, image.height, image.fov, image.frame) == (256, 128, 110.0, world.frame)
    assert len(image.raw_data) == 256 * 128 * 4
    picture = pixels(image)
    assert (picture[..., 3] == 255).all()
    top = picture[:16].reshape(-1, 4).mean(axis=0)
    assert picture[..., :3].std() > 10.0
    assert image.transform.location.z == pytest.approx(2.0)
    assert top[:3].min() > 20.0


def test_semantic_and_depth_share_the_view(world: World) -> None:
    car = spawn(world, world.get_map().get_spawn_points()[3])
    mount = carla.Transform(carla.Location(2.0, 0.0, 1.6))
    size = {"image_size_x": 128, "image_size_y": 64, "fov": 90}
    ahead = world.get_map().get_waypoint(car.get_location()).next(14.0)[0]
    spawn_on(world, ahead)
    _, tags = attach(world, "sensor.camera.semantic_segmentation", car, mount, **size)
    _, depths = attach(world, "sensor.camera.depth", car, mount, **size)
    world.tick()
    tag = pixels(tags[-1])[..., 2]
    code = pixels(depths[-1]).astype(float)
    depth = (code[..., 2] + 256 * code[..., 1] + 65536 * code[..., 0]) / (256**3 - 1) * 1000.0
    assert {1, 14} <= set(np.unique(tag))  # road and car
    vehicle = depth[20:50, 54:74][tag[20:50, 54:74] == 14]
    assert 7.0 < np.median(vehicle) < 13.0


def test_no_rendering_mode_gives_no_pictures(world: World) -> None:
    settings = world.get_settings()
    settings.no_rendering_mode = True
    world.apply_settings(settings)
    _, images = attach(world, "sensor.camera.rgb", spawn(world, far_from_town()))
    world.tick()
    assert images == []


@pytest.mark.parametrize(
    ("name", "value"), [("image_size_x", 0), ("image_size_y", 90000), ("fov", 0.0), ("fov", 180.0)]
)
def test_a_camera_that_cannot_be_is_refused(world: World, name: str, value: float) -> None:
    with pytest.raises(SimulatorError, match=name.split("_")[0]):
        attach(world, "sensor.camera.rgb", None, **{name: value})


def test_a_world_without_cameras_never_makes_the_renderer(world: World) -> None:
    car = spawn(world, far_from_town())
    attach(world, "sensor.other.imu", car)
    attach(world, "sensor.camera.rgb", car)[0].stop()
    run(world, 0.5)
    assert world._renderer is None


@pytest.mark.parametrize("shape", [(4, 6), (5, 3)])
def test_packing_swaps_red_and_blue(shape: tuple[int, int]) -> None:
    picture = np.random.default_rng(1).integers(0, 256, (*shape, 3), dtype=np.uint8)
    packed = _pack("rgb", picture)
    assert np.array_equal(packed[..., 2::-1], picture)
    assert (packed[..., 3] == 255).all()
