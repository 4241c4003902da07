"""The ego keeps up with the traffic around it (CARLA's MinimumSpeedRouteTest).

Leaderboard 2.0 multiplies the score by it, Bench2Drive reports it and takes nothing off (spec F.1), and so do we: it is no
part of the default list.
"""

from __future__ import annotations

import math
from typing import Any

from simlingo_drive.criteria.base import Criterion, EgoMotion, Finding, Kind
from simlingo_drive.criteria.route_progress import RouteProgress

#: The route is cut into so many stretches, each with a share of its own (leaderboard 2.0).
CHECKPOINTS = 4
#: Traffic counts within this distance of the ego, m (leaderboard 2.0).
AROUND_M = 50.0
#: At the worst the score is multiplied by this (spec F.1).
LEAST_FACTOR = 0.7


class MinimumSpeed(Criterion):
    """Compares the ego's mean speed on each stretch with that of the vehicles around it, while there are any."""

    def __init__(self, world: Any, ego: Any, progress: RouteProgress) -> None:
        self._world, self._ego_id, self._progress = world, ego.id, progress
        self._stretch = 0
        self._ego_sum = self._traffic_sum = 0.0
        self.shares: list[float] = []  # %, of the stretches that are over and had traffic

    @property
    def percent(self) -> float:
        """Mean of the stretches, %: 100 keeps up with the traffic everywhere."""
        return sum(self.shares) / len(self.shares) if self.shares else 100.0

    def update(self, ego: EgoMotion) -> list[Finding]:
        """Add the speeds of one tick; a stretch that is over says how slow it was."""
        traffic = self._traffic_speed(ego)
        if traffic is not None:
            self._ego_sum += ego.speed
            self._traffic_sum += traffic
        stretch = int(CHECKPOINTS * self._progress.along / self._progress.length)
        return self._close_stretch(stretch) if stretch > self._stretch else []

    def factor(self) -> float:
        """1 where the ego keeps up, ``LEAST_FACTOR`` where it always stands."""
        return 1.0 - (1.0 - LEAST_FACTOR) * (1.0 - self.percent / 100.0)

    def _close_stretch(self, stretch: int) -> list[Finding]:
        self._stretch = stretch
        own, theirs = self._ego_sum, self._traffic_sum
        self._ego_sum = self._traffic_sum = 0.0
        if theirs <= 0.0:
            return []
        self.shares.append(min(100.0 * own / theirs, 100.0))
        if self.shares[-1] >= 100.0:
            return []
        return [Finding(Kind.MINIMUM_SPEED, "", f"drove at {self.shares[-1]:.0f} % of the speed of the traffic around")]

    def _traffic_speed(self, ego: EgoMotion) -> float | None:
        """Mean speed (m/s) of the other vehicles around; None where there are none."""
        speeds = []
        for vehicle in self._world.get_actors().filter("vehicle.*"):
            place, velocity = vehicle.get_location(), vehicle.get_velocity()
            if vehicle.id != self._ego_id and math.hypot(place.x - ego.x, place.y - ego.y) < AROUND_M:
                speeds.append(math.hypot(velocity.x, velocity.y))
        return sum(speeds) / len(speeds) if speeds else None
