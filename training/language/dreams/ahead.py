"""Requests about the vehicle ahead (follow, keep a distance, overtake), and to pull over."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from simlingo.requests import Reason, RequestKind
from training.language.dreams.attempt import Attempt, dream_of, impossible
from training.language.dreams.dream import Dream, Slots
from training.language.dreams.lanes import change_line, changes_soon, find_target, offset_to
from training.language.dreams.lawful import lawful
from training.language.dreams.scene import Lead, Scene
from training.language.dreams.speeds import FASTER_UP_MPS2, STOP_MPS2
from training.language.dreams.ways import own_lane, way_from
from training.language.surroundings.road import NOWHERE, Beside

#: Distances that are asked for, m.
DISTANCES_M = (2.0, 3.0, 5.0, 8.0, 10.0, 12.0, 15.0, 20.0, 25.0, 30.0)
#: Less than this many seconds behind another, and a little, is too near: s, m.
TOO_NEAR_S, TOO_NEAR_M = 0.7, 2.0
#: Another is overtaken with so much more speed, m/s; one that drives this share of the limit is not.
OVERTAKE_MPS, AS_FAST_AS = 4.0, 0.85
#: The kerb is so far from the body of a car that stands at it, m; pulling over takes at least so far, m.
KERB_AIR_M, PULL_OVER_LEAST_M = 0.25, 10.0
#: Deceleration of pulling over, m/s^2, and room that it leaves before a junction, m.
PULL_OVER_MPS2, BEFORE_JUNCTION_M = 2.5, 3.0


def ahead_dreams(scene: Scene, rng: np.random.Generator) -> list[Dream]:
    """One of each; those that leave the lane only where the ego is in one."""
    lead = scene.lead_on(scene.line, scene.place_m)
    distance = float(DISTANCES_M[int(rng.integers(len(DISTANCES_M)))])
    found = [follow(scene, lead), keep_distance(scene, lead, distance)]
    if not changes_soon(scene) and own_lane(scene) != NOWHERE:
        found.append(overtake(scene, lead))
        found.append(pull_over(scene))
    return found


def follow(scene: Scene, lead: Lead | None) -> Dream:
    """Behind the vehicle ahead, as fast as it is up to the limit."""
    if lead is None:
        return impossible(scene, RequestKind.FOLLOW, Slots(), Reason.NO_LEAD)
    pace = lawful(scene, scene.line, scene.place_m, speed_mps=scene.limit_mps)
    return dream_of(scene, Attempt(RequestKind.FOLLOW, Slots(), scene.line, pace))


def keep_distance(scene: Scene, lead: Lead | None, distance_m: float) -> Dream:
    """So many metres behind the vehicle ahead; unsafe where nobody could stop in time."""
    slots = Slots(distance_m=distance_m)
    if lead is None:
        return impossible(scene, RequestKind.KEEP_DISTANCE, slots, Reason.NO_LEAD)
    too_near = distance_m < TOO_NEAR_S * lead.speed_mps + TOO_NEAR_M
    pace = replace(
        lawful(scene, scene.line, scene.place_m, speed_mps=scene.limit_mps), gap_m=distance_m, gap_s=0.0
    )  # fmt: skip
    wrong = (Reason.VEHICLE,) if too_near else ()
    dream = dream_of(scene, Attempt(RequestKind.KEEP_DISTANCE, slots, scene.line, pace, wrong=wrong))
    return replace(dream, by=lead.actor.id) if too_near else dream


def overtake(scene: Scene, lead: Lead | None) -> Dream:
    """Into the lane on the left and past the vehicle ahead."""
    kind, lane = RequestKind.OVERTAKE, own_lane(scene)
    if lead is None:
        return impossible(scene, kind, Slots(), Reason.NO_LEAD)
    if lead.speed_mps > AS_FAST_AS * scene.limit_mps:
        return impossible(scene, kind, Slots(), Reason.OUT_OF_REACH)
    target = find_target(scene.road, lane, -1, 1)
    if target.lane == NOWHERE:
        return impossible(scene, kind, Slots(), Reason.NO_LANE)
    way = way_from(scene, lane)
    line = change_line(scene, way, target)
    if line is None:
        return impossible(scene, kind, Slots(), (*target.wrong, Reason.OUT_OF_REACH)[0])
    wanted = min(scene.limit_mps, max(scene.vehicle.speed_mps, lead.speed_mps + OVERTAKE_MPS))
    past = lawful(scene, line, way.place_m, wanted, without=lead.actor.id)
    pace = replace(past, up_mps2=FASTER_UP_MPS2, stops_m=())
    return dream_of(scene, Attempt(kind, Slots(), line, pace, changes_lane=True, wrong=target.wrong))


def pull_over(scene: Scene) -> Dream:
    """To the kerb, or onto the hard shoulder, and to a standstill there."""
    kind, lane = RequestKind.PULL_OVER, own_lane(scene)
    if scene.road.lanes[lane].junction:
        return impossible(scene, kind, Slots(), Reason.OUT_OF_REACH)
    way, here, offset = way_from(scene, lane), lane, 0.0
    wrong: tuple[Reason, ...] = ()
    while (side := scene.road.lanes[here].right).beside is Beside.SAME:
        offset += 0.5 * (scene.road.lanes[here].width_m + side.width_m)
        wrong = wrong if side.may_cross else (Reason.SOLID_LINE,)
        here = side.lane
    half = 0.5 * scene.road.lanes[here].width_m
    if side.beside is Beside.SHOULDER:
        offset += half + 0.5 * side.width_m
    else:
        offset += half - scene.vehicle.half_width_m - KERB_AIR_M
    speed = scene.vehicle.speed_mps
    length = max(PULL_OVER_LEAST_M * math.sqrt(offset), math.pi * speed * math.sqrt(offset / 6.0))
    brake = min(max(speed / 2.4, PULL_OVER_MPS2), STOP_MPS2[1])
    room = max(length, speed * speed / (2.0 * brake))
    if room + scene.vehicle.half_length_m + BEFORE_JUNCTION_M > way.junction_m:
        return impossible(scene, kind, Slots(), Reason.OUT_OF_REACH)
    line = way.line.beside(offset_to(way.line, way.place_m, length, offset))
    roll_on = 3.0 if length > speed * speed / (2.0 * brake) else 0.0
    stop = way.place_m + scene.vehicle.half_length_m + room
    pace = replace(lawful(scene, line, way.place_m, max(speed, roll_on)), down_mps2=brake)
    pace = replace(pace, stops_m=(*pace.stops_m, stop))
    return dream_of(scene, Attempt(kind, Slots(), line, pace, changes_lane=offset > 2.0, wrong=wrong))
