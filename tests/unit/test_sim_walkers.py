"""Walkers: they keep to sidewalks, cross at crosswalks when it is safe, and obey a WalkerControl."""

from __future__ import annotations

import math

import carla
import numpy as np
import pytest
from sim_world import far_from_town, fresh_world, run, spawn

from simlingo_sim import TOWNS, Client, SimulatorError, World
from simlingo_sim.population import populate
from simlingo_sim.walker import Walker


def new_walker(world: World, place: carla.Transform) -> Walker:
    walker = world.spawn_actor(world.get_blueprint_library().find("walker.pedestrian.0003"), place)
    assert isinstance(walker, Walker)
    return walker


def guide(world: World, walker: Walker) -> carla.Actor:
    blueprint = world.get_blueprint_library().find("controller.ai.walker")
    controller = world.spawn_actor(blueprint, carla.Transform(), attach_to=walker)
    controller.start()
    return controller


def test_a_control_moves_it_in_its_direction() -> None:
    world = fresh_world()
    walker = new_walker(world, far_from_town())
    walker.apply_control(carla.WalkerControl(direction=carla.Vector3D(0.0, 1.0, 0.0), speed=2.0))
    run(world, 2.0)
    assert walker.get_location().y == pytest.approx(4.0, abs=0.01)
    assert walker.get_velocity().y == pytest.approx(2.0)
    assert walker.get_transform().rotation.yaw == pytest.approx(90.0)
    walker.apply_control(carla.WalkerControl())
    run(world, 1.0)
    assert walker.get_location().y == pytest.approx(4.0, abs=0.01)


def test_its_origin_is_the_middle_of_the_body() -> None:
    world = fresh_world()
    walker = new_walker(world, far_from_town())
    assert walker.get_location().z == pytest.approx(walker.bounding_box.extent.z)
    world.tick()
    assert world.get_snapshot().find(walker.id).get_transform().location.z == pytest.approx(walker.get_location().z)


def test_a_control_that_is_no_number_is_refused() -> None:
    walker = new_walker(fresh_world(), far_from_town())
    with pytest.raises(SimulatorError, match="not a number"):
        walker.apply_control(carla.WalkerControl(speed=math.nan))


@pytest.mark.parametrize("town", TOWNS)
def test_the_sidewalks_join_into_few_pieces_with_crossings(town: str) -> None:
    graph = fresh_world(town).pedestrians.graph
    assert graph.crossing.sum() > 10
    group = list(range(len(graph.corner_first)))

    def root(corner: int) -> int:
        while group[corner] != corner:
            corner = group[corner]
        return corner

    for one, two in graph.ends:
        group[root(int(one))] = root(int(two))
    sizes: dict[int, float] = {}
    for way in range(len(graph.first)):
        key = root(int(graph.ends[way, 0]))
        sizes[key] = sizes.get(key, 0.0) + float(graph.length[way])
    assert max(sizes.values()) > 0.5 * sum(sizes.values())


@pytest.mark.medium
@pytest.mark.parametrize("town", TOWNS)
def test_guided_walkers_leave_the_sidewalk_only_on_crosswalks(town: str) -> None:
    world = fresh_world(town, seed=3)
    _, walkers = populate(world, vehicles=0, walkers=25, seed=3)
    corners = world.get_map().get_crosswalks()
    crossings = np.array([(place.x, place.y) for place in corners])
    crossed = 0
    for _ in range(90):
        run(world, 1.0)
        for walker in walkers:
            place = walker.get_location()
            waypoint = world.get_map().get_waypoint(place, project_to_road=False, lane_type=carla.LaneType.Driving)
            if waypoint is None:
                continue
            crossed += 1
            assert np.hypot(*(crossings - (place.x, place.y)).T).min() < 9.0
    assert crossed > 0
    assert np.mean([world.walked[walker.row] for walker in walkers]) > 60.0


@pytest.mark.medium
def test_lit_crossings_are_entered_only_while_the_cars_have_red() -> None:
    world = fresh_world(seed=4)
    _, walkers = populate(world, vehicles=0, walkers=40, seed=4)
    graph, bodies = world.pedestrians.graph, world.bodies.arrays
    before = np.zeros(len(walkers), dtype=int)
    entered = 0
    for _ in range(100 * 20):
        codes = [light.get_state() for light in world.traffic_lights]
        world.tick()
        now = np.array([bodies.exposed[walker.row] for walker in walkers])
        for walker, step in zip(walkers, now - before, strict=True):
            light = graph.light[world.pedestrians._walk.way[walker.row]]
            if step == 1 and light >= 0:
                entered += 1
                assert codes[light] == carla.TrafficLightState.Red
        before = now
    assert entered > 5


def test_the_controller_stops_and_changes_pace() -> None:
    world = fresh_world()
    place = world.pedestrians.random_place()
    assert place is not None
    walker = new_walker(world, place)
    controller = guide(world, walker)
    controller.set_max_speed(2.5)
    run(world, 4.0)
    assert world.walked[walker.row] > 5.0
    controller.stop()
    run(world, 1.0)
    walked = world.walked[walker.row]
    run(world, 1.0)
    assert world.walked[walker.row] == walked
    controller.destroy()
    assert walker.is_alive


def test_a_town_without_sidewalks_says_so() -> None:
    text = fresh_world().get_map().to_opendrive().replace('type="sidewalk"', 'type="shoulder"')
    world = Client().generate_opendrive_world(text)
    assert world.pedestrians.random_place() is None
    walker = new_walker(world, far_from_town())
    with pytest.raises(SimulatorError, match="no sidewalk"):
        guide(world, walker)


def test_a_walker_does_not_walk_into_a_standing_car() -> None:
    world = fresh_world()
    place = world.pedestrians.random_place()
    assert place is not None
    walker = new_walker(world, place)
    guide(world, walker)
    run(world, 2.0)
    pose = walker.get_transform()
    yaw = math.atan2(walker.get_velocity().y, walker.get_velocity().x)
    ahead = carla.Location(pose.location.x + 4.0 * math.cos(yaw), pose.location.y + 4.0 * math.sin(yaw), 0.0)
    car = spawn(world, carla.Transform(ahead, carla.Rotation(yaw=math.degrees(yaw) + 90.0)))
    for _ in range(200):
        world.tick()
        assert walker not in [other for other, _ in world.contacts_of(car)]
