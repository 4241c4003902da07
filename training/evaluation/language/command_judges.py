"""When a command counts as obeyed: LaMPilot's criteria, most of them held for five seconds, on the ego's motion alone."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from simlingo.contracts import EgoState
from simlingo.geometry import wrap_angle
from simlingo.instructions.done import (
    CHANGE_MPS,
    CHANGE_SHARE,
    MOVES_MPS,
    SPEED_HELD_S,
    SPEED_TOLERANCE_MPS,
    STANDS_MPS,
    Criterion,
    Held,
    JunctionLeft,
    Surroundings,
)
from simlingo.requests import RequestKind
from training.evaluation.language.stage import Scene

#: A distance counts as kept within this share of the wish (LaMPilot).
DISTANCE_SHARE = 0.3
#: Where a sentence names no distance, it is kept between these, m: more than an uninstructed driver leaves.
UNNAMED_DISTANCE_M = (12.0, 40.0)
#: A lane is reached when the middle of the car is in it and its heading differs by less than this (LaMPilot), for so long, s.
LANE_HEADING_RAD, LANE_HELD_S = math.radians(5.0), 1.0
#: Another is overtaken when the rear bumper is this far before its front bumper, m.
PASSED_M = 1.0
#: A car is pulled over when its right side is this near to the edge of the rightmost lane, m.
KERB_M = 0.5

TURNS = (RequestKind.TURN_LEFT, RequestKind.TURN_RIGHT, RequestKind.STRAIGHT)


@dataclass(frozen=True)
class Wanted:
    """What a trial asks for, as it is judged."""

    kind: RequestKind
    told_mps: float  # the speed at the words
    usual_mps: float  # of an uninstructed driver there
    wish_mps: float | None = None
    distance_m: float | None = None  # bumper to bumper


def judge_of(wanted: Wanted, scene: Scene) -> Criterion:
    """What must be seen for ``wanted`` to be obeyed."""
    kind, told = wanted.kind, wanted.told_mps
    step = max(CHANGE_MPS, CHANGE_SHARE * told)
    if kind in TURNS:
        return JunctionLeft(kind)
    if kind is RequestKind.TARGET_SPEED:
        wish = wanted.wish_mps
        assert wish is not None
        return _held(lambda ego: abs(ego.speed - wish) <= SPEED_TOLERANCE_MPS)
    if kind is RequestKind.FASTER:
        return _held(lambda ego: ego.speed >= max(told, wanted.usual_mps) + step)
    if kind is RequestKind.SLOWER:
        return _held(lambda ego: STANDS_MPS < ego.speed <= min(told, wanted.usual_mps) - step)
    if kind is RequestKind.STOP:
        return _held(lambda ego: ego.speed < STANDS_MPS)
    if kind is RequestKind.GO:
        return _held(lambda ego: ego.speed > MOVES_MPS)
    if kind is RequestKind.PULL_OVER:
        return _held(lambda ego: ego.speed < STANDS_MPS and at_kerb(scene))
    if kind is RequestKind.KEEP_DISTANCE:
        low, high = distance_bounds(wanted.distance_m)
        return _held(lambda _: low <= gap_m(scene) <= high)
    if kind is RequestKind.OVERTAKE:
        return Held(lambda *_: gap_behind_m(scene) >= PASSED_M, 0.0)
    assert kind in (RequestKind.LANE_LEFT, RequestKind.LANE_RIGHT)
    return Held(lambda ego, _: in_lane_beside(scene, ego, kind), LANE_HELD_S)


def distance_bounds(wish_m: float | None) -> tuple[float, float]:
    """Least and most of a kept distance, m."""
    if wish_m is None:
        return UNNAMED_DISTANCE_M
    return wish_m * (1.0 - DISTANCE_SHARE), wish_m * (1.0 + DISTANCE_SHARE)


def gap_m(scene: Scene) -> float:
    """From the ego's front bumper to the rear one of the car ahead, m, along the ego's heading."""
    ahead, ego, lead = _ahead_m(scene)
    return ahead - ego - lead


def gap_behind_m(scene: Scene) -> float:
    """From the front bumper of the car that was ahead to the ego's rear one, m; negative while it is ahead or beside."""
    ahead, ego, lead = _ahead_m(scene)
    return -ahead - ego - lead


def in_lane_beside(scene: Scene, ego: EgoState, kind: RequestKind) -> bool:
    """Whether the ego drives in the lane beside the one that it began in."""
    here = scene.session.map.get_waypoint(scene.session.ego.get_location())
    first = scene.way[0][0]
    beside = first.get_left_lane() if kind is RequestKind.LANE_LEFT else first.get_right_lane()
    if here is None or beside is None or (here.road_id, here.lane_id) != (beside.road_id, beside.lane_id):
        return False
    return abs(wrap_angle(ego.yaw - math.radians(here.transform.rotation.yaw))) < LANE_HEADING_RAD


def at_kerb(scene: Scene) -> bool:
    """Whether the ego's right side is at the edge of the rightmost lane, or beyond it on a shoulder."""
    ego = scene.session.ego
    here = scene.session.map.get_waypoint(ego.get_location())
    if here is None or here.is_junction:
        return False
    right = here.get_right_lane()
    if right is not None and str(right.lane_type) == "Driving":
        return False
    pose, place = here.transform, ego.get_location()
    yaw = math.radians(pose.rotation.yaw)
    lateral = -(place.x - pose.location.x) * math.sin(yaw) + (place.y - pose.location.y) * math.cos(yaw)
    return bool(here.lane_width / 2.0 - lateral - ego.bounding_box.extent.y <= KERB_M)


def _ahead_m(scene: Scene) -> tuple[float, float, float]:
    """How far the middle of the other car is ahead, and half the lengths of both, m."""
    ego, lead = scene.session.ego, scene.lead
    pose, forward = ego.get_transform(), ego.get_transform().get_forward_vector()
    away: Any = lead.get_location() - pose.location
    return (
        float(away.x * forward.x + away.y * forward.y),
        float(ego.bounding_box.extent.x),
        float(lead.bounding_box.extent.x),
    )


def _held(condition: Callable[[EgoState], bool]) -> Held:
    return Held(lambda ego, _: condition(ego), SPEED_HELD_S)


def nowhere(in_junction: bool) -> Surroundings:
    """What the criteria of turns need to know."""
    return Surroundings(None, in_junction)
