"""Decisive moments are drawn more often, by exactly so much."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from simlingo_drive.expert.causes import Cause
from training.datasets.sampling import sampling_weight


def weight(**changed: Any) -> float:
    """Of a drive along an empty straight road, but for ``changed``."""
    end = changed.pop("end_y", 0.0)
    path = np.stack([np.arange(20.0), np.linspace(0.0, end, 20)], axis=1)
    usual = {"speed": 8.0, "target_speed": 8.0, "hazard": False, "light_state": 0, "light_distance": 50.0}
    return sampling_weight(path=path, **{**usual, **changed})


@pytest.mark.parametrize(
    ("moment", "wanted"),
    [
        ({}, 1.0),
        ({"speed": 0.29, "target_speed": 0.29}, 0.8),
        ({"speed": 0.3, "target_speed": 0.0}, 1.0),
        ({"speed": 0.0, "target_speed": 0.3}, 1.0),
        ({"speed": 0.0, "target_speed": 0.61}, 4.0),
        ({"speed": 0.69, "target_speed": 0.61}, 4.0),
        ({"speed": 0.7, "target_speed": 0.8}, 1.0),
        ({"speed": 0.0, "target_speed": 0.6}, 1.0),
        ({"speed": 1.49, "target_speed": 1.01}, 2.5),
        ({"speed": 1.5, "target_speed": 1.01}, 1.0),
        ({"speed": 1.49, "target_speed": 1.0}, 1.0),
        ({"end_y": 3.01}, 2.0),
        ({"end_y": -3.01}, 2.0),
        ({"end_y": 3.0}, 1.0),
        ({"light_state": 1, "light_distance": 39.9}, 2.5),
        ({"light_state": 1, "light_distance": 40.0}, 1.0),
        ({"light_state": 1, "light_distance": 10.0, "speed": 0.3, "target_speed": 0.0}, 1.0),
        ({"light_state": 2, "light_distance": 10.0}, 1.5),
        ({"light_state": 2, "hazard": True, "end_y": 9.0}, 4.5),
        ({"hazard": True}, 2.0),
        ({"cause": Cause.STOP_SIGN}, 4.0),
        ({"cause": Cause.STOP_SIGN, "speed": 0.3, "target_speed": 0.0}, 1.0),
        ({"cause": Cause.TRAFFIC_LIGHT}, 1.0),
        ({"hazard": True, "cause": Cause.STOP_SIGN, "end_y": 4.0, "light_state": 1, "light_distance": 5.0}, 7.5),
    ],
)
def test_a_moment_has_its_weight(moment: dict[str, Any], wanted: float) -> None:
    assert weight(**moment) == pytest.approx(wanted)
