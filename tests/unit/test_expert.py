"""The expert in a small world: lights, signs, vehicles, pedestrians, priority, and labels that tell its own future."""

from __future__ import annotations

import math

import carla
import numpy as np
import pytest
from expert_world import Car, Light, StopSign, StubWorld, town_planner
from hypothesis import given, settings
from hypothesis import strategies as st

from simlingo.contracts import Command
from simlingo.geometry import map_to_ego
from simlingo_drive.expert import CONSTANTS, Expert, ExpertInfo
from simlingo_drive.expert.boxes import overlaps
from simlingo_drive.expert.laws import follow, seconds_to_cover, stop_in, towards_speed
from simlingo_drive.expert.pedals import pedals
from simlingo_drive.expert.route import junction_spans

Route = list[tuple[carla.Waypoint, Command]]


@pytest.fixture(scope="module")
def route() -> Route:
    """A way through gridtown of 300 m and more with a left turn whose junction begins 40 m or more along."""
    planner = town_planner("gridtown")
    rng = np.random.default_rng(3)
    places = planner.graph.waypoints
    while True:
        start, goal = (places[int(index)] for index in rng.choice(len(places), 2))
        if start.is_junction:
            continue
        dense = planner.trace(start.transform.location, goal.transform.location)
        spans = junction_spans(dense)
        if len(dense) > 300 and spans and spans[0][0] > 60 and spans[0][2] == Command.LEFT:
            return dense


def place_of(route: Route, index: int) -> tuple[float, float, float]:
    transform = route[index][0].transform
    return transform.location.x, transform.location.y, math.radians(transform.rotation.yaw)


def begin(route: Route, index: int = 0) -> tuple[StubWorld, Car]:
    """A world with the ego standing at the route's waypoint ``index``."""
    world = StubWorld("gridtown")
    ego = Car(1, *place_of(route, index))
    world.actors.append(ego)
    return world, ego


def drive(world: StubWorld, expert: Expert, ticks: int) -> list[ExpertInfo]:
    infos = []
    for _ in range(ticks):
        control, info = expert.run_step()
        world.actors[0].drive(control)
        world.tick()
        infos.append(info)
    return infos


def make(world: StubWorld, route: Route) -> Expert:
    return Expert(world, world.actors[0], route, town_planner("gridtown"))


@pytest.mark.medium
def test_it_keeps_its_lane_and_slows_down_in_bends(route: Route) -> None:
    world, _ = begin(route)
    infos = drive(world, make(world, route), 700)
    assert max(abs(info.place.lateral) for info in infos) < 0.25
    assert infos[-1].place.s > 200.0
    turn = junction_spans(route)[0]
    inside = [info.ego.speed for info in infos if turn[0] + 5 < info.place.s < turn[1] - 3]
    assert max(inside) < 7.0
    assert max(info.ego.speed for info in infos) <= CONSTANTS.limit_ratio * 50.0 / 3.6 + 0.2


@pytest.mark.medium
def test_it_stops_before_a_red_light_and_goes_on_green(route: Route) -> None:
    world, ego = begin(route)
    line = junction_spans(route)[0][0] - 3
    light = Light(2, route[line][0])
    world.actors.append(light)
    infos = drive(world, make_expert := make(world, route), 500)
    assert ego.speed < 0.05
    assert 0.3 < infos[-1].light.distance < 2.5
    assert infos[-1].light.state == "red"
    assert min(info.acceleration for info in infos) > -3.0
    light.state = "Green"
    assert drive(world, make_expert, 150)[-1].ego.speed > 2.0


def test_a_yellow_light_is_passed_only_where_it_is_too_late_to_stop(route: Route) -> None:
    for distance, passes in ((8.0, True), (35.0, False)):
        line = junction_spans(route)[0][0] - 3
        world, ego = begin(route, line - int(distance) - 3)
        ego.speed = 8.0
        world.actors.append(Light(2, route[line][0], "Yellow"))
        infos = drive(world, make(world, route), 120)
        assert (infos[-1].place.s > line + 2.0) == passes


@pytest.mark.medium
def test_it_stands_at_a_stop_sign_for_a_second_and_goes(route: Route) -> None:
    world, _ = begin(route)
    line = junction_spans(route)[0][0] - 3
    world.actors.append(StopSign(2, route[line][0]))
    infos = drive(world, make(world, route), 700)
    assert sum(info.ego.speed < 0.1 and info.place.s > line - 8 for info in infos) >= 20
    assert infos[-1].place.s > line + 10.0


@pytest.mark.medium
def test_it_stops_behind_a_standing_car(route: Route) -> None:
    world, ego = begin(route)
    world.actors.append(Car(2, *place_of(route, 50)))
    infos = drive(world, make(world, route), 500)
    assert ego.speed < 0.2
    assert 2.0 < infos[-1].lead_distance < 5.5
    assert infos[-1].lead_id == 2


def test_it_lets_a_pedestrian_cross(route: Route) -> None:
    world, ego = begin(route)
    x, y, yaw = place_of(route, 45)
    walker = Car(2, x, y, yaw + math.pi / 2, extent=carla.Vector3D(0.25, 0.25, 0.9), type_id="walker.pedestrian.1")
    world.actors.append(walker)
    expert = make(world, route)
    infos = drive(world, expert, 400)
    assert ego.speed < 0.1
    assert infos[-1].place.s + 2.45 < 44.0
    assert infos[-1].cause is not None
    assert infos[-1].cause.actor_id == 2
    walker.x, walker.y = x - 30 * math.sin(yaw), y + 30 * math.cos(yaw)
    assert drive(world, expert, 100)[-1].ego.speed > 2.0


def test_turning_left_it_gives_way_to_oncoming_traffic(route: Route) -> None:
    begin_index, end_index, _ = junction_spans(route)[0]
    world, _ = begin(route, begin_index - 15)
    x, y, yaw = place_of(route, begin_index)
    ahead = world.map.get_waypoint(
        carla.Location(x + 40 * math.cos(yaw) + 3.5 * math.sin(yaw), y + 40 * math.sin(yaw) - 3.5 * math.cos(yaw))
    ).transform
    if abs(math.cos(math.radians(ahead.rotation.yaw) - yaw) + 1.0) > 0.05:
        pytest.skip("no oncoming lane at this junction")
    oncoming = Car(2, ahead.location.x, ahead.location.y, math.radians(ahead.rotation.yaw), speed=7.0)
    world.actors.append(oncoming)
    infos = drive(world, make(world, route), 90)
    crossed = next((info for info in infos if info.place.s > end_index - 5), None)
    assert crossed is None or crossed is infos[-1]
    assert any(getattr(info.cause, "reason", "") in ("junction", "vehicle") for info in infos)


def test_speed_waypoints_tell_the_experts_own_future(route: Route) -> None:
    world, ego = begin(route)
    world.actors.append(Light(2, route[junction_spans(route)[0][0] - 3][0]))
    expert = make(world, route)
    places, told = [], []
    for _ in range(350):
        control, info = expert.run_step()
        places.append((ego.x, ego.y))
        told.append((info, expert.speed_waypoints(info)))
        ego.drive(control)
        world.tick()
    track = np.array(places)
    errors = [
        np.linalg.norm(map_to_ego(track[tick + 5 : tick + 51 : 5], info.ego) - points, axis=1)
        for tick, (info, points) in enumerate(told[:-50])
    ]
    assert np.mean(errors) < 0.2
    assert np.percentile([error[2] for error in errors], 99) < 0.25


def test_the_path_label_begins_at_the_car_and_lies_on_the_route(route: Route) -> None:
    world, _ = begin(route)
    expert = make(world, route)
    path = expert.observe().path
    assert path.shape == (20, 2)
    assert path[0] == pytest.approx((0.0, 0.0))
    assert np.linalg.norm(np.diff(path, axis=0), axis=1) == pytest.approx(np.ones(19), abs=0.05)


@given(st.floats(0, 20), st.floats(0.1, 80))
def test_braking_laws_stay_within_what_a_car_can(speed: float, distance: float) -> None:
    assert stop_in(speed, distance, CONSTANTS, 8.0) >= -8.0
    assert -8.0 <= follow(speed, distance, 0.0, CONSTANTS) <= CONSTANTS.max_acceleration
    assert -CONSTANTS.comfort_deceleration <= towards_speed(speed, 8.0, CONSTANTS) <= CONSTANTS.max_acceleration
    throttle, brake = pedals(stop_in(speed, distance, CONSTANTS, 8.0), speed)
    assert 0.0 <= throttle <= 1.0
    assert 0.0 <= brake <= 1.0
    assert throttle == 0.0 or brake == 0.0


@settings(max_examples=50)
@given(st.floats(0, 10), st.floats(0.1, 50))
def test_seconds_to_cover_matches_a_simulation(speed: float, distance: float) -> None:
    seconds, way, pace = 0.0, 0.0, speed
    while way < distance:
        pace = min(pace + 2.0 * 0.001, max(10.0, speed))
        way += pace * 0.001
        seconds += 0.001
    assert seconds_to_cover(distance, speed, 2.0, 10.0) == pytest.approx(seconds, abs=0.02)


@given(st.floats(-math.pi, math.pi), st.floats(-math.pi, math.pi), st.floats(0, 12), st.floats(-math.pi, math.pi))
def test_box_overlap_is_symmetric_and_agrees_with_circles(one: float, two: float, gap: float, way: float) -> None:
    a, b = np.zeros(2), gap * np.array((math.cos(way), math.sin(way)))
    half = np.array((2.4, 0.9))
    hit = bool(overlaps(a, np.array(one), half, b, np.array(two), half))
    assert hit == bool(overlaps(b, np.array(two), half, a, np.array(one), half))
    if gap < 1.8:
        assert hit
    if gap > 2 * math.hypot(2.4, 0.9):
        assert not hit
