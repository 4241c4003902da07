"""Means with intervals, for figures that are no rates."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

#: Resamplings of the bootstrap, and the share of means that the interval holds.
RESAMPLINGS, CONFIDENCE = 4000, 0.95


def mean(values: Sequence[float]) -> float | None:
    """The mean; None where there is nothing."""
    return float(np.mean(values)) if len(values) else None


def mean_interval(values: Sequence[float], seed: int = 0) -> tuple[float, float] | None:
    """Percentile bootstrap of the mean, 95 %, the same for equal values; None where there is nothing."""
    if not len(values):
        return None
    found = np.asarray(values, dtype=np.float64)
    drawn = np.random.default_rng(seed).integers(len(found), size=(RESAMPLINGS, len(found)))
    low, high = np.quantile(found[drawn].mean(axis=1), (0.5 - CONFIDENCE / 2, 0.5 + CONFIDENCE / 2))
    return float(low), float(high)
