"""Giving way in junctions: whose lanes cross the ego's way, who has priority, and is the gap long enough."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import carla
import numpy as np

from simlingo.contracts import TICK_S, Command, FloatArray
from simlingo.geometry import arc_length, wrap_angle
from simlingo.navigation.lane_graph import manoeuvre_of
from simlingo_drive.expert.constants import ExpertConstants
from simlingo_drive.expert.laws import seconds_to_cover
from simlingo_drive.expert.route import ExpertRoute, junction_spans
from simlingo_drive.expert.signals import Signals
from simlingo_drive.expert.situation import Lead, Stop
from simlingo_drive.expert.traffic import RoadUsers

#: Approach sampled before a lane's entry into the junction, m.
APPROACH = 40
#: A vehicle is on a lane within this distance of its centre line, m.
ON_LANE = 1.5
#: Lanes that begin nearer than this to the ego's begin on the same lane, m.
SAME_START = 1.0
#: Most cars are about this long; a junction's exit must have room for the ego, m.
EXIT_ROOM = 7.0
#: A stop line lies at most this far before its junction, m.
LINE_TO_JUNCTION = 12.0


@dataclass
class ConflictLane:
    """A lane through the junction that crosses or joins the ego's way."""

    line: FloatArray  # (K, 2) m: approach and lane
    arc: FloatArray  # (K,) m, zero where the lane enters the junction
    ego_span: tuple[float, float]  # m along the route
    span: tuple[float, float]  # m along ``arc``
    way: Command  # LEFT, RIGHT or STRAIGHT
    entry_yaw: float  # rad
    light: Any = None  # traffic light that holds back this lane


@dataclass
class JunctionOnRoute:
    """One passage of the route through a junction."""

    begin: float  # m along the route
    end: float  # m
    way: Command
    entry_yaw: float  # rad
    signalled: bool  # a light holds the ego here
    must_yield: bool  # a stop or yield sign holds the ego here
    lanes: list[ConflictLane] = field(default_factory=list)
    waited_ticks: int = 0
    entered: bool = False


class Junctions:
    """The junctions of one route."""

    def __init__(
        self,
        world: Any,
        route: ExpertRoute,
        dense: Sequence[tuple[Any, Command]],
        signals: Signals,
        constants: ExpertConstants,
    ) -> None:
        self._constants, self._route = constants, route
        lights = [(light, _light_places(light)) for light in world.get_actors().filter("traffic.traffic_light*")]
        begin_s, self.passages = 0.0, []
        for begin, end, way in junction_spans(dense):
            passage = _passage(route, dense, begin, end, way, signals, begin_s)
            if passage is None:
                continue
            begin_s = passage.end
            passage.lanes = _conflict_lanes(route, passage, dense[begin][0].get_junction(), lights, constants)
            self.passages.append(passage)

    def update(
        self, s: float, speed: float, front: float, wanted_speed: float, users: RoadUsers, leads: list[Lead]
    ) -> list[Stop]:
        """Stops for vehicles that the ego at ``s`` m lets pass. Call once a tick."""
        stops = []
        bumper = s + front
        for passage in self.passages:
            if passage.end + 2.0 < s or passage.begin - bumper > self._constants.junction_look_ahead:
                continue
            passage.entered = passage.entered or bumper > passage.begin + 1.0
            stop = self._exit_blocked(passage, bumper, leads) or self._give_way(
                passage, bumper, speed, wanted_speed, users
            )
            waiting = stop is not None and speed < 0.3
            passage.waited_ticks = passage.waited_ticks + 1 if waiting else max(passage.waited_ticks - 1, 0)
            if stop is not None:
                stops.append(stop)
        return stops

    def _exit_blocked(self, passage: JunctionOnRoute, bumper: float, leads: list[Lead]) -> Stop | None:
        """Wait before the junction while a standing queue leaves no room behind it."""
        for lead in leads:
            if lead.speed < 1.0 and passage.begin < lead.rear_s < passage.end + EXIT_ROOM and not passage.entered:
                return Stop(passage.begin - 1.0, "junction", lead.actor_id)
        return None

    def _give_way(
        self, passage: JunctionOnRoute, bumper: float, speed: float, wanted_speed: float, users: RoadUsers
    ) -> Stop | None:
        for lane in passage.lanes:
            if bumper > lane.ego_span[0]:
                continue
            for row in _vehicles_on(lane, users):
                if self._conflicts(passage, lane, row, bumper, speed, wanted_speed, users):
                    line = passage.begin - 0.5
                    inside = lane.ego_span[0] - self._constants.yield_margin
                    place = inside if passage.entered or (passage.signalled and inside > line) else min(line, inside)
                    return Stop(place, "junction", users.ids[row])
        return None

    def _conflicts(
        self,
        passage: JunctionOnRoute,
        lane: ConflictLane,
        row: int,
        bumper: float,
        speed: float,
        wanted: float,
        users: RoadUsers,
    ) -> bool:
        """Whether the vehicle ``row`` on ``lane`` has to pass first."""
        constants = self._constants
        along = _along(lane, users, row)
        nose, tail = along + float(users.half_length[row]), along - float(users.half_length[row])
        if tail > lane.span[1] + 1.0:
            return False
        pace = float(users.speed[row])
        inside = nose > 1.0
        if not inside and (_held(lane, nose) or not _has_priority(passage, lane)):
            return False
        if pace < 0.5 and (not inside or passage.waited_ticks * TICK_S > constants.patience_s or nose < lane.span[0]):
            return False
        if not inside and not _may_turn_so(lane, users.actors[row]):
            return False
        other_in = max(lane.span[0] - nose, 0.0) / max(pace, 1.0)
        other_out = max(lane.span[1] - tail, 0.0) / max(pace, 1.0)
        own_in = seconds_to_cover(lane.ego_span[0] - bumper, speed, constants.max_acceleration, wanted)
        clear = lane.ego_span[1] - bumper + 5.0
        own_out = seconds_to_cover(clear, speed, constants.max_acceleration, wanted)
        return own_out + constants.gap_before > other_in and other_out + constants.gap_after > own_in


def _passage(
    route: ExpertRoute,
    dense: Sequence[tuple[Any, Command]],
    begin: int,
    end: int,
    way: Command,
    signals: Signals,
    begin_s: float,
) -> JunctionOnRoute | None:
    """The passage for waypoints [begin, end) of the dense route; None where the route does not really pass."""
    first, last = dense[begin][0].transform, dense[end - 1][0].transform
    yaw = math.radians(first.rotation.yaw)
    entry = route.place_of(first.location.x, first.location.y, yaw, begin_s, 3.0)
    if entry is None:
        return None
    leave = route.place_of(last.location.x, last.location.y, math.radians(last.rotation.yaw), entry.s, 3.0)
    if leave is None or leave.s - entry.s > 80.0:
        return None

    def near(lines: list[Any]) -> bool:
        return any(-LINE_TO_JUNCTION < line.s - entry.s < 2.0 for line in lines)

    return JunctionOnRoute(
        entry.s, leave.s, way, yaw, near(signals.lights), near(signals.stop_signs) or near(signals.yield_signs)
    )


def _conflict_lanes(
    route: ExpertRoute,
    passage: JunctionOnRoute,
    junction: Any,
    lights: list[tuple[Any, FloatArray]],
    constants: ExpertConstants,
) -> list[ConflictLane]:
    span = route.window(passage.begin, 1.0, passage.end - passage.begin + 3.0)
    own, own_s = route.points[span], route.s[span]
    lanes = []
    for entry, _ in junction.get_waypoints(carla.LaneType.Driving):
        inside = [entry, *entry.next_until_lane_end(1.0)]
        line = _positions(inside)
        if np.linalg.norm(line[0] - own[min(2, len(own) - 1)]) < SAME_START + 0.5 or len(line) < 2:
            continue
        near = np.linalg.norm(own[:, None] - line[None], axis=2) < constants.conflict_width
        if not near.any():
            continue
        mine, theirs = np.flatnonzero(near.any(axis=1)), np.flatnonzero(near.any(axis=0))
        before = list(reversed(_approach(entry)))
        whole = np.vstack((_positions(before), line)) if before else line
        arc = arc_length(whole)
        arc = arc - arc[len(before)]
        turn = wrap_angle(math.radians(inside[-1].transform.rotation.yaw - entry.transform.rotation.yaw))
        way = manoeuvre_of(turn)
        lanes.append(
            ConflictLane(
                whole,
                arc,
                (float(own_s[mine[0]]), float(own_s[mine[-1]])),
                (float(arc[len(before) + theirs[0]]), float(arc[len(before) + theirs[-1]])),
                way,
                math.radians(entry.transform.rotation.yaw),
                _light_of(line[0], math.radians(entry.transform.rotation.yaw), lights),
            )
        )
    return lanes


def _approach(entry: Any) -> list[Any]:
    """Waypoints before ``entry``, nearest first."""
    found, waypoint = [], entry
    for _ in range(APPROACH):
        before = waypoint.previous(1.0)
        if not before:
            break
        waypoint = before[0]
        found.append(waypoint)
    return found


def _positions(waypoints: Sequence[Any]) -> FloatArray:
    return np.array([(w.transform.location.x, w.transform.location.y) for w in waypoints], dtype=np.float64)


def _light_places(light: Any) -> FloatArray:
    """(M, 3): x m, y m, yaw rad of a light's stop lines."""
    transforms = [waypoint.transform for waypoint in light.get_stop_waypoints()]
    rows = [(t.location.x, t.location.y, math.radians(t.rotation.yaw)) for t in transforms]
    return np.array(rows, dtype=np.float64).reshape(-1, 3)


def _light_of(entry: FloatArray, yaw: float, lights: list[tuple[Any, FloatArray]]) -> Any:
    """The light that holds back the lane which enters the junction at ``entry`` (2,) m in heading ``yaw``."""
    for light, places in lights:
        for x, y, heading in places:
            dx, dy = entry[0] - x, entry[1] - y
            ahead = dx * math.cos(heading) + dy * math.sin(heading)
            aside = dy * math.cos(heading) - dx * math.sin(heading)
            if -3.0 < ahead < LINE_TO_JUNCTION and abs(aside) < ON_LANE and abs(wrap_angle(heading - yaw)) < 0.6:
                return light
    return None


def _vehicles_on(lane: ConflictLane, users: RoadUsers) -> list[int]:
    """Rows of ``users`` that are on the lane or its approach, in its direction."""
    found = []
    for row in range(len(users)):
        gap = lane.line - users.position[row]
        squared = np.einsum("ij,ij->i", gap, gap)
        index = int(np.argmin(squared))
        if squared[index] > ON_LANE**2 or index in (0, len(lane.line) - 1):
            continue
        step = lane.line[index + 1] - lane.line[index - 1]
        if step[0] * math.cos(users.yaw[row]) + step[1] * math.sin(users.yaw[row]) > 0.7 * np.linalg.norm(step):
            found.append(row)
    return found


def _along(lane: ConflictLane, users: RoadUsers, row: int) -> float:
    gap = lane.line - users.position[row]
    return float(lane.arc[np.argmin(np.einsum("ij,ij->i", gap, gap))])


def _held(lane: ConflictLane, nose: float) -> bool:
    """A red or yellow light holds the vehicle that approaches on ``lane``."""
    return lane.light is not None and nose < 0.0 and str(lane.light.get_state()) in ("Red", "Yellow")


def _may_turn_so(lane: ConflictLane, vehicle: Any) -> bool:
    """False where the vehicle's indicator says that it takes another way than ``lane``."""
    lights = int(vehicle.get_light_state())
    left = bool(lights & int(carla.VehicleLightState.LeftBlinker))
    right = bool(lights & int(carla.VehicleLightState.RightBlinker))
    if left == right:
        return True
    return lane.way == (Command.LEFT if left else Command.RIGHT)


def _has_priority(passage: JunctionOnRoute, lane: ConflictLane) -> bool:
    """Whether a vehicle that approaches on ``lane`` goes before the ego."""
    from_angle = wrap_angle(lane.entry_yaw - passage.entry_yaw)
    oncoming = abs(from_angle) > math.radians(135.0)
    if passage.must_yield:
        return True
    if oncoming:
        return passage.way == Command.LEFT and lane.way != Command.LEFT
    if passage.signalled:
        return False
    return passage.way in (Command.LEFT, Command.RIGHT) or from_angle < 0.0
