"""From a row of a data set to the scene that questions are asked about."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from simlingo.contracts import SPEED_WAYPOINT_PERIOD_S, Command, EgoState, FloatArray
from simlingo.geometry import map_to_ego
from simlingo_drive.expert.causes import Cause
from training.language.questions.around import (
    Route,
    junction_ahead,
    lanes_at,
    own_place,
    route_ahead,
    side_line,
)
from training.language.questions.placing import lead_of, located, surroundings
from training.language.questions.scene import (
    LEAD_AHEAD_M,
    SOON_M,
    Junction,
    Light,
    Plan,
    Scene,
    StopSign,
    Thing,
    Weather,
)
from training.language.questions.things import things_around
from training.language.surroundings.signals import light_seen, sign_seen
from training.language.surroundings.town import Town, lines_meet
from training.language.surroundings.visibility import Seen, seen_in

#: Columns that a scene is made of, of the view's own row and of the ego's row of the same frame.
COLUMNS = (
    "frame", "view", "semantic", "depth", "view_x_m", "view_y_m", "view_yaw_rad", "ego_z_m", "counterfactual",
    "counterfactual_detail", "speed_mps", "path_m", "speed_waypoints_m", "target_speed_mps", "cause", "light_state",
    "light_distance_m", "lead_distance_m", "speed_limit_mps", "acceleration_mps2", "junction", "cause_actor_id", "stops",
)  # fmt: skip
EGO_COLUMNS = ("frame", "view", "ego_z_m", "boxes", "actor_states")
#: How far lights and stop signs hold for a question, m (spec C.1); up to the second figure nobody asks.
LIGHT_WITHIN_M, SIGN_WITHIN_M, UNTOLD_WITHIN_M = 45.0, 40.0, 70.0
#: A stop line belongs to the route where that passes it so near, m.
_LINE_HALF_WIDTH_M = 1.6
#: A path bends when its end lies so far to the side, m; it leaves the lane's middle by more than this, m (spec C.2).
_BEND_M, _LEAVES_LANE_M = 3.0, 0.6


def scene_of(row: Mapping[str, Any], ego_row: Mapping[str, Any], meta: Mapping[str, Any], town: Town) -> Scene:
    """The scene of one view.

    Args:
        row: ``COLUMNS`` of the view, as ``training.datasets.reader.read_row`` gives them.
        ego_row: ``EGO_COLUMNS`` of the ego's row of the same frame; ``row`` itself where that is the ego's.
        meta: of the route.
        town: its town.

    Raises:
        InvalidInputError: the route file does not say where the route ran.
    """
    view = EgoState(0, row["view_x_m"], row["view_y_m"], row["view_yaw_rad"], row["speed_mps"])
    seen = seen_in(row["semantic"], row["depth"])
    records = json.loads(ego_row["boxes"])
    route, place = route_ahead(meta, town, view), own_place(town, view)
    inside_by_map = town.junction(route.places[0]) is not None
    placed = things_around(row, ego_row, meta, town, seen, view)
    around = surroundings(town, route, inside_by_map)
    things = tuple(located(each, town, around, view) for each in placed)
    front = next(float(record["extent"][0]) for record in records if record["class"] == "ego_car")
    lead, lead_known = lead_of(placed, things, route, row["lead_distance_m"], front, view, LEAD_AHEAD_M)
    light = _light(row, meta, town, seen, view, float(ego_row["ego_z_m"]))
    sign = _stop_sign(row, meta, town, seen, view, route, front)
    on_lane = place if place is not None and town.junction(place) is None and not inside_by_map else None
    sides = {side: side_line(town, on_lane, side, view) for side in ("left", "right")} if on_lane is not None else {}
    junction = junction_ahead(town, route, on_lane, view, inside_by_map)
    return Scene(
        plan=_plan(row, route, things, light, sign, lead is not None and lead.thing.seen, view),
        weather=_weather(records),
        speed_limit_mps=row["speed_limit_mps"],
        things=things,
        lanes=lanes_at(town, on_lane) if on_lane is not None else None,
        lanes_soon=_lanes_soon(town, route, junction) if on_lane is not None else None,
        junction=junction,
        at_junction_known=bool(row["junction"]) == inside_by_map,
        road_line_m=_own_line(route, view) if on_lane is not None else None,
        side_lines_m={side: line for side, line in sides.items() if line is not None},
        light=light,
        stop_sign=sign,
        lead=lead,
        lead_known=lead_known,
    )


def _own_line(route: Route, view: EgoState) -> FloatArray:
    return map_to_ego(np.array([(pose.x, pose.y) for pose in route.poses[:45]]), view)


def _lanes_soon(town: Town, route: Route, junction: Junction | None) -> Any:
    """The lanes 20 m ahead; None where a junction, a lane change or the route's end comes before."""
    index = int(np.searchsorted(route.arc_m, SOON_M))
    if index >= len(route.places) or (junction is not None and junction.distance_m < SOON_M + 5.0):
        return None
    if any(command != Command.FOLLOW_LANE for command in route.commands[: index + 1]):
        return None
    return lanes_at(town, route.places[index])


def _weather(records: Sequence[Mapping[str, Any]]) -> Weather:
    found = next(record for record in records if record["class"] == "weather")
    names = ("cloudiness", "precipitation", "wetness", "fog_density", "sun_altitude_angle")
    return Weather(*(float(found[name]) for name in names))


def _light(
    row: Mapping[str, Any], meta: Mapping[str, Any], town: Town, seen: Seen, view: EgoState, ground_m: float
) -> Light | None:
    """The light that the label names; ``seen`` where a head of the route's next light shows that state."""
    if row["light_state"] == "none":
        return None
    state = row["light_state"]
    near = [light for light in meta["lights"] if any(_ahead(line, view) for line in light["stop_lines"])]
    shown = light_seen(seen, town, [str(light["opendrive_id"]) for light in near], state, view, ground_m)
    stops = any(stop["reason"] == "traffic_light" for stop in row["stops"])
    return Light(state, row["light_distance_m"], shown, stops)


def _ahead(line: Sequence[float], view: EgoState) -> bool:
    """Whether a stop line is near ahead and held towards the view's direction."""
    x, y = map_to_ego(np.array([line[:2]]), view)[0]
    return bool(-3.0 < x < UNTOLD_WITHIN_M and abs(y) < 0.6 * max(x, 0.0) + 6.0 and math.cos(line[2] - view.yaw) > 0.6)


def _stop_sign(
    row: Mapping[str, Any],
    meta: Mapping[str, Any],
    town: Town,
    seen: Seen,
    view: EgoState,
    route: Route,
    front_m: float,
) -> StopSign | None:
    """The next stop sign whose line the route passes."""
    lines = np.array([line for sign in meta["stop_signs"] for line in sign["stop_lines"]], dtype=np.float64).reshape(
        -1, 3
    )
    poses = np.array([(pose.x, pose.y, pose.yaw) for pose in route.poses])
    gap = np.hypot(poses[:, None, 0] - lines[None, :, 0], poses[:, None, 1] - lines[None, :, 1])
    meets = (gap < _LINE_HALF_WIDTH_M) & (np.cos(poses[:, None, 2] - lines[None, :, 2]) > 0.7)
    if not meets.any():
        return None
    index = int(np.argmax(meets.any(axis=1)))
    x, y, _ = lines[int(np.argmax(meets[index]))]
    holds = any(stop["reason"] == "stop_sign" for stop in row["stops"])
    shown = sign_seen(seen, town, float(x), float(y), view, float(row["ego_z_m"]))
    return StopSign(float(route.arc_m[index]) - front_m, shown, holds)


def _plan(
    row: Mapping[str, Any],
    route: Route,
    things: Sequence[Thing],
    light: Light | None,
    sign: StopSign | None,
    lead_seen: bool,
    view: EgoState,
) -> Plan:
    cause = Cause[row["cause"].upper()]
    waypoints, path = np.asarray(row["speed_waypoints_m"]), np.asarray(row["path_m"], dtype=np.float64)
    end_speed = float(np.linalg.norm(waypoints[-1] - waypoints[-2])) / SPEED_WAYPOINT_PERIOD_S
    actors = {thing.id: thing for thing in things}
    actor = actors.get(row["cause_actor_id"])
    in_sight = {
        Cause.ROAD: True,
        Cause.TRAFFIC_LIGHT: light is not None and light.seen,
        Cause.STOP_SIGN: sign is not None and sign.seen,
        Cause.LEAD: lead_seen if actor is None else actor.seen,
    }.get(cause, actor is not None and actor.seen)
    manoeuvre, distance = route.next_manoeuvre()
    offset = 0.0
    if manoeuvre not in (Command.CHANGE_LANE_LEFT, Command.CHANGE_LANE_RIGHT):
        offset = _offset(path, route, view)
    beside = next(
        (
            thing.id
            for thing in things
            if thing.is_object and thing.seen and lines_meet(path, np.array([thing.position_m]), 3.5)
        ),
        None,
    )
    return Plan(
        speed_mps=float(row["speed_mps"]),
        target_speed_mps=row["target_speed_mps"],
        end_speed_mps=end_speed,
        acceleration_mps2=row["acceleration_mps2"],
        cause=cause,
        cause_seen=in_sight,
        bends=abs(float(path[-1, 1])) > _BEND_M,
        manoeuvre=manoeuvre,
        manoeuvre_m=distance,
        offset_m=offset if abs(offset) > _LEAVES_LANE_M else 0.0,
        blocked_by=beside,
    )


def _offset(path_m: FloatArray, route: Route, view: EgoState) -> float:
    """How far the expert's path, from 8 m on, leaves the middle of the route's lanes at most, m, right positive."""
    line = map_to_ego(np.array([(pose.x, pose.y) for pose in route.poses]), view)
    if len(line) < 2:
        return 0.0
    heading = np.arctan2(*np.gradient(line, axis=0).T[::-1])
    offsets = []
    for point in path_m[8:]:
        nearest = int(np.argmin(np.hypot(*(line - point).T)))
        if nearest == len(line) - 1:
            break
        delta = point - line[nearest]
        offsets.append(float(delta[1] * math.cos(heading[nearest]) - delta[0] * math.sin(heading[nearest])))
    return max(offsets, key=abs, default=0.0)
