"""The expert passes what stands at its lane's edge, slows down where little room is left, and stops where there is none."""

from __future__ import annotations

import math
from dataclasses import dataclass

import carla
import numpy as np
import pytest
from carla_names import NotInCarlaError, asked, wrapped
from expert_world import Car, StubWorld, town_planner

from simlingo.contracts import Command
from simlingo_drive.expert import CONSTANTS, Expert, ExpertInfo
from simlingo_drive.expert.boxes import overlaps
from simlingo_drive.expert.causes import Cause
from simlingo_drive.expert.explanation import cause_of, is_hazard
from simlingo_drive.expert.laws import slow_to
from simlingo_drive.expert.route import ExpertRoute
from simlingo_drive.expert.situation import Narrow, Stop
from simlingo_drive.expert.standing import find_passages, read_things
from simlingo_sim import Client

Route = list[tuple[carla.Waypoint, Command]]
#: Half the sizes of the ego and of a cone, m.
FRONT, HALF_WIDTH, CONE = 2.45, 0.92, 0.2
#: Half the width of a lane, m.
HALF_LANE = 1.75


@pytest.fixture(scope="module")
def route() -> Route:
    """A straight street of gridtown and what follows."""
    planner = town_planner("gridtown")
    for start in planner.graph.waypoints:
        ahead = start.next(60.0)
        if start.is_junction or not ahead or ahead[0].is_junction or ahead[0].road_id != start.road_id:
            continue
        if abs(ahead[0].transform.rotation.yaw - start.transform.rotation.yaw) > 0.5 or len(start.previous(8.0)) != 1:
            continue
        return planner.trace(start.transform.location, ahead[0].transform.location)
    raise AssertionError("gridtown has no straight street")


@dataclass
class Cone(Car):
    """Something that stands there."""

    type_id: str = "static.prop.trafficcone01"


def cone(route: Route, number: int, along: float, right: float, half: float = CONE) -> Cone:
    """A cone ``along`` m from the route's begin whose middle is ``right`` m right of the lane's."""
    waypoint = route[0][0].next(along)[0]
    pose = waypoint.transform
    yaw = math.radians(pose.rotation.yaw)
    x, y = pose.location.x - right * math.sin(yaw), pose.location.y + right * math.cos(yaw)
    return Cone(number, x, y, yaw, extent=carla.Vector3D(half, half, 0.35))


def world_with(route: Route, things: list[Cone]) -> tuple[StubWorld, Car]:
    world = StubWorld("gridtown")
    pose = route[0][0].transform
    ego = Car(1, pose.location.x, pose.location.y, math.radians(pose.rotation.yaw))
    world.actors += [ego, *things]
    return world, ego


def expert_of(world: StubWorld, route: Route) -> Expert:
    return Expert(world, world.actors[0], route, town_planner("gridtown"))


def drive(world: StubWorld, expert: Expert, ticks: int) -> tuple[list[ExpertInfo], np.ndarray]:
    """What it saw, and the ego's x, y and yaw at each tick."""
    infos, track = [], []
    ego = world.actors[0]
    for _ in range(ticks):
        control, info = expert.run_step()
        infos.append(info)
        track.append((ego.x, ego.y, ego.yaw))
        ego.drive(control)
        world.tick()
    return infos, np.array(track)


def line_of_cones(route: Route, inner_edge: float) -> list[Cone]:
    """Five cones whose inner edges are ``inner_edge`` m right of the lane's middle."""
    return [cone(route, 10 + i, 28.0 + 2.5 * i, inner_edge + CONE) for i in range(5)]


def least_gap(track: np.ndarray, things: list[Cone]) -> float:
    """Least air between the ego's box and the cones, m, to 5 cm; 0 where they touch."""
    for air in np.arange(0.0, 1.5, 0.05):
        for thing in things:
            hit = overlaps(
                track[:, :2], track[:, 2], np.array((FRONT + air, HALF_WIDTH + air)),
                np.array((thing.x, thing.y)), np.array(thing.yaw), np.array((CONE, CONE)),
            )  # fmt: skip
            if hit.any():
                return float(air)
    return 1.5


def lateral(route: Route, track: np.ndarray) -> np.ndarray:
    """m right of the straight lane's middle."""
    pose = route[0][0].transform
    yaw = math.radians(pose.rotation.yaw)
    return np.asarray((track[:, 1] - pose.location.y) * math.cos(yaw) - (track[:, 0] - pose.location.x) * math.sin(yaw))


@pytest.mark.medium
@pytest.mark.parametrize("inner_edge", [0.6, 0.9])
def test_a_cone_line_is_passed_without_contact_and_left_behind(route: Route, inner_edge: float) -> None:
    things = line_of_cones(route, inner_edge)
    world, _ = world_with(route, things)
    infos, track = drive(world, expert_of(world, route), 420)
    along = np.array([info.place.s for info in infos])
    assert along[-1] > 58.0
    assert least_gap(track, things) > 0.3
    moved = lateral(route, track)
    beside = (along > 28.0) & (along < 38.0)
    assert moved[beside].max() < inner_edge - HALF_WIDTH - 0.3, "it moved to the left"
    assert moved.min() - HALF_WIDTH > -HALF_LANE - CONSTANTS.standing_over - 0.05, "and kept to its lane"
    assert np.abs(moved[(along > 62.0) & (along < 66.0)]).max(initial=0.0) < 0.2
    assert abs(float(moved[0])) < 0.01


@pytest.mark.medium
def test_it_slows_down_where_little_room_is_left_and_says_for_what(route: Route) -> None:
    world, ego = world_with(route, line_of_cones(route, 0.6))
    ego.speed = 8.5
    infos, _ = drive(world, expert_of(world, route), 160)
    beside = [info.ego.speed for info in infos if 27.0 < info.place.s < 39.0]
    assert max(beside) < CONSTANTS.narrow_speed + 0.4
    told = [info for info in infos if isinstance(info.cause, Narrow)]
    assert told
    assert {cause_of(info.cause) for info in told} == {Cause.OBSTACLE}
    assert {info.cause.actor_id for info in told if info.cause} == {10}
    assert not any(is_hazard(info) for info in told), "a cone is no hazard"
    assert min(info.acceleration for info in infos) > -2.6


def test_where_room_is_left_it_keeps_its_speed(route: Route) -> None:
    world, ego = world_with(route, line_of_cones(route, 1.25))
    ego.speed = 8.5
    infos, track = drive(world, expert_of(world, route), 100)
    assert not any(cause_of(info.cause) is Cause.OBSTACLE for info in infos)
    assert least_gap(track, world.actors[1:]) > 0.3


def test_a_thing_on_its_left_is_passed_on_the_right(route: Route) -> None:
    world, _ = world_with(route, [cone(route, 2, 30.0, -1.2)])
    points = expert_of(world, route).route
    place = points.locate(*(float(value) for value in points.at(30.0)))
    middle = route[0][0].next(30.0)[0].transform
    yaw = math.radians(middle.rotation.yaw)
    moved = points.at(place.s) - (middle.location.x, middle.location.y)
    assert float(moved @ (-math.sin(yaw), math.cos(yaw))) == pytest.approx(0.92 + 0.5 - 1.0, abs=0.03)


def test_what_blocks_the_lane_is_stopped_for(route: Route) -> None:
    world, ego = world_with(route, [cone(route, 2, 40.0, 0.1)])
    infos, _ = drive(world, expert_of(world, route), 320)
    assert ego.speed < 0.1
    assert 36.0 < infos[-1].place.s + FRONT < 39.6
    assert isinstance(infos[-1].cause, Stop)
    assert (cause_of(infos[-1].cause), infos[-1].cause.actor_id) == (Cause.OBSTACLE, 2)


def test_without_things_in_the_way_the_route_is_the_same_one(route: Route) -> None:
    straight = ExpertRoute(town_planner("gridtown").polyline(route), CONSTANTS)
    for things in ([], [cone(route, 2, 30.0, 2.6), cone(route, 3, 30.0, -3.0)]):
        found = find_passages(straight, route, read_things(world_with(route, things)[0]), FRONT, HALF_WIDTH, CONSTANTS)
        assert found.route is straight
        assert found.narrows == found.stops == []


def test_only_what_is_ahead_counts(route: Route) -> None:
    straight = ExpertRoute(town_planner("gridtown").polyline(route), CONSTANTS)
    things = read_things(world_with(route, line_of_cones(route, 0.6))[0])
    found = find_passages(straight, route, things, FRONT, HALF_WIDTH, CONSTANTS)
    assert len(found.narrows) == 1, "one narrow place, not five"
    narrow = found.narrows[0]
    assert (narrow.begin, narrow.end) == pytest.approx((28.0 - 2.65, 38.0 + 2.65), abs=0.8)
    assert found.ahead(0.0, 60.0)[0] == [narrow]
    assert found.ahead(0.0, 10.0)[0] == []
    assert found.ahead(narrow.end + 0.1, 60.0)[0] == []


def test_slowing_down_is_gentle_and_ends_at_the_speed_that_is_allowed() -> None:
    speed, distance, accelerations = 10.0, 40.0, []
    while distance > 0.0:
        accelerations.append(min(slow_to(speed, distance, 6.0, CONSTANTS), 0.0))
        speed += accelerations[-1] * 0.05
        distance -= speed * 0.05
    assert speed == pytest.approx(6.0, abs=0.5)
    assert min(accelerations) > -CONSTANTS.comfort_deceleration * 1.15
    assert slow_to(8.0, -1.0, 6.0, CONSTANTS) < -1.0
    assert slow_to(4.0, -1.0, 6.0, CONSTANTS) > 1.0
    assert slow_to(4.0, 30.0, 6.0, CONSTANTS) > 2.0


def test_things_are_read_by_carlas_names() -> None:
    inside = Client(seed=0).load_world("ringtown")
    inside.spawn_actor(
        inside.get_blueprint_library().find("static.prop.streetbarrier"),
        carla.Transform(carla.Location(5.0, 6.0, 0.0), carla.Rotation(yaw=90.0)),
    )
    asked.clear()
    (thing,) = read_things(wrapped(inside))
    assert (*thing.position, thing.yaw, thing.half_length, thing.half_width) == pytest.approx(
        (5.0, 6.0, math.pi / 2, 0.6, 0.2)
    )
    assert {kind for kind, _ in asked} == {"World", "ActorList", "Actor"}
    assert all(hasattr(getattr(carla, kind), name) for kind, name in asked)
    with pytest.raises(NotInCarlaError, match=r"carla.World has no 'props'"):
        wrapped(inside).props()
