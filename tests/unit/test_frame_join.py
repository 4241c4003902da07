"""Image, odometry and navigation pair by equal stamp; only the newest is given out."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simlingo_node.frame_join import KEPT_STAMPS, FrameJoin


@pytest.fixture
def join() -> FrameJoin:
    return FrameJoin(("image", "odometry"))


def test_a_pair_of_equal_stamp_is_given_once(join: FrameJoin) -> None:
    assert join.put("odometry", 5, "o")
    assert join.take(0.0) is None
    assert join.put("image", 5, "i")
    assert join.take(0.0) == (5, {"odometry": "o", "image": "i"})
    assert join.take(0.0) is None


def test_stamps_that_differ_never_pair(join: FrameJoin) -> None:
    join.put("odometry", 5, "o")
    join.put("image", 6, "i")
    assert join.take(0.0) is None


def test_the_newest_wins_and_the_overtaken_are_counted(join: FrameJoin) -> None:
    for stamp in (1, 2, 3):
        join.put("odometry", stamp, stamp)
        join.put("image", stamp, stamp)
    assert join.take(0.0) == (3, {"odometry": 3, "image": 3})
    assert join.dropped == 2


def test_an_older_pair_completed_late_is_dropped(join: FrameJoin) -> None:
    join.put("odometry", 1, "o")
    for part in ("image", "odometry"):
        join.put(part, 2, part)
    join.put("image", 1, "i")
    taken = join.take(0.0)
    assert taken is not None
    assert taken[0] == 2
    assert join.take(0.0) is None
    assert join.dropped == 1


def test_the_past_is_refused_until_cleared(join: FrameJoin) -> None:
    for part in ("image", "odometry"):
        join.put(part, 9, part)
    join.take(0.0)
    assert not join.put("image", 9, "again")
    assert not join.put("image", 8, "late")
    join.clear()
    assert join.put("image", 1, "a new run")


def test_parts_without_partner_do_not_pile_up(join: FrameJoin) -> None:
    for stamp in range(10 * KEPT_STAMPS):
        join.put("odometry", stamp, None)
    join.put("image", 0, None)
    assert join.take(0.0) is None, "the odometry of 0 has gone"
    newest = 10 * KEPT_STAMPS - 1
    join.put("image", newest, None)
    assert join.take(0.0) == (newest, {"odometry": None, "image": None})


def test_a_pair_waits_however_much_comes_behind_it(join: FrameJoin) -> None:
    for part in ("image", "odometry"):
        join.put(part, 1, part)
    for stamp in range(2, 3 * KEPT_STAMPS):
        join.put("odometry", stamp, None)
    assert join.take(0.0) == (1, {"odometry": "odometry", "image": "image"})


def test_parts_far_ahead_do_not_crowd_out_those_of_now(join: FrameJoin) -> None:
    for number in range(2 * KEPT_STAMPS):
        join.put("odometry", 10**18 + number, None)
    join.put("odometry", 1, "o")
    join.put("image", 1, "i")
    assert join.take(0.0) == (1, {"odometry": "o", "image": "i"})


def test_taking_waits_and_closing_wakes(join: FrameJoin) -> None:
    threading.Timer(0.05, lambda: [join.put(part, 1, part) for part in ("image", "odometry")]).start()
    assert join.take(2.0) is not None
    threading.Timer(0.05, join.close).start()
    assert join.take(1e6) is None, "and not only after that time"
    assert join.closed
    join.clear()
    assert not join.closed


@given(st.lists(st.tuples(st.sampled_from(["image", "odometry", "take"]), st.integers(0, 6)), max_size=60))
def test_stamps_given_out_only_rise(steps: list[tuple[str, int]]) -> None:
    join, given_out, came = FrameJoin(("image", "odometry")), [], set()
    for what, stamp in steps:
        if what != "take":
            join.put(what, stamp, stamp)
            came.add((what, stamp))
        elif (taken := join.take(0.0)) is not None:
            given_out.append(taken[0])
            assert {("image", taken[0]), ("odometry", taken[0])} <= came
    assert given_out == sorted(set(given_out))
