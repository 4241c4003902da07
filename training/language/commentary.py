"""Commentary: where the ego goes, what it does about its speed, and why, in one or two short sentences.

The words follow from a frame's labels alone, so every view has its own, the invented ones too. They have the published
commentary's order (spec C.2): route, speed, reason; the wording is ours. One wording a fact: a model of a few million
weights learns facts from few sentences, not style.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simlingo.contracts import SPEED_WAYPOINT_PERIOD_S, Command, FloatArray
from simlingo_drive.expert.causes import Cause

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

_WAYS: dict[Command, str] = {
    Command.LEFT: "Turn left at the junction.",
    Command.RIGHT: "Turn right at the junction.",
    Command.STRAIGHT: "Go straight across the junction.",
    Command.CHANGE_LANE_LEFT: "Change to the left lane.",
    Command.CHANGE_LANE_RIGHT: "Change to the right lane.",
}
_FOLLOW = "Follow the road."
_REASONS: dict[Cause, str] = {
    Cause.TRAFFIC_LIGHT: "for the red light",
    Cause.STOP_SIGN: "for the stop sign",
    Cause.JUNCTION: "for traffic at the junction",
    Cause.WALKER: "for the pedestrian",
    Cause.VEHICLE: "to let a vehicle pass",
    Cause.LEAD: "for the vehicle ahead",
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


def commentary(facts: FrameFacts) -> str:
    """The words, such as ``Turn left at the junction. Stop for the red light.``"""
    way = _WAYS.get(facts.command, _FOLLOW) if facts.distance_to_command <= SPOKEN_FROM_M else _FOLLOW
    return f"{way} {_pace(facts)}."


def _pace(facts: FrameFacts) -> str:
    """What it does about its speed, and why."""
    steps = np.diff(facts.speed_waypoints[-2:], axis=0)
    at_end = float(np.linalg.norm(steps)) / SPEED_WAYPOINT_PERIOD_S
    reason = _REASONS.get(facts.cause, "")
    stands = facts.speed < _STANDING
    if at_end < _WILL_STAND:
        return f"{'Wait' if stands else 'Stop'} {reason}".rstrip()
    if at_end > facts.speed + _SAME:
        if stands and facts.light_is_green and facts.light_distance < _GREEN_WITHIN_M:
            return "Start as the light is green"
        return "Start" if stands else "Speed up"
    if at_end < facts.speed - _SAME:
        bend = "for the bend" if abs(facts.path[-1, 1]) > _BEND_M else ""
        return f"Slow down {reason or bend}".rstrip()
    return "Follow the vehicle ahead" if facts.cause is Cause.LEAD else "Keep the speed"


def every_commentary() -> list[str]:
    """Every sentence pair that :func:`commentary` can give."""
    ways = [*_WAYS.values(), _FOLLOW]
    reasons = [*_REASONS.values()]
    paces = [f"{verb} {reason}".rstrip() for verb in ("Wait", "Stop", "Slow down") for reason in (*reasons, "")]
    paces += ["Slow down for the bend", "Start as the light is green", "Start", "Speed up"]
    paces += ["Follow the vehicle ahead", "Keep the speed"]
    return [f"{way} {pace}." for way in ways for pace in paces]
