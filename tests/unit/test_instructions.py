"""The phrase table: what is a navigation command and what is not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simlingo.contracts import Command
from simlingo.instructions import MAX_LENGTH, normalise, parse

SIDES = {"left": Command.LEFT, "right": Command.RIGHT}
PLACES = ("junction", "intersection", "crossing", "crossroads", "light", "traffic light", "traffic lights", "corner")
TURNS = (
    "turn {side}",
    "turn {side} at the next {place}",
    "at the next {place} turn {side}",
    "at the {place}, please turn {side}",
    "go {side} at this {place}",
    "take the next {side}",
    "take the first {side} turn",
    "take a {side} at the next {place}",
    "make a {side} turn at the {place}",
    "take the next turn to the {side}",
    "take the next street on the {side}",
    "when you reach the next {place}, turn to the {side}",
    "{side} at the next {place}",
    "next {side}",
    "{side}",
    "bear {side} up ahead",
)


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("phrase", TURNS)
def test_turns(side: str, place: str, phrase: str) -> None:
    assert parse(phrase.format(side=side, place=place)) == SIDES[side]


@pytest.mark.parametrize(
    "text",
    [
        "go straight",
        "Go straight on.",
        "keep going straight on",
        "keep straight",
        "carry on straight ahead",
        "continue straight at the next intersection",
        "at the lights go straight",
        "straight ahead",
        "drive straight through the next junction",
        "go straight over the crossing",
        "go through the next junction",
        "cross the next intersection",
        "proceed straight across the junction",
    ],
)
def test_straight(text: str) -> None:
    assert parse(text) == Command.STRAIGHT


@pytest.mark.parametrize(
    "text",
    [
        "follow the road",
        "follow the lane",
        "Just follow this road, please",
        "keep following the road",
        "follow the course of the road",
        "stay in your lane",
        "keep your lane",
        "stay on this road",
        "continue along the street",
        "keep driving on the same road",
        "lane following",
    ],
)
def test_follow(text: str) -> None:
    assert parse(text) == Command.FOLLOW_LANE


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "?!",
        "don't turn left",
        "Do not go straight",
        "don’t follow the road",
        "never turn right at the next junction",
        "turn left or right",
        "turn left, no, right",
        "turn left and then right",
        "turn left then stop",
        "not left",
        "turn",
        "turn around",
        "take the second left",
        "take the next left but one",
        "turn left in 300 metres",
        "what is left of the car?",
        "is it right to go straight?",
        "the car in front turns left",
        "follow the car",
        "follow the white van",
        "change to the left lane",
        "pull over on the right",
        "stop",
        "drive faster",
        "all right",
        "turn left unless there is a car",
        "why did you turn left",
        "turn on the left indicator",
    ],
)
def test_not_understood(text: str) -> None:
    assert parse(text) is None


POLITE_FRONT = ("", "please ", "Could you please ", "hey SimLingo, ", "ok, now ", "I'd like you to ", "Let's ")
POLITE_BACK = ("", " please", ", thank you!", " now.", " for me, please", " ...")


@given(
    front=st.sampled_from(POLITE_FRONT),
    back=st.sampled_from(POLITE_BACK),
    side=st.sampled_from(sorted(SIDES)),
    place=st.sampled_from(PLACES),
    phrase=st.sampled_from(TURNS),
    upper=st.booleans(),
    gap=st.sampled_from((" ", "  ", "\t", " \n ")),
)
def test_politeness_case_and_spacing_change_nothing(
    front: str, back: str, side: str, place: str, phrase: str, upper: bool, gap: str
) -> None:
    text = (front + phrase.format(side=side, place=place) + back).replace(" ", gap)
    assert parse(text.upper() if upper else text) == SIDES[side]


@pytest.mark.medium
@given(text=st.text(max_size=MAX_LENGTH))
def test_any_text_is_answered(text: str) -> None:
    assert parse(text) in (None, Command.LEFT, Command.RIGHT, Command.STRAIGHT, Command.FOLLOW_LANE)
    assert normalise(text) == normalise(text.strip())


WORDS = (
    "turn",
    "go",
    "left",
    "right",
    "straight",
    "not",
    "don't",
    "or",
    "the",
    "next",
    "junction",
    "at",
    "follow",
    "road",
)


@given(
    words=st.lists(
        st.sampled_from(WORDS),
        max_size=10,
    )
)
def test_negation_and_two_directions_never_steer(words: list[str]) -> None:
    command = parse(" ".join(words))
    if {"not", "don't", "or"} & set(words) or {"left", "right"} <= set(words):
        assert command is None
    if command in (Command.LEFT, Command.RIGHT):
        assert command.name.lower() in words


def test_long_text_is_refused() -> None:
    for text in ("keep going " * 200, ("keep " * 31).strip(), ("please " * 22), "straight on " * 13):
        assert parse(text) is None
