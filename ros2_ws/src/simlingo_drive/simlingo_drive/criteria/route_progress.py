"""How far along its route the ego is, and how far beside it."""

from __future__ import annotations

import carla
import numpy as np

from simlingo.contracts import FloatArray, InvalidInputError

#: Progress is searched this far behind and ahead of the last place, m, so that a crossing of the route is no leap.
SEARCH_BEHIND_M = 5.0
SEARCH_AHEAD_M = 20.0
#: Metres of the route count as driven only this near to it, m.
COUNTED_WITHIN_M = 10.0


class RouteProgress:
    """Projects the ego onto a dense route."""

    def __init__(self, route: list[carla.Transform]) -> None:
        """``route``: lane centres about 1 m apart, in driving order; InvalidInputError for fewer than two places."""
        self.along = 0.0  # m reached, never falls
        self.deviation = 0.0  # m beside the searched stretch
        self.follow(route)

    def follow(self, route: list[carla.Transform]) -> None:
        """Go on along another route; up to the ego it must be the old one."""
        points = np.array([(place.location.x, place.location.y) for place in route], dtype=np.float64).reshape(-1, 2)
        steps = np.linalg.norm(np.diff(points, axis=0), axis=1)
        if len(points) < 2 or not np.isfinite(points).all() or steps.sum() < 1.0:
            raise InvalidInputError("the route to score is shorter than 1 m or not finite; give at least two places")
        self._points = points
        self._arcs: FloatArray = np.concatenate(([0.0], np.cumsum(steps)))

    @property
    def length(self) -> float:
        """Length of the route, m."""
        return float(self._arcs[-1])

    @property
    def remaining(self) -> float:
        """Metres left of the route."""
        return self.length - self.along

    def update(self, x: float, y: float) -> None:
        """Move to the ego position (m, map frame)."""
        low = int(np.searchsorted(self._arcs, self.along - SEARCH_BEHIND_M, side="right")) - 1
        high = int(np.searchsorted(self._arcs, self.along + SEARCH_AHEAD_M)) + 1
        first, last = max(low, 0), min(high, len(self._points))
        first = min(first, last - 2)
        start, step = self._points[first : last - 1], np.diff(self._points[first:last], axis=0)
        squared = np.maximum(np.einsum("ij,ij->i", step, step), 1e-12)
        offset = np.array((x, y)) - start
        fraction = np.clip(np.einsum("ij,ij->i", offset, step) / squared, 0.0, 1.0)
        gaps = np.linalg.norm(offset - fraction[:, None] * step, axis=1)
        nearest = int(np.argmin(gaps))
        self.deviation = float(gaps[nearest])
        if self.deviation <= COUNTED_WITHIN_M:
            along = float(self._arcs[first + nearest] + fraction[nearest] * np.sqrt(squared[nearest]))
            self.along = max(self.along, along)
