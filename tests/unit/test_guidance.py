"""The route as the stack follows it, turns that are asked for, given up, missed and made."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np
import pytest

from simlingo.contracts import Command, EgoState, InvalidInputError
from simlingo.instructions.session import Turn
from simlingo.navigation.global_planner import MANOEUVRES, GlobalPlanner
from simlingo.navigation.guidance import Guidance
from simlingo_sim import towns

STRAIGHT = np.stack((np.arange(0.0, 200.0), np.zeros(200)), axis=1)
FOLLOW = [Command.FOLLOW_LANE] * 200


@cache
def town_map() -> Any:
    return towns.load("gridtown").map


def ego(x: float, y: float = 0.0, yaw: float = 0.0, stamp: int = 0) -> EgoState:
    return EgoState(stamp, x, y, yaw, 5.0)


def on_town(guidance: Guidance) -> list[EgoState]:
    """Give ``guidance`` a route through gridtown with a turn; returns the poses along it."""
    planner = GlobalPlanner(town_map())
    starts = towns.load("gridtown").spawn_points
    for goal in range(7, len(starts)):
        dense = planner.trace(starts[0].location, starts[goal].location)
        if len(dense) > 150 and any(command == Command.RIGHT for _, command in dense[20:100]):
            break
    line = planner.polyline(dense)
    guidance.set_map(town_map())
    guidance.set_route(line, [command for _, command in dense])
    return poses_along(line)


def poses_along(line: np.ndarray) -> list[EgoState]:
    steps = np.diff(line, axis=0)
    return [
        EgoState(0, float(x), float(y), math.atan2(dy, dx), 5.0)
        for (x, y), (dx, dy) in zip(line[:-1], steps, strict=True)
    ]


def test_without_route_there_is_no_navigation() -> None:
    assert Guidance().update(ego(0.0)) is None


@pytest.mark.parametrize("points", [np.empty((0, 2)), np.zeros((1, 2)), np.zeros((5, 2)), np.full((3, 2), np.nan)])
def test_routes_that_lead_nowhere_are_refused(points: np.ndarray) -> None:
    guidance = Guidance()
    with pytest.raises(InvalidInputError):
        guidance.set_route(points, [Command.FOLLOW_LANE] * len(points))
    assert guidance.update(ego(0.0)) is None


def test_a_refused_route_takes_the_old_one_along() -> None:
    guidance = Guidance()
    guidance.set_route(STRAIGHT, FOLLOW)
    assert guidance.update(ego(0.0)) is not None
    with pytest.raises(InvalidInputError):
        guidance.set_route(STRAIGHT[:1], FOLLOW[:1])
    assert guidance.update(ego(0.0)) is None
    assert len(guidance.route()[0]) == 0
    guidance.set_route(STRAIGHT, FOLLOW)
    assert guidance.update(ego(0.0)) is not None


def test_a_route_a_kilometre_away_is_given_up() -> None:
    guidance = Guidance()
    guidance.set_route(STRAIGHT, FOLLOW)
    with pytest.raises(InvalidInputError, match=r"route is 1000 m away.*begins at the vehicle"):
        guidance.update(ego(-1000.0))
    assert guidance.update(ego(0.0)) is None


def test_a_path_without_commands_is_followed() -> None:
    guidance = Guidance()
    guidance.set_route(STRAIGHT, None)
    navigation = guidance.update(ego(3.0))
    assert navigation is not None
    assert navigation.command == Command.FOLLOW_LANE


def test_too_far_off_the_route_does_not_guide() -> None:
    guidance = Guidance(max_deviation_m=10.0)
    guidance.set_route(STRAIGHT, FOLLOW)
    guidance.update(ego(5.0, 9.0))
    assert not guidance.off_route
    guidance.update(ego(5.0, 11.0))
    assert guidance.off_route


def test_no_turn_without_a_map_or_a_route_and_the_reason_says_so() -> None:
    guidance = Guidance()
    assert "world_info" in guidance.change(Command.LEFT, False, ego(0.0))
    guidance.set_map(town_map())
    assert "no route" in guidance.change(Command.LEFT, False, ego(0.0))


def asked_to_turn(guidance: Guidance) -> tuple[list[EgoState], Command]:
    """A mission, and another way at its first junction asked for; the mission's poses and what was asked."""
    poses = on_town(guidance)
    guidance.update(poses[0])
    first = next(command for command in guidance.route()[1] if command in MANOEUVRES)
    for command in MANOEUVRES:
        if command != first and not guidance.change(command, True, poses[0]):
            return poses, command
    raise AssertionError("choose another route")


def drive(guidance: Guidance, poses: list[EgoState], until: Turn | None = None) -> Turn:
    """Follow ``poses`` to their end, or until the turn is in that state."""
    for pose in poses:
        guidance.update(pose)
        if guidance.turn is until:
            break
    return guidance.turn


@pytest.mark.medium
def test_a_turn_bends_the_route_and_is_done_once_driven() -> None:
    guidance = Guidance()
    _, command = asked_to_turn(guidance)
    line, commands = guidance.route()
    assert next(each for each in commands if each in MANOEUVRES) == command
    assert guidance.turn is Turn.AHEAD
    begin = commands.index(command)
    assert drive(guidance, poses_along(line)[: begin - 2]) is Turn.AHEAD
    assert drive(guidance, poses_along(line)[begin - 2 : begin + 60], Turn.DONE) is Turn.DONE
    goal = guidance.route()[0][-1]
    assert guidance.restore(poses_along(line)[begin]) == ""
    np.testing.assert_array_equal(guidance.route()[0][-1], goal)


@pytest.mark.medium
def test_a_turn_given_up_before_the_junction_leaves_the_mission_as_it_was() -> None:
    guidance = Guidance()
    mission = Guidance()
    poses = on_town(mission)
    asked_to_turn(guidance)
    drive(guidance, poses[:12])
    revision = guidance.revision
    assert guidance.restore(poses[12]) == ""
    assert guidance.revision > revision
    assert guidance.turn is Turn.NONE
    np.testing.assert_array_equal(guidance.route()[0], mission.route()[0])
    for pose in poses[12:]:
        guidance.update(pose)
        assert guidance.planner is not None
        assert guidance.planner.deviation < 0.5
    assert guidance.planner is not None
    assert guidance.planner.finished


@pytest.mark.medium
def test_a_turn_given_up_behind_the_junction_leads_to_the_goal_another_way() -> None:
    guidance = Guidance()
    poses, command = asked_to_turn(guidance)
    line, commands = guidance.route()
    turning = commands.index(command) + 8
    drive(guidance, poses_along(line)[:turning])
    assert guidance.restore(poses_along(line)[turning]) == ""
    again = guidance.route()[0]
    assert float(np.linalg.norm(again[-1] - (poses[-1].x, poses[-1].y))) < 3.0
    assert guidance.planner is not None
    assert guidance.planner.deviation < 1.0


@pytest.mark.medium
def test_a_missed_turn_is_known_and_the_route_leads_on_from_the_lane_driven() -> None:
    guidance = Guidance()
    poses, _ = asked_to_turn(guidance)
    assert drive(guidance, poses, Turn.MISSED) is Turn.MISSED
    missed_at = next(pose for pose in poses if _beside(guidance, pose) > 6.0)
    assert guidance.rejoin(missed_at) == ""
    assert guidance.planner is not None
    assert guidance.planner.deviation < 1.0
    assert guidance.turn is Turn.NONE
    line = guidance.route()[0]
    assert float(np.linalg.norm(line[-1] - (poses[-1].x, poses[-1].y))) < 3.0
    guidance.update(missed_at)
    assert not guidance.off_route


def _beside(guidance: Guidance, pose: EgoState) -> float:
    """Distance of a pose from the route followed now, m."""
    return float(np.min(np.linalg.norm(guidance.route()[0] - (pose.x, pose.y), axis=1)))


@pytest.mark.medium
def test_the_next_left_may_be_a_later_junction_and_the_next_junction_may_not() -> None:
    planner, spawns = GlobalPlanner(town_map()), towns.load("gridtown").spawn_points
    dense = planner.trace(spawns[0].location, spawns[3].location)
    guidance = Guidance()
    guidance.set_map(town_map())
    guidance.set_route(planner.polyline(dense), [command for _, command in dense])
    here = poses_along(planner.polyline(dense))[0]
    guidance.update(here)
    assert "offers only: right, straight" in guidance.change(Command.LEFT, True, here)
    assert guidance.turn is Turn.NONE
    assert guidance.change(Command.LEFT, False, here) == ""
    made = [each for each in guidance.route()[1] if each in MANOEUVRES]
    assert made[0] != Command.LEFT
    assert Command.LEFT in made
