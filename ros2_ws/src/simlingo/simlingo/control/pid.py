"""A PID term over a short window of past errors, as the published agent uses it (spec D.5, D.6)."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence


class WindowPid:
    """PID whose integral is the mean of the last errors and whose derivative is the last difference.

    It counts calls, not seconds: the published gains hold for one call per 20 Hz tick.
    """

    def __init__(self, kp: float, ki: float, kd: float, window: int, initial_errors: Sequence[float] = ()) -> None:
        """``window`` errors count; ``initial_errors`` fill it at the start and after ``reset``."""
        self._kp, self._ki, self._kd = kp, ki, kd
        self._initial = tuple(initial_errors)
        self._errors: deque[float] = deque(self._initial, maxlen=window)

    def reset(self) -> None:
        """Forget the past errors."""
        self._errors.clear()
        self._errors.extend(self._initial)

    def step(self, error: float) -> float:
        """Unbounded output for the newest ``error``."""
        previous = self._errors[-1] if self._errors else error
        self._errors.append(error)
        mean = sum(self._errors) / len(self._errors)
        return self._kp * error + self._ki * mean + self._kd * (error - previous)
