"""What the page keeps of messages: good ones as JSON, broken ones as a visible problem."""

from __future__ import annotations

import json
import math

import pytest
from carla_msgs.msg import (
    CarlaTrafficLightInfo,
    CarlaTrafficLightInfoList,
    CarlaTrafficLightStatus,
    CarlaTrafficLightStatusList,
)
from geometry_msgs.msg import Point
from simlingo_msgs.msg import DrivingPlan, InstructionStatus, Navigation, Route, RoutePoint, StackState

from simlingo.contracts import EgoState
from simlingo_node.conversions import ns_to_stamp
from simlingo_node.overlay import Camera
from simlingo_node.page.state import PageState

TICK = 50_000_000


def pose(tick: int, x: float = 0.0) -> EgoState:
    """Standing in the map's origin, or ``x`` metres east of it, heading east."""
    return EgoState(stamp=tick * TICK, x=x, y=0.0, yaw=0.0, speed=5.0)


def plan(tick: int, bend: float = 0.0) -> DrivingPlan:
    """A plan straight ahead, or to the left by ``bend``."""
    message = DrivingPlan(model="test")
    message.header.stamp = ns_to_stamp(tick * TICK)
    message.path = [Point(x=float(i), y=bend * i) for i in range(1, 21)]
    message.speed_waypoints = [Point(x=1.5 * i) for i in range(1, 11)]
    return message


@pytest.fixture
def state() -> PageState:
    made = PageState()
    made.add_pose(pose(1))
    return made


def test_empty_state_is_valid_json() -> None:
    snapshot = json.loads(json.dumps(PageState().snapshot(), allow_nan=False))
    assert snapshot["pose"] is None
    assert snapshot["nodes"] == []


def test_plan_to_the_left_lies_north_on_the_map(state: PageState) -> None:
    state.add_plan(plan(1, bend=0.1))
    shown = state.snapshot()["plan"]
    assert isinstance(shown, dict)
    assert shown["path"][-2:] == [20.0, -2.0], "a screen counts downwards"


def test_overlay_is_carried_to_the_newer_picture(state: PageState) -> None:
    state.add_plan(plan(1))
    state.add_pose(pose(2, x=2.0))
    then, now = (state.overlay(tick * TICK, Camera()) for tick in (1, 2))
    assert then is not None
    assert now is not None
    assert now.dots[0, 1] > then.dots[0, 1], "two metres on, the waypoint is nearer"
    assert state.overlay(60 * TICK, Camera()) is None, "a picture of another time shows no plan"


@pytest.mark.parametrize("break_it", ["short", "nan"])
def test_broken_plan_is_a_problem_and_keeps_the_last_good_one(state: PageState, break_it: str) -> None:
    state.add_plan(plan(1))
    broken = plan(1)
    if break_it == "short":
        broken.path = broken.path[:5]
    else:
        broken.path[3].x = math.nan
    state.add_plan(broken)
    snapshot = state.snapshot()
    assert "plan" in str(snapshot["problem"])
    assert snapshot["plan"] is not None
    json.dumps(snapshot, allow_nan=False)


def test_unknown_command_and_short_route_are_problems(state: PageState) -> None:
    state.add_navigation(Navigation(status=Navigation.OK, command=77))
    assert "77" in str(state.snapshot()["problem"])
    state.add_route(Route(id="a", points=[RoutePoint(command=RoutePoint.LANE_FOLLOW)]))
    assert "1 point" in str(state.snapshot()["problem"])


def test_numbers_that_are_not_numbers_become_none(state: PageState) -> None:
    state.add_node(StackState(node="planner", mode="active", latency_p50_ms=math.nan))
    snapshot = json.loads(json.dumps(state.snapshot(), allow_nan=False))
    assert snapshot["nodes"][0]["p50_ms"] is None


def test_newer_status_of_an_instruction_replaces_the_older(state: PageState) -> None:
    for status in (InstructionStatus.ACCEPTED, InstructionStatus.OBEYED):
        state.add_instruction_status(InstructionStatus(id="1", text="turn left", status=status))
    state.add_instruction_status(InstructionStatus(id="2", text="fly", status=InstructionStatus.NOT_UNDERSTOOD))
    feed = state.snapshot()["feed"]
    assert isinstance(feed, list)
    assert [(entry["text"], entry["status"]) for entry in feed] == [("turn left", "obeyed"), ("fly", "not understood")]


def test_trace_grows_by_the_metre_and_ends_with_the_run(state: PageState) -> None:
    for tick in range(2, 50):
        state.add_pose(pose(tick, x=0.25 * tick))
    trace = state.lasting()["trace"]
    assert isinstance(trace, list)
    assert 10 <= len(trace) / 2 <= 13
    state.add_pose(pose(1))
    assert state.lasting()["trace"] == [0.0, 0.0]


@pytest.mark.parametrize(
    ("x", "y", "shown"),
    [(20.0, 0.0, True), (20.0, 1.5, True), (20.0, 3.5, False), (-5.0, 0.0, False), (80.0, 0.0, False)],
)
def test_only_the_light_of_the_own_lane_ahead_is_shown(state: PageState, x: float, y: float, shown: bool) -> None:
    info = CarlaTrafficLightInfo(id=3)
    info.transform.position = Point(x=x, y=y - 4.0)  # stands 4 m right of its stop area
    info.trigger_volume.center.y = 4.0
    state.set_light_places(CarlaTrafficLightInfoList(traffic_lights=[info]))
    red = CarlaTrafficLightStatus(id=3, state=CarlaTrafficLightStatus.RED)
    state.set_light_states(CarlaTrafficLightStatusList(traffic_lights=[red]))
    assert state.snapshot()["light"] == ({"state": "red", "distance": 20.0} if shown else None)


@pytest.mark.parametrize(("x", "shown"), [(2.0, 7.0), (-4.0, 1.0), (-6.0, None)])
def test_a_car_that_waits_in_the_stop_area_has_its_light_ahead(state: PageState, x: float, shown: float | None) -> None:
    info = CarlaTrafficLightInfo(id=3)
    info.transform.position = Point(x=x)
    info.trigger_volume.size.x, info.trigger_volume.size.y = 3.5, 10.0
    state.set_light_places(CarlaTrafficLightInfoList(traffic_lights=[info]))
    red = CarlaTrafficLightStatus(id=3, state=CarlaTrafficLightStatus.RED)
    state.set_light_states(CarlaTrafficLightStatusList(traffic_lights=[red]))
    assert state.snapshot()["light"] == (None if shown is None else {"state": "red", "distance": shown})


def test_light_that_turns_with_its_pole_keeps_its_stop_area(state: PageState) -> None:
    info = CarlaTrafficLightInfo(id=3)
    info.transform.position = Point(x=20.0, y=4.0)
    info.transform.orientation.z = info.transform.orientation.w = math.sqrt(0.5)  # a quarter turn to the left
    info.trigger_volume.center.x = -4.0
    state.set_light_places(CarlaTrafficLightInfoList(traffic_lights=[info]))
    green = CarlaTrafficLightStatus(id=3, state=CarlaTrafficLightStatus.GREEN)
    state.set_light_states(CarlaTrafficLightStatusList(traffic_lights=[green]))
    assert state.snapshot()["light"] == {"state": "green", "distance": 20.0}
