"""The history of poses: what it keeps, and what lies between two states."""

from __future__ import annotations

import math

import pytest

from simlingo.contracts import EgoState, InvalidInputError
from simlingo.control.pose_history import PoseHistory


def state(stamp: int, x: float = 0.0, y: float = 0.0, yaw: float = 0.0, speed: float = 0.0) -> EgoState:
    return EgoState(stamp, x, y, yaw, speed)


def history_of(*states: EgoState, span_ns: int = 1000) -> PoseHistory:
    history = PoseHistory(span_ns)
    for each in states:
        history.add(each)
    return history


def test_a_state_as_old_as_the_span_is_kept_and_an_older_one_is_not() -> None:
    history = history_of(state(0), state(60), state(100), span_ns=100)
    assert history.at(0) == state(0)
    history.add(state(101))
    assert history.at(0) is None
    assert history.at(60) == state(60)
    history.add(state(500))
    assert history.at(101) is None
    assert history.at(500) == history.newest == state(500)


def test_the_newest_is_the_last_added() -> None:
    history = history_of(state(1), state(2), state(3, x=7.0))
    assert history.newest == state(3, x=7.0)
    history.clear()
    assert history.newest is None
    assert history.at(3) is None
    history.add(state(1))  # time may begin again
    assert history.newest == state(1)


def test_a_state_that_is_not_newer_is_refused() -> None:
    history = history_of(state(10), state(20), state(30))
    for stamp in (30, 25, 20):
        with pytest.raises(InvalidInputError, match=rf"odometry stamped {stamp} ns came after one of 30 ns"):
            history.add(state(stamp))
    assert history.newest == state(30)
    assert history.at(25) is not None


def test_between_two_states_everything_is_linear() -> None:
    history = history_of(
        state(0, x=-9.0, y=9.0, yaw=1.0, speed=9.0),
        state(100, x=1.0, y=2.0, yaw=0.1, speed=4.0),
        state(200, x=5.0, y=10.0, yaw=0.5, speed=6.0),
    )
    quarter = history.at(125)
    assert quarter is not None
    assert (quarter.stamp, quarter.x, quarter.y, quarter.speed) == (125, 2.0, 4.0, 4.5)
    assert quarter.yaw == pytest.approx(0.2)


@pytest.mark.parametrize(("stamp", "yaw"), [(25, 3.12079632679), (75, -3.12079632679)])
def test_headings_turn_the_short_way_and_stay_wrapped(stamp: int, yaw: float) -> None:
    history = history_of(state(0, yaw=3.1), state(100, yaw=-3.1))
    found = history.at(stamp)
    assert found is not None
    assert found.yaw == pytest.approx(yaw)
    assert abs(found.yaw) <= math.pi


def test_outside_there_is_nothing() -> None:
    history = history_of(state(10), state(20))
    assert history.at(9) is None
    assert history.at(21) is None
    assert history.at(10) == state(10)
    assert history.at(20) == state(20)
    assert PoseHistory(100).at(0) is None
