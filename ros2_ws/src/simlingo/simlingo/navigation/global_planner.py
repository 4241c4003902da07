"""Shortest ways over a map, with CARLA's commands (spec A.6), and other ways on a person's word."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from simlingo.contracts import Command, EgoState, FloatArray, SimlingoError
from simlingo.geometry import arc_length, wrap_angle
from simlingo.navigation.lane_graph import LANE_CHANGE_M, SPACING_M, IntArray, Lane, LaneGraph
from simlingo.navigation.route import thin_plan

#: A dense route: waypoints (carla.Waypoint) about 1 m apart; the command of one holds from it to the next.
DenseRoute = list[tuple[Any, Command]]
#: A manoeuvre asked for must begin at least this far ahead, m: time to see it and to brake.
REDIRECT_AHEAD_M = 10.0
#: A route that cannot lead back to its goal goes on for this far instead, m.
CONTINUE_M = 150.0
#: Neighbouring points of a dense route are at least this far apart, m.
MIN_STEP_M = 0.2
#: Where the next junction that offers a manoeuvre is asked for, those within this far are looked at, m.
LATER_JUNCTIONS_M = 400.0
#: A way to a manoeuvre may have this many more places than the route's own way through the junction.
DETOUR_PLACES = 5

MANOEUVRES = (Command.LEFT, Command.RIGHT, Command.STRAIGHT)
LANE_CHANGES = (Command.CHANGE_LANE_LEFT, Command.CHANGE_LANE_RIGHT)


@dataclass(frozen=True)
class Redirection:
    """Answer to a wish for another way."""

    route: DenseRoute | None  # the new route; None: the wish cannot be met
    reason: str  # why not, in words for a person; empty when it can
    distance: float = 0.0  # m along the route to where the manoeuvre begins


class GlobalPlanner:
    """Plans on the lanes of one map."""

    def __init__(self, carla_map: Any) -> None:
        """Sample ``carla_map`` (duck-typed carla.Map); takes about a second for a town.

        Raises:
            SimlingoError: the map has no driving lane.
        """
        self.graph = LaneGraph(carla_map)

    def trace(self, start: Any, goal: Any) -> DenseRoute:
        """Shortest way between two carla.Location, about 1 m apart.

        Raises:
            SimlingoError: a place is on no road, or no way leads from one to the other.
        """
        first, last = self.graph.locate(start), self.graph.locate(goal)
        places = self._way(first, last)
        if places is None:
            raise SimlingoError(
                f"no way from ({start.x:.1f}, {start.y:.1f}) to ({goal.x:.1f}, {goal.y:.1f}) on this map: "
                "choose another start or goal"
            )
        return self._route(places)

    def sparse(self, dense: DenseRoute) -> tuple[FloatArray, list[Command]]:
        """Target points (N, 2) m and their commands: at command changes and at most 50 m apart (spec B.6)."""
        commands = [command for _, command in dense]
        points = _positions(dense)
        kept = thin_plan(points, commands)
        return points[kept], [commands[index] for index in kept]

    def polyline(self, dense: DenseRoute) -> FloatArray:
        """The line to drive (N, 2) m, map frame: lane centres, with lane changes blended by a cosine."""
        points = _positions(dense)
        index = 0
        while index < len(dense):
            end = index
            while end < len(dense) and dense[end][1] == dense[index][1]:
                end += 1
            if dense[index][1] in LANE_CHANGES and end < len(dense):
                begin = max(index - 1, 0)
                points[index:end] = _blend(points[begin], points[end], _heading(dense[index]), end - index)
            index = end
        return points

    def redirect(self, dense: DenseRoute, ego: EgoState, command: Command, later: bool = False) -> Redirection:
        """The route that carries out ``command`` at the next chance 10 m or more ahead and then leads on to the goal.

        LEFT, RIGHT and STRAIGHT mean the next junction or, with ``later``, the next one that offers them; lane changes
        the next place where the marks allow it; FOLLOW_LANE the way through the next junction that bends least.
        """
        here = _nearest_index(dense, ego)
        arcs = arc_length(_positions(dense))
        ahead = int(np.searchsorted(arcs, arcs[here] + REDIRECT_AHEAD_M))
        if ahead >= len(dense) - 1:
            return Redirection(None, "the route ends here")
        if command in LANE_CHANGES:
            places, missing = self._lane_change_way(dense, ahead, command)
        else:
            reach = LATER_JUNCTIONS_M if later and command != Command.FOLLOW_LANE else 0.0
            ahead, places, missing = self._first_junction_way(dense, arcs, ahead, command, reach)
        if places is None:
            return Redirection(None, missing)
        onward = self._onward(places[-1], self._place(dense[-1][0]))
        route = [*dense[:ahead], *self._route([*places, *onward])]
        return Redirection(route, "", self._distance_to(route, here, ahead, command))

    def onward_from(self, ego: EgoState, goal: Any) -> DenseRoute | None:
        """The way from the lane that the ego is on to the waypoint ``goal``, or, where none leads there, straight on
        for a while; None: the ego is on no lane of its direction, or at the end of one."""
        place = self.graph.under(ego)
        if place is None:
            return None
        route = self._route([place, *self._onward(place, self._place(goal))])
        return route if len(route) > 1 else None

    def _first_junction_way(
        self, dense: DenseRoute, arcs: FloatArray, ahead: int, command: Command, reach_m: float
    ) -> tuple[int, list[int] | None, str]:
        """Index where the way leaves the route, its places, or None and why; junctions ``reach_m`` and less after the
        first are looked at too."""
        first, why = -1, "no junction is left on the route"
        for begin, entry in _stretches(dense, ahead):
            if first >= 0 and arcs[entry] - arcs[first] > reach_m:
                break
            places, missing = self._junction_way(dense, begin, entry, command)
            if places is not None:
                return begin, places, ""
            first, why = (entry, missing) if first < 0 else (first, why)
        return ahead, None, why

    def _junction_way(
        self, dense: DenseRoute, ahead: int, entry: int, command: Command
    ) -> tuple[list[int] | None, str]:
        """Places from index ``ahead`` of the route through the junction at ``entry``, or None and why."""
        ways = self._ways_through(dense[entry][0].junction_id, dense[entry - 1][0].road_id)
        if command == Command.FOLLOW_LANE:
            wanted = sorted(ways, key=lambda lane: abs(lane.heading_change))[:1]
        else:
            wanted = [lane for lane in ways if lane.manoeuvre == command]
        begin = self._place(dense[ahead][0])
        direct = []
        for lane in wanted:
            places = self._way(begin, lane.last)
            if places is not None and len(places) <= entry - ahead + len(lane.waypoints) + DETOUR_PLACES:
                direct.append(places)
        if wanted and not direct:
            return None, "the lane for that manoeuvre cannot be reached before the next junction"
        if not direct:
            offered = ", ".join(sorted({lane.manoeuvre.name.lower() for lane in ways}))
            return None, f"the next junction offers only: {offered}"
        return min(direct, key=len), ""

    def _ways_through(self, junction: int, road: int) -> list[Lane]:
        """Lanes through ``junction`` that begin at the end of road ``road``."""
        found = []
        for lane in self.graph.lanes:
            if lane.junction is None and lane.waypoints[-1].road_id == road:
                ways = (self.graph.lanes[index] for index in lane.successors)
                found += [way for way in ways if way.junction == junction]
        return found

    def _lane_change_way(self, dense: DenseRoute, ahead: int, command: Command) -> tuple[list[int] | None, str]:
        """Places from index ``ahead`` to the end of the first lane change to the side asked for, or None and why."""
        places: list[int] = []
        for waypoint, _ in dense[ahead:]:
            if waypoint.is_junction:
                break
            places.append(self._place(waypoint))
            for target, side in self.graph.lane_changes.get(places[-1], []):
                if side == command:
                    return [*places, target], ""
        return None, "no lane change to that side is permitted before the next junction"

    def _onward(self, place: int, goal: int) -> list[int]:
        """Places after ``place`` to ``goal``, or, where no way leads there, straight on for a while."""
        places = self._way(place, goal)
        if places is None:
            costs, before = self.graph.search(place)
            places = _unwind(before, place, int(np.argmax(np.where(costs <= CONTINUE_M, costs, -1.0))))
        return places[1:]

    def _way(self, start: int, goal: int) -> list[int] | None:
        """Places of the shortest way from ``start`` to ``goal``; None: there is no way."""
        costs, before = self.graph.search(start)
        return _unwind(before, start, goal) if math.isfinite(costs[goal]) else None

    def _place(self, waypoint: Any) -> int:
        return self.graph.place_of(waypoint)

    def _route(self, places: list[int]) -> DenseRoute:
        """Waypoints and commands of a way; a lane change is filled up, half on the old lane, half on the new."""
        route: DenseRoute = []
        for place, following in zip(places, [*places[1:], None], strict=True):
            if following is not None and self.graph.gap(place, following) < MIN_STEP_M:
                continue  # a lane ends where the next begins: one point is enough
            lane = self.graph.lanes[self.graph.lane_of[place]]
            change = self._lane_change(place, following)
            if change is None or following is None:
                route.append((self.graph.waypoints[place], lane.manoeuvre))
                continue
            half = int(LANE_CHANGE_M / SPACING_M) // 2
            route += [(self.graph.waypoints[place + step], change) for step in range(half)]
            route += [(self.graph.waypoints[following - step], change) for step in range(half, 0, -1)]
        return route

    def _lane_change(self, place: int, following: int | None) -> Command | None:
        """The lane change that leads from ``place`` to ``following``, if one does."""
        options = self.graph.lane_changes.get(place, [])
        return next((command for target, command in options if target == following), None)

    @staticmethod
    def _distance_to(route: DenseRoute, here: int, ahead: int, command: Command) -> float:
        """Distance along the route from index ``here`` to the manoeuvre, m."""
        wanted = (command,) if command != Command.FOLLOW_LANE else MANOEUVRES
        index = next((i for i in range(ahead, len(route)) if route[i][1] in wanted), ahead)
        return float(arc_length(_positions(route[here : index + 1]))[-1])


def _stretches(dense: DenseRoute, ahead: int) -> Iterator[tuple[int, int]]:
    """Index of the first place behind a junction from ``ahead`` on, and of the next junction's first, again and again."""
    while True:
        begin = next((i for i in range(ahead, len(dense)) if not dense[i][0].is_junction), len(dense))
        entry = next((i for i in range(begin, len(dense)) if dense[i][0].is_junction), len(dense))
        if entry == len(dense):
            return
        yield begin, entry
        ahead = entry


def _unwind(before: IntArray, start: int, goal: int) -> list[int]:
    """Places from ``start`` to ``goal`` out of a search's table of places before."""
    places = [goal]
    while places[-1] != start:
        places.append(int(before[places[-1]]))
    return places[::-1]


def _positions(dense: DenseRoute) -> FloatArray:
    return np.array([(w.transform.location.x, w.transform.location.y) for w, _ in dense], dtype=np.float64)


def _heading(entry: tuple[Any, Command]) -> float:
    return math.radians(entry[0].transform.rotation.yaw)


def _blend(begin: FloatArray, end: FloatArray, heading: float, count: int) -> FloatArray:
    """``count`` points between two, sideways along a cosine, forward evenly."""
    forward = np.array((math.cos(heading), math.sin(heading)))
    side = np.array((-forward[1], forward[0]))
    share = np.arange(1, count + 1) / (count + 1)
    ahead, across = float((end - begin) @ forward), float((end - begin) @ side)
    eased = (1.0 - np.cos(np.pi * share)) / 2.0
    return np.asarray(begin + np.outer(share * ahead, forward) + np.outer(eased * across, side))


def _nearest_index(dense: DenseRoute, ego: EgoState) -> int:
    """Index of the route's waypoint nearest to the ego among those that point its way."""
    gaps = np.linalg.norm(_positions(dense) - (ego.x, ego.y), axis=1)
    turned = np.array([abs(wrap_angle(_heading(entry) - ego.yaw)) for entry in dense])
    return int(np.argmin(gaps + np.where(turned > math.pi / 2.0, 20.0, 0.0)))
