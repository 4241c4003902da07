"""Which ground is taken: streets as discs along their middle, everything else as turned boxes."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from simlingo_sim.towns.generate.curves import FloatArray, pose_along, sample
from simlingo_sim.towns.generate.plan import LANE_WIDTH, Network

#: Gap kept between two boxes, m.
BOX_GAP = 0.2
#: Lines of sight to signals stay free from these distances (m) on, by this gap (m).
SIGHT_FROM = (12.0, 20.0, 28.0, 36.0)
SIGHT_GAP = 0.6


@dataclass(frozen=True)
class Box:
    """A rectangle on the ground: middle, heading of its length (rad), m."""

    x: float
    y: float
    heading: float
    length: float
    width: float

    def corners(self) -> FloatArray:
        """(4, 2) m."""
        u = np.array([math.cos(self.heading), math.sin(self.heading)]) * self.length / 2.0
        v = np.array([-math.sin(self.heading), math.cos(self.heading)]) * self.width / 2.0
        corners: FloatArray = np.array([self.x, self.y]) + np.array([u + v, u - v, -u - v, -u + v])
        return corners

    def distances(self, points: FloatArray) -> FloatArray:
        """Distance (N,) m of ``points`` (N, 2) from the box; 0 inside."""
        delta = points - np.array([self.x, self.y])
        cos, sin = math.cos(self.heading), math.sin(self.heading)
        along = np.abs(delta[:, 0] * cos + delta[:, 1] * sin) - self.length / 2.0
        across = np.abs(delta[:, 1] * cos - delta[:, 0] * sin) - self.width / 2.0
        apart: FloatArray = np.hypot(np.maximum(along, 0.0), np.maximum(across, 0.0))
        return apart


class Occupancy:
    """Free ground of a town."""

    def __init__(self, network: Network) -> None:
        middles, radii = [], []
        for road in network.roads:
            rows = sample(road.path, 1.0)
            left, right = road.widths()
            offset = (left - right) / 2.0
            middle = rows[:, 1:3] + offset * np.column_stack([-np.sin(rows[:, 3]), np.cos(rows[:, 3])])
            middles.append(middle)
            # Discs 1 m apart: the chord between two of them stays outside the lane's edge by this radius.
            radii.append(np.full(len(rows), math.hypot((left + right) / 2.0, 0.5)))
        self._middles = np.concatenate(middles)
        self._radii = np.concatenate(radii)
        self._sight = _sight_lines(network)
        self._boxes: list[Box] = []

    def bounds(self, margin: float) -> tuple[FloatArray, FloatArray]:
        """Lowest and highest corner (2,) m of the streets, widened by ``margin`` m."""
        return self._middles.min(axis=0) - margin, self._middles.max(axis=0) + margin

    def claim(self, box: Box, clearance: float, room: float = 0.0) -> bool:
        """Take the ground under ``box`` if it keeps ``clearance`` m from streets, and ``room`` m from all else."""
        if bool(np.any(box.distances(self._middles) < self._radii + clearance)):
            return False
        if bool(np.any(box.distances(self._sight) < SIGHT_GAP + room)):
            return False
        if any(_overlap(box, other, BOX_GAP + room) for other in self._boxes):
            return False
        self._boxes.append(box)
        return True


def _sight_lines(network: Network) -> FloatArray:
    """Points (N, 2) m, 1 m apart, on the drivers' lines of sight to their signals over the last metres."""
    lines = []
    for road in network.roads:
        for signal in road.signals:
            forward = signal.orientation == "+"
            head = pose_along(road.path, signal.s).shifted(0.0, signal.t)
            for back in SIGHT_FROM:
                s = signal.s - back if forward else signal.s + back
                if not 0.0 < s < road.length:
                    continue
                eye = pose_along(road.path, s).shifted(0.0, math.copysign(LANE_WIDTH / 2.0, signal.t))
                share = np.linspace(0.0, 1.0, math.ceil(back) + 1)[:, None]
                lines.append(np.array([eye.x, eye.y]) + share * np.array([head.x - eye.x, head.y - eye.y]))
    return np.concatenate(lines)


def _overlap(one: Box, other: Box, gap: float) -> bool:
    """Separating axes of two boxes that keep ``gap`` m."""
    reach = math.hypot(one.length, one.width) / 2.0 + math.hypot(other.length, other.width) / 2.0
    if math.hypot(one.x - other.x, one.y - other.y) > reach + gap:
        return False
    corners_one, corners_other = one.corners(), other.corners()
    for heading in (one.heading, one.heading + math.pi / 2.0, other.heading, other.heading + math.pi / 2.0):
        axis = np.array([math.cos(heading), math.sin(heading)])
        span_one, span_other = corners_one @ axis, corners_other @ axis
        if span_one.min() > span_other.max() + gap or span_other.min() > span_one.max() + gap:
            return False
    return True
