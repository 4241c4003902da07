"""The lanes of an OpenDRIVE map as a graph of places about one metre apart.

Built from a ``carla.Map`` (or anything with its ``get_topology`` and ``get_waypoint``); this module never imports
``carla``, its waypoints are passed through. Places are numbered lane by lane in driving order.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra

from simlingo.contracts import Command, EgoState, FloatArray, SimlingoError
from simlingo.geometry import wrap_angle

IntArray = npt.NDArray[np.int64]

#: Distance between two places of a lane, m (CARLA's planners sample at 1 to 2 m).
SPACING_M = 1.0
#: Length of a lane change along the road, m: about 1.5 s at 30 km/h.
LANE_CHANGE_M = 12.0
#: No lane change begins in the first or ends in the last metres of a lane: room to see and to line up.
LANE_CHANGE_MARGIN_M = 10.0
#: What a lane change costs in the search for the shortest way, m, and what waiting one metre with it costs.
LANE_CHANGE_COST_M = 15.0
LANE_CHANGE_DELAY_COST = 0.05
#: A way through a junction that turns by more than this is a turn, rad (CARLA's planner uses 35 degrees).
TURN_ANGLE = math.radians(35.0)

#: The ego drives on a lane whose middle is nearer than this, m, and whose direction differs by less than this, rad.
UNDER_M = 4.0
UNDER_ANGLE = math.radians(60.0)


@dataclass
class Lane:
    """One driving lane from one end of its lane section to the other."""

    first: int  # number of its first place
    waypoints: list[Any]  # carla.Waypoint, about 1 m apart, in driving order
    junction: int | None  # id of the junction it crosses
    successors: list[int] = field(default_factory=list)  # lanes
    manoeuvre: Command = Command.FOLLOW_LANE  # what driving it means

    @property
    def last(self) -> int:
        """Number of its last place."""
        return self.first + len(self.waypoints) - 1

    @property
    def heading_change(self) -> float:
        """Change of heading from its begin to its end, rad, right positive."""
        begin, end = self.waypoints[0].transform.rotation.yaw, self.waypoints[-1].transform.rotation.yaw
        return wrap_angle(math.radians(end - begin))


class LaneGraph:
    """Places, the lanes they belong to, and the ways between them."""

    def __init__(self, carla_map: Any) -> None:
        """Sample every driving lane of ``carla_map`` (duck-typed carla.Map).

        Raises:
            SimlingoError: the map has no driving lane.
        """
        self._map = carla_map
        self.lanes: list[Lane] = []
        self._lane_of_key: dict[tuple[int, int, int], int] = {}
        topology = sorted(carla_map.get_topology(), key=lambda pair: (_key(pair[0]), _key(pair[1])))
        if not topology:
            raise SimlingoError("the map has no driving lanes: check its OpenDRIVE file")
        for begin, end in topology:
            source, target = self._add_lane(begin), self._add_lane(end)
            if source != target and target not in self.lanes[source].successors:
                self.lanes[source].successors.append(target)
        self.waypoints = [waypoint for lane in self.lanes for waypoint in lane.waypoints]
        self.lane_of = np.repeat(np.arange(len(self.lanes)), [len(lane.waypoints) for lane in self.lanes])
        self.positions = np.array([(w.transform.location.x, w.transform.location.y) for w in self.waypoints])
        self._yaws = np.radians([w.transform.rotation.yaw for w in self.waypoints])
        self._name_manoeuvres()
        self.lane_changes = self._find_lane_changes()
        self._matrix = self._build_matrix()

    def _add_lane(self, begin: Any) -> int:
        """Number of the lane that starts at waypoint ``begin``, sampled on first sight."""
        known = self._lane_of_key.get(_key(begin))
        if known is not None:
            return known
        waypoints = [begin, *(w for w in begin.next_until_lane_end(SPACING_M) if _key(w) == _key(begin))]
        first = self.lanes[-1].last + 1 if self.lanes else 0
        self.lanes.append(Lane(first, waypoints, begin.junction_id if begin.is_junction else None))
        self._lane_of_key[_key(begin)] = len(self.lanes) - 1
        return len(self.lanes) - 1

    def _name_manoeuvres(self) -> None:
        """Say of each lane through a junction what driving it means, against the other ways out of its entry."""
        for lane in self.lanes:
            ways = [self.lanes[index] for index in lane.successors if self.lanes[index].junction is not None]
            for way in ways:
                way.manoeuvre = manoeuvre_of(way.heading_change)
            for side, pick in ((Command.LEFT, min), (Command.RIGHT, max)):
                same = [way for way in ways if way.manoeuvre == side]
                sharpest = pick(same, key=lambda way: way.heading_change, default=None)
                for way in same:
                    if way is not sharpest:
                        way.manoeuvre = Command.STRAIGHT

    def _find_lane_changes(self) -> dict[int, list[tuple[int, Command]]]:
        """For each place where a lane change may begin, the places where it ends."""
        changes: dict[int, list[tuple[int, Command]]] = {}
        for lane in self.lanes:
            if lane.junction is not None:
                continue
            for offset in range(int(LANE_CHANGE_MARGIN_M), len(lane.waypoints) - int(LANE_CHANGE_M)):
                options = [
                    (target, command)
                    for command in (Command.CHANGE_LANE_LEFT, Command.CHANGE_LANE_RIGHT)
                    if (target := self._lane_change_target(lane.waypoints[offset], command)) is not None
                ]
                if options:
                    changes[lane.first + offset] = options
        return changes

    def _lane_change_target(self, waypoint: Any, command: Command) -> int | None:
        """Place where a lane change from ``waypoint`` ends, if the marks and the lanes permit it."""
        side = "Left" if command == Command.CHANGE_LANE_LEFT else "Right"
        if str(waypoint.lane_change) not in (side, "Both"):
            return None
        beside = waypoint.get_left_lane() if side == "Left" else waypoint.get_right_lane()
        if beside is None or str(beside.lane_type) != "Driving" or beside.lane_id * waypoint.lane_id < 0:
            return None
        lane_index = self._lane_of_key.get(_key(beside))
        if lane_index is None:
            return None
        target = self.nearest(self.lanes[lane_index], beside.transform.location) + int(LANE_CHANGE_M)
        return target if target + int(LANE_CHANGE_MARGIN_M) <= self.lanes[lane_index].last else None

    def _build_matrix(self) -> Any:
        """Costs of the ways between places, m, as a sparse matrix."""
        rows, columns, costs = [], [], []
        for lane in self.lanes:
            for place in range(lane.first, lane.last):
                rows.append(place)
                columns.append(place + 1)
                costs.append(self.gap(place, place + 1))
            for successor in lane.successors:
                rows.append(lane.last)
                columns.append(self.lanes[successor].first)
                costs.append(self.gap(rows[-1], columns[-1]))
        for place, options in self.lane_changes.items():
            waited = place - self.lanes[self.lane_of[place]].first
            for target, _ in options:
                rows.append(place)
                columns.append(target)
                costs.append(LANE_CHANGE_M + LANE_CHANGE_COST_M + LANE_CHANGE_DELAY_COST * waited)
        return csr_matrix((costs, (rows, columns)), shape=(len(self.waypoints),) * 2)

    def gap(self, place: int, following: int) -> float:
        """Length of the step between two places, m; never zero, which a sparse matrix would take for no way."""
        return max(float(np.linalg.norm(self.positions[place] - self.positions[following])), 1e-3)

    def nearest(self, lane: Lane, location: Any) -> int:
        """Place of ``lane`` nearest to a carla.Location."""
        gaps = self.positions[lane.first : lane.last + 1] - (location.x, location.y)
        return lane.first + int(np.argmin(np.einsum("ij,ij->i", gaps, gaps)))

    def under(self, ego: EgoState) -> int | None:
        """Place of the lane that the ego drives on, nearest to it and pointing its way; None: it is on none."""
        gaps = np.linalg.norm(self.positions - (ego.x, ego.y), axis=1)
        turned = np.abs(np.mod(self._yaws - ego.yaw + math.pi, 2.0 * math.pi) - math.pi)
        gaps = np.where(turned < UNDER_ANGLE, gaps, math.inf)
        place = int(np.argmin(gaps))
        return place if gaps[place] < UNDER_M else None

    def locate(self, location: Any) -> int:
        """Place nearest to a carla.Location.

        Raises:
            SimlingoError: no driving lane is there.
        """
        return self.place_of(self._map.get_waypoint(location))

    def place_of(self, waypoint: Any) -> int:
        """Place nearest to a carla.Waypoint of this map.

        Raises:
            SimlingoError: it is on no driving lane.
        """
        lane_index = None if waypoint is None else self._lane_of_key.get(_key(waypoint))
        if lane_index is None:
            raise SimlingoError("no driving lane is at the place asked for: choose a place on a road")
        return self.nearest(self.lanes[lane_index], waypoint.transform.location)

    def search(self, start: int) -> tuple[FloatArray, IntArray]:
        """Cost of reaching every place from ``start``, m (inf: no way), and the place before each."""
        costs, before = dijkstra(self._matrix, indices=start, return_predecessors=True)
        return np.asarray(costs), np.asarray(before, dtype=np.int64)


def _key(waypoint: Any) -> tuple[int, int, int]:
    return (waypoint.road_id, waypoint.section_id, waypoint.lane_id)


def manoeuvre_of(heading_change: float) -> Command:
    """What a lane through a junction means whose heading changes by so much, rad, right positive."""
    if heading_change > TURN_ANGLE:
        return Command.RIGHT
    return Command.LEFT if heading_change < -TURN_ANGLE else Command.STRAIGHT
