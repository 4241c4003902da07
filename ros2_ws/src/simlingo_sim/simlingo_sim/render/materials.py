"""Surfaces: material numbers and their procedural texture, semantic tags, colour conversion.

Colours inside the renderer are linear light; 8-bit colours are sRGB. A material is a row of numbers, so
that the shading loop has one path for all of them except walls (windows) and lights.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np
import numpy.typing as npt

from simlingo_sim.jit import kernel

FloatImage = npt.NDArray[np.float32]


class Tag(IntEnum):
    """Semantic tags of CARLA 0.9.15's semantic segmentation camera."""

    UNLABELED = 0
    ROAD = 1
    SIDEWALK = 2
    BUILDING = 3
    WALL = 4
    FENCE = 5
    POLE = 6
    TRAFFIC_LIGHT = 7
    TRAFFIC_SIGN = 8
    VEGETATION = 9
    TERRAIN = 10
    SKY = 11
    PEDESTRIAN = 12
    RIDER = 13
    CAR = 14
    TRUCK = 15
    BUS = 16
    TRAIN = 17
    MOTORCYCLE = 18
    BICYCLE = 19
    STATIC = 20
    DYNAMIC = 21
    OTHER = 22
    WATER = 23
    ROAD_LINE = 24
    GROUND = 25
    BRIDGE = 26
    RAIL_TRACK = 27
    GUARD_RAIL = 28


class Material(IntEnum):
    """How a triangle is shaded. EMISSIVE and WALL have their own path, the rest only differ in numbers."""

    FLAT = 0
    EMISSIVE = 1
    WALL = 2
    ASPHALT = 3
    GRASS = 4
    PAVEMENT = 5
    PAINT_MARK = 6
    ROOF = 7
    FOLIAGE = 8
    KERB = 9
    PAVED = 10
    GLOSSY = 11


#: Columns of the material table: fine noise per metre, its strength, texels of patches per metre, their strength,
#: slabs per metre (0: none), darkness of their joints, share of wet darkening, share of wet mirroring.
_TEXTURES: dict[Material, tuple[float, float, float, float, float, float, float, float]] = {
    Material.ASPHALT: (34.0, 0.60, 9.0, 0.42, 0.0, 0.0, 1.0, 1.0),
    Material.GRASS: (13.0, 0.70, 7.0, 0.75, 0.0, 0.0, 0.35, 0.05),
    Material.PAVEMENT: (21.0, 0.28, 9.0, 0.30, 1.0, 0.22, 0.7, 0.45),
    Material.PAINT_MARK: (27.0, 0.32, 11.0, 0.26, 0.0, 0.0, 0.4, 0.4),
    Material.ROOF: (7.0, 0.30, 8.0, 0.30, 0.0, 0.0, 0.4, 0.2),
    Material.FOLIAGE: (6.0, 0.80, 17.0, 0.70, 0.0, 0.0, 0.3, 0.0),
    Material.KERB: (13.0, 0.28, 9.0, 0.10, 0.0, 0.0, 0.6, 0.2),
    Material.PAVED: (19.0, 0.30, 8.0, 0.34, 1.0 / 2.4, 0.14, 0.8, 0.5),
}

#: Side of the noise table, texels; a power of two.
NOISE_SIZE = 256


def material_table() -> FloatImage:
    """(materials, 8) float32: one row a :class:`Material`, columns as in ``_TEXTURES``."""
    table = np.zeros((len(Material), 8), np.float32)
    for material, row in _TEXTURES.items():
        table[material] = row
    table[:, [1, 3]] /= 255.0  # the noise tables hold bytes
    return table


def _smooth_noise(generator: np.random.Generator, cells: int) -> npt.NDArray[np.float64]:
    """(256, 256) tileable noise with ``cells`` values a side, cubic blend between them."""
    values = generator.random((cells, cells))
    position = np.arange(NOISE_SIZE) * (cells / NOISE_SIZE)
    low = position.astype(int)
    share = position - low
    share = share * share * (3.0 - 2.0 * share)
    high = (low + 1) % cells
    rows = values[low] * (1.0 - share)[:, None] + values[high] * share[:, None]
    blended: npt.NDArray[np.float64] = rows[:, low] * (1.0 - share) + rows[:, high] * share
    return blended


def _as_bytes(table: npt.NDArray[np.float64]) -> npt.NDArray[np.int8]:
    """Scaled to -127 to 127: a quarter of the memory traffic of float32."""
    return np.ascontiguousarray(np.round(table / np.abs(table).max() * 127.0), np.int8)


def noise_table() -> npt.NDArray[np.int8]:
    """(256, 256) int8 tileable noise around zero: six octaves of value noise."""
    generator = np.random.default_rng(20240607)
    octaves = ((8, 0.16), (16, 0.20), (32, 0.22), (64, 0.22), (128, 0.24), (256, 0.30))
    return _as_bytes(np.asarray(sum(weight * (_smooth_noise(generator, cells) - 0.5) for cells, weight in octaves)))


def patch_table() -> npt.NDArray[np.int8]:
    """(256, 256) int8 tileable patches around zero, so smooth that texels do not show."""
    generator = np.random.default_rng(4)
    octaves = ((4, 0.30), (8, 0.30), (16, 0.25), (32, 0.15))
    return _as_bytes(np.asarray(sum(weight * (_smooth_noise(generator, cells) - 0.5) for cells, weight in octaves)))


def cloud_table() -> FloatImage:
    """(256, 256) float32 tileable clouds from 0 to 1, smooth enough to be magnified."""
    generator = np.random.default_rng(771)
    octaves = ((4, 0.34), (8, 0.28), (16, 0.20), (32, 0.12), (64, 0.06))
    total = np.asarray(sum(weight * _smooth_noise(generator, cells) for cells, weight in octaves))
    total -= total.min()
    return np.ascontiguousarray(total / total.max(), np.float32)


def to_linear(color: tuple[float, float, float]) -> tuple[float, float, float]:
    """8-bit sRGB colour (0-255) as linear light (0-1)."""
    red, green, blue = ((channel / 255.0) ** 2.2 for channel in color)
    return red, green, blue


#: Linear light that the tone table covers, and its number of entries.
TONE_RANGE = 2.0
TONE_ENTRIES = 4096
#: Below this displayed share (of 1) the tone curve is the plain 2.2 gamma, above it rolls off softly.
_SHOULDER = 0.75


def tone_table() -> npt.NDArray[np.uint8]:
    """(4096,) uint8: displayed value of linear light 0 to 2; white is reached at 2."""
    light = np.arange(TONE_ENTRIES) * (TONE_RANGE / TONE_ENTRIES)
    plain = light ** (1.0 / 2.2)
    top = TONE_RANGE ** (1.0 / 2.2)
    share = np.clip((plain - _SHOULDER) / (top - _SHOULDER), 0.0, 1.0)
    slope = (top - _SHOULDER) / (1.0 - _SHOULDER)
    rolled = _SHOULDER + (1.0 - _SHOULDER) * (1.0 - (1.0 - share) ** slope)
    shown = np.where(plain < _SHOULDER, plain, rolled)
    return np.asarray(np.clip(np.round(shown * 255.0), 0, 255), np.uint8)


def displayed_light(color: tuple[float, float, float], table: npt.NDArray[np.uint8]) -> tuple[float, float, float]:
    """Linear light that the tone table shows as this very 8-bit colour (for lamps and lenses)."""
    step = TONE_RANGE / TONE_ENTRIES
    red, green, blue = (
        (min(int(np.searchsorted(table, np.uint8(channel))), TONE_ENTRIES - 1) + 0.5) * step for channel in color
    )
    return red, green, blue


@kernel
def light_triangles(
    first: int,
    last: int,
    normals: FloatImage,
    colors: FloatImage,
    materials: npt.NDArray[np.uint8],
    params: npt.NDArray[np.int32],
    table: FloatImage,
    light: FloatImage,
    wetness: float,
    lit: FloatImage,
) -> None:
    """Fill ``lit[first:last]``: light of each triangle in shade (columns 0-2), what the sun adds (3-5), material, param.

    One row is what the shading loop wants to know of a triangle: half a cache line.

    ``light`` holds sun direction (3), sun light (3), light from above (3), from below (3), a weak
    light from the side (3) and its direction (3), all in the map frame, linear.
    """
    for index in range(first, last):
        lit[index, 6] = materials[index]
        lit[index, 7] = params[index]
        if materials[index] == 1:
            for channel in range(3):
                lit[index, channel] = colors[index, channel]
                lit[index, 3 + channel] = 0.0
            continue
        nx, ny, nz = normals[index, 0], normals[index, 1], normals[index, 2]
        sun = max(nx * light[0] + ny * light[1] + nz * light[2], 0.0)
        side = max(nx * light[15] + ny * light[16] + nz * light[17], 0.0)
        up = 0.5 + 0.5 * nz
        dark = 1.0 - 0.45 * wetness * table[materials[index], 6]
        for channel in range(3):
            base = colors[index, channel] * dark
            around = light[6 + channel] * up + light[9 + channel] * (1.0 - up) + light[12 + channel] * side
            lit[index, channel] = base * around
            lit[index, 3 + channel] = base * light[3 + channel] * sun
