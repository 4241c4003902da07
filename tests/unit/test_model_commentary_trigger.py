"""When the model speaks: each rule, and what counts as a change."""

from __future__ import annotations

import numpy as np
import pytest

from simlingo.contracts import Command
from simlingo.model.engine.commentary_trigger import (
    STEADY_PLANS,
    CommentaryMode,
    CommentaryTrigger,
    Intent,
    Pace,
    Way,
    intent_of,
)

KEEP = Intent(Pace.KEEP, Way.AHEAD)
SLOW = Intent(Pace.SLOW_DOWN, Way.AHEAD)
FASTER = Intent(Pace.SPEED_UP, Way.AHEAD)
STOP = Intent(Pace.STOP, Way.AHEAD)
BRAKE = Intent(Pace.BRAKE_HARD, Way.AHEAD)


def path_to(angle_deg: float) -> np.ndarray:
    along = np.arange(1.0, 21.0)
    angle = np.radians(angle_deg)
    return np.stack((along * np.cos(angle), along * np.sin(angle)), axis=1)


def waypoints_at(speed: float) -> np.ndarray:
    times = 0.25 * np.arange(1, 11)
    return np.stack((speed * times, np.zeros(10)), axis=1)


@pytest.mark.parametrize(
    ("wanted", "speed", "pace"),
    [
        (0.0, 8.0, Pace.STOP),
        (0.3, 0.0, Pace.STOP),
        (2.0, 8.0, Pace.BRAKE_HARD),
        (6.0, 8.0, Pace.SLOW_DOWN),
        (7.8, 8.0, Pace.KEEP),
        (8.0, 2.0, Pace.SPEED_UP),
    ],
)
def test_the_pace_follows_the_speed_that_the_controller_reads(wanted: float, speed: float, pace: Pace) -> None:
    assert intent_of(path_to(0.0), waypoints_at(wanted), speed).pace is pace


@pytest.mark.parametrize(("angle", "way"), [(0.0, Way.AHEAD), (10.0, Way.AHEAD), (25.0, Way.RIGHT), (-25.0, Way.LEFT)])
def test_y_points_right(angle: float, way: Way) -> None:
    assert intent_of(path_to(angle), waypoints_at(5.0), 5.0).way is way


def said(
    rule: CommentaryTrigger, intents: list[Intent], command: Command = Command.FOLLOW_LANE, instruction: str = ""
) -> list[int]:
    return [number for number, intent in enumerate(intents) if rule.due(intent, command, instruction)]


def test_never_always_and_every_n() -> None:
    assert said(CommentaryTrigger(CommentaryMode.NEVER), [KEEP, STOP] * 5) == []
    assert said(CommentaryTrigger(CommentaryMode.ALWAYS), [KEEP] * 4) == [0, 1, 2, 3]
    assert said(CommentaryTrigger(CommentaryMode.EVERY_N, 4), [KEEP] * 9) == [0, 4, 8]
    assert said(CommentaryTrigger(CommentaryMode.EVERY_N, 1), [KEEP] * 3) == [0, 1, 2]


def test_on_change_speaks_once_per_change_and_not_for_a_flicker() -> None:
    rule = CommentaryTrigger(CommentaryMode.ON_CHANGE)
    assert said(rule, [KEEP] * 10) == [0]
    assert said(rule, [SLOW, KEEP] * 5) == []
    assert said(rule, [SLOW] * 6) == [STEADY_PLANS - 1]
    assert said(rule, [KEEP] * 6) == [STEADY_PLANS - 1]


@pytest.mark.parametrize("hazard", [STOP, BRAKE])
def test_a_hazard_counts_at_once_and_its_end_must_be_steady(hazard: Intent) -> None:
    rule = CommentaryTrigger(CommentaryMode.ON_CHANGE)
    assert said(rule, [KEEP] * 4) == [0]
    assert said(rule, [hazard] * 4) == [0]
    assert said(rule, [KEEP, KEEP, hazard] * 4) == []
    assert said(rule, [KEEP] * 4) == [STEADY_PLANS - 1]
    assert said(rule, [hazard, KEEP] * 5) == [0]


def test_two_kinds_of_hazard_that_alternate_are_one() -> None:
    rule = CommentaryTrigger(CommentaryMode.ON_CHANGE)
    assert said(rule, [KEEP] * 4) == [0]
    assert said(rule, [BRAKE, STOP] * 5) == [0]
    assert said(rule, [STOP] * 4) == [STEADY_PLANS - 2]  # the last one above agreed already


def test_a_second_hazard_after_unsteady_driving_is_told() -> None:
    rule = CommentaryTrigger(CommentaryMode.ON_CHANGE)
    assert said(rule, [KEEP, STOP, KEEP, FASTER, KEEP, FASTER, STOP]) == [0, 1, 6]


def test_a_text_before_the_first_plan_tells_that_plans_intent() -> None:
    for first in (KEEP, STOP):
        rule = CommentaryTrigger(CommentaryMode.ON_CHANGE)
        assert rule.due(None, Command.LEFT, "")
        assert said(rule, [first] * 5, Command.LEFT) == []
        assert said(rule, [FASTER] * 5, Command.LEFT) == [STEADY_PLANS - 1]


def test_a_new_command_or_instruction_counts_at_once() -> None:
    rule = CommentaryTrigger(CommentaryMode.ON_CHANGE)
    assert said(rule, [KEEP] * 3) == [0]
    assert said(rule, [KEEP] * 3, Command.LEFT) == [0]
    assert said(rule, [KEEP] * 3, Command.LEFT, "i1") == [0]
    assert said(rule, [KEEP] * 3, Command.FOLLOW_LANE) == [0]


def test_after_a_reset_the_first_plan_is_new() -> None:
    rule = CommentaryTrigger(CommentaryMode.ON_CHANGE)
    assert said(rule, [KEEP] * 3) == [0]
    rule.reset()
    assert said(rule, [KEEP] * 3) == [0]
