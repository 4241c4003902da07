"""Which frames make a batch: a function of seed and step alone."""

from __future__ import annotations

from enum import IntEnum

import numpy as np
import numpy.typing as npt


class Draw(IntEnum):
    """What random numbers of a batch are for; each has a stream of its own, so that none moves another."""

    FRAMES = 0
    PICTURES = 1
    SPEEDS = 2
    WORDS = 3
    NETWORK = 4


def generator(seed: int, step: int, draw: Draw) -> np.random.Generator:
    """Random numbers of one batch; equal arguments give equal numbers, on every machine and in every thread."""
    return np.random.default_rng((seed, step, int(draw)))


def streams(seed: int, step: int, draw: Draw, count: int) -> list[np.random.Generator]:
    """Random numbers of each of ``count`` frames of a batch: who makes only some of them draws the same."""
    return [np.random.default_rng((seed, step, int(draw), place)) for place in range(count)]


class WeightedSampler:
    """Draws frames, each as often as its share of the weights says.

    Args:
        weights: (N,) of the frames, none negative and not all zero.
        seed: of the run.
    """

    def __init__(self, weights: npt.NDArray[np.floating], seed: int) -> None:
        shares = np.asarray(weights, np.float64)
        self._cumulative = np.cumsum(shares / shares.sum())
        self._seed = seed

    def draw(self, step: int, count: int) -> npt.NDArray[np.int64]:
        """Indices (count,) of the frames of batch ``step``, in rising order, with replacement."""
        numbers = generator(self._seed, step, Draw.FRAMES).random(count)
        found = np.searchsorted(self._cumulative, numbers, side="right").clip(max=len(self._cumulative) - 1)
        return np.sort(found).astype(np.int64)
