"""The route as the stack follows it: takes a mission, answers odometry, carries out navigation instructions.

Knows no topics: ``route.py`` is the node around it. Frames are the core's (y right).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from simlingo.contracts import Command, EgoState, FloatArray, Instruction, InvalidInputError, Navigation
from simlingo.instructions import parse
from simlingo.navigation.global_planner import DenseRoute, GlobalPlanner
from simlingo.navigation.route import RoutePlanner

#: A route whose nearest point is further away than this is not this vehicle's, m.
MAX_START_GAP_M = 100.0
#: A manoeuvre is carried out once the ego is this far past it on the new route, m.
PAST_MANOEUVRE_M = 3.0

#: What became of an instruction.
ACCEPTED, OBEYED, REFUSED, NOT_UNDERSTOOD, CLEARED = "accepted", "obeyed", "refused", "not understood", "cleared"


@dataclass(frozen=True)
class Outcome:
    """One change in an instruction's life."""

    instruction: Instruction
    status: str
    reason: str = ""


@dataclass
class _Pending:
    """An accepted instruction on its way to being carried out."""

    instruction: Instruction
    done_at_m: float  # progress on the new route at which it is obeyed


class Guidance:
    """One vehicle's route.

    ``planner`` is the core's follower of the route (``None`` without a route), ``instruction_id`` the instruction
    that shaped it, ``dense`` the route as points about a metre apart.
    """

    def __init__(self, max_deviation_m: float = 30.0) -> None:
        self.max_deviation_m = max_deviation_m
        self.planner: RoutePlanner | None = None
        self.instruction_id = ""
        self._points: FloatArray = np.empty((0, 2))
        self._commands: list[Command] = []
        self._carla_map: Any = None
        self._global_planner: GlobalPlanner | None = None
        self._pending: _Pending | None = None
        self._checked = False

    def set_map(self, carla_map: Any) -> None:
        """The map that instructions are planned on (carla.Map)."""
        self._carla_map = carla_map
        self._global_planner = GlobalPlanner(carla_map)

    def drop_route(self) -> None:
        """Guide no more until the next ``set_route``."""
        self.planner, self.instruction_id, self._pending = None, "", None
        self._points, self._commands = np.empty((0, 2)), []

    def set_route(self, points_in_map: FloatArray, commands: list[Command] | None) -> None:
        """Follow another mission; ``commands`` None: taken from the path's geometry.

        Raises:
            InvalidInputError: fewer than two points, NaN, or no length; the old mission is not followed either.
        """
        self.drop_route()
        follower = (
            RoutePlanner(points_in_map, commands) if commands is not None else RoutePlanner.from_path(points_in_map)
        )
        self._points, self._commands = np.asarray(points_in_map, dtype=np.float64), commands or []
        self.planner, self._checked = follower, False

    def update(self, ego: EgoState) -> Navigation | None:
        """Navigation at ``ego``; ``None`` without a route.

        Raises:
            InvalidInputError: the route begins more than 100 m away; it is given up.
        """
        if self.planner is None:
            return None
        if not self._checked:
            gap = float(np.min(np.linalg.norm(self._points - (ego.x, ego.y), axis=1)))
            if not gap <= MAX_START_GAP_M:
                self.drop_route()
                raise InvalidInputError(
                    f"the route is {gap:.0f} m away from the vehicle (at most {MAX_START_GAP_M:.0f} m);"
                    " send a route in the map frame that begins at the vehicle"
                )
            self._checked = True
        return self.planner.update(ego)

    @property
    def off_route(self) -> bool:
        """True when the vehicle is too far from its route to be guided by it."""
        return self.planner is not None and self.planner.deviation > self.max_deviation_m

    def instruct(self, instruction: Instruction, ego: EgoState) -> list[Outcome]:
        """Carry out ``instruction`` from ``ego`` on; what becomes of it and of the one before."""
        outcomes = []
        if self._pending is not None:
            reason = (
                "withdrawn; the route stays as it is now"
                if not instruction.text.strip()
                else "replaced by a newer instruction"
            )
            outcomes.append(Outcome(self._pending.instruction, CLEARED, reason))
            self._pending = None
        if not instruction.text.strip():
            self.instruction_id = ""
            return outcomes or [Outcome(instruction, CLEARED)]
        command = parse(instruction.text)
        if command is None:
            reason = "I understand navigation only, such as 'turn left at the next junction'"
            return [*outcomes, Outcome(instruction, NOT_UNDERSTOOD, reason)]
        reason = self._redirect(instruction, command, ego)
        return [*outcomes, Outcome(instruction, REFUSED if reason else ACCEPTED, reason)]

    def carried_out(self) -> Outcome | None:
        """The instruction that has been obeyed since the last call."""
        pending = self._pending
        if pending is None or self.planner is None or self.planner.progress < pending.done_at_m or self.off_route:
            return None
        self._pending = None
        return Outcome(pending.instruction, OBEYED)

    def route(self) -> tuple[FloatArray, list[Command]]:
        """Points (N, 2) m in the map frame and commands of the route followed now."""
        return self._points, self._commands

    def _redirect(self, instruction: Instruction, command: Command, ego: EgoState) -> str:
        """Change the route; an empty string, or why not."""
        if self._global_planner is None:
            return "there is no map; the simulator's bridge publishes it on /carla/world_info"
        if self.planner is None or not self._commands:
            return "there is no route with commands to change"
        answer = self._global_planner.redirect(self._dense(), ego, command)
        if answer.route is None:
            return answer.reason
        points = self._global_planner.polyline(answer.route)
        commands = [each for _, each in answer.route]
        follower = RoutePlanner(points, commands)
        follower.update(ego)
        self._pending = _Pending(instruction, _end_of(command, points, commands, follower.progress + answer.distance))
        self.planner, self._points, self._commands = follower, points, commands
        self.instruction_id = instruction.id
        return ""

    def _dense(self) -> DenseRoute:
        """The route as waypoints of the map."""
        import carla

        places = (carla.Location(float(x), float(y), 0.0) for x, y in self._points)
        return [
            (self._carla_map.get_waypoint(place), command)
            for place, command in zip(places, self._commands, strict=True)
        ]


def _end_of(command: Command, points: FloatArray, commands: list[Command], begin_m: float) -> float:
    """Distance (m) along the route at which the manoeuvre that begins at ``begin_m`` is over."""
    steps = np.linalg.norm(np.diff(points, axis=0), axis=1)
    arcs = np.concatenate(([0.0], np.cumsum(steps)))
    index = min(int(np.searchsorted(arcs, begin_m)), len(commands) - 1)
    if command == Command.FOLLOW_LANE:
        command = commands[index]
    while index < len(commands) - 1 and commands[index] == command:
        index += 1
    return min(float(arcs[index]) + PAST_MANOEUVRE_M, math.nextafter(float(arcs[-1]), 0.0))
