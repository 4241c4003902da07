"""The road around a view: its lanes, the route ahead, and the junction that comes next."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from simlingo.contracts import Command, EgoState, FloatArray, InvalidInputError
from simlingo.geometry import map_to_ego
from simlingo.navigation.global_planner import MANOEUVRES
from training.language.questions.scene import JUNCTION_AHEAD_M, MANOEUVRE_AHEAD_M, Junction, Lanes, Way
from training.language.surroundings.town import ON_LANE_M, Pose, Town, lines_meet

#: A view farther from its lane's middle than this, m, or turned by more, rad, stands astride.
ASTRIDE_M, ASTRIDE_RAD = 1.3, math.radians(30.0)
#: Lane marks are not painted for about so many metres before and after a junction.
MARKS_END_M = 9.0
#: How far a way through a junction is followed beyond it, m.
BEYOND_M = 25.0
#: A junction's entries whose headings differ by less belong to one arm, rad.
_ARM_RAD = math.radians(45.0)
#: Metres of a lane change ahead, and how long it takes.
_BESIDE_M = 40.0


@dataclass(frozen=True)
class Route:
    """The route from the view on, in the map frame."""

    poses: tuple[Pose, ...]  # about a metre apart, the first beside the view
    commands: tuple[Command, ...]
    arc_m: FloatArray  # (N,) from the view on
    places: tuple[int, ...]  # of the lanes that it runs on

    def next_manoeuvre(self) -> tuple[Command, float]:
        """The next command that is not to follow the lane, and the metres to it; FOLLOW_LANE where none is near."""
        for command, arc in zip(self.commands, self.arc_m, strict=True):
            if arc > MANOEUVRE_AHEAD_M:
                break
            if command != Command.FOLLOW_LANE:
                return command, float(arc)
        return Command.FOLLOW_LANE, MANOEUVRE_AHEAD_M


def route_ahead(meta: Mapping[str, Any], town: Town, view: EgoState) -> Route:
    """The rest of the route.

    Raises:
        InvalidInputError: the route file does not say where the route ran.
    """
    table = np.array(meta.get("waypoints", ()), dtype=np.float64).reshape(-1, 4)
    if len(table) < 2:
        raise InvalidInputError(
            f"route {meta.get('route', '')} holds no waypoints, so nobody can tell where it leads: collect with ./simlingo collect"
        )
    gap = np.hypot(table[:, 0] - view.x, table[:, 1] - view.y)
    turned = np.abs((table[:, 2] - view.yaw + math.pi) % (2.0 * math.pi) - math.pi)
    here = int(np.argmin(gap + np.where(turned > math.pi / 2.0, 20.0, 0.0)))
    ahead = table[here : here + int(MANOEUVRE_AHEAD_M + BEYOND_M) + 20]
    steps = np.hypot(*np.diff(ahead[:, :2], axis=0).T)
    poses = tuple(Pose(x, y, yaw) for x, y, yaw, _ in ahead)
    places = tuple(town.place_on(pose) for pose in poses)
    commands = tuple(Command(int(command)) for command in ahead[:, 3])
    return Route(poses, commands, np.concatenate(([0.0], np.cumsum(steps))), places)


def own_place(town: Town, view: EgoState) -> int | None:
    """The place on the lane that the view stands on; None where it stands astride or off the road."""
    pose = Pose(view.x, view.y, view.yaw)
    places = town.places_at(pose, ASTRIDE_M, ASTRIDE_RAD)
    return places[0] if places else None


def lanes_at(town: Town, place: int) -> Lanes | None:
    """The road at a place, as that lane sees it; None in a junction."""
    if town.junction(place) is not None:
        return None
    waypoint = town.graph.waypoints[place]
    ids = town.lane_ids(place)
    # Towns drive on the right: the lanes of either direction count outwards from the middle.
    same = sorted((lane for lane in ids if lane * waypoint.lane_id > 0), key=abs)
    left, right = _beside(waypoint, "Left"), _beside(waypoint, "Right")
    return Lanes(
        index=same.index(waypoint.lane_id),
        same=len(same),
        opposite=len(ids) - len(same),
        left_marking=_marking(waypoint.left_lane_marking),
        right_marking=_marking(waypoint.right_lane_marking),
        may_left=left is not None and _permits(waypoint, "Left"),
        may_right=right is not None and _permits(waypoint, "Right"),
        from_left=left is not None and _permits(left, "Right"),
        from_right=right is not None and _permits(right, "Left"),
        marks_end=_near_end(town, place),
    )


def _near_end(town: Town, place: int) -> bool:
    lane = town.graph.lanes[town.graph.lane_of[place]]
    return bool(min(place - lane.first, lane.last - place) < MARKS_END_M)


def _beside(waypoint: Any, side: str) -> Any:
    """The neighbouring lane of the same direction, if there is one."""
    other = waypoint.get_left_lane() if side == "Left" else waypoint.get_right_lane()
    if other is None or str(other.lane_type) != "Driving" or other.lane_id * waypoint.lane_id < 0:
        return None
    return other


def _permits(waypoint: Any, side: str) -> bool:
    return str(waypoint.lane_change) in (side, "Both")


def _marking(marking: Any) -> str:
    """Such as "broken yellow"."""
    kind = str(marking.type)
    if kind.lower() == "none":
        return "none"
    words = {"SolidSolid": "double solid", "BrokenBroken": "double broken"}.get(kind, kind.lower())
    return f"{words} {'yellow' if str(marking.color) == 'Yellow' else 'white'}"


def side_line(town: Town, place: int, side: str, view: EgoState) -> FloatArray | None:
    """The lane of the same direction on that side ("left", "right"), ahead, in the view's frame; None without one."""
    other = _beside(town.graph.waypoints[place], side.capitalize())
    if other is None:
        return None
    begin = town.graph.place_of(other)
    lane = town.graph.lanes[town.graph.lane_of[begin]]
    return map_to_ego(town.line(list(range(begin, min(lane.last, begin + int(_BESIDE_M)) + 1))), view)


def junction_ahead(town: Town, route: Route, place: int | None, view: EgoState, inside: bool) -> Junction | None:
    """The junction that the view stands in (``inside``), or the next one within 40 m on the route."""
    if inside:
        return _inside(town, view)
    for index, (on, arc) in enumerate(zip(route.places, route.arc_m, strict=True)):
        if arc > JUNCTION_AHEAD_M:
            return None
        junction = town.junction(on)
        if junction is not None and index > 0:
            return _before(town, route.places[index - 1], junction, float(arc), place, view)
    return None


def _inside(town: Town, view: EgoState) -> Junction:
    """The ways that the ego can still go on from where it stands in a junction."""
    pose = Pose(view.x, view.y, view.yaw)
    found: dict[Command, Way] = {}
    for place in town.places_at(pose, ON_LANE_M, math.radians(25.0)):
        lane = town.graph.lanes[town.graph.lane_of[place]]
        if lane.junction is not None and lane.manoeuvre in MANOEUVRES and lane.manoeuvre not in found:
            line = _onward(town, place)
            found[lane.manoeuvre] = Way(map_to_ego(line, view))
    return Junction(True, 0.0, found, frozenset(found))


def _before(town: Town, last: int, junction: int, distance_m: float, place: int | None, view: EgoState) -> Junction:
    """The ways that the road of place ``last`` offers through ``junction``."""
    road, own_lane = town.road(last)
    ways: dict[Command, Way] = {}
    watch: dict[Command, set[str]] = {}
    for lane in town.graph.lanes:
        end = lane.waypoints[-1]
        if lane.junction is not None or end.road_id != road or end.lane_id * own_lane < 0:
            continue
        for index in lane.successors:
            way = town.graph.lanes[index]
            if way.junction != junction or way.manoeuvre not in MANOEUVRES:
                continue
            watch.setdefault(way.manoeuvre, set()).update(sides_to_watch(town, index))
            if end.lane_id == own_lane and way.manoeuvre not in ways:
                start = place if place is not None and town.road(place) == (road, own_lane) else last
                before = town.line(list(range(start, lane.last + 1)))
                line = np.vstack((before, _onward(town, way.first)))
                ways[way.manoeuvre] = Way(map_to_ego(line, view))
    known = {command: Way(way.line_m, frozenset(watch[command])) for command, way in ways.items()}
    others = {
        command: Way(np.zeros((0, 2)), frozenset(sides)) for command, sides in watch.items() if command not in ways
    }
    return Junction(False, distance_m, known | others, frozenset(watch))


def _onward(town: Town, place: int) -> FloatArray:
    """From a place in a junction to the lane's end, and 25 m beyond."""
    lane = town.graph.lanes[town.graph.lane_of[place]]
    places = list(range(place, lane.last + 1))
    if lane.successors:
        places += town.ways_on(town.graph.lanes[lane.successors[0]].first, BEYOND_M)[0]
    return town.line(places)


def sides_to_watch(town: Town, way_index: int) -> set[str]:
    """From which sides other lanes of the junction cross or join lane ``way_index``: "left", "ahead", "right"."""
    way = town.graph.lanes[way_index]
    line = town.line(list(range(way.first, way.last + 1)))
    sides = set()
    for other in town.graph.lanes:
        if other.junction != way.junction or other is way:
            continue
        turned = float(town.yaw[other.first] - town.yaw[way.first])
        side = _side_of((turned + math.pi) % (2.0 * math.pi) - math.pi)
        if side and lines_meet(line, town.line(list(range(other.first, other.last + 1)))):
            sides.add(side)
    return sides


def _side_of(turned_rad: float) -> str:
    """From where traffic comes whose heading is turned so far (clockwise) from ours; empty: it comes from behind us."""
    if abs(turned_rad) < _ARM_RAD:
        return ""
    if abs(turned_rad) > math.pi - _ARM_RAD:
        return "ahead"
    return "left" if turned_rad > 0.0 else "right"  # who drives to our right comes from our left
