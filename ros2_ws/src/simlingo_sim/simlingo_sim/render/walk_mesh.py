"""Sidewalks with kerbs along the streets and around the corners of junctions."""

from __future__ import annotations

import itertools
import math

from simlingo_sim.render.materials import Material, Tag
from simlingo_sim.render.mesh import Color, MeshBuilder, Point
from simlingo_sim.render.road_mesh import add_strip
from simlingo_sim.render.streets import Street, lifted, shifted

#: Height of a sidewalk above the road and width of its kerb stone, m.
KERB_HEIGHT = 0.13
KERB_STONE = 0.18
_KERB: Color = (176, 174, 168)
_SLABS: Color = (158, 153, 146)
_EARTH: Color = (112, 104, 90)
#: A kerb edge whose middle is nearer than this to a street's end line belongs to that street's mouth, m.
_MOUTH_M = 0.4


def _add_walk(builder: MeshBuilder, inner: list[Point], outer: list[Point]) -> None:
    """Kerb face, kerb stone, slabs and outer face of a walk to the right of the line ``inner``."""
    stone = shifted(inner, KERB_STONE)
    top_inner, top_stone, top_outer = (lifted(line, KERB_HEIGHT) for line in (inner, stone, outer))
    for i in range(len(inner) - 1):
        # The road lies left of the line, so the kerb's face looks left.
        builder.quad(inner[i], inner[i + 1], top_inner[i + 1], top_inner[i], _KERB, Material.KERB, Tag.SIDEWALK)
        low = [(x, y, z - 0.1) for x, y, z in (outer[i], outer[i + 1])]
        builder.quad(low[1], low[0], top_outer[i], top_outer[i + 1], _EARTH, Material.KERB, Tag.SIDEWALK)
    add_strip(builder, top_inner, top_stone, _KERB, Material.KERB, Tag.SIDEWALK)
    add_strip(builder, top_stone, top_outer, _SLABS, Material.PAVEMENT, Tag.SIDEWALK)


def add_sidewalks(builder: MeshBuilder, street: Street) -> None:
    """Sidewalks of a street, each on the right of its traffic."""
    for lane in street.lanes_of("Sidewalk"):
        _add_walk(builder, lane.left, lane.right)


def _mouths(streets: list[Street]) -> list[tuple[Point, Point, float, float]]:
    """Both corners of each street's end, with the width of the walk at each (0: none)."""
    found = []
    for street in streets:
        left, right = street.carriageway()
        walks = street.lanes_of("Sidewalk")
        left_walk = max((lane.width for lane in walks if lane.lane_id > 0), default=0.0)
        right_walk = max((lane.width for lane in walks if lane.lane_id < 0), default=0.0)
        for end in (0, -1):
            found.append((left[end], right[end], left_walk, right_walk))
    return found


def _distance(point: Point, a: Point, b: Point) -> float:
    """Distance in m, level, from a point to a segment."""
    dx, dy = b[0] - a[0], b[1] - a[1]
    share = ((point[0] - a[0]) * dx + (point[1] - a[1]) * dy) / max(dx * dx + dy * dy, 1e-9)
    share = min(max(share, 0.0), 1.0)
    return math.hypot(point[0] - a[0] - share * dx, point[1] - a[1] - share * dy)


def add_corners(builder: MeshBuilder, kerb: list[Point], streets: list[Street]) -> None:
    """Sidewalks along a junction's kerb polygon, between the mouths of its streets."""
    points = list(kerb)
    area = sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(points, [*points[1:], points[0]], strict=True))
    if area > 0.0:
        points.reverse()  # negative numeric area: the inside is on the left in a frame with y to the right
    mouths = [m for m in _mouths(streets) if min(math.dist(m[0], p) for p in points) < 30.0]
    count = len(points)
    is_mouth = []
    for i in range(count):
        a, b = points[i], points[(i + 1) % count]
        middle = ((a[0] + b[0]) / 2, (a[1] + b[1]) / 2, a[2])
        is_mouth.append(any(_distance(middle, m[0], m[1]) < _MOUTH_M for m in mouths))
    if not any(is_mouth):
        return
    first = is_mouth.index(True)
    run: list[Point] = []
    for step in range(1, count + 1):
        i = (first + step) % count
        if not is_mouth[i]:
            run.append(points[i])
        elif run:
            _add_corner(builder, [*run, points[i]], mouths)
            run = []


def _walk_width(corner: Point, mouths: list[tuple[Point, Point, float, float]]) -> float:
    """Width of the sidewalk of the street whose mouth ends at ``corner``."""
    best = min(
        ((math.dist(corner, p), width) for m in mouths for p, width in ((m[0], m[2]), (m[1], m[3]))), default=(9.0, 0.0)
    )
    return best[1] if best[0] < 2.0 else 0.0


def _add_corner(builder: MeshBuilder, line: list[Point], mouths: list[tuple[Point, Point, float, float]]) -> None:
    start, end = _walk_width(line[0], mouths), _walk_width(line[-1], mouths)
    if start == 0.0 and end == 0.0:
        return
    lengths = [0.0]
    for a, b in itertools.pairwise(line):
        lengths.append(lengths[-1] + math.dist(a, b))
    start, end = start or end, end or start
    unit = shifted(line, 1.0)
    outer = []
    for point, direction, length in zip(line, unit, lengths, strict=True):
        width = start + (end - start) * length / max(lengths[-1], 1e-6)
        outer.append(
            (point[0] + (direction[0] - point[0]) * width, point[1] + (direction[1] - point[1]) * width, point[2])
        )
    _add_walk(builder, line, outer)
