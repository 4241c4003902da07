"""The ego nearer to what it stops for than any drive brings it: behind a standing vehicle, before a stop line.

The expert stops in time, so its drives never show a bumper half a metre ahead; a model that has crept that far must know
what to do there all the same. Labels come from a forecast of the expert's law at the nearer place.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from simlingo.contracts import EgoState, Navigation
from simlingo.geometry import ego_to_map, map_to_ego
from simlingo_drive.expert import Expert, ExpertInfo
from simlingo_drive.expert.route import SPACING, Place
from training.collect.counterfactual import at_speed, other_speed

#: Obstructions farther away than this leave the view where it is, m from the front bumper.
FARTHEST_M = 25.0
#: The least that remains between bumper and obstruction, and the least worth moving by, m.
REMAINING_M, LEAST_M = 0.3, 0.7
#: Slower vehicles stand, m/s.
STANDING = 0.5
#: Reasons to stop that are painted on the road, and stay where they are.
LINES = ("traffic_light", "stop_sign")
#: The next target point must stay at least this far ahead, m.
TARGET_AHEAD_M = 3.0


def room_ahead(info: ExpertInfo) -> float:
    """Metres from the front bumper to the nearest standing vehicle, stop line or other stop; infinite without one."""
    bumper = info.place.s + info.situation.front
    places = [stop.s for stop in info.situation.stops]
    places += [lead.rear_s for lead in info.situation.leads]
    return min((place - bumper for place in places), default=math.inf)


def nearer(
    info: ExpertInfo, expert: Expert, navigation: Navigation, rng: np.random.Generator
) -> tuple[ExpertInfo, Navigation, float] | None:
    """``info`` and ``navigation`` as they would be farther along the route, and by how many metres.

    None where nothing that stays in its place is near, or the next target point would fall behind.
    """
    room = room_ahead(info)
    stays = all(lead.speed < STANDING for lead in info.situation.leads if lead.rear_s < info.place.s + FARTHEST_M)
    lines = all(stop.reason in LINES for stop in info.situation.stops)
    if not (REMAINING_M + LEAST_M < room < FARTHEST_M and stays and lines):
        return None
    ahead = (room - REMAINING_M) * math.sqrt(rng.uniform(0.0, 1.0))
    place = Place(info.place.s + ahead, info.place.lateral, info.place.index + round(ahead / SPACING))
    if place.index >= len(expert.route.points):
        return None
    ego = _pose(info, expert, place)
    target_points = map_to_ego(ego_to_map(navigation.target_points, info.ego), ego)
    if target_points[0, 0] < TARGET_AHEAD_M:
        return None
    light = replace(info.light, distance=info.light.distance - ahead)
    moved = replace(info, ego=ego, place=place, light=light, lead_distance=info.lead_distance - ahead)
    moved = at_speed(moved, expert, other_speed(moved, expert, rng))
    distance = max(navigation.distance_to_command - ahead, 0.0)
    return moved, replace(navigation, target_points=target_points, distance_to_command=distance), ahead


def _pose(info: ExpertInfo, expert: Expert, place: Place) -> EgoState:
    """The ego at ``place``, at the same angle to the route."""
    yaw = expert.route.yaw_at(place.s)
    x, y = expert.route.at(place.s) + place.lateral * np.array((-math.sin(yaw), math.cos(yaw)))
    turned = info.ego.yaw + yaw - expert.route.yaw_at(info.place.s)
    return replace(info.ego, x=float(x), y=float(y), yaw=turned)
