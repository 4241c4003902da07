"""A person at the wheel: who drives, and what happens when the page falls silent."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simlingo_node.page.takeover import DEAD_MAN_S, HOLD, ManualCommand, TakeOver, checked_command

GAS = ManualCommand(steer=0.1, throttle=0.5, brake=0.0)


def test_nothing_is_sent_while_the_stack_drives() -> None:
    wheel = TakeOver()
    wheel.command(1, GAS, 1.0)
    assert wheel.output(1.0) is None
    wheel.engage(1, 1.0)
    assert wheel.output(1.0) == HOLD, "a command from before the take-over must not act"


def test_person_drives_until_giving_back() -> None:
    wheel = TakeOver()
    wheel.engage(1, 0.9)
    wheel.command(1, GAS, 1.0)
    assert wheel.output(1.1) == GAS
    wheel.release(1, 1.1)
    assert wheel.output(1.1) is None


def test_silence_brakes_and_a_word_drives_on() -> None:
    wheel = TakeOver()
    wheel.engage(1, 0.9)
    wheel.command(1, GAS, 1.0)
    assert wheel.output(1.0 + DEAD_MAN_S + 0.01) == HOLD
    assert wheel.alone(1.0 + DEAD_MAN_S + 0.01)
    wheel.command(1, GAS, 2.0)
    assert wheel.output(2.0) == GAS


def test_the_wheel_is_its_takers_until_he_falls_silent() -> None:
    wheel = TakeOver()
    wheel.engage(1, 0.9)
    wheel.command(1, GAS, 1.0)
    wheel.engage(1, 1.1)
    wheel.command(2, HOLD, 1.1)
    assert (wheel.owner, wheel.output(1.2)) == (1, GAS), "who does not drive does not steer"
    for ask in (wheel.engage, wheel.release):
        with pytest.raises(ValueError, match="another browser drives"):
            ask(2, 1.2)
    later = 1.01 + DEAD_MAN_S
    wheel.engage(2, later)
    assert (wheel.owner, wheel.output(later)) == (2, HOLD)
    wheel.command(1, GAS, later)
    assert wheel.output(later) == HOLD
    wheel.release(1, later + 1.0)
    assert not wheel.active


@given(*[st.floats(allow_nan=False, allow_infinity=False)] * 3)
def test_commands_are_limited_to_the_ranges_of_actuation(steer: float, throttle: float, brake: float) -> None:
    command = checked_command(steer, throttle, brake)
    assert -1.0 <= command.steer <= 1.0
    assert 0.0 <= command.throttle <= 1.0
    assert 0.0 <= command.brake <= 1.0


@pytest.mark.parametrize("wrong", [math.nan, math.inf, "1", None, True, [0.0], 10**3900, -(10**400)])
def test_what_is_no_number_is_refused(wrong: object) -> None:
    with pytest.raises(ValueError, match="finite number"):
        checked_command(0.0, wrong, 0.0)
