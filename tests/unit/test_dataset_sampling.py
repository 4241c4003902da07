"""Buckets hold the moments that they are named after, and are drawn by their shares whatever their size."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simlingo.contracts import InvalidInputError
from simlingo_drive.expert.causes import Cause
from training.datasets.sampling import BUCKETS, sampling_weights
from training.trainer.config import BucketConfig


def moment(**changed: Any) -> dict[str, np.ndarray]:
    """Labels of one frame of a drive along an empty straight road, but for ``changed``."""
    path = np.zeros((1, 20, 2))
    path[0, :, 0] = np.arange(20.0)
    path[0, -1, 1] = changed.pop("end_y", 0.0)
    usual = {"speed": 8.0, "target_speed": 8.0, "hazard": 0, "light_state": 0, "light_distance": 50.0}
    told = {**usual, "cause": Cause.ROAD, **changed}
    return {"path": path, **{name: np.array([value]) for name, value in told.items()}}


@pytest.mark.parametrize(
    ("labels", "wanted"),
    [
        ({}, "moving"),
        ({"speed": 0.29, "target_speed": 0.29}, "waiting"),
        ({"speed": 0.3, "target_speed": 0.29}, "moving"),
        ({"speed": 0.29, "target_speed": 0.3}, "moving"),
        ({"speed": 0.0, "target_speed": 0.6}, "moving speeding_up"),
        ({"speed": 0.0, "target_speed": 0.61}, "moving speeding_up starting"),
        ({"speed": 0.69, "target_speed": 0.61}, "moving starting"),
        ({"speed": 0.7, "target_speed": 0.8}, "moving"),
        ({"speed": 1.49, "target_speed": 1.01}, "moving pulling_away"),
        ({"speed": 1.5, "target_speed": 1.01}, "moving"),
        ({"speed": 1.49, "target_speed": 1.0}, "moving"),
        ({"speed": 5.0, "target_speed": 5.5}, "moving"),
        ({"speed": 5.0, "target_speed": 5.51}, "moving speeding_up"),
        ({"speed": 5.5, "target_speed": 5.0}, "moving"),
        ({"speed": 5.51, "target_speed": 5.0}, "moving braking"),
        ({"end_y": 3.01}, "moving turning"),
        ({"end_y": -3.01}, "moving turning"),
        ({"end_y": 3.0}, "moving"),
        ({"light_state": 1, "light_distance": 39.9}, "moving red_light"),
        ({"light_state": 1, "light_distance": 40.0}, "moving"),
        ({"light_state": 1, "light_distance": 9.0, "speed": 0.3, "target_speed": 0.3}, "moving"),
        ({"light_state": 2, "light_distance": 49.0}, "moving green_light"),
        ({"hazard": 1}, "moving hazard"),
        ({"cause": Cause.STOP_SIGN}, "moving stop_sign"),
        ({"cause": Cause.STOP_SIGN, "speed": 0.3, "target_speed": 0.3}, "moving"),
        ({"cause": Cause.TRAFFIC_LIGHT}, "moving"),
        ({"cause": Cause.JUNCTION}, "moving junction"),
        ({"cause": Cause.WALKER}, "moving walker"),
        ({"cause": Cause.VEHICLE}, "moving vehicle"),
        ({"cause": Cause.LEAD}, "moving lead"),
        ({"cause": Cause.OBSTACLE}, "moving obstacle"),
    ],
)
def test_a_moment_lies_in_its_buckets(labels: dict[str, Any], wanted: str) -> None:
    found = {name for name, inside in BUCKETS.items() if inside(moment(**labels)).tolist() == [True]}
    assert found == {"all", *wanted.split()}


def test_every_bucket_has_a_share_in_the_configuration() -> None:
    assert [each.name for each in dataclasses.fields(BucketConfig)] == list(BUCKETS)
    assert {name: share for name, share in dataclasses.asdict(BucketConfig()).items() if share} == {"all": 1.0}


def frames(turning: int, standing: int, others: int) -> dict[str, np.ndarray]:
    """So many frames of each, one kind after the other."""
    parts = [moment(end_y=5.0)] * turning + [moment(speed=0.0, target_speed=0.0)] * standing + [moment()] * others
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


@given(st.integers(1, 30), st.integers(1, 30), st.integers(1, 30), st.floats(0.01, 5.0), st.floats(0.01, 5.0))
def test_a_bucket_is_drawn_by_its_share_whatever_its_size(
    turning: int, standing: int, others: int, turns: float, waits: float
) -> None:
    weights = sampling_weights(frames(turning, standing, others), {"turning": turns, "waiting": waits})
    assert weights.sum() == pytest.approx(1.0)
    assert weights[:turning] == pytest.approx(turns / (turns + waits) / turning)
    assert weights[turning : turning + standing] == pytest.approx(waits / (turns + waits) / standing)
    assert (weights[turning + standing :] == 0.0).all()


def test_shares_add_up_where_buckets_overlap_and_empty_ones_leave_theirs() -> None:
    weights = sampling_weights(frames(1, 0, 3), {"all": 1.0, "turning": 1.0, "waiting": 7.0})
    assert weights == pytest.approx([0.625, 0.125, 0.125, 0.125])


@pytest.mark.parametrize("shares", [{"waiting": 1.0}, {"waiting": 1.0, "all": 0.0}])
def test_shares_that_no_frame_meets_are_refused(shares: dict[str, float]) -> None:
    with pytest.raises(InvalidInputError, match=r"bucket with a share \(waiting\); give sampler.buckets.all"):
        sampling_weights(frames(2, 0, 3), shares)
