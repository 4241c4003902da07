"""Traffic: it follows, stops, yields, and never runs into anything or gets stuck."""

from __future__ import annotations

import math

import carla
import numpy as np
import pytest
from sim_world import fresh_world, run, spawn, spawn_on, speed

from simlingo_sim import TOWNS, SimulatorError, World
from simlingo_sim.bodies import VEHICLE
from simlingo_sim.population import populate
from simlingo_sim.traffic.following import _bumper
from simlingo_sim.traffic.path import point_ahead
from simlingo_sim.traffic_light import TrafficLight

RED, GREEN = carla.TrafficLightState.Red, carla.TrafficLightState.Green


@pytest.fixture
def world() -> World:
    return fresh_world()


def straight_road(world: World, length: float = 60.0) -> carla.Waypoint:
    """A waypoint with ``length`` m of its own straight lane ahead, no junction."""
    for point in world.get_map().get_spawn_points():
        waypoint = world.get_map().get_waypoint(point.location)
        ahead = waypoint.next(length)
        if (
            ahead
            and ahead[0].road_id == waypoint.road_id
            and not ahead[0].is_junction
            and abs(ahead[0].transform.rotation.yaw - waypoint.transform.rotation.yaw) < 0.5
        ):
            return waypoint
    raise AssertionError("no straight road")


def approach(world: World, distance: float) -> tuple[TrafficLight, carla.Waypoint]:
    for light in world.traffic_lights:
        stop = light.get_stop_waypoints()[0]
        before = stop.previous(distance)
        if before and before[0].road_id == stop.road_id:
            return light, before[0]
    raise AssertionError("no light with a long approach")


def ahead_of_front(vehicle: carla.Vehicle, place: carla.Location) -> float:
    """Metres from the front bumper to ``place`` along the vehicle."""
    pose = vehicle.get_transform()
    return pose.inverse_transform(carla.Location(place.x, place.y, place.z)).x - vehicle.bounding_box.extent.x


def test_a_free_vehicle_reaches_about_the_limit_and_keeps_its_lane(world: World) -> None:
    car = spawn_on(world, straight_road(world), autopilot=True)
    run(world, 5.0)
    assert 0.5 * car.get_speed_limit() / 3.6 < speed(car) < 1.1 * car.get_speed_limit() / 3.6
    lane = world.get_map().get_waypoint(car.get_location()).transform.location
    assert lane.distance(car.get_location()) < 0.3


def test_it_stops_behind_a_standing_vehicle(world: World) -> None:
    start = straight_road(world)
    obstacle = spawn_on(world, start.next(45.0)[0])
    car = spawn_on(world, start, autopilot=True)
    run(world, 12.0)
    assert speed(car) == 0.0
    assert 1.0 < ahead_of_front(car, obstacle.get_location()) - obstacle.bounding_box.extent.x < 5.0


def test_it_brakes_for_one_that_cuts_in(world: World) -> None:
    start = straight_road(world)
    car = spawn_on(world, start, autopilot=True)
    run(world, 3.0)
    gap = speed(car) * 1.2 + 6.0
    ahead = world.get_map().get_waypoint(car.get_location()).next(gap)[0]
    spawn_on(world, ahead)
    run(world, 5.0)
    assert speed(car) == 0.0
    assert world.contacts_of(car) == []


def test_it_stops_for_a_walker_on_the_road(world: World) -> None:
    start = straight_road(world)
    car = spawn_on(world, start, autopilot=True)
    place = start.next(35.0)[0].transform
    walker = world.spawn_actor(world.get_blueprint_library().find("walker.pedestrian.0001"), place)
    run(world, 10.0)
    assert speed(car) == 0.0
    assert ahead_of_front(car, walker.get_location()) > 0.8


def test_it_stops_at_red_and_goes_at_green(world: World) -> None:
    light, before = approach(world, 35.0)
    light.set_state(RED)
    light.freeze(True)
    car = spawn_on(world, before, autopilot=True)
    run(world, 12.0)
    gap = ahead_of_front(car, light.get_stop_waypoints()[0].transform.location)
    assert speed(car) == 0.0
    assert -0.3 < gap < 3.0
    light.freeze(False)
    light.set_state(GREEN)
    run(world, 6.0)
    assert ahead_of_front(car, light.get_stop_waypoints()[0].transform.location) < -3.0


def test_one_told_to_ignore_lights_drives_over_red(world: World) -> None:
    light, before = approach(world, 30.0)
    light.set_state(RED)
    light.freeze(True)
    car = spawn_on(world, before, autopilot=True)
    world.traffic.ignore_lights_percentage(car, 100.0)
    run(world, 9.0)
    assert ahead_of_front(car, light.get_stop_waypoints()[0].transform.location) < 0.0


def test_it_stands_at_a_stop_sign_before_it_goes(world: World) -> None:
    sign = world.get_actors().filter("traffic.stop")[0]
    stop = sign.get_stop_waypoints()[0]
    car = spawn_on(world, stop.previous(25.0)[0], autopilot=True)
    slowest, passed = 99.0, False
    for _ in range(400):
        world.tick()
        gap = ahead_of_front(car, stop.transform.location)
        if -0.5 < gap < 4.0:
            slowest = min(slowest, speed(car))
        passed = passed or gap < -3.0
    assert slowest < 0.1
    assert passed


@pytest.mark.medium
def test_it_waits_for_a_driven_vehicle_inside_the_junction(world: World) -> None:
    light, before = approach(world, 30.0)
    stop = light.get_stop_waypoints()[0]
    inside = stop.next(9.0)[0]
    assert inside.is_junction
    blocker = spawn(world, inside.transform)
    world.freeze_all_traffic_lights(True)
    light.set_state(GREEN)
    car = spawn_on(world, before, autopilot=True)
    run(world, 12.0)
    assert speed(car) == 0.0
    assert not world.contacts_of(car)
    assert not world.contacts_of(blocker)


def test_it_overtakes_a_slow_one_where_there_is_a_second_lane() -> None:
    world = fresh_world("harbortown")
    lanes = world.graph.arrays
    lane = next(lane for lane in range(len(lanes.first)) if lanes.left[lane] >= 0 and lanes.length[lane] > 105.0)
    road, _, number = world.graph.keys[lane]
    start = world.get_map().get_waypoint_xodr(road, number, abs(float(world.graph.start_s[lane]) - 12.0))
    slow = spawn_on(world, start.next(30.0)[0], autopilot=True)
    world.traffic.vehicle_percentage_speed_difference(slow, 85.0)
    car = spawn_on(world, start, autopilot=True)
    lanes_used = set()
    for _ in range(200):
        world.tick()
        lanes_used.add(world.get_map().get_waypoint(car.get_location()).lane_id)
        assert not world.contacts_of(car)
    assert len(lanes_used) >= 2


def test_brake_lamps_and_indicators_show_what_it_does(world: World) -> None:
    vehicles, _ = populate(world, vehicles=25, walkers=0, seed=3)
    seen = 0
    for _ in range(400):
        world.tick()
        for vehicle in vehicles:
            seen |= int(vehicle.get_light_state())
    for lamp in (
        carla.VehicleLightState.Brake,
        carla.VehicleLightState.LeftBlinker,
        carla.VehicleLightState.RightBlinker,
    ):
        assert seen & int(lamp)


def test_the_speed_difference_slows_all(world: World) -> None:
    manager = world.traffic
    car = spawn_on(world, straight_road(world), autopilot=True)
    manager.global_percentage_speed_difference(60.0)
    run(world, 5.0)
    assert speed(car) < 0.45 * car.get_speed_limit() / 3.6


def test_taking_a_vehicle_back_gives_it_to_its_control(world: World) -> None:
    car = spawn_on(world, straight_road(world), autopilot=True)
    run(world, 3.0)
    assert speed(car) > 3.0
    car.set_autopilot(False)
    car.apply_control(carla.VehicleControl(brake=1.0))
    run(world, 3.0)
    assert speed(car) == 0.0
    with pytest.raises(SimulatorError, match="not on autopilot"):
        world.traffic.ignore_lights_percentage(car, 100.0)


def test_the_traffic_has_no_clock_of_its_own(world: World) -> None:
    with pytest.raises(SimulatorError, match="synchronous"):
        world.traffic.set_synchronous_mode(False)


@pytest.mark.medium
@pytest.mark.parametrize("town", TOWNS)
def test_forty_vehicles_flow_without_a_touch(town: str) -> None:
    world = fresh_world(town, seed=5)
    vehicles, walkers = populate(world, vehicles=40, walkers=20, seed=5)
    longest: dict[int, int] = {}
    still: dict[int, int] = {}
    moved = {vehicle.id: 0.0 for vehicle in vehicles}
    for _ in range(60 * 20):
        world.tick()
        for vehicle in vehicles:
            now = float(world.bodies.arrays.speed[vehicle.row])
            moved[vehicle.id] += now * 0.05
            still[vehicle.id] = still.get(vehicle.id, 0) + 1 if now < 0.1 else 0
            longest[vehicle.id] = max(longest.get(vehicle.id, 0), still[vehicle.id])
        assert not [actor for actor in (*vehicles, *walkers) if world.contacts_of(actor)]
    assert max(longest.values()) < 45 * 20
    assert np.mean(list(moved.values())) > 150.0


@pytest.mark.medium
def test_bodies_move_smoothly() -> None:
    world = fresh_world(seed=6)
    vehicles, _ = populate(world, vehicles=30, walkers=0, seed=6)
    arrays = world.bodies.arrays
    rows = np.flatnonzero(arrays.kind == VEHICLE)
    before = np.stack([arrays.x[rows], arrays.y[rows], arrays.yaw[rows]])
    for tick in range(600):
        world.tick()
        now = np.stack([arrays.x[rows], arrays.y[rows], arrays.yaw[rows]])
        step = np.hypot(*(now - before)[:2])
        turn = np.abs(np.angle(np.exp(1j * (now - before)[2])))
        if tick > 0:
            assert (step <= 1.35 * arrays.speed[rows] * 0.05 + 0.06).all()
            assert (turn < math.radians(4.0)).all()
        before = now
    assert len(vehicles) == len(rows)


def test_bumpers_that_jitter_in_contact_do_not_hold_it_up(world: World) -> None:
    light, before = approach(world, 35.0)
    light.set_state(RED)
    light.freeze(True)
    car = spawn_on(world, before, autopilot=True)
    run(world, 12.0)
    place = car.get_transform()
    behind = place.transform(carla.Location(x=-5.2))
    ego = spawn(world, carla.Transform(behind, place.rotation))
    nudge = carla.VehicleControl(throttle=1.0), carla.VehicleControl(brake=1.0)
    touched = 0
    for tick in range(30 * 20):
        ego.apply_control(nudge[tick // 10 % 2] if speed(car) == 0.0 else nudge[1])
        world.tick()
        touched += bool(world.contacts_of(ego))
        if tick == 10 * 20:
            light.freeze(False)
            light.set_state(GREEN)
    assert touched > 20
    assert car.get_location().distance(place.location) > 20.0


@pytest.mark.medium
def test_a_bus_knows_where_its_nose_will_swing() -> None:
    world = fresh_world()
    bus = spawn(world, world.get_map().get_spawn_points()[0], "vehicle.mitsubishi.fusorosa", autopilot=True)
    bodies, traffic, half, look = world.bodies.arrays, world.traffic.arrays, bus.bounding_box.extent.x, 3.0
    travelled, noses, told, way = [], [], [], []
    along = 0.0
    for _ in range(60 * 20):
        row = bus.row
        told.append(_bumper(world.graph.arrays, traffic, row, half + look, half)[:2])
        way.append(point_ahead(world.graph.arrays, traffic, row, half + look)[:2])
        yaw = bodies.yaw[row]
        noses.append((bodies.x[row] + half * math.cos(yaw), bodies.y[row] + half * math.sin(yaw)))
        travelled.append(along)
        world.tick()
        along += bodies.speed[row] * 0.05
    later = np.array(travelled) + look
    known = later < travelled[-1]
    came = np.stack([np.interp(later, travelled, np.array(noses)[:, axis]) for axis in (0, 1)], axis=1)
    wrong = np.linalg.norm(came - np.array(told), axis=1)[known]
    swing = np.linalg.norm(np.array(told) - np.array(way), axis=1)[known]
    assert swing.max() > 0.6
    assert wrong.max() < 0.25
