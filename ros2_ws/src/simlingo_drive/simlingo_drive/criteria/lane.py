"""Lanes: metres driven off them or against them (CARLA's OutsideRouteLanesTest), and crossings of their marks."""

from __future__ import annotations

import math
from typing import Any

import carla

from simlingo_drive.criteria.base import Criterion, EgoMotion, Finding, Kind
from simlingo_drive.criteria.collision import attached_sensor, remove_sensor

#: The ego may leave its lane's edge by this much, m, before it is outside (CARLA's OutsideRouteLanes).
OUTSIDE_MARGIN_M = 1.3
#: Driving against a lane means an angle to it above this, degrees (CARLA's OutsideRouteLanes).
WRONG_WAY_DEG = 120.0


class LaneKeeping(Criterion):
    """Measures the metres driven off the driving lanes or against them."""

    def __init__(self, world: Any) -> None:
        self._map = world.get_map()
        self._was_outside = False
        self.outside_m = 0.0
        self.total_m = 0.0

    @property
    def share(self) -> float:
        """Share of the driven metres that were outside, 0 to 1."""
        return self.outside_m / self.total_m if self.total_m > 1.0 else 0.0

    def update(self, ego: EgoMotion) -> list[Finding]:
        """Add the metres of one tick; the ego has just left its lanes."""
        self.total_m += ego.step
        outside, before = self._is_outside(ego), self._was_outside
        self._was_outside = outside
        if outside:
            self.outside_m += ego.step
        if outside and not before:
            return [Finding(Kind.OUTSIDE_LANES, "", "left the lanes of its direction")]
        return []

    def factor(self) -> float:
        """The share of the driven metres inside the lanes multiplies the score."""
        return 1.0 - self.share

    def figures(self) -> dict[str, Any]:
        """Share of the driven metres outside."""
        return {"outside_share": self.share}

    def _is_outside(self, ego: EgoMotion) -> bool:
        lane = self._map.get_waypoint(carla.Location(ego.x, ego.y, 0.0))
        if lane is None:
            return True
        place = lane.transform.location
        if math.hypot(ego.x - place.x, ego.y - place.y) > lane.lane_width / 2.0 + OUTSIDE_MARGIN_M:
            return True
        angle = math.degrees(ego.yaw) - lane.transform.rotation.yaw
        against = abs((angle + 180.0) % 360.0 - 180.0) > WRONG_WAY_DEG
        return against and not lane.is_junction


class LaneInvasions(Criterion):
    """Counts crossings of lane marks; they cost nothing."""

    def __init__(self, world: Any, ego: Any) -> None:
        self.count = 0
        self._sensor = attached_sensor(world, ego, "sensor.other.lane_invasion", self._add)

    def update(self, ego: EgoMotion) -> list[Finding]:
        """Nothing is wrong with a lane change."""
        del ego
        return []

    def figures(self) -> dict[str, Any]:
        """Crossings of lane marks."""
        return {"lane_invasions": self.count}

    def close(self) -> None:
        """Take the sensor away."""
        remove_sensor(self._sensor)

    def _add(self, _event: Any) -> None:
        self.count += 1
