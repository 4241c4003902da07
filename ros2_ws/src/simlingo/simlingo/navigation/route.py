"""The route as the model hears of it: two target points, a command and how far away it is (spec B.6, D.4).

A plan is a polyline in the map frame with one command a point; the command of a point holds from there to the
next point. Plans may be dense (about one point a metre: what the world and the global planner publish) or sparse;
a dense plan is thinned here to the target points the model sees, and keeps its full shape for progress and deviation.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from simlingo.contracts import Command, EgoState, FloatArray, InvalidInputError, Navigation
from simlingo.geometry import arc_length, map_to_ego, project_onto_polyline
from simlingo.navigation.path_commands import commands_from_path, densify

#: A target point nearer than this counts as reached, m (spec D.4).
MIN_DISTANCE_M = 7.5
#: Look-ahead of the planner and greatest distance of two target points, m (spec D.4, B.6).
MAX_DISTANCE_M = 50.0
#: The command of a manoeuvre is said from here on, m before it: where the planner's look-ahead sees it (spec D.4).
COMMAND_HORIZON_M = 50.0
#: A plan whose points lie further apart than this on average is taken to be thinned already, m.
SPARSE_SPACING_M = 5.0
#: Less than this left of the route means that it is finished, m.
FINISH_DISTANCE_M = 2.0
#: Progress is searched this far behind and ahead of the last place, m: a route that crosses itself does not jump.
SEARCH_BEHIND_M = 5.0
SEARCH_AHEAD_M = 25.0
#: Further away than this from the searched stretch, the whole route is searched, m (CARLA's deviation limit, spec F.1).
LOST_DISTANCE_M = 30.0


def thin_plan(points_in_map: FloatArray, commands: Sequence[Command]) -> list[int]:
    """Indices of the target points of a dense plan (spec B.6).

    Kept are the first and the last point, every point where the command changes (so the begin and the end of a
    junction and of a lane change), and points in between so that two neighbours are at most 50 m apart.
    """
    steps = np.linalg.norm(np.diff(points_in_map, axis=0), axis=1)
    kept, since_last = [0], 0.0
    for index in range(1, len(points_in_map) - 1):
        since_last += float(steps[index - 1])
        if commands[index] != commands[index - 1] or since_last + steps[index] > MAX_DISTANCE_M:
            kept.append(index)
            since_last = 0.0
    return [*kept, len(points_in_map) - 1]


class RoutePlanner:
    """Follows one plan and tells at every instant what the model must know of it.

    Command semantics: ``command`` is the manoeuvre being carried out or, from 50 m before it, the next one, and it
    stays until the end of the manoeuvre (the junction is crossed); otherwise FOLLOW_LANE. ``next_command`` is what
    comes after ``command``. ``distance_to_command`` is along the route, zero inside the manoeuvre and for FOLLOW_LANE.
    """

    def __init__(self, points_in_map: FloatArray, commands: Sequence[Command], progress_m: float | None = None) -> None:
        """Take over a plan.

        Args:
            points_in_map: (N >= 2, 2) m, map frame, in driving order.
            commands: N commands; the command of a point holds from it to the next point.
            progress_m: how far along it the ego is; None: the first update finds it.

        Raises:
            InvalidInputError: fewer than two points, NaN, another shape, or another number of commands.
        """
        points = _checked_points(points_in_map)
        if len(commands) != len(points):
            raise InvalidInputError(
                f"route has {len(points)} points but {len(commands)} commands: send one command a point"
            )
        self._points = points
        self._arcs = arc_length(points)
        if self._arcs[-1] < 1.0:
            raise InvalidInputError("route is shorter than 1 m: send points that lead somewhere")
        dense = self._arcs[-1] / (len(points) - 1) < SPARSE_SPACING_M
        kept = thin_plan(points, commands) if dense else list(range(len(points)))
        self._targets = points[kept]
        self._target_arcs = self._arcs[kept]
        self._zones = _command_zones(self._arcs, commands)
        self._next_target = 0
        self._progress = progress_m
        self._lateral = 0.0

    @classmethod
    def from_path(cls, points_in_map: FloatArray) -> RoutePlanner:
        """Planner for a path without commands (nav_msgs/Path), (N >= 2, 2) m; its geometry gives the commands."""
        dense = densify(_checked_points(points_in_map), 1.0)
        return cls(dense, commands_from_path(dense))

    @property
    def progress(self) -> float:
        """Distance reached along the route, m; never falls."""
        return self._progress or 0.0

    @property
    def length(self) -> float:
        """Length of the route, m."""
        return float(self._arcs[-1])

    @property
    def deviation(self) -> float:
        """Distance of the ego from the route at the last update, m."""
        return abs(self._lateral)

    @property
    def lateral(self) -> float:
        """The same with a sign, right of the route positive."""
        return self._lateral

    @property
    def finished(self) -> bool:
        """True once less than 2 m of the route are left."""
        return self._progress is not None and self.length - self._progress < FINISH_DISTANCE_M

    def update(self, ego: EgoState) -> Navigation:
        """Navigation for the ego pose; beyond the end the last point repeats.

        Raises:
            InvalidInputError: the pose is not finite.
        """
        if not all(math.isfinite(value) for value in (ego.x, ego.y, ego.yaw)):
            raise InvalidInputError(f"ego pose is not finite (x={ego.x}, y={ego.y}, yaw={ego.yaw}): check odometry")
        self._advance(np.array((ego.x, ego.y)))
        last = len(self._targets) - 1
        chosen = self._targets[[min(self._next_target, last), min(self._next_target + 1, last)]]
        command, next_command, distance = self._commands()
        return Navigation(map_to_ego(chosen, ego), command, next_command, distance)

    def _advance(self, position: FloatArray) -> None:
        """Move progress to ``position`` (2,) m and drop the target points that are reached."""
        along, deviation = self._locate(position)
        self._progress = max(along, self.progress)
        self._lateral = deviation * self._side(along, position)
        for index in range(self._next_target, len(self._targets)):
            arc = self._target_arcs[index]
            if arc > self._progress + MAX_DISTANCE_M:
                break
            near = float(np.linalg.norm(self._targets[index] - position)) < MIN_DISTANCE_M
            if near or arc <= self._progress:
                self._next_target = index + 1

    def _locate(self, position: FloatArray) -> tuple[float, float]:
        """Distance along the route and distance from it, m, of ``position``."""
        if self._progress is not None:
            low, high = self._progress - SEARCH_BEHIND_M, self._progress + SEARCH_AHEAD_M
            first = max(int(np.searchsorted(self._arcs, low, side="right")) - 1, 0)
            last = min(int(np.searchsorted(self._arcs, high)) + 1, len(self._arcs))
            first = min(first, last - 2)
            _, along, deviation = project_onto_polyline(self._points[first:last], position)
            if deviation < LOST_DISTANCE_M:
                return float(self._arcs[first]) + along, deviation
        _, along, deviation = project_onto_polyline(self._points, position)
        return along, deviation

    def _side(self, along: float, position: FloatArray) -> float:
        """+1 where ``position`` is right of the route at ``along`` metres, else -1."""
        index = min(max(int(np.searchsorted(self._arcs, along, side="right")) - 1, 0), len(self._points) - 2)
        step, offset = self._points[index + 1] - self._points[index], position - self._points[index]
        return 1.0 if step[0] * offset[1] - step[1] * offset[0] >= 0.0 else -1.0

    def _commands(self) -> tuple[Command, Command, float]:
        """Command, next command, and distance to the command, m."""
        progress = self.progress
        for index, (begin, end, command) in enumerate(self._zones):
            if end <= progress and index + 1 < len(self._zones):
                continue
            after = self._zones[index + 1][2] if index + 1 < len(self._zones) else Command.FOLLOW_LANE
            if command != Command.FOLLOW_LANE:
                return command, after, max(begin - progress, 0.0)
            if after != Command.FOLLOW_LANE and end - progress <= COMMAND_HORIZON_M:
                later = self._zones[index + 2][2] if index + 2 < len(self._zones) else Command.FOLLOW_LANE
                return after, later, max(end - progress, 0.0)
            return command, after, 0.0
        return Command.FOLLOW_LANE, Command.FOLLOW_LANE, 0.0


def _checked_points(points_in_map: FloatArray) -> FloatArray:
    """``points_in_map`` as float64 (N >= 2, 2), or InvalidInputError."""
    points = np.asarray(points_in_map, dtype=np.float64)
    if points.ndim != 2 or points.shape[1] != 2 or len(points) < 2:
        raise InvalidInputError(f"route has shape {points.shape}: at least two points (x, y) are needed")
    if not np.isfinite(points).all():
        raise InvalidInputError("route has a point that is not finite: check the sender of the route")
    return points


def _command_zones(arcs: FloatArray, commands: Sequence[Command]) -> list[tuple[float, float, Command]]:
    """Stretches (begin m, end m, command) of equal command along the route."""
    zones: list[tuple[float, float, Command]] = []
    begin = 0
    for index in range(1, len(commands) + 1):
        if index == len(commands) or commands[index] != commands[begin]:
            end = float(arcs[min(index, len(arcs) - 1)])
            zones.append((float(arcs[begin]), end, Command(commands[begin])))
            begin = index
    return zones
