"""From the visibility buffer to colour: once per distinct triangle in a pixel.

A picture row is shaded in four flat passes: sky; fragments (a triangle and its share of a pixel); what a fragment's
distance gives (place, haze, shadow texel), which the compiler does on eight at once; texture, shadow and light.
Everything stays in one function with local scalars: a helper that takes the arrays made it several times slower.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from simlingo_sim.jit import kernel
from simlingo_sim.render.materials import FloatImage
from simlingo_sim.render.raster import Doubles, Indices

Bytes = npt.NDArray[np.int8]


@kernel
def shade(
    depth: FloatImage,
    numbers: Indices,
    camera: Doubles,
    focal: float,
    lit: FloatImage,
    normals: FloatImage,
    textures: FloatImage,
    walls: FloatImage,
    noise: Bytes,
    patches: Bytes,
    shadow: FloatImage,
    shadow_view: Doubles,
    air: Doubles,
    sky: FloatImage,
    sky_step: int,
    tone: npt.NDArray[np.uint8],
    ramp: FloatImage,
    picture: npt.NDArray[np.uint8],
) -> None:
    """Fill ``picture`` (H, W, 3) uint8 from ``depth`` and ``numbers`` (2H, 2W).

    ``focal`` in pixels. ``lit``: see materials.light_triangles. ``shadow_view``: x and y of the map's corner (m), texels per metre, shift in x and y per metre
    of height, strength, distance (m) where shadows have faded out. ``air``: fog light (3), fog density, wetness, share
    of lit windows, mirrored sky light (3), light of panes (3). ``noise``, ``patches``: (256, 256). ``sky``: light at every ``sky_step``-th pixel.
    """
    height, width = picture.shape[0], picture.shape[1]
    one, half, zero, byte = np.float32(1.0), np.float32(0.5), np.float32(0.0), np.float32(1.0 / 255.0)
    mask, unit = np.uint32(255), np.uint32(1)
    cx, cy, cz = np.float32(camera[0]), np.float32(camera[1]), np.float32(camera[2])
    fog_r, fog_g, fog_b = np.float32(air[0]), np.float32(air[1]), np.float32(air[2])
    fog_density, wetness, lit_windows = np.float32(air[3]), np.float32(air[4]), np.float32(air[5])
    mirror_r, mirror_g, mirror_b = np.float32(air[6]), np.float32(air[7]), np.float32(air[8])
    pane_r, pane_g, pane_b = np.float32(air[9]), np.float32(air[10]), np.float32(air[11])
    per_metre, lean_x, lean_y = np.float32(shadow_view[2]), np.float32(shadow_view[3]), np.float32(shadow_view[4])
    start_u = np.float32((camera[0] - camera[2] * shadow_view[3] - shadow_view[0]) * shadow_view[2] - 0.5)
    start_v = np.float32((camera[1] - camera[2] * shadow_view[4] - shadow_view[1]) * shadow_view[2] - 0.5)
    strength, shadow_reach = np.float32(shadow_view[5]), np.float32(shadow_view[6])
    fading = one / max(shadow_reach, one)
    last_texel = np.float32(shadow.shape[0] - 2)
    tone_scale = np.float32(tone.shape[0] / 8.0)
    tone_last = np.int32(tone.shape[0] - 1)
    pitch = np.float32(1.0 / focal)
    middle_column = np.float32(0.5 * width - 0.5)
    right_x, right_y, right_z = np.float32(camera[6]), np.float32(camera[7]), np.float32(camera[8])
    sum_r, sum_g, sum_b = np.empty(width, np.float32), np.empty(width, np.float32), np.empty(width, np.float32)
    most = 4 * width
    owner, pixel = np.empty(most, np.int32), np.empty(most, np.int32)
    weight, total = np.empty(most, np.float32), np.empty(most, np.float32)
    column_of, away_of, haze_of = np.empty(most, np.float32), np.empty(most, np.float32), np.empty(most, np.float32)
    x_of, y_of, z_of = np.empty(most, np.float32), np.empty(most, np.float32), np.empty(most, np.float32)
    u_of, v_of = np.empty(most, np.float32), np.empty(most, np.float32)
    fade_of, close_of = np.empty(most, np.float32), np.empty(most, np.float32)
    ids = np.empty(4, np.int32)
    inverse = np.empty(4, np.float32)
    for row in range(height):
        near_a, near_b = depth[2 * row], depth[2 * row + 1]
        ids_a, ids_b = numbers[2 * row], numbers[2 * row + 1]
        # Sky light along the row, between the nodes above and below it.
        sky_row = row // sky_step
        low = np.float32((row - sky_row * sky_step) / sky_step)
        gaps = 0
        for k in range(2 * width):
            gaps += 1 if near_a[k] <= zero or near_b[k] <= zero else 0
        for node in range((width + sky_step - 1) // sky_step if gaps > 0 else 0):
            base_r = sky[sky_row, node, 0] + low * (sky[sky_row + 1, node, 0] - sky[sky_row, node, 0])
            base_g = sky[sky_row, node, 1] + low * (sky[sky_row + 1, node, 1] - sky[sky_row, node, 1])
            base_b = sky[sky_row, node, 2] + low * (sky[sky_row + 1, node, 2] - sky[sky_row, node, 2])
            gain_r = (
                sky[sky_row, node + 1, 0] + low * (sky[sky_row + 1, node + 1, 0] - sky[sky_row, node + 1, 0]) - base_r
            )
            gain_g = (
                sky[sky_row, node + 1, 1] + low * (sky[sky_row + 1, node + 1, 1] - sky[sky_row, node + 1, 1]) - base_g
            )
            gain_b = (
                sky[sky_row, node + 1, 2] + low * (sky[sky_row + 1, node + 1, 2] - sky[sky_row, node + 1, 2]) - base_b
            )
            for k in range(min(sky_step, width - node * sky_step)):
                along = np.float32(k) / np.float32(sky_step)
                column = node * sky_step + k
                sum_r[column] = np.float32(4.0) * (base_r + along * gain_r)
                sum_g[column] = np.float32(4.0) * (base_g + along * gain_g)
                sum_b[column] = np.float32(4.0) * (base_b + along * gain_b)
        # Fragments of the row; the sky keeps its share of a pixel.
        count = 0
        for column in range(width):
            here = 2 * column
            w0, w1, w2, w3 = near_a[here], near_a[here + 1], near_b[here], near_b[here + 1]
            least = min(min(w0, w1), min(w2, w3))
            if least > zero:
                first = ids_a[here]
                if first == ids_a[here + 1] and first == ids_b[here] and first == ids_b[here + 1]:
                    owner[count], pixel[count] = first, column
                    column_of[count] = np.float32(column)
                    weight[count], total[count] = np.float32(4.0), w0 + w1 + w2 + w3
                    sum_r[column], sum_g[column], sum_b[column] = zero, zero, zero
                    count += 1
                    continue
            elif max(max(w0, w1), max(w2, w3)) <= zero:
                continue
            inverse[0], inverse[1], inverse[2], inverse[3] = w0, w1, w2, w3
            ids[0], ids[1], ids[2], ids[3] = ids_a[here], ids_a[here + 1], ids_b[here], ids_b[here + 1]
            open_sky = zero
            for k in range(4):
                if inverse[k] <= zero:
                    ids[k] = -1
                    open_sky += one
            sum_r[column] *= np.float32(0.25) * open_sky
            sum_g[column] *= np.float32(0.25) * open_sky
            sum_b[column] *= np.float32(0.25) * open_sky
            for k in range(4):
                tri = ids[k]
                if tri < 0:
                    continue
                share, together = one, inverse[k]
                for other in range(k + 1, 4):
                    if ids[other] == tri:
                        share += one
                        together += inverse[other]
                        ids[other] = -1
                owner[count], pixel[count] = tri, column
                column_of[count] = np.float32(column)
                weight[count], total[count] = share, together
                count += 1
        # What follows from the distance alone.
        down = (row + 0.5 - 0.5 * height) / focal
        row_x = np.float32(camera[3] - down * camera[9])
        row_y = np.float32(camera[4] - down * camera[10])
        row_z = np.float32(camera[5] - down * camera[11])
        for f in range(count):
            away = weight[f] / total[f]
            across = (column_of[f] - middle_column) * pitch
            dx = away * (row_x + across * right_x)
            dy = away * (row_y + across * right_y)
            dz = away * (row_z + across * right_z)
            haze = fog_density * away
            haze *= haze
            square = away * away
            away_of[f] = away
            x_of[f], y_of[f], z_of[f] = cx + dx, cy + dy, cz + dz
            u_of[f] = start_u + (dx - dz * lean_x) * per_metre
            v_of[f] = start_v + (dy - dz * lean_y) * per_metre
            haze_of[f] = haze / (one + haze)
            close_of[f] = one / (one + np.float32(0.004) * square)
            fade_of[f] = one / (one + np.float32(0.00007) * square)
        # Light, shadow and texture.
        for f in range(count):
            tri = np.uint32(owner[f])
            material = np.uint32(lit[tri, 6])
            red, green, blue = lit[tri, 0], lit[tri, 1], lit[tri, 2]
            haze = haze_of[f]
            if material == 1:
                haze *= np.float32(0.22)
            else:
                z = z_of[f]
                sun_r = lit[tri, 3]
                if sun_r > zero:
                    bright = one
                    u, v, away = u_of[f], v_of[f], away_of[f]
                    if away < shadow_reach and min(u, v) > one and max(u, v) < last_texel:
                        iu, iv = np.uint32(u), np.uint32(v)
                        au, av = u - np.float32(iu), v - np.float32(iv)
                        level = z + np.float32(0.06) + np.float32(0.0015) * away
                        p = one - au if shadow[iv, iu] > level else zero
                        q = au if shadow[iv, iu + unit] > level else zero
                        r = one - au if shadow[iv + unit, iu] > level else zero
                        s = au if shadow[iv + unit, iu + unit] > level else zero
                        far = away * fading
                        bright -= (p + q + av * (r + s - p - q)) * strength * (one - far * far * far)
                    red += sun_r * bright
                    green += lit[tri, 4] * bright
                    blue += lit[tri, 5] * bright
                if material == 2:
                    wall = np.uint32(lit[tri, 7])
                    along = (x_of[f] * walls[wall, 0] + y_of[f] * walls[wall, 1] - walls[wall, 2]) * walls[wall, 3]
                    floor = (z - walls[wall, 4]) * walls[wall, 5]
                    along += np.float32(64.0)
                    # A little darker towards the ground, where less of the sky is seen.
                    gain = one - np.float32(0.16) / (one + max(floor, zero) * np.float32(2.5))
                    red *= gain
                    green *= gain
                    blue *= gain
                    if floor >= zero and floor < walls[wall, 11]:
                        cell_u, cell_v = np.uint32(along), np.uint32(floor)
                        in_u = abs(along - np.float32(cell_u) - half)
                        in_v = abs(floor - np.float32(cell_v) - walls[wall, 8])
                        half_u, half_v = walls[wall, 6], walls[wall, 7]
                        if floor < one:
                            half_u, half_v = walls[wall, 9], walls[wall, 10]
                        out = max(in_u - half_u, in_v - half_v)
                        if out < zero:
                            fade = fade_of[f]
                            cell = cell_u * np.uint32(101) + cell_v * np.uint32(9473) + np.uint32(walls[wall, 12])
                            grain = np.float32(noise[(cell >> np.uint32(8)) & mask, cell & mask]) * byte
                            bright = one + grain * np.float32(0.9)
                            glow_r, glow_g, glow_b = pane_r, pane_g, pane_b
                            if grain + half < lit_windows:
                                glow_r, glow_g, glow_b = np.float32(0.92), np.float32(0.56), np.float32(0.20)
                                bright = np.float32(0.62) + grain * half + (half - in_u) * np.float32(0.4)
                            if in_u < np.float32(0.022) or half_v - in_v < np.float32(0.05):
                                bright *= np.float32(1.6)
                            red += (glow_r * bright - red) * fade
                            green += (glow_g * bright - green) * fade
                            blue += (glow_b * bright - blue) * fade
                        elif out < np.float32(0.035):
                            edge = one + np.float32(0.28) * fade_of[f]
                            red *= edge
                            green *= edge
                            blue *= edge
                elif textures[material, 0] > zero:
                    flat_u = x_of[f] + np.float32(0.71) * z + np.float32(4096.0)
                    flat_v = y_of[f] + np.float32(0.53) * z + np.float32(4096.0)
                    size = textures[material, 0]
                    fine = np.float32(noise[np.uint32(flat_v * size) & mask, np.uint32(flat_u * size) & mask])
                    size = textures[material, 2]
                    coarse = np.float32(patches[np.uint32(flat_v * size) & mask, np.uint32(flat_u * size) & mask])
                    gain = (
                        one + fine * textures[material, 1] * close_of[f] + coarse * textures[material, 3] * fade_of[f]
                    )
                    slab = textures[material, 4]
                    if slab > zero:
                        joint_u, joint_v = flat_u * slab, flat_v * slab
                        joint_u = abs(joint_u - np.float32(np.uint32(joint_u)) - half)
                        joint_v = abs(joint_v - np.float32(np.uint32(joint_v)) - half)
                        if max(joint_u, joint_v) > np.float32(0.475):
                            gain -= textures[material, 5] * close_of[f]
                    red *= gain
                    green *= gain
                    blue *= gain
                    if wetness > zero and normals[tri, 2] > half:
                        mirror = wetness * textures[material, 7] * away_of[f] / (away_of[f] + np.float32(11.0))
                        mirror *= np.float32(0.6) + np.float32(2.0) * byte * max(coarse, zero)
                        red += (mirror_r - red) * mirror
                        green += (mirror_g - green) * mirror
                        blue += (mirror_b - blue) * mirror
            column, share = pixel[f], weight[f]
            sum_r[column] += share * (red + (fog_r - red) * haze)
            sum_g[column] += share * (green + (fog_g - green) * haze)
            sum_b[column] += share * (blue + (fog_b - blue) * haze)
        line = picture[row]
        for column in range(width):
            line[column, 0] = tone[max(min(np.int32(sum_r[column] * tone_scale), tone_last), np.int32(0))]
            line[column, 1] = tone[max(min(np.int32(sum_g[column] * tone_scale), tone_last), np.int32(0))]
            line[column, 2] = tone[max(min(np.int32(sum_b[column] * tone_scale), tone_last), np.int32(0))]
