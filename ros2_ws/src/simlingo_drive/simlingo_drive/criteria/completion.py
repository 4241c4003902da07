"""The route is driven to its end (CARLA's RouteCompletionTest)."""

from __future__ import annotations

from typing import Any

from simlingo_drive.criteria.base import Criterion, EgoMotion, Finding
from simlingo_drive.criteria.route_progress import RouteProgress

#: The route is complete above this share and nearer than this to its end, m (CARLA's RouteCompletion).
COMPLETE_SHARE = 0.99
COMPLETE_M = 10.0


class Completion(Criterion):
    """Measures the way along the route, and ends it at its end."""

    def __init__(self, progress: RouteProgress) -> None:
        self._progress = progress
        self._driven_m = self._seconds = 0.0

    @property
    def percent(self) -> float:
        """Share of the route that is driven, %."""
        if self.ending:
            return 100.0
        return 100.0 * min(self._progress.along / self._progress.length, 1.0)

    def update(self, ego: EgoMotion) -> list[Finding]:
        """Look whether the ego has arrived."""
        progress = self._progress
        self._driven_m += ego.step
        self._seconds = ego.time
        if progress.along >= COMPLETE_SHARE * progress.length and progress.remaining < COMPLETE_M:
            self.ending = "completed"
        return []

    def figures(self) -> dict[str, Any]:
        """Completion (%), driven metres, length of the route (m) and simulated time (s)."""
        return {
            "route_completion": self.percent,
            "driven_m": self._driven_m,
            "route_m": self._progress.length,
            "duration_s": self._seconds,
        }
