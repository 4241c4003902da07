"""What a sentence asks of the route, what of the driver, and the speed that it names."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simlingo.contracts import Command
from simlingo.instructions import parse
from simlingo.instructions.parts import Parts, split
from simlingo.instructions.reasons import SAID
from simlingo.instructions.speeds import wished_speed_mps
from simlingo.requests import Reason


@pytest.mark.parametrize(
    ("text", "command", "words"),
    [
        ("slow down and turn left", Command.LEFT, "slow down"),
        ("turn left and slow down", Command.LEFT, "slow down"),
        ("slow down, then take the next right", Command.RIGHT, "slow down"),
        ("Drive at 3.5 m/s and go straight.", Command.STRAIGHT, "Drive at 3.5 m/s"),
        ("turn right. Keep more distance!", Command.RIGHT, "Keep more distance!"),
        ("hurry up, overtake the van and turn left", Command.LEFT, "hurry up, overtake the van"),
        ("turn left", Command.LEFT, ""),
        ("slow down", None, "slow down"),
        ("hello there", None, "hello there"),
    ],
)
def test_route_and_driver_get_their_parts(text: str, command: Command | None, words: str) -> None:
    parts = split(text)
    assert (parts.command, parts.words) == (command, words)


@pytest.mark.parametrize(
    "text",
    [
        "don't slow down and turn left",
        "do not turn left and slow down",
        "turn left and then stop",
        "turn left, afterwards speed up",
        "turn left and turn right",
        "turn left or slow down",
        "slow down unless it is green and turn left",
        "when the light is green go straight and speed up",
    ],
)
def test_a_sentence_whose_parts_hang_together_stays_whole(text: str) -> None:
    assert split(text) == Parts(None, False, text)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("turn right at the next junction", True),
        ("at the lights turn right", True),
        ("slow down and turn right at the crossing", True),
        ("take the next right", False),
        ("turn right", False),
        ("slow down and turn right", False),
    ],
)
def test_only_a_named_junction_must_be_the_very_next(text: str, named: bool) -> None:
    assert split(text).at_next_junction is named


@given(st.text(max_size=300))
def test_any_text_is_kept_whole_or_divided_without_loss_of_its_request(text: str) -> None:
    parts = split(text)
    if parts.command is None:
        assert parts.words == text.strip()
    elif not parts.words:
        assert parse(text) is parts.command


@pytest.mark.parametrize(
    ("text", "speed"),
    [
        ("drive at 36 km/h", 10.0),
        ("36kmh please", 10.0),
        ("go 7,5 m/s", 7.5),
        ("ten or 12 metres per second", 12.0),
        ("20 mph", 8.9408),
        ("drive at 30", None),
        ("between 20 km/h and 30 km/h", None),
        ("stop in 30 m", None),
        ("1e5 km/h", None),
        ("", None),
    ],
)
def test_the_one_speed_that_is_named(text: str, speed: float | None) -> None:
    found = wished_speed_mps(text)
    assert found is None if speed is None else found == pytest.approx(speed)


def test_every_reason_has_a_sentence_of_its_own() -> None:
    assert set(SAID) == set(Reason)
    assert len(set(SAID.values())) == len(Reason)
