"""The lanes of a map as who drives along them needs them: which lie beside which, what the marks allow, and a picture of the asphalt."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np
import numpy.typing as npt

from simlingo.contracts import Command, FloatArray
from simlingo.navigation.lane_graph import LaneGraph
from simlingo_sim.jit import kernel
from training.language.surroundings.painting import paint

#: Side of a cell of the picture, m, and the border around it.
CELL_M, BORDER_M = 0.25, 12.0
#: Asphalt beside the lanes of a junction, m: corners are rounded there.
JUNCTION_MARGIN_M = 1.2
NOWHERE = -1


class Beside(Enum):
    """What lies beside a lane."""

    NOTHING = "nothing"  # pavement, verge
    SAME = "same"  # a lane of the same direction
    ONCOMING = "oncoming"
    SHOULDER = "shoulder"


@dataclass(frozen=True)
class Side:
    """One side of a lane."""

    beside: Beside
    lane: int = NOWHERE  # number of the driving lane there
    may_cross: bool = False  # the mark allows a lane change
    width_m: float = 0.0  # of what lies there


@dataclass(frozen=True)
class RoadLane:
    """A driving lane from one end of its section to the other."""

    points: FloatArray  # (N, 2) m, about a metre apart, in driving order
    yaw: FloatArray  # (N,) rad
    width_m: float
    junction: bool
    successors: tuple[int, ...]
    manoeuvre: Command  # what driving it means
    left: Side
    right: Side


@dataclass(frozen=True)
class RoadMap:
    """All lanes, and for each cell of the town which lane is there and where it leads."""

    lanes: tuple[RoadLane, ...]
    cells: npt.NDArray[np.int32]  # (rows, columns) number of the lane; NOWHERE off the road
    heading: npt.NDArray[np.float32]  # (rows, columns) rad
    origin_m: tuple[float, float]
    junctions: npt.NDArray[np.bool_]  # (lanes,) whether each crosses a junction

    def lane_at(self, points: FloatArray) -> npt.NDArray[np.int64]:
        """Numbers (N,) of the lanes at points (N, 2) m; NOWHERE off the road."""
        return _cells_at(np.ascontiguousarray(points), self.cells, self.origin_m, CELL_M)


@kernel
def _cells_at(
    points: FloatArray, cells: npt.NDArray[np.int32], origin_m: tuple[float, float], cell_m: float
) -> npt.NDArray[np.int64]:
    """The cells (N,) in which points lie; -1 beyond them."""
    found = np.empty(len(points), dtype=np.int64)
    height, width = cells.shape
    for number in range(len(points)):
        column = int(np.floor((points[number, 0] - origin_m[0]) / cell_m))
        row = int(np.floor((points[number, 1] - origin_m[1]) / cell_m))
        inside = 0 <= row < height and 0 <= column < width
        found[number] = cells[row, column] if inside else -1
    return found


def road_map(graph: LaneGraph) -> RoadMap:
    """The lanes of ``graph``; takes about a second for a town."""
    return road_of(tuple(_lane(graph, number) for number in range(len(graph.lanes))))


def road_of(lanes: tuple[RoadLane, ...]) -> RoadMap:
    """The map of ``lanes``, numbered as they stand here."""
    everywhere = np.vstack([lane.points for lane in lanes])
    low = everywhere.min(axis=0) - BORDER_M
    size = np.ceil((everywhere.max(axis=0) + BORDER_M - low) / CELL_M).astype(int)
    cells = np.full((size[1], size[0]), NOWHERE, dtype=np.int32)
    heading = np.zeros(cells.shape, dtype=np.float32)
    for margin in (JUNCTION_MARGIN_M, 0.0):  # lanes hide the rounded corners of junctions, which lie beneath them
        for number, lane in enumerate(lanes):
            if margin and not lane.junction:
                continue
            right = lane.width_m / 2.0 + (lane.right.width_m if lane.right.beside is Beside.SHOULDER else 0.0)
            paint(
                cells, heading, np.ascontiguousarray(lane.points), lane.yaw, number,
                np.array((low[0], low[1], lane.width_m / 2.0 + margin, right + margin, CELL_M)),
            )  # fmt: skip
    junctions = np.array([lane.junction for lane in lanes])
    return RoadMap(lanes, cells, heading, (float(low[0]), float(low[1])), junctions)


def _lane(graph: LaneGraph, number: int) -> RoadLane:
    lane = graph.lanes[number]
    middle = lane.waypoints[len(lane.waypoints) // 2]
    yaw = np.radians([waypoint.transform.rotation.yaw for waypoint in lane.waypoints])
    return RoadLane(
        graph.positions[lane.first : lane.last + 1],
        np.unwrap(yaw),
        float(middle.lane_width),
        lane.junction is not None,
        tuple(lane.successors),
        lane.manoeuvre,
        _side(graph, middle, middle.get_left_lane(), "Left"),
        _side(graph, middle, middle.get_right_lane(), "Right"),
    )


def _side(graph: LaneGraph, waypoint: Any, beside: Any, name: str) -> Side:
    if beside is None:
        return Side(Beside.NOTHING)
    kind = str(beside.lane_type)
    if kind == "Shoulder":
        return Side(Beside.SHOULDER, width_m=float(beside.lane_width))
    if kind != "Driving":
        return Side(Beside.NOTHING)
    lane = int(graph.lane_of[graph.place_of(beside)])
    same = beside.lane_id * waypoint.lane_id > 0
    allowed = same and str(waypoint.lane_change) in (name, "Both")
    return Side(Beside.SAME if same else Beside.ONCOMING, lane, allowed, float(beside.lane_width))
