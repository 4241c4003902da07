"""Ways over the towns: shape, commands and redirection on a person's word."""

from __future__ import annotations

import math
from functools import cache

import carla
import numpy as np
import pytest

from simlingo.contracts import Command, EgoState, SimlingoError
from simlingo.geometry import wrap_angle
from simlingo.navigation.global_planner import MANOEUVRES, DenseRoute, GlobalPlanner
from simlingo.navigation.route import RoutePlanner
from simlingo_sim import towns


@cache
def planner_of(town: str) -> GlobalPlanner:
    return GlobalPlanner(towns.load(town).map)


def routes(town: str, count: int) -> list[DenseRoute]:
    """Routes of at least 60 m between places picked with a fixed seed."""
    points = towns.load(town).spawn_points
    rng, found = np.random.default_rng(7), []
    while len(found) < count:
        first, last = rng.choice(len(points), 2, replace=False)
        route = planner_of(town).trace(points[first].location, points[last].location)
        if len(route) > 60:
            found.append(route)
    return found


def ego_at(route: DenseRoute, index: int) -> EgoState:
    transform = route[index][0].transform
    return EgoState(0, transform.location.x, transform.location.y, math.radians(transform.rotation.yaw), 5.0)


def first_manoeuvre(route: DenseRoute) -> Command | None:
    return next((command for _, command in route if command in MANOEUVRES), None)


@pytest.mark.medium
@pytest.mark.parametrize("town", towns.TOWNS)
def test_every_spawn_point_reaches_every_other(town: str) -> None:
    graph = planner_of(town).graph
    places = [graph.locate(point.location) for point in towns.load(town).spawn_points]
    costs, _ = graph.search(places[0])
    back, _ = graph.search(places[-1])
    assert np.isfinite(costs[places]).all()
    assert np.isfinite(back[places[0]])


@pytest.mark.parametrize("town", towns.TOWNS)
def test_routes_are_about_a_metre_dense_and_smooth(town: str) -> None:
    for route in routes(town, 8):
        line = planner_of(town).polyline(route)
        steps = np.diff(line, axis=0)
        assert np.linalg.norm(steps, axis=1).max() < 1.7
        headings = np.arctan2(steps[:, 1], steps[:, 0])
        turned = [abs(wrap_angle(float(turn))) for turn in np.diff(headings)]
        assert max(turned) < math.radians(40.0)


@pytest.mark.parametrize("town", towns.TOWNS)
def test_commands_name_the_turns(town: str) -> None:
    for route in routes(town, 8):
        for index, (waypoint, command) in enumerate(route):
            assert waypoint.is_junction == (command in MANOEUVRES), index
        for zone in zones(route):
            begin, end = route[zone[0]][0].transform.rotation.yaw, route[zone[-1]][0].transform.rotation.yaw
            change = wrap_angle(math.radians(end - begin))
            if route[zone[0]][1] == Command.LEFT:
                assert change < -0.5
            if route[zone[0]][1] == Command.RIGHT:
                assert change > 0.5


def zones(route: DenseRoute) -> list[range]:
    """Index ranges of the manoeuvres that the route holds whole."""
    found, begin = [], None
    for index, (_, command) in enumerate(route):
        if command in MANOEUVRES and begin is None and index > 0:
            begin = index
        if command not in MANOEUVRES and begin is not None:
            found.append(range(begin, index))
            begin = None
    return found


@pytest.mark.parametrize("town", towns.TOWNS)
def test_a_wish_is_met_or_refused_with_the_reason(town: str) -> None:
    met = 0
    for route in routes(town, 10):
        for wish in MANOEUVRES:
            answer = planner_of(town).redirect(route, ego_at(route, 0), wish)
            if answer.route is None:
                assert answer.reason
                continue
            met += 1
            assert first_manoeuvre([entry for entry in answer.route if entry[0] is not route[0][0]][8:]) == wish
            assert answer.distance >= 9.0
            assert answer.route[-1][0].transform.location.distance(route[-1][0].transform.location) < 2.0
            steps = np.linalg.norm(np.diff(planner_of(town).polyline(answer.route), axis=0), axis=1)
            assert steps.max() < 1.7
    assert met >= 10


def test_thinned_route_drives_like_the_dense_one() -> None:
    planner = planner_of("gridtown")
    for route in routes("gridtown", 4):
        points, commands = planner.sparse(route)
        assert (np.linalg.norm(np.diff(points, axis=0), axis=1) <= 50.5).all()
        follower = RoutePlanner(points, commands)
        said = [follower.update(ego_at(route, index)).command for index in range(0, len(route), 2)]
        driven = {command for _, command in route[60:-5]}
        assert driven <= set(said)


def test_a_place_off_the_road_is_refused_in_words() -> None:
    class NoRoad:
        def get_topology(self) -> list[tuple[object, object]]:
            return []

    with pytest.raises(SimlingoError, match="no driving lanes"):
        GlobalPlanner(NoRoad())


def test_no_junction_left_is_said() -> None:
    route = routes("gridtown", 1)[0]
    end = next(index for index in range(len(route) - 1, 0, -1) if route[index][0].is_junction) + 1
    tail = route[end:]
    assert len(tail) > 15, "choose another seed"
    answer = planner_of("gridtown").redirect(tail, ego_at(tail, 0), Command.LEFT)
    assert answer.route is None
    assert "no junction" in answer.reason


def test_a_lane_change_is_offered_where_the_marks_allow_it() -> None:
    planner = planner_of("gridtown")
    assert planner.graph.lane_changes, "gridtown has a street of two lanes a direction"
    place, options = next(iter(planner.graph.lane_changes.items()))
    lane = planner.graph.lanes[planner.graph.lane_of[place]]
    route = planner.trace(lane.waypoints[0].transform.location, lane.waypoints[-1].transform.location)
    answer = planner.redirect(route, ego_at(route, 0), options[0][1])
    assert answer.route is not None
    assert options[0][1] in {command for _, command in answer.route}
    assert isinstance(answer.route[0][0], carla.Waypoint)
