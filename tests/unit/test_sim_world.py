"""The world behind carla's API: actors come and go, time passes in ticks, wrong requests are named."""

from __future__ import annotations

import math

import carla
import pytest
from sim_world import EGO, far_from_town, fresh_world, run, spawn

from simlingo_sim import TOWNS, Client, SimulatorError, World
from simlingo_sim.population import populate
from simlingo_sim.snapshot import WorldSnapshot
from simlingo_sim.vehicle import Vehicle
from simlingo_sim.walker import Walker
from simlingo_sim.weather import WEATHERS, road_grip, weather_named


@pytest.fixture(scope="module")
def world() -> World:
    return fresh_world()


@pytest.fixture
def car(world: World) -> Vehicle:
    for vehicle in list(world.vehicles):
        vehicle.destroy()
    return spawn(world, world.get_map().get_spawn_points()[0])


def test_client_loads_and_reloads_towns() -> None:
    client = Client(seed=3)
    assert client.get_available_maps() == list(TOWNS)
    first = client.load_world("ringtown")
    assert client.get_world() is first
    assert first.get_map().name.endswith("ringtown")
    again = client.reload_world()
    assert again is not first
    assert client.get_trafficmanager() is again.traffic


@pytest.mark.parametrize(("name", "near"), [("gridtwon", "gridtown"), ("Town01", "harbortown")])
def test_an_unknown_town_is_named_with_the_valid_ones(name: str, near: str) -> None:
    with pytest.raises(SimulatorError) as error:
        Client().load_world(name)
    assert name in str(error.value)
    assert near in str(error.value)


@pytest.mark.parametrize("text", ["", "<OpenDRIVE>", "<OpenDRIVE></OpenDRIVE>", "<town/>", "not xml at all"])
def test_a_broken_opendrive_is_refused(text: str) -> None:
    with pytest.raises(SimulatorError, match="OpenDRIVE"):
        Client().generate_opendrive_world(text)


@pytest.mark.medium
def test_any_opendrive_becomes_a_world(world: World) -> None:
    bare = Client(seed=1).generate_opendrive_world(world.get_map().to_opendrive())
    ego = spawn(bare, bare.get_map().get_spawn_points()[5], autopilot=True)
    run(bare, 2.0)
    assert ego.get_velocity().length() > 1.0


def test_an_unknown_weather_names_the_nearest() -> None:
    with pytest.raises(SimulatorError, match=r"clear_moon.*clear_noon"):
        weather_named("clear_moon")


def test_weathers_differ_and_rain_is_slippery() -> None:
    assert {"clear_noon", "cloudy_noon", "wet_noon", "rain_noon", "clear_sunset", "dusk", "fog"} <= set(WEATHERS)
    assert road_grip(WEATHERS["rain_noon"]) < road_grip(WEATHERS["wet_noon"]) < road_grip(WEATHERS["clear_noon"])
    assert WEATHERS["dusk"].sun_altitude_angle < WEATHERS["clear_sunset"].sun_altitude_angle


def test_weather_is_copied_in_and_out(world: World) -> None:
    weather = world.get_weather()
    weather.fog_density = 77.0
    assert world.get_weather().fog_density != 77.0
    world.set_weather(weather)
    weather.fog_density = 1.0
    assert world.get_weather().fog_density == 77.0
    world.set_weather(WEATHERS["clear_noon"])


def test_a_tick_counts_frames_and_time(world: World) -> None:
    before = world.get_snapshot()
    frame = world.tick()
    after = world.get_snapshot()
    assert frame == after.frame == before.frame + 1
    assert after.timestamp.elapsed_seconds == pytest.approx(before.timestamp.elapsed_seconds + 0.05)
    assert after.timestamp.delta_seconds == pytest.approx(0.05)


def test_the_snapshot_keeps_what_was(world: World, car: Vehicle) -> None:
    car.apply_control(carla.VehicleControl(throttle=1.0))
    run(world, 1.0)
    old = world.get_snapshot()
    place = old.find(car.id).get_transform().location
    assert place.distance(car.get_location()) < 1e-6
    run(world, 1.0)
    assert old.find(car.id).get_transform().location.distance(place) < 1e-6
    assert car.get_location().distance(place) > 1.0
    assert old.find(999_999) is None
    assert len(list(old)) == len(old)


def test_on_tick_is_called_with_the_snapshot_until_removed(world: World) -> None:
    seen: list[WorldSnapshot] = []
    number = world.on_tick(seen.append)
    world.tick()
    world.remove_on_tick(number)
    world.tick()
    assert [snapshot.frame for snapshot in seen] == [world.frame - 1]


def test_actors_are_found_by_kind_and_id(world: World, car: Vehicle) -> None:
    assert car.id in [actor.id for actor in world.get_actors().filter("vehicle.*")]
    assert world.get_actor(car.id) is car
    assert [actor.id for actor in world.get_actors([car.id, 123456])] == [car.id]
    assert len(world.get_actors().filter("traffic.traffic_light*")) == len(world.traffic_lights) > 10
    assert world.get_actors().find(123456) is None


def test_destroying_takes_what_is_attached_along(world: World, car: Vehicle) -> None:
    sensor = world.spawn_actor(world.get_blueprint_library().find("sensor.other.imu"), carla.Transform(), attach_to=car)
    assert car.destroy()
    assert not car.is_alive
    assert not sensor.is_alive
    assert world.get_actor(sensor.id) is None
    assert not car.destroy()
    with pytest.raises(SimulatorError, match="was destroyed"):
        car.get_transform()


def test_two_cannot_stand_in_one_place(world: World, car: Vehicle) -> None:
    blueprint = world.get_blueprint_library().find(EGO)
    with pytest.raises(SimulatorError, match="another actor stands there"):
        world.spawn_actor(blueprint, car.get_transform())
    assert world.try_spawn_actor(blueprint, car.get_transform()) is None


def test_a_transform_that_is_no_number_is_refused(world: World) -> None:
    with pytest.raises(SimulatorError, match="not a number"):
        spawn(world, carla.Transform(carla.Location(math.nan, 0.0, 0.0)))


def test_the_walker_controller_needs_a_walker(world: World, car: Vehicle) -> None:
    blueprint = world.get_blueprint_library().find("controller.ai.walker")
    with pytest.raises(SimulatorError, match="needs a walker"):
        world.spawn_actor(blueprint, carla.Transform(), attach_to=car)


def test_autopilot_off_the_road_is_refused(world: World) -> None:
    car = spawn(world, far_from_town())
    with pytest.raises(SimulatorError, match="no driving lane"):
        car.set_autopilot(True)
    car.destroy()


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("synchronous_mode", False, "synchronous"),
        ("fixed_delta_seconds", 0.5, "fixed_delta_seconds"),
        ("fixed_delta_seconds", None, "fixed_delta_seconds"),
    ],
)
def test_settings_it_cannot_have_are_refused(world: World, name: str, value: object, words: str) -> None:
    settings = world.get_settings()
    setattr(settings, name, value)
    with pytest.raises(SimulatorError, match=words):
        world.apply_settings(settings)
    assert world.get_settings().fixed_delta_seconds == pytest.approx(0.05)


def test_the_speed_limit_is_the_roads(world: World, car: Vehicle) -> None:
    road = world.get_map().get_waypoint(car.get_location()).road_id
    assert car.get_speed_limit() == pytest.approx(world.town.extras.speed_limits[road])


def test_spawn_points_are_on_driving_lanes(world: World) -> None:
    points = world.get_map().get_spawn_points()
    assert len(points) > 100
    for point in points[::20]:
        waypoint = world.get_map().get_waypoint(point.location)
        assert waypoint.transform.location.distance(point.location) < 0.5
        assert not waypoint.is_junction


def test_physics_tell_the_wheels(car: Vehicle) -> None:
    physics = car.get_physics_control()
    assert physics.wheels[0].max_steer_angle == pytest.approx(70.0)
    front, rear = physics.wheels[0].position, physics.wheels[2].position
    assert math.hypot(front.x - rear.x, front.y - rear.y) == pytest.approx(286.0, abs=0.1)


@pytest.mark.medium
def test_population_is_the_seeds(world: World) -> None:
    def census(seed: int) -> list[tuple[str, float, float]]:
        town = fresh_world()
        vehicles, walkers = populate(town, vehicles=8, walkers=5, seed=seed)
        assert len(vehicles) == 8
        assert len(walkers) == 5
        assert all(isinstance(walker, Walker) for walker in walkers)
        return [(actor.type_id, actor.get_location().x, actor.get_location().y) for actor in (*vehicles, *walkers)]

    assert census(4) == census(4)
    assert census(4) != census(5)


@pytest.mark.parametrize("numbers", [(-1, 0), (0, -1)])
def test_population_of_negative_numbers_is_refused(world: World, numbers: tuple[int, int]) -> None:
    with pytest.raises(SimulatorError, match="at least 0"):
        populate(world, vehicles=numbers[0], walkers=numbers[1])


@pytest.mark.medium
def test_population_leaves_room_around_the_ego() -> None:
    town = fresh_world(seed=2)
    ego = spawn(town, town.get_map().get_spawn_points()[7])
    vehicles, _ = populate(town, vehicles=60, walkers=0, seed=1)
    assert min(vehicle.get_location().distance(ego.get_location()) for vehicle in vehicles) > 10.0
