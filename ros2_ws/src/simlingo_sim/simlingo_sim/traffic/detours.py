"""Lanes bent around what stands at their edges, for the traffic alone: its vehicles keep to the middle of their lanes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from simlingo_sim.bodies import Floats
from simlingo_sim.roads.lane_graph import LaneArrays

#: Half the width of the widest vehicle and the air beside it, m.
_HALF_WIDTH_M, _AIR_M = 1.23, 0.2
#: A lane is never bent by more than this, m: what leaves less room blocks it, and traffic does not heed that.
_MOST_M = 1.2
#: A vehicle is beside a thing while its middle is so near along the lane, m; before and after it moves over within a ramp.
_BESIDE_M, _RAMP_M = 4.5, 10.0
#: What is farther than this from a lane's middle is not looked at, m.
_NEAR_M = 5.0

#: Middle x, y (m), yaw (rad), half length and half width (m) of something on the ground.
Footprint = tuple[float, float, float, float, float]


def bent_around(lanes: LaneArrays, boxes: Sequence[Footprint]) -> LaneArrays:
    """``lanes`` whose points keep a bus off ``boxes``; lanes in junctions, and those without any near, stay as they are."""
    x, y = lanes.x.copy(), lanes.y.copy()
    table = np.array(boxes, dtype=float).reshape(-1, 5)
    for lane in np.flatnonzero(lanes.junction < 0):
        points = slice(int(lanes.first[lane]), int(lanes.first[lane] + lanes.points[lane]))
        arc = np.linspace(0.0, float(lanes.length[lane]), int(lanes.points[lane]))
        line = np.stack((lanes.x[points], lanes.y[points]), axis=1)
        near = ((table[:, :2] > line.min(axis=0) - _NEAR_M) & (table[:, :2] < line.max(axis=0) + _NEAR_M)).all(axis=1)
        if not near.any():
            continue
        shift = sideways(line, lanes.yaw[points], arc, table[near])
        x[points] -= np.sin(lanes.yaw[points]) * shift
        y[points] += np.cos(lanes.yaw[points]) * shift
    return lanes._replace(x=x, y=y)


def sideways(line: Floats, yaw: Floats, arc: Floats, boxes: Floats) -> Floats:
    """How far each point of a line moves to the right (m, left negative) to keep off ``boxes`` (N, 5)."""
    left, right = np.zeros(len(line)), np.zeros(len(line))
    for box in boxes:
        delta = box[:2] - line
        gap = np.hypot(delta[:, 0], delta[:, 1])
        nearest = int(np.argmin(gap))
        if gap[nearest] > _NEAR_M:
            continue
        cos, sin = np.cos(yaw[nearest]), np.sin(yaw[nearest])
        across = -delta[nearest, 0] * sin + delta[nearest, 1] * cos
        turn = box[2] - yaw[nearest]
        turn_cos, turn_sin = abs(np.cos(turn)), abs(np.sin(turn))
        need = _HALF_WIDTH_M + _AIR_M - (abs(across) - box[3] * turn_sin - box[4] * turn_cos)
        along = abs(delta[nearest, 0] * cos + delta[nearest, 1] * sin)
        if not 0.0 < need <= _MOST_M or along > box[3] + 1.0:
            continue
        beside = box[3] * turn_cos + box[4] * turn_sin + _BESIDE_M
        part = np.clip(1.0 - (np.abs(arc - arc[nearest]) - beside) / _RAMP_M, 0.0, 1.0)
        bump = need * part * part * (3.0 - 2.0 * part)
        if across > 0.0:
            np.maximum(left, bump, out=left)
        else:
            np.maximum(right, bump, out=right)
    return right - left
