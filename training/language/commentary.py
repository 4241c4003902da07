"""Commentary: where the ego goes, what it does about its speed, and why, in one or two short sentences.

The words follow from a frame's labels alone, so every view has its own, the invented ones too. They have the published
commentary's order (spec C.2): route, speed, reason; the wording is ours. One wording a fact, the first of its list in
``wordings/en/commentary.yaml``: a model of a few million weights learns facts from few sentences, not style.
:func:`training.language.speak.sentence` says the same facts in all their wordings.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simlingo.contracts import SPEED_WAYPOINT_PERIOD_S, Command, FloatArray
from simlingo_drive.expert.causes import Cause
from training.language.languages import language
from training.language.told import PACES_WITH_OBJECT, WHYS_WITH_OBJECT, Pace, Told, Way, Why

#: A command is spoken of from so near on, m along the route.
SPOKEN_FROM_M = 20.0
#: Slower is standing, m/s: as the expert sees it, and at the end of a plan.
_STANDING, _WILL_STAND = 0.3, 0.5
#: Speeds that differ by less are the same, m/s.
_SAME = 1.0
#: A path turns when its end lies so far to the side, m.
_BEND_M = 3.0
#: A green light that near is why a standing car starts, m.
_GREEN_WITHIN_M = 25.0

_WAYS: dict[Command, Way] = {
    Command.LEFT: Way.TURN_LEFT,
    Command.RIGHT: Way.TURN_RIGHT,
    Command.STRAIGHT: Way.STRAIGHT,
    Command.CHANGE_LANE_LEFT: Way.LANE_LEFT,
    Command.CHANGE_LANE_RIGHT: Way.LANE_RIGHT,
}
_REASONS: dict[Cause, Why] = {
    Cause.TRAFFIC_LIGHT: Why.RED_LIGHT,
    Cause.STOP_SIGN: Why.STOP_SIGN,
    Cause.JUNCTION: Why.JUNCTION,
    Cause.WALKER: Why.WALKER,
    Cause.VEHICLE: Why.VEHICLE,
    Cause.LEAD: Why.LEAD,
    Cause.OBSTACLE: Why.OBSTACLE,
}


@dataclass(frozen=True)
class FrameFacts:
    """What a frame's labels tell."""

    speed: float  # m/s
    speed_waypoints: FloatArray  # (10, 2) m, ego frame
    path: FloatArray  # (20, 2) m, ego frame
    command: Command
    distance_to_command: float  # m along the route
    cause: Cause  # of the expert's speed now
    light_is_green: bool
    light_distance: float  # m to the line


def commentary(facts: FrameFacts, thing: str | None = None) -> str:
    """The plain words, such as ``Turn left at the junction. Stop for the red light.``; ``thing`` as for :func:`told`."""
    return _plain(told(facts, thing))


def told(facts: FrameFacts, thing: str | None = None) -> Told:
    """What there is to tell of a frame; ``thing`` names what the expert heeds, without article, where it has a name."""
    near = facts.distance_to_command <= SPOKEN_FROM_M
    way = _WAYS.get(facts.command, Way.FOLLOW_ROAD) if near else Way.FOLLOW_ROAD
    pace, why = _pace(facts)
    return Told(
        way,
        pace,
        why,
        pace_object=thing if pace in PACES_WITH_OBJECT else None,
        why_object=thing if why in WHYS_WITH_OBJECT else None,
    )


def _pace(facts: FrameFacts) -> tuple[Pace, Why | None]:
    """What it does about its speed, and why."""
    steps = np.diff(facts.speed_waypoints[-2:], axis=0)
    at_end = float(np.linalg.norm(steps)) / SPEED_WAYPOINT_PERIOD_S
    reason = _REASONS.get(facts.cause)
    stands = facts.speed < _STANDING
    if at_end < _WILL_STAND:
        return Pace.WAIT if stands else Pace.STOP, reason
    if at_end > facts.speed + _SAME:
        if stands and facts.light_is_green and facts.light_distance < _GREEN_WITHIN_M:
            return Pace.START, Why.GREEN_LIGHT
        return Pace.START if stands else Pace.SPEED_UP, None
    if at_end < facts.speed - _SAME:
        bend = Why.BEND if abs(facts.path[-1, 1]) > _BEND_M else None
        return Pace.SLOW_DOWN, reason or bend
    return Pace.FOLLOW_VEHICLE if facts.cause is Cause.LEAD else Pace.KEEP, None


def every_commentary() -> list[str]:
    """Every sentence pair that :func:`commentary` can give, in an order that the shipped tokenizer was made in."""
    reasons = (*_REASONS.values(), None)
    paces = [(pace, reason) for pace in (Pace.WAIT, Pace.STOP, Pace.SLOW_DOWN) for reason in reasons]
    paces += [(Pace.SLOW_DOWN, Why.BEND), (Pace.START, Why.GREEN_LIGHT), (Pace.START, None), (Pace.SPEED_UP, None)]
    paces += [(Pace.FOLLOW_VEHICLE, None), (Pace.KEEP, None)]
    return [_plain(Told(way, *pace)) for way in (*_WAYS.values(), Way.FOLLOW_ROAD) for pace in paces]


def _plain(facts: Told) -> str:
    words = language()
    return words.commentary.plain(facts, words.rules)
