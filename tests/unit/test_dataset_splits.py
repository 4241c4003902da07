"""Splits: whole routes, shares as asked, the same tomorrow."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simlingo.contracts import InvalidInputError
from training.datasets.splits import FEW, split


@dataclass(frozen=True)
class Drive:
    name: str
    frames: int


def drives(frames: list[int]) -> list[Drive]:
    return [Drive(f"route{number:04d}", count) for number, count in enumerate(frames)]


def total(routes: list[Drive]) -> int:
    return sum(route.frames for route in routes)


many = st.lists(st.integers(1, 600), min_size=2, max_size=80)
shares = st.floats(0.01, 0.99)


@given(many, shares, st.integers(0, 5))
def test_a_split_is_complete_disjoint_and_never_empty(frames: list[int], share: float, seed: int) -> None:
    routes = drives(frames)
    train, validation = split(routes, share, seed)
    assert train
    assert validation
    assert sorted(train + validation, key=lambda route: route.name) == routes
    assert train == [route for route in routes if route in train]
    assert validation == [route for route in routes if route in validation]


@settings(deadline=None)
@given(many, shares, st.integers(0, 5))
def test_the_share_is_as_asked_within_the_largest_routes_frames(frames: list[int], share: float, seed: int) -> None:
    routes = drives(frames)
    _, validation = split(routes, share, seed)
    wanted = share * total(routes)
    if len(routes) > FEW:
        assert abs(total(validation) - wanted) <= max(frames)
    else:
        best = min(
            abs(total(list(choice)) - wanted)
            for count in range(1, len(routes))
            for choice in combinations(routes, count)
        )
        assert abs(total(validation) - wanted) == pytest.approx(best, abs=1e-6)


@given(many, shares, st.randoms(use_true_random=False))
def test_the_order_of_the_routes_does_not_matter(frames: list[int], share: float, random: object) -> None:
    routes = drives(frames)
    mixed = list(routes)
    random.shuffle(mixed)  # type: ignore[attr-defined]
    assert {route.name for route in split(routes, share, 3)[1]} == {route.name for route in split(mixed, share, 3)[1]}


def test_most_routes_keep_their_side_when_others_are_added() -> None:
    routes = drives([100 + 37 * number % 83 for number in range(220)])
    before = {route.name for route in split(routes[:200], 0.1, 0)[1]}
    after = {route.name for route in split(routes, 0.1, 0)[1]}
    assert len(before) >= 15
    assert len(before & after) >= 0.8 * len(before)


def test_the_seed_draws_the_split() -> None:
    routes = drives([100] * 100)
    chosen = [{route.name for route in split(routes, 0.2, seed)[1]} for seed in range(4)]
    assert all(len(names) == 20 for names in chosen)
    assert all(len(one & other) < 15 for one, other in combinations(chosen, 2))
    assert chosen[0] == {route.name for route in split(routes, 0.2, 0)[1]}


@pytest.mark.parametrize(
    ("frames", "share", "validation"),
    [
        ([150, 546], 0.04, 150),
        ([546, 150], 0.04, 150),
        ([150, 546], 0.7, 546),
        ([300, 100, 120], 0.04, 100),
        ([300, 100, 120], 0.4, 220),
        ([100, 100, 100], 0.5, 100),
        ([10, 200, 300, 400, 500], 0.04, 10),
        ([10, 200, 300, 400, 500], 0.35, 500),
        ([10, 200, 300, 400, 500], 0.15, 210),
    ],
)
def test_few_routes_give_the_nearest_share(frames: list[int], share: float, validation: int) -> None:
    for seed in range(5):
        assert total(split(drives(frames), share, seed)[1]) == validation


def test_routes_of_one_name_stay_together() -> None:
    routes = [Drive(f"route{number}", 50 + side) for number in range(30) for side in range(2)]
    train, validation = split(routes, 0.3, 1)
    assert not {route.name for route in train} & {route.name for route in validation}
    assert len(train) + len(validation) == 60


@pytest.mark.parametrize("names", [[], ["a"], ["a", "a"]])
def test_one_route_alone_is_refused_with_what_to_do(names: list[str]) -> None:
    with pytest.raises(InvalidInputError, match=r"cannot both train and validate; collect another route .*validation"):
        split([Drive(name, 100) for name in names], 0.1, 0)


@pytest.mark.parametrize("share", [0.0, 1.0, -0.1, 1.5, float("nan")])
def test_a_share_out_of_range_is_refused(share: float) -> None:
    with pytest.raises(InvalidInputError, match="between 0 and 1"):
        split(drives([1, 2, 3]), share, 0)
