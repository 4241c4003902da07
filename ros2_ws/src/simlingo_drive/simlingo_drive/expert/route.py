"""The expert's route: a dense line with arc length, heading, a speed profile for its bends, and stop lines."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from simlingo.contracts import Command, FloatArray
from simlingo.geometry import arc_length
from simlingo_drive.expert.constants import ExpertConstants

#: Spacing of the line's points, m.
SPACING = 0.5
#: Half window over which headings are compared to find curvature, m.
CURVATURE_WINDOW = 2.0


@dataclass(frozen=True)
class Place:
    """Where something is relative to the route."""

    s: float  # m along the route
    lateral: float  # m, right of the route positive
    index: int  # nearest point


class ExpertRoute:
    """A route resampled to ``SPACING`` with what the expert asks about it. Map frame, metres, radians."""

    def __init__(self, line_in_map: FloatArray, constants: ExpertConstants) -> None:
        """``line_in_map`` (N >= 2, 2): the line to drive, about a metre between points."""
        raw_s = arc_length(line_in_map)
        keep = np.concatenate(([True], np.diff(raw_s) > 1e-6))
        raw_s, line = raw_s[keep], line_in_map[keep]
        self.s = np.arange(0.0, raw_s[-1], SPACING)
        self.points = np.stack([np.interp(self.s, raw_s, line[:, axis]) for axis in (0, 1)], axis=1)
        step = np.gradient(self.points, axis=0)
        self.yaw = np.unwrap(np.arctan2(step[:, 1], step[:, 0]))
        self.bend_speed = self._bend_speeds(constants)
        self.bend_slope = np.gradient(self.bend_speed, SPACING)
        self._index = 0

    @property
    def length(self) -> float:
        """Length of the line, m."""
        return float(self.s[-1])

    def _bend_speeds(self, constants: ExpertConstants) -> FloatArray:
        """Speed (N,) that keeps the lateral acceleration in bends, with room to slow down before them."""
        window = int(CURVATURE_WINDOW / SPACING)
        padded = np.pad(self.yaw, window, mode="edge")
        curvature = np.abs(padded[2 * window :] - padded[: -2 * window]) / (2 * CURVATURE_WINDOW)
        speed = np.sqrt(constants.lateral_acceleration / np.maximum(curvature, 1e-4))
        speed = np.maximum(speed, constants.min_bend_speed)
        for index in range(len(speed) - 2, -1, -1):
            speed[index] = min(
                speed[index], math.sqrt(speed[index + 1] ** 2 + 2 * constants.comfort_deceleration * SPACING)
            )
        return np.asarray(speed, dtype=np.float64)

    def locate(self, x: float, y: float) -> Place:
        """The ego's place; searched near the last one, so that a route that crosses itself does not jump."""
        low, high = max(self._index - 20, 0), min(self._index + 100, len(self.points))
        place = self._nearest(x, y, low, high)
        self._index = place.index
        return place

    def place_of(self, x: float, y: float, yaw: float, begin_s: float, max_lateral: float) -> Place | None:
        """First place beyond ``begin_s`` where the route passes (x, y) within ``max_lateral`` m in heading ``yaw``."""
        first = int(begin_s / SPACING)
        gap = self.points[first:] - (x, y)
        near = np.einsum("ij,ij->i", gap, gap) < max_lateral * max_lateral
        aligned = np.cos(self.yaw[first:] - yaw) > 0.7
        hits = np.flatnonzero(near & aligned)
        if not len(hits):
            return None
        last = hits[0] + int(2 * max_lateral / SPACING) + 1
        return self._nearest(x, y, first + int(hits[0]), min(first + int(last), len(self.points)))

    def _nearest(self, x: float, y: float, low: int, high: int) -> Place:
        gap = self.points[low:high] - (x, y)
        index = low + int(np.argmin(np.einsum("ij,ij->i", gap, gap)))
        cos, sin = math.cos(self.yaw[index]), math.sin(self.yaw[index])
        dx, dy = x - self.points[index, 0], y - self.points[index, 1]
        return Place(float(self.s[index]) + dx * cos + dy * sin, -dx * sin + dy * cos, index)

    def at(self, s: float | FloatArray) -> FloatArray:
        """Points (..., 2) at ``s`` m along the route; the line goes straight on beyond its end."""
        wanted = np.asarray(s, dtype=np.float64)
        points = np.stack([np.interp(wanted, self.s, self.points[:, axis]) for axis in (0, 1)], axis=-1)
        beyond = np.maximum(wanted - self.s[-1], 0.0)[..., None]
        return np.asarray(points + beyond * (math.cos(self.yaw[-1]), math.sin(self.yaw[-1])))

    def yaw_at(self, s: float) -> float:
        """Heading at ``s`` m, rad, unwrapped along the route."""
        return float(np.interp(s, self.s, self.yaw))

    def bend(self, s: float) -> tuple[float, float]:
        """Speed (m/s) allowed by the bends at ``s`` m and its slope (1/s)."""
        index = min(max(int(s / SPACING), 0), len(self.s) - 1)
        return float(self.bend_speed[index]), float(self.bend_slope[index])

    def window(self, s: float, behind: float, ahead: float) -> slice:
        """Indices of the points from ``behind`` m before ``s`` to ``ahead`` m after it."""
        low = min(max(int((s - behind) / SPACING), 0), len(self.s) - 2)
        return slice(low, max(int((s + ahead) / SPACING), low + 2))


def junction_spans(route: Sequence[tuple[Any, Command]]) -> list[tuple[int, int, Command]]:
    """Index ranges [begin, end) of ``route`` (carla.Waypoint, Command) inside junctions, and the way taken there."""
    spans: list[tuple[int, int, Command]] = []
    begin = None
    for index, (waypoint, _) in enumerate([*route, (None, Command.FOLLOW_LANE)]):
        junction = waypoint.junction_id if waypoint is not None and waypoint.is_junction else None
        if begin is not None and junction != route[begin][0].junction_id:
            middle = route[(begin + index - 1) // 2][1]
            spans.append((begin, index, middle))
            begin = None
        if begin is None and junction is not None:
            begin = index
    return spans
