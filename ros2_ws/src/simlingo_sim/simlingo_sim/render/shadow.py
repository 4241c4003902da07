"""Sun shadows: a 1024 x 1024 map of heights on the ground plane around the camera.

A point (x, y, z) falls along the sun's rays to (x - z * lean_x, y - z * lean_y). Each texel holds the greatest height
that falls there; what lies lower on the same ray is in shadow. Texels are fixed to the map frame, so shadows stand
still while the camera moves, and the part cast by the town is kept until the region changes.
"""

from __future__ import annotations

import math
from collections import OrderedDict

import carla
import numpy as np
import numpy.typing as npt

from simlingo_sim.jit import kernel
from simlingo_sim.render.materials import FloatImage
from simlingo_sim.render.raster import Doubles

#: Texels a side, and their size in m.
TEXELS = 1024
TEXEL_M = 0.125
#: The region moves in steps of this many metres, and its middle lies this far ahead of the camera.
STEP_M = 16.0
AHEAD_M = 40.0
#: Distance at which shadows have faded out, m.
REACH_M = 96.0
#: Height of a texel on which nothing falls.
NOTHING = -1000.0
#: Sun lower than this casts no shadow map (its shadows would be longer than the region), degrees.
LOWEST_SUN_DEG = 6.0
_KEPT_REGIONS = 6


@kernel
def cast(
    vertices: FloatImage,
    normals: FloatImage,
    materials: npt.NDArray[np.uint8],
    starts: npt.NDArray[np.int64],
    ends: npt.NDArray[np.int64],
    sun: Doubles,
    view: Doubles,
    heights: FloatImage,
) -> None:
    """Raise ``heights`` to what the sunlit triangles of the ranges cast. ``sun``: unit vector towards it."""
    texels = heights.shape[0]
    corner_x, corner_y, per_metre, lean_x, lean_y = view[0], view[1], view[2], view[3], view[4]
    us = np.empty(3)
    vs = np.empty(3)
    for chunk in range(starts.shape[0]):
        for t in range(starts[chunk], ends[chunk]):
            nx, ny, nz = float(normals[t, 0]), float(normals[t, 1]), float(normals[t, 2])
            facing = nx * sun[0] + ny * sun[1] + nz * sun[2]
            if facing <= 0.02 or (materials[t] >= 3 and materials[t] <= 6):
                continue
            for k in range(3):
                z = vertices[t, k, 2]
                us[k] = (vertices[t, k, 0] - z * lean_x - corner_x) * per_metre
                vs[k] = (vertices[t, k, 1] - z * lean_y - corner_y) * per_metre
            if max(us[0], us[1], us[2]) < 0 or min(us[0], us[1], us[2]) > texels:
                continue
            if max(vs[0], vs[1], vs[2]) < 0 or min(vs[0], vs[1], vs[2]) > texels:
                continue
            # Height over the map is linear: n . (x, y, z) = n . p0 with x = u + z * lean_x.
            tilt = nx * lean_x + ny * lean_y + nz
            slope_u = -nx / (tilt * per_metre)
            slope_v = -ny / (tilt * per_metre)
            top = max(vertices[t, 0, 2], vertices[t, 1, 2], vertices[t, 2, 2])
            bias = min(abs(slope_u) + abs(slope_v), 1.0)
            base = vertices[t, 0, 2] - slope_u * us[0] - slope_v * vs[0] - bias
            a, b, c = 0, 1, 2
            if vs[b] < vs[a]:
                a, b = b, a
            if vs[c] < vs[a]:
                a, c = c, a
            if vs[c] < vs[b]:
                b, c = c, b
            first = max(math.ceil(vs[a] - 0.5), 0)
            last = min(math.ceil(vs[c] - 0.5), texels)
            if last <= first:
                continue
            long_slope = (us[c] - us[a]) / (vs[c] - vs[a])
            upper = (us[b] - us[a]) / (vs[b] - vs[a]) if vs[b] > vs[a] else 0.0
            lower = (us[c] - us[b]) / (vs[c] - vs[b]) if vs[c] > vs[b] else 0.0
            for row in range(first, last):
                middle = row + 0.5
                left = us[a] + (middle - vs[a]) * long_slope - 0.5
                right = (us[a] + (middle - vs[a]) * upper if middle < vs[b] else us[b] + (middle - vs[b]) * lower) - 0.5
                if right < left:
                    left, right = right, left
                start = max(math.ceil(left), 0)
                end = min(math.ceil(right), texels)
                if end <= start:
                    continue
                line = heights[row, start:end]
                value = slope_u * (start + 0.5) + slope_v * middle + base
                for i in range(end - start):
                    height = np.float32(min(value + slope_u * i, top))
                    if height > line[i]:
                        line[i] = height


class ShadowMaps:
    """The town's own shadows by region, kept while they may be used again."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[float, ...], FloatImage] = OrderedDict()
        self.heights = np.empty((TEXELS, TEXELS), np.float32)

    @staticmethod
    def view(camera: Doubles, sun: Doubles, strength: float) -> Doubles:
        """(7,) as :func:`simlingo_sim.render.shade.shade` reads it; the region lies on whole steps."""
        level = math.hypot(camera[3], camera[4])
        ahead_x, ahead_y = (camera[3] / level, camera[4] / level) if level > 0.3 else (0.0, 0.0)
        ground = min(camera[2] - 2.0, 0.0) if camera[2] < 8.0 else 0.0
        # From high above, a wider region of coarser texels.
        scale = 2.0 ** min(max(math.ceil(math.log2(max(camera[2], 1.0) / 16.0)), 0), 3)
        half, step = TEXELS * TEXEL_M * scale / 2.0, STEP_M * scale
        lean_x, lean_y = sun[0] / max(sun[2], 0.05), sun[1] / max(sun[2], 0.05)
        middle_x = math.floor((camera[0] + AHEAD_M * scale * ahead_x - ground * lean_x) / step + 0.5) * step
        middle_y = math.floor((camera[1] + AHEAD_M * scale * ahead_y - ground * lean_y) / step + 0.5) * step
        return np.array(
            [
                middle_x - half,
                middle_y - half,
                1.0 / (TEXEL_M * scale),
                lean_x,
                lean_y,
                strength,
                REACH_M * scale * 1.5 if scale > 1.0 else REACH_M,
            ]
        )

    def begin(self, view: Doubles, sun: Doubles) -> tuple[FloatImage, bool]:
        """Map of the town's shadows in this region, and whether it is new and must still be drawn."""
        key = (*view[:5].tolist(), *sun.tolist())
        kept = self._kept.get(key)
        if kept is not None:
            self._kept.move_to_end(key)
            return kept, False
        while len(self._kept) >= _KEPT_REGIONS:
            self._kept.popitem(last=False)
        fresh = np.full((TEXELS, TEXELS), NOTHING, np.float32)
        self._kept[key] = fresh
        return fresh, True


def sun_vector(weather: carla.WeatherParameters) -> Doubles:
    """Unit vector towards the sun in the map frame."""
    altitude = math.radians(weather.sun_altitude_angle)
    azimuth = math.radians(weather.sun_azimuth_angle)
    level = math.cos(altitude)
    return np.array([level * math.cos(azimuth), level * math.sin(azimuth), math.sin(altitude)])
