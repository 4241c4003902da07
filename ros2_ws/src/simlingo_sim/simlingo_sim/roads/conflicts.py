"""Which connecting lanes of a junction get in each other's way, and where."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from simlingo_sim.bodies import Floats, Ints
from simlingo_sim.roads.lane_graph import LaneArrays

#: Lanes whose centre lines come closer than this conflict: two vehicle widths' halves and some air, m.
_CLEARANCE = 2.5


class ConflictArrays(NamedTuple):
    """J connecting lanes and their pairwise conflicts."""

    position: Ints  # (L,) lane -> position among the connecting lanes, else -1
    pair: Ints  # (J, J) row of ``span``, else -1
    any: Ints  # (J,) 1 where a lane has conflicts at all
    span: Floats  # (C, 4) first and last s of the conflict on the one lane, then on the other, m


def find_conflicts(lanes: LaneArrays) -> ConflictArrays:
    """Conflicts between connecting lanes of one junction that begin on different lanes."""
    connecting = np.flatnonzero(lanes.junction >= 0)
    position = np.full(len(lanes.first), -1, dtype=np.int64)
    position[connecting] = np.arange(len(connecting))
    pair = np.full((len(connecting), len(connecting)), -1, dtype=np.int64)
    origin = _origins(lanes)
    spans: list[tuple[float, float, float, float]] = []
    for junction in np.unique(lanes.junction[connecting]):
        members = connecting[lanes.junction[connecting] == junction]
        for place, one in enumerate(members):
            for other in members[place + 1 :]:
                if origin[one] >= 0 and origin[one] == origin[other]:
                    continue
                span = _overlap(lanes, int(one), int(other))
                if span is None:
                    continue
                pair[position[one], position[other]] = len(spans)
                spans.append(span)
                pair[position[other], position[one]] = len(spans)
                spans.append((span[2], span[3], span[0], span[1]))
    return ConflictArrays(
        position,
        pair,
        np.array([int((row >= 0).any()) for row in pair], dtype=np.int64),
        np.array(spans, dtype=np.float64).reshape(-1, 4),
    )


def _origins(lanes: LaneArrays) -> Ints:
    """(L,) the lane that leads into each lane (the last such), or -1."""
    origin = np.full(len(lanes.first), -1, dtype=np.int64)
    for lane in range(len(lanes.first)):
        first = int(lanes.successor_first[lane])
        for following in lanes.successors[first : first + int(lanes.successor_count[lane])]:
            origin[following] = lane
    return origin


def _overlap(lanes: LaneArrays, one: int, other: int) -> tuple[float, float, float, float] | None:
    tracks = []
    for lane in (one, other):
        span = slice(int(lanes.first[lane]), int(lanes.first[lane] + lanes.points[lane]))
        tracks.append(np.stack([lanes.x[span], lanes.y[span]], axis=1))
    gaps = np.linalg.norm(tracks[0][:, None] - tracks[1][None], axis=2) < _CLEARANCE
    if not gaps.any():
        return None
    mine, theirs = np.flatnonzero(gaps.any(axis=1)), np.flatnonzero(gaps.any(axis=0))
    step_one = float(lanes.length[one]) / (int(lanes.points[one]) - 1)
    step_other = float(lanes.length[other]) / (int(lanes.points[other]) - 1)
    return (
        float(mine[0]) * step_one,
        float(mine[-1]) * step_one,
        float(theirs[0]) * step_other,
        float(theirs[-1]) * step_other,
    )
