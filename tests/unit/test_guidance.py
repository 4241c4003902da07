"""The route as the stack follows it, and instructions that change it."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np
import pytest

from simlingo.contracts import Command, EgoState, Instruction, InvalidInputError
from simlingo.navigation.global_planner import GlobalPlanner
from simlingo.navigation.guidance import ACCEPTED, CLEARED, NOT_UNDERSTOOD, OBEYED, REFUSED, Guidance
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


def test_words_without_a_map_or_route_are_refused_with_the_reason() -> None:
    guidance = Guidance()
    turn = Instruction("1", 0, "turn left at the next junction")
    assert [outcome.status for outcome in guidance.instruct(turn, ego(0.0))] == [REFUSED]
    assert "world_info" in guidance.instruct(turn, ego(0.0))[-1].reason
    guidance.set_map(town_map())
    assert "no route" in guidance.instruct(turn, ego(0.0))[-1].reason


def test_other_words_are_not_understood() -> None:
    outcome = Guidance().instruct(Instruction("1", 0, "sing a song"), ego(0.0))[-1]
    assert outcome.status == NOT_UNDERSTOOD
    assert outcome.reason


@pytest.mark.medium
def test_an_accepted_instruction_bends_the_route_and_is_obeyed_once_driven() -> None:
    guidance = Guidance()
    poses = on_town(guidance)
    guidance.update(poses[0])
    first_turn = next(
        command for command in guidance.route()[1] if command in (Command.LEFT, Command.RIGHT, Command.STRAIGHT)
    )
    wishes = {"turn left": Command.LEFT, "turn right": Command.RIGHT, "go straight": Command.STRAIGHT}
    text = next(
        text
        for text, command in wishes.items()
        if command != first_turn and guidance.instruct(Instruction("w", 0, text), poses[0])[-1].status == ACCEPTED
    )
    assert guidance.instruction_id == "w"
    line, commands = guidance.route()
    turn = next(command for command in commands if command in wishes.values())
    assert turn == wishes[text]
    assert guidance.carried_out() is None
    outcomes = []
    for pose in poses_along(line)[: commands.index(turn) + 60]:
        guidance.update(pose)
        done = guidance.carried_out()
        if done is not None:
            outcomes.append((done.status, guidance.planner and guidance.planner.progress))
    assert [status for status, _ in outcomes] == [OBEYED]
    assert outcomes[0][1] > commands.index(turn) * 0.5


def test_an_empty_text_clears_and_a_new_one_replaces() -> None:
    guidance = Guidance()
    poses = on_town(guidance)
    guidance.update(poses[0])
    follow = Instruction("a", 0, "follow the road")
    assert guidance.instruct(follow, poses[0])[-1].status == ACCEPTED
    outcomes = guidance.instruct(Instruction("b", 0, "follow the road"), poses[0])
    assert [(outcome.instruction.id, outcome.status) for outcome in outcomes] == [("a", CLEARED), ("b", ACCEPTED)]
    cleared = guidance.instruct(Instruction("c", 0, "  "), poses[0])
    assert [(outcome.instruction.id, outcome.status) for outcome in cleared] == [("b", CLEARED)]
    assert guidance.instruction_id == ""
