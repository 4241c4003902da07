"""Plan-view curves of lines and arcs, in the OpenDRIVE frame (x east, y north, heading counter-clockwise rad, m)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
Point = tuple[float, float]

#: Below this (rad) two headings count as equal; it stays under the 0.1 degrees the towns promise.
SAME_HEADING = 1e-6


@dataclass(frozen=True)
class Pose:
    """A place (m) and a heading (rad)."""

    x: float
    y: float
    heading: float

    def shifted(self, forward: float, left: float) -> Pose:
        """The pose moved by metres along and to the left of its own heading."""
        cos, sin = math.cos(self.heading), math.sin(self.heading)
        return Pose(self.x + forward * cos - left * sin, self.y + forward * sin + left * cos, self.heading)


@dataclass(frozen=True)
class Segment:
    """A line (curvature 0) or an arc (curvature in 1/m, positive turns left)."""

    start: Pose
    length: float
    curvature: float = 0.0

    def pose_at(self, s: float) -> Pose:
        """Pose ``s`` metres after the start."""
        if self.curvature == 0.0:
            return self.start.shifted(s, 0.0)
        turned = s * self.curvature
        moved = self.start.shifted(math.sin(turned) / self.curvature, (1.0 - math.cos(turned)) / self.curvature)
        return Pose(moved.x, moved.y, self.start.heading + turned)


Path = tuple[Segment, ...]


def wrap(angle: float) -> float:
    """``angle`` (rad) brought into [-pi, pi)."""
    return (angle + math.pi) % (2.0 * math.pi) - math.pi


def path_length(path: Path) -> float:
    """Length in m."""
    return sum(segment.length for segment in path)


def pose_along(path: Path, s: float) -> Pose:
    """Pose at ``s`` metres from the start of ``path``; beyond its ends the end segments are prolonged."""
    for segment in path[:-1]:
        if s <= segment.length:
            return segment.pose_at(s)
        s -= segment.length
    return path[-1].pose_at(s)


def sample(path: Path, step: float) -> FloatArray:
    """Rows (s, x, y, heading) at equal distances of at most ``step`` m, both ends included."""
    length = path_length(path)
    stations = np.linspace(0.0, length, max(2, math.ceil(length / step) + 1))
    poses = [pose_along(path, float(s)) for s in stations]
    return np.array([(s, pose.x, pose.y, pose.heading) for s, pose in zip(stations, poses, strict=True)])


def rounded_polyline(points: Sequence[Point], radius: float) -> Path:
    """Lines through ``points`` whose inner corners are arcs of ``radius`` m, or less where the sides are short.

    Neighbouring arcs share a side by halves; the first and the last side keep at least half of their length straight.
    """
    places = [np.array(point, dtype=float) for point in points]
    segments: list[Segment] = []
    heading = math.atan2(*(places[1] - places[0])[::-1])
    cursor = Pose(float(places[0][0]), float(places[0][1]), heading)
    for before, corner, after in zip(places[:-2], places[1:-1], places[2:], strict=True):
        side_in, side_out = float(np.hypot(*(corner - before))), float(np.hypot(*(after - corner)))
        turn = wrap(math.atan2(*(after - corner)[::-1]) - cursor.heading)
        half_tangent = math.tan(abs(turn) / 2.0)
        tangent = min(radius * half_tangent, side_in / 2.0, side_out / 2.0)
        straight = math.hypot(float(corner[0]) - cursor.x, float(corner[1]) - cursor.y) - tangent
        cursor = _append(segments, Segment(cursor, straight))
        if abs(turn) > SAME_HEADING:
            arc_radius = tangent / half_tangent
            arc = Segment(cursor, arc_radius * abs(turn), math.copysign(1.0 / arc_radius, turn))
            cursor = _append(segments, arc)
    last = places[-1]
    _append(segments, Segment(cursor, math.hypot(float(last[0]) - cursor.x, float(last[1]) - cursor.y)))
    return tuple(segments)


def trimmed(path: Path, at_start: float, at_end: float) -> Path:
    """``path`` without metres at both ends; these must lie within its first and its last segment."""
    first, last = path[0], path[-1]
    if first.length <= at_start or last.length <= at_end or path_length(path) <= at_start + at_end:
        raise ValueError(
            f"cannot cut {at_start:.1f} m and {at_end:.1f} m from a street whose straight ends are {first.length:.1f} m"
            f" and {last.length:.1f} m long: move its control points away from its junctions"
        )
    segments = list(path)
    segments[0] = Segment(first.pose_at(at_start), first.length - at_start, first.curvature)
    segments[-1] = Segment(segments[-1].start, segments[-1].length - at_end, last.curvature)
    return tuple(segments)


def connect(start: Pose, end: Pose) -> Path:
    """The smooth curve between two poses: one arc as wide as possible and straight rests, else two arcs."""
    turn = wrap(end.heading - start.heading)
    dx, dy = end.x - start.x, end.y - start.y
    ahead = dx * math.cos(start.heading) + dy * math.sin(start.heading)
    left = dy * math.cos(start.heading) - dx * math.sin(start.heading)
    if abs(turn) < SAME_HEADING and abs(left) < 1e-6:
        return (Segment(start, ahead),)
    if abs(math.sin(turn)) > 0.02:
        to_end = left / math.sin(turn)
        to_corner = ahead - to_end * math.cos(turn)
        if to_corner > 0.5 and to_end > 0.5:
            return _line_arc_line(start, to_corner, to_end, turn)
    return _two_arcs(start, end)


def _line_arc_line(start: Pose, to_corner: float, to_end: float, turn: float) -> Path:
    tangent = min(to_corner, to_end)
    radius = tangent / math.tan(abs(turn) / 2.0)
    segments: list[Segment] = []
    cursor = _append(segments, Segment(start, to_corner - tangent))
    cursor = _append(segments, Segment(cursor, radius * abs(turn), math.copysign(1.0 / radius, turn)))
    _append(segments, Segment(cursor, to_end - tangent))
    return tuple(segments)


def _two_arcs(start: Pose, end: Pose) -> Path:
    """Biarc with tangents of equal length at both ends."""
    along_start = np.array([math.cos(start.heading), math.sin(start.heading)])
    along_end = np.array([math.cos(end.heading), math.sin(end.heading)])
    chord = np.array([end.x - start.x, end.y - start.y])
    quadratic = 2.0 * (1.0 - float(along_start @ along_end))
    linear = 2.0 * float(chord @ (along_start + along_end))
    constant = -float(chord @ chord)
    if quadratic < 1e-9:
        tangent = -constant / linear
    else:
        tangent = (-linear + math.sqrt(linear * linear - 4.0 * quadratic * constant)) / (2.0 * quadratic)
    joint = (np.array([start.x, start.y]) + np.array([end.x, end.y]) + tangent * (along_start - along_end)) / 2.0
    segments: list[Segment] = []
    cursor = _append(segments, _arc_to(start, (float(joint[0]), float(joint[1]))))
    _append(segments, _arc_to(cursor, (end.x, end.y)))
    return tuple(segments)


def _arc_to(start: Pose, target: Point) -> Segment:
    dx, dy = target[0] - start.x, target[1] - start.y
    chord = math.hypot(dx, dy)
    angle = wrap(math.atan2(dy, dx) - start.heading)
    if abs(angle) < SAME_HEADING:
        return Segment(start, chord)
    return Segment(start, chord * angle / math.sin(angle), 2.0 * math.sin(angle) / chord)


def _append(segments: list[Segment], segment: Segment) -> Pose:
    """Add ``segment`` unless it is empty; the pose at its end."""
    if segment.length > 1e-6:
        segments.append(segment)
    return segment.pose_at(segment.length)
