"""The route ends where the ego is far from it (spec F.1)."""

from __future__ import annotations

from simlingo_drive.criteria.base import Criterion, EgoMotion, Finding, Kind
from simlingo_drive.criteria.route_progress import RouteProgress

#: The route ends when the ego is further from it, m (spec F.1).
DEVIATION_M = 30.0


class RouteDeviation(Criterion):
    """Ends the route of an ego that has left it."""

    def __init__(self, progress: RouteProgress) -> None:
        self._progress = progress

    def update(self, ego: EgoMotion) -> list[Finding]:
        """Look how far beside the route the ego is."""
        del ego
        if self._progress.deviation <= DEVIATION_M:
            return []
        self.ending = "deviated"
        return [Finding(Kind.ROUTE_DEVIATION, "", f"was {self._progress.deviation:.0f} m from the route")]
