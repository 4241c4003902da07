"""Commentary: the words follow from the labels, and say what the plan does."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simlingo.contracts import Command
from simlingo_drive.expert.causes import Cause
from simlingo_drive.expert.explanation import cause_of
from simlingo_drive.expert.situation import Lead, Stop
from training.language.commentary import FrameFacts, commentary, every_commentary

STRAIGHT = np.stack((np.arange(20.0), np.zeros(20)), axis=1)
BEND = np.stack((np.arange(20.0), np.arange(20.0) ** 2 / 60.0), axis=1)


def waypoints(speed: float, change: float) -> np.ndarray:
    """Speed waypoints (10, 2) m that begin at ``speed`` m/s and change by ``change`` m/s^2 down to a standstill."""
    times = np.arange(1, 11) * 0.25
    speeds = np.maximum(speed + change * times, 0.0)
    return np.stack((np.cumsum(speeds) * 0.25, np.zeros(10)), axis=1)


CRUISING = FrameFacts(8.0, waypoints(8.0, 0.0), STRAIGHT, Command.FOLLOW_LANE, 90.0, Cause.ROAD, False, 50.0)


def facts(speed: float, change: float, **more: object) -> FrameFacts:
    return replace(CRUISING, speed=speed, speed_waypoints=waypoints(speed, change), **more)


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        (CRUISING, "Follow the road. Keep the speed."),
        (facts(5.0, 1.5), "Follow the road. Speed up."),
        (facts(5.0, -2.5, cause=Cause.TRAFFIC_LIGHT), "Follow the road. Stop for the red light."),
        (facts(8.0, -1.5, cause=Cause.WALKER), "Follow the road. Slow down for the pedestrian."),
        (facts(8.0, -1.5, path=BEND), "Follow the road. Slow down for the bend."),
        (facts(8.0, -1.5), "Follow the road. Slow down."),
        (facts(0.0, 0.0, cause=Cause.LEAD), "Follow the road. Wait for the vehicle ahead."),
        (facts(6.0, 0.0, cause=Cause.LEAD), "Follow the road. Follow the vehicle ahead."),
        (facts(0.0, 1.5, light_is_green=True, light_distance=6.0), "Follow the road. Start as the light is green."),
        (facts(0.0, 1.5, light_is_green=True, light_distance=40.0), "Follow the road. Start."),
        (replace(CRUISING, command=Command.LEFT, distance_to_command=12.0), "Turn left at the junction. Keep the speed."),
        (replace(CRUISING, command=Command.LEFT, distance_to_command=35.0), "Follow the road. Keep the speed."),
        (replace(CRUISING, command=Command.CHANGE_LANE_RIGHT, distance_to_command=3.0), "Change to the right lane. Keep the speed."),
    ],
)  # fmt: skip
def test_the_words_say_where_what_and_why(seen: FrameFacts, words: str) -> None:
    assert commentary(seen) == words


@settings(deadline=None)  # the first sentence reads the wordings
@given(
    st.floats(0, 15),
    st.floats(-6, 3),
    st.sampled_from(Command),
    st.floats(0, 100),
    st.sampled_from(Cause),
    st.booleans(),
)
def test_every_sentence_is_known_to_the_tokenizer(
    speed: float, change: float, command: Command, distance: float, cause: Cause, green: bool
) -> None:
    seen = facts(
        speed,
        change,
        command=command,
        distance_to_command=distance,
        cause=cause,
        light_is_green=green,
        light_distance=9.0,
    )
    assert commentary(seen) in every_commentary()


@pytest.mark.parametrize("reason", ["traffic_light", "stop_sign", "junction", "walker", "vehicle"])
def test_every_reason_of_the_expert_has_a_label(reason: str) -> None:
    assert cause_of(Stop(3.0, reason)).name == reason.upper()
    assert cause_of(Lead(3.0, 0.0, 7)) is Cause.LEAD
    assert cause_of(None) is Cause.ROAD
