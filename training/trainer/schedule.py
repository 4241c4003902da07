"""How much a run learns and how fast: samples, and the learning rate over them."""

from __future__ import annotations

import math

from training.trainer.config import ScheduleConfig


def learning_rate(share: float, schedule: ScheduleConfig) -> float:
    """One cycle over ``share``, the samples seen by those of the budget: a linear rise, then a cosine to the last share.

    Args:
        share: 0 before the first update, 1 at the end; more counts as 1.
        schedule: peak and shares.
    """
    if share < schedule.warm_up_share:
        return schedule.peak_rate * max(share / schedule.warm_up_share, schedule.first_share)
    along = min(1.0, (share - schedule.warm_up_share) / (1.0 - schedule.warm_up_share))
    height = 0.5 * (1.0 + math.cos(math.pi * along))
    return schedule.peak_rate * (schedule.last_share + (1.0 - schedule.last_share) * height)


def budget_of(minutes: float, samples_per_s: float, batch_samples: int) -> int:
    """Samples that ``minutes`` of training see at a measured rate, in whole batches, one at least."""
    return max(1, round(minutes * 60.0 * samples_per_s / batch_samples)) * batch_samples
