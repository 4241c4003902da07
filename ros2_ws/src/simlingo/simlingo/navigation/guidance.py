"""The route as the stack follows it: takes a mission, answers odometry, and turns elsewhere where that is asked for.

Knows no topics and no words: ``route.py`` is the node around it, ``simlingo.instructions`` reads the sentences. Frames
are the core's (y right).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from simlingo.contracts import Command, EgoState, FloatArray, InvalidInputError, Navigation
from simlingo.geometry import arc_length, project_onto_polyline, wrap_angle
from simlingo.instructions.done import Surroundings
from simlingo.instructions.session import Turn
from simlingo.navigation.global_planner import DenseRoute, GlobalPlanner, Redirection
from simlingo.navigation.route import RoutePlanner

#: A route whose nearest point is further away than this is not this vehicle's, m.
MAX_START_GAP_M = 100.0
#: A manoeuvre is carried out once the ego is this far past it on the new route, m.
PAST_MANOEUVRE_M = 3.0
#: A turn that was asked for is missed once the ego is further than this from its line, m, for so many updates.
MISSED_M = 5.0
MISSED_UPDATES = 5
#: The mission still leads on from the ego where it is nearer than this, m, and not turned by more than this, rad.
ON_MISSION_M = 2.5
ON_MISSION_ANGLE = math.radians(45.0)
#: Routes share what is driven; a place on another one is looked for so far behind and ahead of the progress, m.
SHARED_BEHIND_M, SHARED_AHEAD_M = 10.0, 30.0


@dataclass(frozen=True)
class _Line:
    """One route: points (N, 2) m in the map frame with a command each."""

    points: FloatArray = field(default_factory=lambda: np.empty((0, 2)))
    commands: list[Command] = field(default_factory=list)
    dense: DenseRoute | None = None  # the same on the map's lanes, where it was planned there


class Guidance:
    """One vehicle's route: the mission, and what is followed instead while a turn is asked for.

    ``planner`` is the core's follower of the route (``None`` without a route); ``revision`` grows whenever another line
    is followed. The missions' lines are never changed: a turn given up leads back to them, and one that was made
    leaves a mission of its own, to the same goal.
    """

    def __init__(self, max_deviation_m: float = 30.0) -> None:
        self.max_deviation_m = max_deviation_m
        self.planner: RoutePlanner | None = None
        self.revision = 0
        self._mission = self._followed = _Line()
        self._carla_map: Any = None
        self._global_planner: GlobalPlanner | None = None
        self._turn, self._done_at_m, self._beside = Turn.NONE, 0.0, 0
        self._checked = False

    def set_map(self, carla_map: Any, planner: GlobalPlanner | None = None) -> None:
        """The map that turns are planned on (carla.Map); ``planner``: of the same map, where there is one already."""
        self._carla_map = carla_map
        self._global_planner = planner or GlobalPlanner(carla_map)

    def drop_route(self) -> None:
        """Guide no more until the next ``set_route``."""
        self.planner, self._turn = None, Turn.NONE
        self._mission = self._followed = _Line()

    def set_route(self, points_in_map: FloatArray, commands: list[Command] | None) -> None:
        """Follow another mission; ``commands`` None: taken from the path's geometry.

        Raises:
            InvalidInputError: fewer than two points, NaN, or no length; the old mission is not followed either.
        """
        self.drop_route()
        follower = (
            RoutePlanner(points_in_map, commands) if commands is not None else RoutePlanner.from_path(points_in_map)
        )
        self._mission = _Line(np.asarray(points_in_map, dtype=np.float64), commands or [])
        self._follow(self._mission, follower)
        self._checked = False

    def update(self, ego: EgoState) -> Navigation | None:
        """Navigation at ``ego``; ``None`` without a route.

        Raises:
            InvalidInputError: the route begins more than 100 m away; it is given up.
        """
        if self.planner is None:
            return None
        if not self._checked:
            gap = float(np.min(np.linalg.norm(self._followed.points - (ego.x, ego.y), axis=1)))
            if not gap <= MAX_START_GAP_M:
                self.drop_route()
                raise InvalidInputError(
                    f"the route is {gap:.0f} m away from the vehicle (at most {MAX_START_GAP_M:.0f} m);"
                    " send a route in the map frame that begins at the vehicle"
                )
            self._checked = True
        navigation = self.planner.update(ego)
        self._watch_turn(self.planner)
        return navigation

    @property
    def off_route(self) -> bool:
        """True when the vehicle is too far from its route to be guided by it."""
        return self.planner is not None and self.planner.deviation > self.max_deviation_m

    @property
    def turn(self) -> Turn:
        """How far the turn has come that was asked for."""
        return self._turn

    def route(self) -> tuple[FloatArray, list[Command]]:
        """Points (N, 2) m in the map frame and commands of the route followed now."""
        return self._followed.points, self._followed.commands

    def surroundings(self, ego: EgoState) -> Surroundings:
        """What map and route know of the ego's place."""
        lateral = self.planner.lateral if self.planner is not None else None
        if self._global_planner is None:
            return Surroundings(lateral, None)
        graph = self._global_planner.graph
        place = graph.under(ego)
        inside = None if place is None else graph.lanes[graph.lane_of[place]].junction is not None
        return Surroundings(lateral, inside)

    def check(self, command: Command, at_next_junction: bool, ego: EgoState) -> str:
        """Why ``change`` would not succeed; empty: it would."""
        return self._redirection(command, at_next_junction, ego).reason

    def change(self, command: Command, at_next_junction: bool, ego: EgoState) -> str:
        """Make the mission carry ``command`` out, in place of any turn asked for before; empty, or why not.

        Args:
            command: for the next junction that offers it, or the next place where the marks allow it.
            at_next_junction: the very next junction is meant; where that does not offer it, none is taken.
            ego: where the vehicle is.
        """
        answer = self._redirection(command, at_next_junction, ego)
        if answer.route is None:
            return answer.reason
        assert self._global_planner is not None
        line = self._line(answer.route)
        follower = RoutePlanner(line.points, line.commands, self._progress_on(line, ego))
        follower.update(ego)
        self._turn, self._beside = Turn.AHEAD, 0
        self._done_at_m = _end_of(command, line, follower.progress + answer.distance)
        self._follow(line, follower)
        return ""

    def restore(self, ego: EgoState) -> str:
        """Lead to the mission's goal as if no turn had been asked for; empty, or why that cannot be."""
        if self.planner is None or self._turn in (Turn.NONE, Turn.DONE):
            return ""
        along = self._progress_on(self._mission, ego)
        if along is None:
            return self.rejoin(ego)
        self._turn = Turn.NONE
        self._follow(self._mission, RoutePlanner(self._mission.points, self._mission.commands, along))
        self.planner.update(ego)
        return ""

    def rejoin(self, ego: EgoState) -> str:
        """Lead to the mission's goal from the lane that the ego is on; empty, or why that cannot be."""
        self._turn = Turn.NONE
        if self._global_planner is None or self.planner is None or not self._followed.commands:
            return "there is no map or no route with commands to plan on"
        onward = self._global_planner.onward_from(ego, self._dense(self._mission)[-1][0])
        if onward is None:
            return "the vehicle is on no lane of its direction"
        driven = int(np.searchsorted(arc_length(self._followed.points), self.planner.progress))
        line = self._line([*self._dense(self._followed)[:driven], *onward])
        start_m = float(arc_length(line.points)[driven])
        self._mission = line
        self._follow(line, RoutePlanner(line.points, line.commands, start_m))
        self.planner.update(ego)
        return ""

    def _follow(self, line: _Line, follower: RoutePlanner) -> None:
        self._followed, self.planner = line, follower
        self.revision += 1

    def _watch_turn(self, planner: RoutePlanner) -> None:
        if self._turn is not Turn.AHEAD:
            return
        self._beside = self._beside + 1 if planner.deviation > MISSED_M else 0
        if self._beside >= MISSED_UPDATES:
            self._turn = Turn.MISSED
        elif not self._beside and planner.progress >= self._done_at_m:
            self._turn, self._mission = Turn.DONE, self._followed

    def _redirection(self, command: Command, at_next_junction: bool, ego: EgoState) -> Redirection:
        if self._global_planner is None:
            return Redirection(None, "there is no map; the simulator's bridge publishes it on /carla/world_info")
        if self.planner is None or not self._followed.commands:
            return Redirection(None, "there is no route with commands to change")
        base = self._mission if self._progress_on(self._mission, ego) is not None else self._followed
        return self._global_planner.redirect(self._dense(base), ego, command, later=not at_next_junction)

    def _progress_on(self, line: _Line, ego: EgoState) -> float | None:
        """Metres along ``line`` at the ego, near those of the route followed now; None: it does not lead on from there."""
        assert self.planner is not None
        arcs = arc_length(line.points)
        first = max(int(np.searchsorted(arcs, self.planner.progress - SHARED_BEHIND_M)) - 1, 0)
        last = int(np.searchsorted(arcs, self.planner.progress + SHARED_AHEAD_M)) + 1
        part = line.points[first:last]
        if len(part) < 2:
            return None
        index, along, gap = project_onto_polyline(part, np.array((ego.x, ego.y)))
        dx, dy = part[index + 1] - part[index]
        turned = abs(wrap_angle(math.atan2(dy, dx) - ego.yaw))
        return float(arcs[first]) + along if gap < ON_MISSION_M and turned < ON_MISSION_ANGLE else None

    def _line(self, dense: DenseRoute) -> _Line:
        assert self._global_planner is not None
        return _Line(self._global_planner.polyline(dense), [command for _, command in dense], dense)

    def _dense(self, line: _Line) -> DenseRoute:
        """``line`` as waypoints of the map."""
        if line.dense is not None:
            return line.dense
        import carla

        places = (carla.Location(float(x), float(y), 0.0) for x, y in line.points)
        return [
            (self._carla_map.get_waypoint(place), command) for place, command in zip(places, line.commands, strict=True)
        ]


def _end_of(command: Command, line: _Line, begin_m: float) -> float:
    """Distance (m) along the route at which the manoeuvre that begins at ``begin_m`` is over."""
    arcs, commands = arc_length(line.points), line.commands
    index = min(int(np.searchsorted(arcs, begin_m)), len(commands) - 1)
    if command == Command.FOLLOW_LANE:
        command = commands[index]
    while index < len(commands) - 1 and commands[index] == command:
        index += 1
    return min(float(arcs[index]) + PAST_MANOEUVRE_M, math.nextafter(float(arcs[-1]), 0.0))
