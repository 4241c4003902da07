"""The car answers its controls like a family car."""

from __future__ import annotations

import math

import carla
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sim_world import far_from_town, fresh_world, run, spawn, speed

from simlingo_sim import SimulatorError, World
from simlingo_sim.vehicle import Vehicle
from simlingo_sim.weather import WEATHERS


@pytest.fixture(scope="module")
def world() -> World:
    return fresh_world()


@pytest.fixture
def car(world: World) -> Vehicle:
    for vehicle in list(world.vehicles):
        vehicle.destroy()
    return spawn(world, far_from_town())


def accelerate_to(world: World, car: Vehicle, target: float) -> float:
    """Full throttle until ``target`` m/s; seconds it took."""
    car.apply_control(carla.VehicleControl(throttle=1.0))
    for tick in range(1, 600):
        world.tick()
        if speed(car) >= target:
            return tick / 20
    raise AssertionError("never got there")


def test_it_reaches_50_kmh_in_about_five_seconds(world: World, car: Vehicle) -> None:
    assert 4.0 < accelerate_to(world, car, 50 / 3.6) < 6.0


@pytest.mark.parametrize(("brake", "deceleration"), [(1.0, 8.0), (0.5, 4.0), (0.25, 2.0)])
def test_the_brake_is_proportional(world: World, car: Vehicle, brake: float, deceleration: float) -> None:
    accelerate_to(world, car, 12.0)
    car.apply_control(carla.VehicleControl(brake=brake))
    run(world, 0.4)
    before = speed(car)
    run(world, 0.5)
    assert (before - speed(car)) / 0.5 == pytest.approx(deceleration, abs=0.9)


def test_braking_stops_and_never_rolls_back(world: World, car: Vehicle) -> None:
    accelerate_to(world, car, 5.0)
    car.apply_control(carla.VehicleControl(brake=1.0))
    run(world, 2.0)
    place = car.get_location().x
    run(world, 1.0)
    assert speed(car) == 0.0
    assert car.get_location().x == place


def test_letting_go_slows_it_gently(world: World, car: Vehicle) -> None:
    accelerate_to(world, car, 12.0)
    car.apply_control(carla.VehicleControl())
    run(world, 1.0)
    before = speed(car)
    run(world, 1.0)
    assert 0.3 < before - speed(car) < 1.5


def test_reverse_drives_backwards_and_no_faster_than_its_limit(world: World, car: Vehicle) -> None:
    car.apply_control(carla.VehicleControl(throttle=1.0, reverse=True))
    run(world, 8.0)
    assert car.get_location().x < 790.0
    assert car.get_velocity().x < -5.0
    assert speed(car) < 8.5


def test_the_hand_brake_holds_against_the_engine(world: World, car: Vehicle) -> None:
    car.apply_control(carla.VehicleControl(throttle=1.0, hand_brake=True))
    run(world, 2.0)
    assert speed(car) < 0.1


@pytest.mark.parametrize("steer", [0.1, 0.3, 1.0])
def test_turning_radius_at_walking_pace_is_that_of_the_fitted_model(world: World, car: Vehicle, steer: float) -> None:
    for _ in range(160):
        car.apply_control(carla.VehicleControl(throttle=0.3 if speed(car) < 3.0 else 0.1, steer=steer))
        world.tick()
    radius = speed(car) / math.radians(car.get_angular_velocity().z)
    slip = math.atan(1.4178275 / (1.4178275 - 0.090769015) * math.tan(0.36848336 * steer))  # spec D.3
    assert radius == pytest.approx(1.4178275 / math.sin(slip), rel=0.16)


def test_steering_right_turns_clockwise(world: World, car: Vehicle) -> None:
    accelerate_to(world, car, 4.0)
    car.apply_control(carla.VehicleControl(throttle=0.2, steer=0.3))
    run(world, 1.0)
    assert car.get_transform().rotation.yaw > 5.0
    assert car.get_location().y > 0.2


def test_steering_lags(world: World, car: Vehicle) -> None:
    accelerate_to(world, car, 6.0)
    car.apply_control(carla.VehicleControl(throttle=0.2, steer=0.2))
    rates = []
    for _ in range(20):
        world.tick()
        rates.append(car.get_angular_velocity().z)
    assert 0.1 * rates[-1] < rates[0] < 0.6 * rates[-1]
    assert rates[5] > 0.8 * rates[-1]


def test_it_understeers_at_speed(world: World, car: Vehicle) -> None:
    curvatures = []
    for pace in (4.0, 14.0):
        car.set_transform(far_from_town())
        accelerate_to(world, car, pace)
        for _ in range(20):
            car.apply_control(carla.VehicleControl(throttle=0.3, steer=0.05))
            world.tick()
        curvatures.append(math.radians(car.get_angular_velocity().z) / speed(car))
    assert 0.6 * curvatures[0] < curvatures[1] < 0.97 * curvatures[0]


def test_a_wet_road_brakes_worse(world: World, car: Vehicle) -> None:
    lengths = []
    for weather in ("clear_noon", "rain_noon"):
        world.set_weather(WEATHERS[weather])
        car.set_transform(far_from_town())
        accelerate_to(world, car, 14.0)
        car.apply_control(carla.VehicleControl(brake=1.0))
        start = car.get_location().x
        run(world, 4.0)
        lengths.append(car.get_location().x - start)
    world.set_weather(WEATHERS["clear_noon"])
    assert lengths[1] > 1.05 * lengths[0]


def test_acceleration_is_the_change_of_velocity(world: World, car: Vehicle) -> None:
    accelerate_to(world, car, 3.0)
    before = car.get_velocity().x
    world.tick()
    assert car.get_acceleration().x == pytest.approx((car.get_velocity().x - before) / 0.05, abs=1e-3)


@pytest.mark.parametrize("field", ["throttle", "steer", "brake"])
def test_a_control_that_is_no_number_is_refused(car: Vehicle, field: str) -> None:
    with pytest.raises(SimulatorError, match="not a number"):
        car.apply_control(carla.VehicleControl(**{field: math.nan}))


def test_a_control_out_of_range_is_cut(car: Vehicle) -> None:
    car.apply_control(carla.VehicleControl(throttle=3.0, steer=-2.0, brake=-1.0))
    control = car.get_control()
    assert (control.throttle, control.steer, control.brake) == (1.0, -1.0, 0.0)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1), st.floats(-1, 1), st.booleans()), min_size=1, max_size=20))
def test_no_control_sequence_breaks_physics(controls: list[tuple[float, float, float, bool]]) -> None:
    world = _shared_world()
    car = spawn(world, far_from_town(y=50.0))
    previous = 0.0
    for throttle, brake, steer, reverse in controls:
        car.apply_control(carla.VehicleControl(throttle=throttle, brake=brake, steer=steer, reverse=reverse))
        for _ in range(5):
            world.tick()
            assert math.isfinite(car.get_location().x)
            assert abs(speed(car) - previous) < 10.0 * 0.05
            previous = speed(car)
            lateral = speed(car) * math.radians(abs(car.get_angular_velocity().z))
            assert lateral < 9.0
    car.destroy()


_worlds: list[World] = []


def _shared_world() -> World:
    if not _worlds:
        _worlds.append(fresh_world())
    return _worlds[0]
