"""Visibility: which triangle is nearest at each of 2x2 samples per pixel.

The sample grid has twice the picture's rows and columns. Samples of even rows sit at 0.25 of their cell, those
of odd rows at 0.75, so that the four of a pixel have four different columns: upright edges get four steps.
A sample holds 1/depth (0: nothing) and the triangle's number. 1/depth is linear on the screen, and is
taken from the triangle's plane, which near-plane clipping does not change.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from simlingo_sim.jit import kernel
from simlingo_sim.render.materials import FloatImage

Indices = npt.NDArray[np.int32]
Doubles = npt.NDArray[np.float64]

#: Distance of the near plane, m.
NEAR_M = 0.08


@kernel
def find_visible(
    boxes: FloatImage,
    reach: FloatImage,
    stretch: float,
    camera: Doubles,
    tan_x: float,
    tan_y: float,
    distance: Doubles,
) -> None:
    """Fill ``distance`` (M,) with the distance in m of each chunk that may be seen, and -1 for the others.

    ``boxes`` (M, 6): lower and upper corner in the map frame, m. ``reach`` (M,): distance in m, times
    ``stretch``, beyond which a chunk is left out. ``camera`` (12,): position, then forward, right and up axis.
    """
    norm_x = math.sqrt(1.0 + tan_x * tan_x)
    norm_y = math.sqrt(1.0 + tan_y * tan_y)
    for i in range(boxes.shape[0]):
        mid_x = 0.5 * (boxes[i, 0] + boxes[i, 3]) - camera[0]
        mid_y = 0.5 * (boxes[i, 1] + boxes[i, 4]) - camera[1]
        mid_z = 0.5 * (boxes[i, 2] + boxes[i, 5]) - camera[2]
        half_x = 0.5 * (boxes[i, 3] - boxes[i, 0])
        half_y = 0.5 * (boxes[i, 4] - boxes[i, 1])
        half_z = 0.5 * (boxes[i, 5] - boxes[i, 2])
        radius = math.sqrt(half_x * half_x + half_y * half_y + half_z * half_z)
        away = math.sqrt(mid_x * mid_x + mid_y * mid_y + mid_z * mid_z)
        distance[i] = -1.0
        if away - radius > reach[i] * stretch:
            continue
        forward = mid_x * camera[3] + mid_y * camera[4] + mid_z * camera[5]
        right = mid_x * camera[6] + mid_y * camera[7] + mid_z * camera[8]
        up = mid_x * camera[9] + mid_y * camera[10] + mid_z * camera[11]
        if forward < -radius or abs(right) - forward * tan_x > radius * norm_x:
            continue
        if abs(up) - forward * tan_y > radius * norm_y:
            continue
        distance[i] = away


def visible_chunks(
    boxes: FloatImage, reach: FloatImage, stretch: float, camera: Doubles, tan_x: float, tan_y: float
) -> npt.NDArray[np.int64]:
    """Numbers of the chunks that may be seen, nearest first; arguments as for :func:`find_visible`."""
    distance = np.empty(len(reach))
    find_visible(boxes, reach, stretch, camera, tan_x, tan_y, distance)
    seen = np.flatnonzero(distance >= 0.0)
    nearest_first: npt.NDArray[np.int64] = seen[np.argsort(distance[seen], kind="stable")]
    return nearest_first


@kernel
def fill_triangle(
    x0: float,
    y0: float,
    x1: float,
    y1: float,
    x2: float,
    y2: float,
    slope_x: float,
    slope_y: float,
    base: float,
    columns: int,
    rows: int,
    number: int,
    depth: FloatImage,
    numbers: Indices,
    ramp: FloatImage,
    zero: np.int32,
) -> None:
    """Write one triangle, given in sample coordinates, where it is nearer than what ``depth`` holds.

    1/depth at sample coordinates (x, y) is ``slope_x * x + slope_y * y + base``. ``ramp``: 0, 1, 2, ... at least as
    long as a row; ``zero``: 0.
    """
    if y1 < y0:
        x0, y0, x1, y1 = x1, y1, x0, y0
    if y2 < y0:
        x0, y0, x2, y2 = x2, y2, x0, y0
    if y2 < y1:
        x1, y1, x2, y2 = x2, y2, x1, y1
    first = max(math.ceil(y0 - 0.5), 0.0)
    last = min(math.ceil(y2 - 0.5), float(rows))
    if last <= first:
        return
    long_slope = (x2 - x0) / (y2 - y0)
    upper_slope = (x1 - x0) / (y1 - y0) if y1 > y0 else 0.0
    lower_slope = (x2 - x1) / (y2 - y1) if y2 > y1 else 0.0
    step = np.float32(slope_x)
    limit = float(columns)
    ident = np.int32(number)
    soft_zero = np.float32(zero)
    for row in range(int(first), int(last)):
        middle = row + 0.5
        offset = 0.75 if row & 1 else 0.25
        left = x0 + (middle - y0) * long_slope - offset
        right = (x0 + (middle - y0) * upper_slope if middle < y1 else x1 + (middle - y1) * lower_slope) - offset
        if right < left:
            left, right = right, left
        start = max(math.ceil(left), 0.0)
        end = min(math.ceil(right), limit)
        if end <= start:
            continue
        begin = int(start)
        count = int(end) - begin
        value = np.float32(slope_x * (start + offset) + slope_y * middle + base)
        near = depth[row, begin : begin + count]
        ids = numbers[row, begin : begin + count]
        for i in range(count):
            # Both stores always happen, and add a zero the compiler cannot see through: else it would turn them
            # into masked stores, which are five times slower on AMD's cores.
            candidate = value + step * ramp[i]
            held = near[i]
            if candidate > held:
                held = candidate
                owner = ident
            else:
                owner = ids[i]
            near[i] = held + soft_zero
            ids[i] = np.int32(owner + zero)


@kernel
def draw_triangles(
    vertices: FloatImage,
    normals: FloatImage,
    starts: npt.NDArray[np.int64],
    ends: npt.NDArray[np.int64],
    camera: Doubles,
    focal: float,
    depth: FloatImage,
    numbers: Indices,
    ramp: FloatImage,
    zero: np.int32,
) -> int:
    """Draw the triangles of the ranges [starts, ends) as seen by ``camera`` (see :func:`find_visible`).

    ``focal``: focal length in samples. ``depth``, ``numbers``: (2H, 2W). ``ramp`` and ``zero``: see
    :func:`fill_triangle`. Returns how many triangles reached the screen.
    """
    rows, columns = depth.shape
    mid_x, mid_y = 0.5 * columns, 0.5 * rows
    cx, cy, cz = camera[0], camera[1], camera[2]
    fx, fy, fz = camera[3], camera[4], camera[5]
    rx, ry, rz = camera[6], camera[7], camera[8]
    ux, uy, uz = camera[9], camera[10], camera[11]
    ahead = np.empty(3)
    right = np.empty(3)
    up = np.empty(3)
    screen_x = np.empty(4)
    screen_y = np.empty(4)
    drawn = 0
    for chunk in range(starts.shape[0]):
        for t in range(starts[chunk], ends[chunk]):
            nx, ny, nz = float(normals[t, 0]), float(normals[t, 1]), float(normals[t, 2])
            plane = nx * (vertices[t, 0, 0] - cx) + ny * (vertices[t, 0, 1] - cy) + nz * (vertices[t, 0, 2] - cz)
            if plane > -1e-5:
                continue
            inside = 0
            for k in range(3):
                px, py, pz = vertices[t, k, 0] - cx, vertices[t, k, 1] - cy, vertices[t, k, 2] - cz
                ahead[k] = px * fx + py * fy + pz * fz
                right[k] = px * rx + py * ry + pz * rz
                up[k] = px * ux + py * uy + pz * uz
                if ahead[k] >= NEAR_M:
                    inside += 1
            if inside == 0:
                continue
            corners = 0
            for k in range(3):
                if ahead[k] >= NEAR_M:
                    scale = focal / ahead[k]
                    screen_x[corners] = mid_x + right[k] * scale
                    screen_y[corners] = mid_y - up[k] * scale
                    corners += 1
                if inside < 3:
                    after = k + 1 if k < 2 else 0
                    if (ahead[k] >= NEAR_M) != (ahead[after] >= NEAR_M):
                        share = (NEAR_M - ahead[k]) / (ahead[after] - ahead[k])
                        screen_x[corners] = mid_x + (right[k] + share * (right[after] - right[k])) * focal / NEAR_M
                        screen_y[corners] = mid_y - (up[k] + share * (up[after] - up[k])) * focal / NEAR_M
                        corners += 1
            low_x = min(screen_x[0], screen_x[1], screen_x[2])
            high_x = max(screen_x[0], screen_x[1], screen_x[2])
            low_y = min(screen_y[0], screen_y[1], screen_y[2])
            high_y = max(screen_y[0], screen_y[1], screen_y[2])
            if corners == 4:
                low_x, high_x = min(low_x, screen_x[3]), max(high_x, screen_x[3])
                low_y, high_y = min(low_y, screen_y[3]), max(high_y, screen_y[3])
            if high_x < 0.0 or low_x > columns or high_y < 0.0 or low_y > rows:
                continue
            forward = (nx * fx + ny * fy + nz * fz) / plane
            slope_x = (nx * rx + ny * ry + nz * rz) / (plane * focal)
            slope_y = -(nx * ux + ny * uy + nz * uz) / (plane * focal)
            base = forward - slope_x * mid_x - slope_y * mid_y
            drawn += 1
            fill_triangle(
                screen_x[0],
                screen_y[0],
                screen_x[1],
                screen_y[1],
                screen_x[2],
                screen_y[2],
                slope_x,
                slope_y,
                base,
                columns,
                rows,
                t,
                depth,
                numbers,
                ramp,
                zero,
            )
            if corners == 4:
                fill_triangle(
                    screen_x[0],
                    screen_y[0],
                    screen_x[2],
                    screen_y[2],
                    screen_x[3],
                    screen_y[3],
                    slope_x,
                    slope_y,
                    base,
                    columns,
                    rows,
                    t,
                    depth,
                    numbers,
                    ramp,
                    zero,
                )
    return drawn
