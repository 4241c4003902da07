"""Training and benchmark never begin at one place."""

from __future__ import annotations

import pytest

from simlingo_sim import towns
from simlingo_sim.spawn_split import benchmark_spawn_points, training_spawn_points


@pytest.mark.parametrize("town", towns.TOWNS)
def test_the_two_halves_share_no_point_and_leave_none_out(town: str) -> None:
    points = towns.load(town).spawn_points
    ours, theirs = training_spawn_points(points), benchmark_spawn_points(points)
    places = [{(p.location.x, p.location.y) for p in half} for half in (ours, theirs)]
    assert not places[0] & places[1]
    assert len(places[0] | places[1]) == len(points)
    gaps = [min(first.location.distance(second.location) for second in theirs) for first in ours]
    assert min(gaps) > 3.0
