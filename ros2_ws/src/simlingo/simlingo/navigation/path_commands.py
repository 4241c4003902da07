"""Commands of a path that carries none: bends too tight to be a road's curve are turns at a junction."""

from __future__ import annotations

import math

import numpy as np

from simlingo.contracts import Command, FloatArray
from simlingo.geometry import arc_length
from simlingo.navigation.lane_graph import TURN_ANGLE

#: A path bends like a turn where its heading changes faster than this, rad/m: a radius of 25 m, which a turn at a
#: junction stays below and a road's curve in town seldom does.
TURN_CURVATURE = 1.0 / 25.0
#: Heading is measured over this length, m, so that a sampled path's kinks do not count.
HEADING_BASE_M = 2.0


def densify(points: FloatArray, spacing: float) -> FloatArray:
    """The polyline ``points`` (N >= 2, 2) sampled about every ``spacing`` m, first and last point included."""
    arcs = arc_length(points)
    moving = np.concatenate(([True], np.diff(arcs) > 1e-9))
    arcs, line = arcs[moving], points[moving]
    count = max(math.ceil(arcs[-1] / spacing), 1) + 1
    wanted = np.linspace(0.0, arcs[-1], count)
    return np.stack((np.interp(wanted, arcs, line[:, 0]), np.interp(wanted, arcs, line[:, 1])), axis=1)


def commands_from_path(points_in_map: FloatArray) -> list[Command]:
    """One command a point for a dense path (N >= 2, 2) m (``densify`` a sparse one first), map frame, y right.

    LEFT and RIGHT mark the tight bends; all else is FOLLOW_LANE, for a path does not show the junctions that it
    crosses straight on.
    """
    points = np.asarray(points_in_map, dtype=np.float64)
    curvature = _curvature(points)
    commands = [Command.FOLLOW_LANE] * len(points)
    steps = np.diff(arc_length(points), append=arc_length(points)[-1])
    bend = np.where(np.abs(curvature) > TURN_CURVATURE, np.sign(curvature), 0.0)
    begin = 0
    for index in range(1, len(points) + 1):
        if index < len(points) and bend[index] == bend[begin]:
            continue
        turned = float((curvature[begin:index] * steps[begin:index]).sum())
        if bend[begin] != 0.0 and abs(turned) >= TURN_ANGLE:
            commands[begin:index] = [Command.RIGHT if turned > 0.0 else Command.LEFT] * (index - begin)
        begin = index
    return commands


def _curvature(points: FloatArray) -> FloatArray:
    """Signed curvature (N,) rad/m, right positive, from the headings before and after each point."""
    arcs = arc_length(points)
    moving = np.concatenate(([True], np.diff(arcs) > 1e-9))

    def at(distance: FloatArray) -> FloatArray:
        return np.stack([np.interp(distance, arcs[moving], points[moving, axis]) for axis in (0, 1)], axis=1)

    before = np.maximum(arcs - HEADING_BASE_M, 0.0)
    after = np.minimum(arcs + HEADING_BASE_M, arcs[-1])
    here, first, second = at(arcs), at(before), at(after)
    into, out = here - first, second - here
    cross = into[:, 0] * out[:, 1] - into[:, 1] * out[:, 0]
    dot = np.einsum("ij,ij->i", into, out)
    angle = np.arctan2(cross, dot)
    base = np.maximum((after - before) / 2.0, 1e-6)
    curvature = angle / base
    curvature[(arcs - before < 1e-6) | (after - arcs < 1e-6)] = 0.0
    return np.asarray(curvature)
