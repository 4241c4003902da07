"""The prompt strings of spec A.6, character by character."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simlingo.contracts import Command, Navigation
from simlingo.model.prompt import RouteAs, chat, driving_prompt


def navigation(command: Command, following: Command = Command.FOLLOW_LANE, distance: float = 23.9) -> Navigation:
    return Navigation(np.zeros((2, 2)), command, following, distance)


def test_target_points_stand_next_to_each_other() -> None:
    text = driving_prompt(5.25, navigation(Command.LEFT), RouteAs.TARGET_POINT)
    assert text == ("Current speed: 5.2 m/s. Target waypoint: <TARGET_POINT><TARGET_POINT>. Predict the waypoints.")


@pytest.mark.parametrize(
    ("command", "following", "wording"),
    [
        (Command.LEFT, Command.FOLLOW_LANE, "go left at the next intersection in 23 meter then follow the road"),
        (Command.STRAIGHT, Command.STRAIGHT, "go straight at the next intersection in 23 meter"),
        (Command.FOLLOW_LANE, Command.FOLLOW_LANE, "follow the road"),
        (Command.FOLLOW_LANE, Command.RIGHT, "follow the road then go right at the next intersection"),
        (
            Command.CHANGE_LANE_LEFT,
            Command.FOLLOW_LANE,
            "do a lane change to the left in 23 meter then follow the road",
        ),
    ],
)
def test_commands_in_words(command: Command, following: Command, wording: str) -> None:
    text = driving_prompt(0.0, navigation(command, following), RouteAs.COMMAND)
    assert text == f"Current speed: 0.0 m/s. Command: {wording}. Predict the waypoints."


def test_template_has_no_system_turn_and_no_newline_between_turns() -> None:
    assert chat("hello", "Waypoints:", 2) == (
        "<|im_start|>user\n<img><IMG_CONTEXT><IMG_CONTEXT></img>\nhello<|im_end|>"
        "<|im_start|>assistant\nWaypoints:<|im_end|>"
    )


@given(st.floats(0, 60), st.sampled_from(Command), st.sampled_from(Command), st.floats(0, 200))
def test_no_double_full_stop(speed: float, command: Command, following: Command, distance: float) -> None:
    for route_as in RouteAs:
        assert ".." not in driving_prompt(speed, navigation(command, following, distance), route_as)
