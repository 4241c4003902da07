"""What stands at the ego's way: the route is bent around what leaves room, and where that is little the ego slows down.

What leaves too little room blocks the way; the ego stops before it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import carla
import numpy as np

from simlingo.contracts import FloatArray
from simlingo_drive.expert.constants import ExpertConstants
from simlingo_drive.expert.route import ExpertRoute
from simlingo_drive.expert.situation import Narrow, Stop

#: Things whose middle is farther from the route are not looked at, m.
NEAR_M = 8.0


@dataclass(frozen=True)
class Thing:
    """Something that stands on the ground; map frame."""

    actor_id: int
    position: FloatArray  # (2,) m, middle of its footprint
    yaw: float  # rad
    half_length: float  # m
    half_width: float  # m


@dataclass(frozen=True)
class Beside:
    """A thing where the route passes it."""

    thing: Thing
    index: int  # of the route's nearest point
    side: float  # 1 right of the route, -1 left of it
    gap: float  # m from the route to its nearest edge, negative where the route runs through it
    reach: float  # m, half of its extent along the route


@dataclass(frozen=True)
class Passages:
    """How the ego gets past everything that stands at its way. Places are m along ``route``."""

    route: ExpertRoute
    narrows: list[Narrow]
    stops: list[Stop]

    def ahead(self, s: float, reach: float) -> tuple[list[Narrow], list[Stop]]:
        """Those within ``reach`` m of ``s``, and those that the ego at ``s`` has not yet passed."""
        narrows = [narrow for narrow in self.narrows if narrow.end > s and narrow.begin < s + reach]
        return narrows, [stop for stop in self.stops if s < stop.s + 4.0 and stop.s < s + reach]


def read_things(world: Any) -> list[Thing]:
    """Everything that was put into the world: ``static.prop.*``."""
    found = []
    for actor in world.get_actors().filter("static.prop*"):
        pose, box = actor.get_transform(), actor.bounding_box
        middle = pose.transform(carla.Location(box.location.x, box.location.y, box.location.z))
        found.append(
            Thing(
                actor.id,
                np.array((middle.x, middle.y)),
                math.radians(pose.rotation.yaw),
                float(box.extent.x),
                float(box.extent.y),
            )
        )
    return found


def find_passages(
    route: ExpertRoute,
    dense: Sequence[tuple[Any, Any]],
    things: Sequence[Thing],
    front: float,
    half_width: float,
    constants: ExpertConstants,
) -> Passages:
    """Bend ``route`` around ``things``.

    Args:
        route: in the middle of its lanes.
        dense: carla.Waypoint and command of the route, for the widths of its lanes.
        things: what stands about.
        front: m, half the ego's length.
        half_width: m, half the ego's width.
        constants: the expert's.

    Returns:
        ``route`` itself where nothing is in the way.
    """
    lane_width = _lane_widths(route, dense) if things else np.zeros(0)
    left, right = np.zeros(len(route.s)), np.zeros(len(route.s))
    tight: list[Beside] = []
    blocking: list[Beside] = []
    for beside in (found for thing in things for found in _passes(route, thing)):
        need = half_width + constants.standing_margin - beside.gap
        if need <= 0.0:
            continue
        half_lane = lane_width[beside.index] / 2.0
        if need - constants.standing_margin + constants.least_margin > half_lane - half_width + constants.standing_over:
            blocking.append(beside)
            continue
        need = min(need, half_lane - half_width + constants.standing_over)
        bump = need * _bump(route.s, route.s[beside.index], beside.reach + front + 1.0, constants.standing_ramp)
        np.maximum(left if beside.side > 0.0 else right, bump, out=left if beside.side > 0.0 else right)
        if half_lane + beside.gap - 2.0 * half_width < constants.narrow_air:
            tight.append(beside)
    shift = right - left
    bent = route
    if shift.any():
        across = np.stack((-np.sin(route.yaw), np.cos(route.yaw)), axis=1)
        bent = ExpertRoute(route.points + shift[:, None] * across, constants)
    return Passages(bent, _narrows(route, bent, tight, front, constants), _stops(route, bent, blocking, constants))


def _passes(route: ExpertRoute, thing: Thing) -> list[Beside]:
    """Every place where the route passes ``thing``; it may come by twice."""
    delta = thing.position - route.points
    distance = np.hypot(delta[:, 0], delta[:, 1])
    near = np.flatnonzero(distance < NEAR_M)
    found = []
    for run in np.split(near, np.flatnonzero(np.diff(near) > 1) + 1) if len(near) else []:
        index = int(run[np.argmin(distance[run])])
        if index in (0, len(route.s) - 1):
            continue  # it lies before the begin or behind the end
        cos, sin = math.cos(route.yaw[index]), math.sin(route.yaw[index])
        across = float(delta[index, 1] * cos - delta[index, 0] * sin)
        turn = thing.yaw - float(route.yaw[index])
        turn_cos, turn_sin = abs(math.cos(turn)), abs(math.sin(turn))
        width = thing.half_length * turn_sin + thing.half_width * turn_cos
        reach = thing.half_length * turn_cos + thing.half_width * turn_sin
        found.append(Beside(thing, index, 1.0 if across > 0.0 else -1.0, abs(across) - width, reach))
    return found


def _lane_widths(route: ExpertRoute, dense: Sequence[tuple[Any, Any]]) -> FloatArray:
    """Width (N,) m of the lane at each point of the route."""
    places = np.array([(w.transform.location.x, w.transform.location.y) for w, _ in dense])
    steps = np.hypot(*np.diff(places, axis=0).T)
    share = np.concatenate(([0.0], np.cumsum(steps)))
    widths = np.array([float(waypoint.lane_width) for waypoint, _ in dense])
    return np.asarray(np.interp(route.s / max(route.length, 1e-6), share / max(share[-1], 1e-6), widths))


def _bump(s: FloatArray, middle: float, beside: float, ramp: float) -> FloatArray:
    """1 within ``beside`` m of ``middle``, falling smoothly to 0 within ``ramp`` m before and after."""
    part = np.clip(1.0 - (np.abs(s - middle) - beside) / ramp, 0.0, 1.0)
    return np.asarray(part * part * (3.0 - 2.0 * part))


def _place(route: ExpertRoute, bent: ExpertRoute, index: int) -> float:
    """m along ``bent`` of the point ``index`` of ``route``."""
    if bent is route:
        return float(route.s[index])
    low, high = max(index - 20, 0), min(index + 21, len(bent.points))
    gap = bent.points[low:high] - route.points[index]
    return float(bent.s[low + int(np.argmin(np.einsum("ij,ij->i", gap, gap)))])


def _narrows(
    route: ExpertRoute, bent: ExpertRoute, tight: Sequence[Beside], front: float, constants: ExpertConstants
) -> list[Narrow]:
    """Where the ego's middle is to be slow; things that stand close behind one another are one narrow place."""
    found: list[Narrow] = []
    for beside in sorted(tight, key=lambda beside: beside.index):
        s, reach = _place(route, bent, beside.index), beside.reach + front
        if found and s - reach < found[-1].end + constants.narrow_joined:
            last = found.pop()
            found.append(Narrow(last.begin, max(last.end, s + reach), last.speed, last.actor_id))
        else:
            found.append(Narrow(s - reach, s + reach, constants.narrow_speed, beside.thing.actor_id))
    return found


def _stops(route: ExpertRoute, bent: ExpertRoute, blocking: Sequence[Beside], constants: ExpertConstants) -> list[Stop]:
    return [
        Stop(
            _place(route, bent, beside.index) - beside.reach - constants.standing_gap / 2.0,
            "obstacle",
            beside.thing.actor_id,
        )
        for beside in blocking
    ]
