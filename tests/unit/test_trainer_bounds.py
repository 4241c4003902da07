"""Values of a training configuration: the bounds themselves are allowed, what lies beyond is refused."""

from __future__ import annotations

import re
from typing import Any

import pytest

pytest.importorskip("yaml", reason="PyYAML is not installed; ./simlingo test installs it")

from simlingo.contracts import InvalidInputError
from training.trainer.config import TrainConfig
from training.trainer.config_reading import read_config


@pytest.mark.parametrize(
    ("key", "allowed", "refused"),
    [
        ("seed", (0, 2**32 - 1), (-1, 2**32)),
        ("data.validation_share", (0.001, 0.5), (0.0, 0.51)),
        ("sampler.batch_frames", (1,), (0,)),
        ("augmentation.brightness", (0.0, 0.9), (-0.01, 0.91)),
        ("augmentation.contrast", (0.0, 0.9), (-0.01, 0.91)),
        ("augmentation.swap_speed", (0.0, 1.0), (-0.01, 1.01)),
        ("optimiser.gradient_clip", (0.01,), (0.0,)),
        ("schedule.peak_rate", (1e-9,), (0.0,)),
        ("schedule.warm_up_share", (0.0, 0.9), (-0.01, 0.91)),
        ("schedule.first_share", (0.0, 1.0), (-0.01, 1.01)),
        ("losses.weights.depth", (0.0,), (-0.1,)),
        ("checkpoints.every_minutes", (0.001,), (0.0,)),
        ("loggers.every_steps", (1,), (0,)),
        ("evaluation.every_samples", (0,), (-1,)),
    ],
)
def test_a_value_lies_within_its_bounds(key: str, allowed: tuple[float, ...], refused: tuple[float, ...]) -> None:
    for value in allowed:
        found: Any = read_config("simlingo-mini", [f"{key}={value}"])
        assert type(found) is TrainConfig
        for name in key.split("."):
            found = getattr(found, name)
        assert found == value
    for value in refused:
        with pytest.raises(InvalidInputError, match=re.escape(f"{key} must be")):
            read_config("simlingo-mini", [f"{key}={value}"])


def test_moving_averages_of_the_optimiser_stay_below_one() -> None:
    assert read_config("simlingo-mini", ["optimiser.betas=[0.0, 0.99999]"]).optimiser.betas == (0.0, 0.99999)
    with pytest.raises(InvalidInputError, match=r"optimiser\.betas must be"):
        read_config("simlingo-mini", ["optimiser.betas=[0.9, 1.0]"])
