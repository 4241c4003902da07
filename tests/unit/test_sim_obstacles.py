"""Where things are put: by seed, off each other, and never so that a vehicle of 2 m width could not pass in its lane."""

from __future__ import annotations

import math

import carla
import numpy as np
import pytest
from sim_world import EGO, fresh_world, spawn

from simlingo_sim import SimulatorError, World
from simlingo_sim.obstacles.placement import FREE_WIDTH_M, OBSTACLES, place_objects
from simlingo_sim.population import populate
from simlingo_sim.prop import Prop
from simlingo_sim.towns import TOWNS
from simlingo_sim.traffic.detours import bent_around
from simlingo_sim.traffic.following import overlap_depth

Placed = tuple[World, list[Prop]]


@pytest.fixture(scope="module", params=TOWNS)
def placed(request: pytest.FixtureRequest) -> Placed:
    world = fresh_world(request.param)
    return world, place_objects(world, "many", 5)


def places(props: list[Prop]) -> list[tuple[str, str, float, float, float]]:
    found = []
    for prop in props:
        x, y, yaw, _, _ = prop.footprint()
        found.append((prop.type_id, prop.attributes.get("color", ""), x, y, yaw))
    return found


def across_lane(world: World, prop: Prop) -> tuple[float, float, carla.Waypoint]:
    """Distance (m) of its middle from the middle of the nearest driving lane, half its extent across it, and that lane."""
    x, y, yaw, half_length, half_width = prop.footprint()
    lane = world.get_map().get_waypoint(carla.Location(x, y, 0.0))
    heading = math.radians(lane.transform.rotation.yaw)
    place, turn = lane.transform.location, yaw - heading
    across = abs((y - place.y) * math.cos(heading) - (x - place.x) * math.sin(heading))
    return across, half_length * abs(math.sin(turn)) + half_width * abs(math.cos(turn)), lane


def test_the_promised_room_is_left_in_every_lane(placed: Placed) -> None:
    world, props = placed
    reached = 0
    for prop in props:
        across, half, lane = across_lane(world, prop)
        assert not lane.is_junction
        free = lane.lane_width / 2 + across - half
        assert free >= FREE_WIDTH_M - 0.03, prop
        reached += free < lane.lane_width - 0.2
    assert reached > 30, "many of them stand in a lane's edge"


def test_nothing_stands_in_anything(placed: Placed) -> None:
    world, props = placed
    boxes = [actor.footprint() for actor in world.standing()]
    own = {id(prop): prop.footprint() for prop in props}
    for box in own.values():
        reach = math.hypot(box[3], box[4])
        near = [b for b in boxes if math.dist(b[:2], box[:2]) < reach + math.hypot(b[3], b[4]) and b != box]
        assert all(overlap_depth(*box, *other) < 0 for other in near)


def test_there_is_something_to_talk_about(placed: Placed) -> None:
    _, props = placed
    kinds = {prop.type_id for prop in props}
    assert len(kinds) > 15
    assert {"static.prop.mesh", "static.prop.streetbarrier", "static.prop.warningconstruction"} <= kinds
    assert len({prop.attributes["color"] for prop in props if prop.type_id == "static.prop.mesh"}) >= 3


def test_traffic_has_a_way_around_all_of_it(placed: Placed) -> None:
    world, props = placed
    lanes = world.graph.arrays
    boxes = [prop.footprint() for prop in props]
    bent = bent_around(lanes, boxes)
    moved = np.hypot(bent.x - lanes.x, bent.y - lanes.y)
    assert 0.5 < moved.max() < 1.25
    assert (moved > 0).mean() < 0.5
    for x, y, yaw, half_length, half_width in boxes:
        along = (bent.x - x) * math.cos(yaw) + (bent.y - y) * math.sin(yaw)
        across = -(bent.x - x) * math.sin(yaw) + (bent.y - y) * math.cos(yaw)
        gap = np.hypot(np.maximum(np.abs(along) - half_length, 0.0), np.maximum(np.abs(across) - half_width, 0.0))
        assert gap.min() > 1.23, "half the width of a bus"


@pytest.mark.medium
def test_equal_seeds_give_equal_places() -> None:
    made = [places(place_objects(fresh_world("harbortown"), "some", seed)) for seed in (3, 3, 4)]
    assert made[0] == made[1]
    assert made[0] != made[2]


def test_many_are_more_than_some_and_none_are_none() -> None:
    counts = [len(place_objects(fresh_world("ringtown"), setting, 1)) for setting in OBSTACLES]
    assert counts[0] == 0
    assert 0 < counts[1] < counts[2]


def test_without_obstacles_the_traffic_keeps_its_very_lanes() -> None:
    world = fresh_world("ringtown")
    lanes = world.traffic._graph
    assert place_objects(world, "none", 1) == []
    assert world.traffic._graph is lanes
    assert world.props() == []


def test_an_unknown_setting_is_refused() -> None:
    with pytest.raises(SimulatorError, match=r"unknown obstacle setting 'lots'.*some"):
        place_objects(fresh_world("ringtown"), "lots", 1)


def test_who_is_there_already_keeps_room() -> None:
    world = fresh_world("ringtown")
    ego = spawn(world, world.get_map().get_spawn_points()[7], EGO)
    here = ego.get_location()
    assert min(prop.get_location().distance(here) for prop in place_objects(world, "many", 2)) > 14.0


@pytest.mark.medium
def test_traffic_comes_past_without_touching(request: pytest.FixtureRequest) -> None:
    world = fresh_world("gridtown", 3)
    boxes = [prop.footprint() for prop in place_objects(world, "many", 3)]
    vehicles, _ = populate(world, None, 40, 0, seed=3)
    assert len(vehicles) == 40
    start = [vehicle.get_location() for vehicle in vehicles]
    bodies = world.bodies.arrays
    table = np.array(boxes)
    for tick in range(400):
        world.tick()
        if tick % 4:
            continue
        for vehicle in vehicles:
            row = vehicle.row
            near = np.hypot(table[:, 0] - bodies.x[row], table[:, 1] - bodies.y[row]) < 10.0
            body = (bodies.x[row], bodies.y[row], bodies.yaw[row], bodies.half_length[row], bodies.half_width[row])
            for box in table[near]:
                assert overlap_depth(*body, *box) < 0, (vehicle, tick)
    driven = [vehicle.get_location().distance(place) for vehicle, place in zip(vehicles, start, strict=True)]
    assert np.median(driven) > 20.0
