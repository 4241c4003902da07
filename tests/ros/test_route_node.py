"""The route node between processes: routes, navigation for every odometry, and instructions."""

from __future__ import annotations

import importlib
import math

import pytest
from carla_msgs.msg import CarlaWorldInfo
from geometry_msgs.msg import PoseStamped
from nav_msgs.msg import Path as PathMsg
from route_partner import Partner, straight_route
from simlingo_msgs.msg import Instruction, InstructionStatus, Navigation
from stack_harness import TICK
from std_msgs.msg import String

from simlingo.contracts import Command
from simlingo_node.conversions import ns_to_stamp, stamp_to_ns


def test_every_odometry_gets_one_answer_with_its_stamp(partner: Partner) -> None:
    partner.up()
    assert partner.at(0.0).status == Navigation.NO_ROUTE
    partner.mission(straight_route())
    partner.network.until(lambda: partner.routes, 10.0, "the route taken over")
    answer = partner.at(10.0, 1.0)
    assert (answer.status, answer.header.frame_id) == (Navigation.OK, "ego_vehicle")
    assert answer.length == pytest.approx(198.0)
    assert answer.progress == pytest.approx(10.0)
    assert answer.target_points[0].y == pytest.approx(-1.0)  # to the right, for the car is left of the line
    assert partner.at(10.0, 80.0).status == Navigation.OFF_ROUTE
    partner.says("beside the route")
    assert partner.at(197.5).status == Navigation.FINISHED


def test_routes_that_cannot_be_driven_are_refused_with_the_reason(partner: Partner) -> None:
    partner.up()
    for count in (0, 1):
        partner.mission(straight_route(count=count))
        partner.says(f"route has {count} point(s)")
        assert partner.at(0.0).status == Navigation.NO_ROUTE
    broken = straight_route()
    broken.points[3].position.x = math.nan
    partner.mission(broken)
    partner.says("NaN")
    partner.mission(straight_route(1000.0))
    partner.network.until(lambda: partner.routes, 10.0, "the route taken over")
    assert partner.at(0.0).status == Navigation.NO_ROUTE
    partner.says("route is 1000 m away")
    partner.mission(straight_route())
    partner.network.until(lambda: len(partner.routes) > 1, 10.0, "the good route taken over")
    assert partner.at(0.0).status == Navigation.OK


@pytest.mark.parametrize(
    ("what", "words"), [("none", "has 0 point(s)"), ("one", "has 1 point(s)"), ("nan", "NaN"), ("far", "999 m away")]
)
def test_a_refused_route_ends_the_old_one_and_its_reason_stays(partner: Partner, what: str, words: str) -> None:
    partner.up()
    partner.mission(straight_route())
    partner.network.until(lambda: partner.routes, 10.0, "the route taken over")
    assert partner.at(0.0).status == Navigation.OK
    bad = straight_route(1000.0) if what == "far" else straight_route(count={"none": 0, "one": 1}.get(what, 100))
    if what == "nan":
        bad.points[3].position.x = math.nan
    partner.mission(bad)
    partner.network.until(lambda: partner.at(1.0).status == Navigation.NO_ROUTE, 10.0, "no route any more")
    for _ in range(5):
        assert partner.at(1.0).status == Navigation.NO_ROUTE
    heard = len(partner.states)
    partner.network.until(lambda: len(partner.states) > heard + 2, 10.0, "later states")
    assert words in partner.states[-1].detail
    assert partner.states[-1].mode == "no route"
    partner.mission(straight_route())
    partner.network.until(lambda: partner.at(1.0).status == Navigation.OK, 10.0, "the good route")
    partner.network.until(lambda: partner.states[-1].detail == "", 10.0, "a state without a fault")


def test_a_latched_mission_published_before_is_found(partner: Partner) -> None:
    partner.mission(straight_route())
    partner.up()
    partner.network.until(lambda: partner.routes, 10.0, "the route taken over")
    assert partner.at(5.0).status == Navigation.OK


@pytest.mark.parametrize("partner", [{"route_source": "waypoints"}], indirect=True)
def test_a_path_of_the_waypoint_publisher_is_a_route(partner: Partner) -> None:
    partner.up()
    corner = [(x, 0.0) for x in range(0, 60, 2)] + [(60.0, y) for y in range(0, 60, 2)]
    path = PathMsg()
    for x, y in corner:
        pose = PoseStamped()
        pose.pose.position.x, pose.pose.position.y = float(x), float(y)
        path.poses.append(pose)
    partner.path(path)
    partner.network.spin(0.5)
    answer = partner.at(30.0)
    assert answer.status == Navigation.OK
    assert (answer.command, answer.next_command) == (Command.LEFT, Command.FOLLOW_LANE)
    assert 20.0 < answer.distance_to_command < 32.0


@pytest.mark.parametrize("partner", [{"route_source": "leaderboard"}], indirect=True)
def test_the_leaderboards_route_needs_its_message(partner: Partner) -> None:
    has_route = hasattr(importlib.import_module("carla_msgs.msg"), "CarlaRoute")
    assert partner.network.transition("route", 1) is has_route


@pytest.mark.parametrize("partner", [{"instructions": ["0.1:sing a song"]}], indirect=True)
def test_words_are_answered_at_their_time(partner: Partner) -> None:
    partner.mission(straight_route())
    partner.up()
    partner.network.until(lambda: partner.routes, 10.0, "the route taken over")
    first = partner.stamp + TICK
    future = Instruction(id="later", text="dance")
    future.header.stamp = ns_to_stamp(first + 4 * TICK)
    partner.instruct(future)
    partner.network.spin(0.3)
    for number in range(6):
        partner.at(float(number))
    partner.text(String(data="whatever you like"))
    partner.network.spin(0.3)
    partner.at(7.0)
    partner.network.until(lambda: len(partner.status) == 3, 5.0, "three answers")
    assert [answer.text for answer in partner.status] == ["sing a song", "dance", "whatever you like"]
    assert [answer.status for answer in partner.status] == [InstructionStatus.ACCEPTED] * 3
    assert [stamp_to_ns(answer.since) - first for answer in partner.status] == [2 * TICK, 4 * TICK, 6 * TICK]
    assert partner.status[1].id == "later"


def test_a_broken_map_is_named_and_routes_go_on(partner: Partner) -> None:
    partner.up()
    partner.world(CarlaWorldInfo(map_name="ruin", opendrive="<?xml version='1.0'?><OpenDRIVE><road"))
    partner.says("the map 'ruin' of /carla/world_info cannot be read")
    partner.mission(straight_route())
    partner.network.until(lambda: partner.routes, 10.0, "the route taken over")
    assert partner.at(0.0).status == Navigation.OK


def test_a_turn_asked_for_changes_the_route_and_is_obeyed(partner: Partner) -> None:
    line = partner.takes_over_a_town_route()

    def drive(x: float, y: float, dx: float, dy: float) -> Navigation:
        return partner.at(float(x), -float(y), -math.atan2(dy, dx))

    drive(*line[0], *(line[1] - line[0]))
    for text in ("turn left", "turn right", "go straight"):
        heard = len(partner.status)
        partner.text(String(data=text))
        partner.network.spin(0.2)
        drive(*line[1], *(line[2] - line[1]))
        partner.network.until(
            # A route and its status are two topics: neither need come first.
            lambda heard=heard: len(partner.routes) > 1 or any(answer.reason for answer in partner.status[heard:]),
            5.0,
            "another route, or the reason why not",
        )
        if len(partner.routes) > 1:
            break
    changed = partner.routes[-1]
    assert changed.id.startswith("mission/")
    points = [(point.position.x, -point.position.y) for point in changed.points]
    driven = 0
    for (x, y), (next_x, next_y) in zip(points[2:-1:2], points[3::2], strict=False):
        answer = drive(x, y, next_x - x, next_y - y)
        driven += 1
        if not answer.instruction_id:
            break
    assert driven > 10, "it is obeyed when the junction lies behind, not before"
    partner.network.until(lambda: partner.status[-1].status == InstructionStatus.OBEYED, 5.0, "that it is obeyed")
