"""Whether a plan does in its 2.5 s what a commentary says: the pace, and a way that does not contradict it."""

from __future__ import annotations

import math

import numpy as np

from training.evaluation.language.fixed import Plan
from training.language.commentary_reading import Heard
from training.language.told import Pace, Way

#: Who is slower than this stands, m/s; a plan that ends slower comes to a stand.
STANDS_MPS, ENDS_STANDING_MPS = 0.5, 1.0
#: A change of speed by this shows, m/s; one by less than this is none. Between the two both may be said.
SHOWS_MPS, NONE_MPS = 0.5, 1.5
#: A path that turns by more than this to the other side, rad, or goes over by more than this, m, contradicts.
TURNS_RAD, GOES_OVER_M = math.radians(15.0), 1.0
#: A path that bends by more than this does not go straight across, rad.
BENDS_RAD = math.radians(45.0)
_SIDES = {Way.TURN_LEFT: -1, Way.TURN_RIGHT: 1, Way.LANE_LEFT: -1, Way.LANE_RIGHT: 1}


def agrees(heard: Heard, plan: Plan, speed_mps: float) -> bool:
    """Whether ``plan`` of a car at ``speed_mps`` does what the sentence says; one that says nothing known does not agree."""
    if heard.way is None or heard.pace is None:
        return False
    return pace_fits(heard.pace, plan, speed_mps) and way_fits(heard.way, plan)


def pace_fits(pace: Pace, plan: Plan, speed_mps: float) -> bool:
    """Whether the plan's speed changes as said."""
    end, change = plan.end_mps, plan.end_mps - speed_mps
    if pace in (Pace.STOP, Pace.WAIT):
        return end < ENDS_STANDING_MPS and (pace is Pace.STOP or speed_mps < STANDS_MPS)
    if pace in (Pace.SPEED_UP, Pace.START):
        return change > SHOWS_MPS
    if pace is Pace.SLOW_DOWN:
        return change < -SHOWS_MPS
    return abs(change) < NONE_MPS


def way_fits(way: Way, plan: Plan) -> bool:
    """Whether the path does not go where the sentence says it will not: a turn is told before the path reaches it."""
    steps = np.diff(plan.path, axis=0)
    turned = math.atan2(steps[-1, 1], steps[-1, 0])
    if way in (Way.TURN_LEFT, Way.TURN_RIGHT):
        return _SIDES[way] * turned > -TURNS_RAD
    if way in (Way.LANE_LEFT, Way.LANE_RIGHT):
        return _SIDES[way] * float(plan.path[-1, 1]) > -GOES_OVER_M
    return way is not Way.STRAIGHT or abs(turned) < BENDS_RAD
