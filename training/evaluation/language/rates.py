"""Rates with intervals."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from scipy.stats import norm

#: Share of the intervals that hold the truth.
CONFIDENCE = 0.95
_Z = float(norm.ppf(0.5 + CONFIDENCE / 2.0))


@dataclass(frozen=True)
class Rate:
    """A share in percent with its Wilson interval of 95 %."""

    percent: float
    low: float
    high: float
    n: float  # trials; of a mean of rates those that a plain rate of equal spread has

    @property
    def interval(self) -> tuple[float, float]:
        """Bounds, percent."""
        return self.low, self.high


def wilson(share: float, n: float) -> Rate:
    """The rate of a share (0 to 1) of ``n`` trials; scipy's takes whole counts only, and a mean of rates has none."""
    middle = share + _Z * _Z / (2.0 * n)
    spread = _Z * math.sqrt(share * (1.0 - share) / n + (_Z / (2.0 * n)) ** 2)
    norm_of = 1.0 + _Z * _Z / n
    low, high = (100.0 * (middle + sign * spread) / norm_of for sign in (-1.0, 1.0))
    percent = 100.0 * share
    return Rate(percent, min(max(low, 0.0), percent), max(min(high, 100.0), percent), n)  # rounding may pass the rate


def rate(trials: Iterable[bool]) -> Rate | None:
    """The share of trials that succeeded; None without trials."""
    listed = [bool(trial) for trial in trials]
    return wilson(sum(listed) / len(listed), len(listed)) if listed else None


def mean_rate(rates: Sequence[Rate | None]) -> Rate | None:
    """The mean of rates, each counting the same (as modes do); those without trials are passed over.

    The interval is that of a plain rate with as many trials as give the mean its spread: all trials where the rates have
    equally many. It is rather wide, since rates that differ spread less around their mean than trials of one rate.
    """
    found = [one for one in rates if one is not None]
    if not found:
        return None
    n = len(found) ** 2 / sum(1.0 / one.n for one in found)
    return wilson(sum(one.percent for one in found) / len(found) / 100.0, n)
