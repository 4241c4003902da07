"""From the visibility buffer to pictures: colour, semantic tags and depth.

Colour is worked out once per distinct triangle in a pixel. The loop is kept flat, with everything it needs in
local scalars, because a helper that takes the arrays made it three to four times slower.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from simlingo_sim.render.jit import kernel
from simlingo_sim.render.materials import FloatImage
from simlingo_sim.render.raster import Doubles, Indices

#: Depth written where nothing is seen, m (CARLA's far plane).
FAR_M = 1000.0


@kernel
def shade(  # noqa: PLR0913
    depth: FloatImage, numbers: Indices, camera: Doubles, focal: float,
    lit: FloatImage, normals: FloatImage, materials: npt.NDArray[np.uint8], params: Indices,
    textures: FloatImage, walls: FloatImage, noise: FloatImage,
    shadow: FloatImage, shadow_view: Doubles, air: Doubles, sky: FloatImage, sky_step: int,
    tone: npt.NDArray[np.uint8], picture: npt.NDArray[np.uint8],
) -> None:
    """Fill ``picture`` (H, W, 3) uint8 from ``depth`` and ``numbers`` (2H, 2W).

    ``focal`` in pixels. ``shadow_view``: x and y of the map's corner (m), texels per metre, shift in x and y per metre
    of height, strength, distance (m) where shadows have faded out. ``air``: fog light (3), fog density, wetness, share
    of lit windows, mirrored sky light (3), light of panes (3). ``sky``: light at every ``sky_step``-th pixel.
    """
    height, width = picture.shape[0], picture.shape[1]
    cx, cy, cz = camera[0], camera[1], camera[2]
    fog_r, fog_g, fog_b = np.float32(air[0]), np.float32(air[1]), np.float32(air[2])
    fog_density = np.float32(air[3])
    wetness = np.float32(air[4])
    lit_windows = np.float32(air[5])
    mirror_r, mirror_g, mirror_b = np.float32(air[6]), np.float32(air[7]), np.float32(air[8])
    pane_r, pane_g, pane_b = np.float32(air[9]), np.float32(air[10]), np.float32(air[11])
    corner_x, corner_y, per_metre = shadow_view[0], shadow_view[1], shadow_view[2]
    lean_x, lean_y = shadow_view[3], shadow_view[4]
    strength, shadow_reach = np.float32(shadow_view[5]), np.float32(shadow_view[6])
    texels = shadow.shape[0]
    last_texel = texels - 2.0
    one, half, zero = np.float32(1.0), np.float32(0.5), np.float32(0.0)
    tone_scale = np.float32(tone.shape[0] / 2.0)
    tone_last = tone.shape[0] - 1
    sky_share = np.float32(1.0 / sky_step)
    ids = np.empty(4, np.int32)
    inverse = np.empty(4, np.float32)
    for row in range(height):
        down = (row + 0.5 - 0.5 * height) / focal
        row_x = camera[3] - down * camera[9]
        row_y = camera[4] - down * camera[10]
        row_z = camera[5] - down * camera[11]
        near_a = depth[2 * row]
        near_b = depth[2 * row + 1]
        ids_a = numbers[2 * row]
        ids_b = numbers[2 * row + 1]
        sky_row = row // sky_step
        sky_v = np.float32(row - sky_row * sky_step) * sky_share
        for column in range(width):
            inverse[0], inverse[1] = near_a[2 * column], near_a[2 * column + 1]
            inverse[2], inverse[3] = near_b[2 * column], near_b[2 * column + 1]
            sum_r, sum_g, sum_b = zero, zero, zero
            waiting = 15
            for k in range(4):
                ids[k] = -1
            if inverse[0] > zero:
                ids[0] = ids_a[2 * column]
            if inverse[1] > zero:
                ids[1] = ids_a[2 * column + 1]
            if inverse[2] > zero:
                ids[2] = ids_b[2 * column]
            if inverse[3] > zero:
                ids[3] = ids_b[2 * column + 1]
            across = (column + 0.5 - 0.5 * width) / focal
            ray_x = row_x + across * camera[6]
            ray_y = row_y + across * camera[7]
            ray_z = row_z + across * camera[8]
            for first in range(4):
                if not waiting & (1 << first):
                    continue
                tri = ids[first]
                total = inverse[first]
                share = one
                for k in range(first + 1, 4):
                    if ids[k] == tri:
                        total += inverse[k]
                        share += one
                        waiting &= ~(1 << k)
                if tri < 0:
                    sky_column = column // sky_step
                    sky_u = np.float32(column - sky_column * sky_step) * sky_share
                    a = (one - sky_u) * (one - sky_v)
                    b = sky_u * (one - sky_v)
                    c = (one - sky_u) * sky_v
                    d = sky_u * sky_v
                    sum_r += share * (a * sky[sky_row, sky_column, 0] + b * sky[sky_row, sky_column + 1, 0]
                                      + c * sky[sky_row + 1, sky_column, 0] + d * sky[sky_row + 1, sky_column + 1, 0])
                    sum_g += share * (a * sky[sky_row, sky_column, 1] + b * sky[sky_row, sky_column + 1, 1]
                                      + c * sky[sky_row + 1, sky_column, 1] + d * sky[sky_row + 1, sky_column + 1, 1])
                    sum_b += share * (a * sky[sky_row, sky_column, 2] + b * sky[sky_row, sky_column + 1, 2]
                                      + c * sky[sky_row + 1, sky_column, 2] + d * sky[sky_row + 1, sky_column + 1, 2])
                    continue
                away = share / total
                material = materials[tri]
                red, green, blue = lit[tri, 0], lit[tri, 1], lit[tri, 2]
                haze = fog_density * away
                haze = haze * haze
                haze = haze / (one + haze)
                if material == 1:
                    haze *= np.float32(0.35)
                else:
                    x = cx + away * ray_x
                    y = cy + away * ray_y
                    z = cz + away * ray_z
                    sun_r, sun_g, sun_b = lit[tri, 3], lit[tri, 4], lit[tri, 5]
                    if sun_r > zero and away < shadow_reach:
                        u = (x - z * lean_x - corner_x) * per_metre - 0.5
                        v = (y - z * lean_y - corner_y) * per_metre - 0.5
                        if u > 1.0 and v > 1.0 and u < last_texel and v < last_texel:
                            iu, iv = int(u), int(v)
                            au, av = np.float32(u - iu), np.float32(v - iv)
                            level = np.float32(z + 0.06 + 0.0015 * away)
                            p = one - au if shadow[iv, iu] > level else zero
                            q = au if shadow[iv, iu + 1] > level else zero
                            r = one - au if shadow[iv + 1, iu] > level else zero
                            s = au if shadow[iv + 1, iu + 1] > level else zero
                            dark = (p + q) * (one - av) + (r + s) * av
                            far = away / shadow_reach
                            dark *= strength * (one - far * far * far)
                            sun_r *= one - dark
                            sun_g *= one - dark
                            sun_b *= one - dark
                    red += sun_r
                    green += sun_g
                    blue += sun_b
                    if material == 2:
                        wall = params[tri]
                        along = (x * walls[wall, 0] + y * walls[wall, 1] - walls[wall, 2]) * walls[wall, 3]
                        floor = (z - walls[wall, 4]) * walls[wall, 5]
                        cell_u, cell_v = math.floor(along), math.floor(floor)
                        in_u = np.float32(abs(along - cell_u - 0.5))
                        in_v = np.float32(abs(floor - cell_v - walls[wall, 8]))
                        half_u, half_v = walls[wall, 6], walls[wall, 7]
                        if cell_v == 0.0:
                            half_u, half_v = walls[wall, 9], walls[wall, 10]
                        if cell_v >= 0.0 and cell_v < walls[wall, 11]:
                            grain = noise[(int(cell_v) * 37 + int(walls[wall, 12])) & 255,
                                          (int(cell_u) * 101 + int(walls[wall, 13])) & 255]
                            fade = one / (one + np.float32(0.00006) * away * away)
                            if in_u < half_u and in_v < half_v:
                                bar = np.float32(0.5) - in_u / half_u
                                bright = one + grain * np.float32(0.9)
                                if abs(in_u) < np.float32(0.022) or half_v - in_v < np.float32(0.05):
                                    bright *= np.float32(1.7)
                                if grain + half < lit_windows:
                                    glow_r, glow_g, glow_b = np.float32(0.95), np.float32(0.62), np.float32(0.25)
                                    bright = np.float32(0.8) + bar * np.float32(0.25)
                                else:
                                    glow_r, glow_g, glow_b = pane_r, pane_g, pane_b
                                red += (glow_r * bright - red) * fade
                                green += (glow_g * bright - green) * fade
                                blue += (glow_b * bright - blue) * fade
                            elif in_u < half_u + np.float32(0.035) and in_v < half_v + np.float32(0.035):
                                edge = one + np.float32(0.28) * fade
                                red *= edge
                                green *= edge
                                blue *= edge
                    elif textures[material, 0] > zero:
                        flat_u = x + 0.71 * z + 4096.0
                        flat_v = y + 0.53 * z + 4096.0
                        close = one / (one + np.float32(0.004) * away * away)
                        middle = one / (one + np.float32(0.00008) * away * away)
                        size = textures[material, 0]
                        fine = noise[int(flat_v * size) & 255, int(flat_u * size) & 255]
                        size = textures[material, 2]
                        coarse = noise[int(flat_v * size) & 255, int(flat_u * size) & 255]
                        gain = one + fine * textures[material, 1] * close * np.float32(2.0)
                        gain += coarse * textures[material, 3] * middle * np.float32(2.0)
                        slab = textures[material, 4]
                        if slab > zero:
                            joint_u = abs((x / slab) - math.floor(x / slab) - 0.5)
                            joint_v = abs((y / slab) - math.floor(y / slab) - 0.5)
                            if max(joint_u, joint_v) > 0.475:
                                gain -= textures[material, 5] * close
                        red *= gain
                        green *= gain
                        blue *= gain
                        if wetness > zero:
                            mirror = wetness * textures[material, 7] * away / (away + np.float32(9.0))
                            mirror *= np.float32(0.75) + coarse
                            if normals[tri, 2] > half and mirror > zero:
                                red += (mirror_r - red) * mirror
                                green += (mirror_g - green) * mirror
                                blue += (mirror_b - blue) * mirror
                sum_r += share * (red + (fog_r - red) * haze)
                sum_g += share * (green + (fog_g - green) * haze)
                sum_b += share * (blue + (fog_b - blue) * haze)
            quarter = tone_scale * np.float32(0.25)
            picture[row, column, 0] = tone[max(min(int(sum_r * quarter), tone_last), 0)]
            picture[row, column, 1] = tone[max(min(int(sum_g * quarter), tone_last), 0)]
            picture[row, column, 2] = tone[max(min(int(sum_b * quarter), tone_last), 0)]


@kernel
def read_tags(depth: FloatImage, numbers: Indices, tags: npt.NDArray[np.uint8], picture: npt.NDArray[np.uint8]) -> None:
    """Semantic tag (H, W) of each pixel's sample nearest to its middle; 11 (sky) where nothing is."""
    for row in range(picture.shape[0]):
        for column in range(picture.shape[1]):
            if depth[2 * row + 1, 2 * column] > 0.0:
                picture[row, column] = tags[numbers[2 * row + 1, 2 * column]]
            else:
                picture[row, column] = 11


@kernel
def read_depth(depth: FloatImage, numbers: Indices, picture: FloatImage) -> None:
    """Depth (H, W) along the optical axis, m; 1000 where nothing is.

    Exact for the pixel's middle where one triangle fills it, else that of the sample :func:`read_tags` uses.
    """
    for row in range(picture.shape[0]):
        for column in range(picture.shape[1]):
            below, here = 2 * row + 1, 2 * column
            value = depth[below, here]
            if value <= 0.0:
                picture[row, column] = FAR_M
                continue
            tri = numbers[below, here]
            total, others = value, 0
            for sample in range(3):
                r, c = (below - 1 if sample < 2 else below), (here + 1 if sample else here)
                if depth[r, c] > 0.0 and numbers[r, c] == tri:
                    total += depth[r, c]
                    others += 1
            picture[row, column] = 4.0 / total if others == 3 else 1.0 / value
