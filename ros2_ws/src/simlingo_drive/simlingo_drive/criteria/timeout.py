"""The route ends where the ego takes too long (CARLA's leaderboard 1.0)."""

from __future__ import annotations

from simlingo_drive.criteria.base import Criterion, EgoMotion, Finding, Kind
from simlingo_drive.criteria.blocked import BLOCKED_S
from simlingo_drive.criteria.route_progress import RouteProgress

#: Time given: a start and so much a metre, s (CARLA's leaderboard 1.0), never less than two blocked limits.
TIMEOUT_START_S = 5.0
TIMEOUT_PER_M = 0.8
TIMEOUT_LEAST_S = 2.0 * BLOCKED_S


class RouteTimeout(Criterion):
    """Ends the route of an ego that has not arrived in time."""

    def __init__(self, progress: RouteProgress) -> None:
        self._progress = progress

    def update(self, ego: EgoMotion) -> list[Finding]:
        """Look at the clock."""
        limit = max(TIMEOUT_START_S + TIMEOUT_PER_M * self._progress.length, TIMEOUT_LEAST_S)
        if ego.time < limit:
            return []
        self.ending = "timeout"
        return [Finding(Kind.TIMEOUT, "", f"had not arrived after {limit:.0f} s")]
