"""A line to drive along, in the map frame: points half a metre apart with heading and the speed that bends allow."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simlingo.contracts import FloatArray
from simlingo_drive.expert.constants import CONSTANTS
from simlingo_sim.jit import kernel

#: Spacing of the points, m.
SPACING_M = 0.5
#: A line goes straight on so far beyond its end, m: a dream never runs out of it.
BEYOND_M = 80.0
#: Half window over which headings are compared to find curvature, m.
_WINDOW_M = 2.0
#: The expert's lateral acceleration in bends, least speed there, and deceleration before them (m/s^2, m/s, m/s^2).
_BENDS = CONSTANTS.lateral_acceleration, CONSTANTS.min_bend_speed, CONSTANTS.comfort_deceleration


@dataclass(frozen=True)
class Line:
    """The line; ``s`` counts metres from its first point."""

    points: FloatArray  # (N, 2) m
    yaw: FloatArray  # (N,) rad, unwrapped
    allowed_mps: FloatArray  # (N,) speed in bends, with room to slow down before them
    length_m: float  # without what was added beyond its end

    def at(self, s: float | FloatArray) -> FloatArray:
        """Points (..., 2) m at ``s`` m."""
        wanted = np.asarray(s, dtype=np.float64) / SPACING_M
        places = np.arange(len(self.points))
        return np.stack([np.interp(wanted, places, self.points[:, axis]) for axis in (0, 1)], axis=-1)

    def locate(self, points: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Place ``s`` (N,) m of points (N, 2) m, and how far right of the line they lie, (N,) m."""
        found = _located(np.ascontiguousarray(points, dtype=np.float64), self.points, self.yaw, SPACING_M)
        return found[0], found[1]

    def beside(self, offset_m: FloatArray) -> Line:
        """The line whose points lie ``offset_m`` (N,) to the right of this one's."""
        side = np.stack((-np.sin(self.yaw), np.cos(self.yaw)), axis=1)
        return line_of(self.points + offset_m[:, None] * side, beyond_m=0.0, length_m=self.length_m)

    @property
    def places(self) -> FloatArray:
        """``s`` (N,) m of the points."""
        return np.asarray(SPACING_M * np.arange(len(self.points)), dtype=np.float64)


def line_of(points: FloatArray, beyond_m: float = BEYOND_M, length_m: float | None = None) -> Line:
    """The line through ``points`` (N >= 2, 2) m, straight on for ``beyond_m``."""
    points = np.ascontiguousarray(points, dtype=np.float64)
    line, yaw, whole = _resampled(points, beyond_m, SPACING_M)
    return Line(line, yaw, _allowed(yaw, *_BENDS), float(whole) if length_m is None else length_m)


@kernel
def _located(points: FloatArray, line: FloatArray, yaw: FloatArray, spacing: float) -> FloatArray:
    """(2, N) m: places of points (N, 2) along a line, and how far right of it they lie."""
    found = np.empty((2, len(points)))
    for number in range(len(points)):
        x, y = points[number, 0], points[number, 1]
        nearest, least = 0, np.inf
        for index in range(len(line)):
            gap = (x - line[index, 0]) ** 2 + (y - line[index, 1]) ** 2
            if gap < least:
                nearest, least = index, gap
        dx, dy = x - line[nearest, 0], y - line[nearest, 1]
        cos, sin = np.cos(yaw[nearest]), np.sin(yaw[nearest])
        found[0, number] = spacing * nearest + dx * cos + dy * sin
        found[1, number] = dy * cos - dx * sin
    return found


@kernel
def _resampled(points: FloatArray, beyond_m: float, spacing: float) -> tuple[FloatArray, FloatArray, float]:
    """Points ``spacing`` apart along ``points`` (N >= 2, 2) and straight on for ``beyond_m``, headings, and the length of ``points``."""
    kept, places = np.empty((len(points) + 1, 2)), np.zeros(len(points) + 1)
    kept[0] = points[0]
    count, length = 1, 0.0
    for index in range(1, len(points)):
        step = np.hypot(points[index, 0] - points[index - 1, 0], points[index, 1] - points[index - 1, 1])
        length += step
        if step > 1e-6:  # points that repeat have no direction
            kept[count] = points[index]
            places[count] = length
            count += 1
    whole = places[count - 1]
    if beyond_m > 0.0:
        dx, dy = kept[count - 1, 0] - kept[count - 2, 0], kept[count - 1, 1] - kept[count - 2, 1]
        far = beyond_m / np.hypot(dx, dy)
        kept[count, 0], kept[count, 1] = kept[count - 1, 0] + far * dx, kept[count - 1, 1] + far * dy
        places[count] = whole + beyond_m
        count += 1
    wanted = np.arange(0.0, places[count - 1], spacing)
    line = np.empty((len(wanted), 2))
    for axis in range(2):
        line[:, axis] = np.interp(wanted, places[:count], kept[:count, axis])
    yaw, last = np.empty(len(line)), len(line) - 1
    for index in range(len(line)):
        after, before = line[min(index + 1, last)], line[max(index - 1, 0)]
        yaw[index] = np.arctan2(after[1] - before[1], after[0] - before[0])
        if index:
            turned = yaw[index] - yaw[index - 1]
            yaw[index] -= 2.0 * np.pi * np.floor(turned / (2.0 * np.pi) + 0.5)
    return line, yaw, whole


@kernel
def _allowed(yaw: FloatArray, lateral_mps2: float, slowest_mps: float, before_mps2: float) -> FloatArray:
    """Speed (N,) m/s in the bends of a line, with room to slow down before them: the expert's."""
    window, count = int(_WINDOW_M / SPACING_M), len(yaw)
    speed = np.empty(count)
    for index in range(count - 1, -1, -1):
        turned = yaw[min(index + window, count - 1)] - yaw[max(index - window, 0)]
        curvature = max(abs(turned) / (2 * _WINDOW_M), 1e-4)
        speed[index] = max(np.sqrt(lateral_mps2 / curvature), slowest_mps)
        if index + 1 < count:
            speed[index] = min(speed[index], np.sqrt(speed[index + 1] ** 2 + 2 * before_mps2 * SPACING_M))
    return speed


def blend(places: FloatArray, begin_m: float, length_m: float) -> FloatArray:
    """0 before ``begin_m``, 1 from ``begin_m + length_m`` on, between them a cosine; shape of ``places``."""
    share = np.clip((places - begin_m) / max(length_m, 1e-6), 0.0, 1.0)
    return np.asarray((1.0 - np.cos(np.pi * share)) / 2.0)
