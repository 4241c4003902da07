"""A line to drive along, in the map frame: points half a metre apart with heading and the speed that bends allow."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simlingo.contracts import FloatArray
from simlingo.geometry import arc_length
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
        delta = np.asarray(points, dtype=np.float64)[:, None] - self.points[None]
        nearest = np.argmin(np.einsum("nki,nki->nk", delta, delta), axis=1)
        chosen = delta[np.arange(len(nearest)), nearest]
        cos, sin = np.cos(self.yaw[nearest]), np.sin(self.yaw[nearest])
        along = chosen[:, 0] * cos + chosen[:, 1] * sin
        return SPACING_M * nearest + along, chosen[:, 1] * cos - chosen[:, 0] * sin

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
    points = np.asarray(points, dtype=np.float64)
    places = arc_length(points)
    keep = np.concatenate(([True], np.diff(places) > 1e-6))
    points, places = points[keep], places[keep]
    if beyond_m > 0.0:
        step = points[-1] - points[-2]
        end = points[-1] + beyond_m * step / np.hypot(step[0], step[1])
        points, places = np.vstack((points, end)), np.append(places, places[-1] + beyond_m)
    wanted = np.arange(0.0, places[-1], SPACING_M)
    line = np.stack([np.interp(wanted, places, points[:, axis]) for axis in (0, 1)], axis=1)
    step = np.gradient(line, axis=0)
    yaw = np.unwrap(np.arctan2(step[:, 1], step[:, 0]))
    whole = places[-1] - beyond_m if length_m is None else length_m
    return Line(line, yaw, _allowed(yaw, *_BENDS), float(whole))


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
