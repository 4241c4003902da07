"""From a request to its dream: roll it out, see what comes of it, and give the verdict."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simlingo.contracts import PATH_POINTS, FloatArray
from simlingo.geometry import arc_length
from simlingo.requests import Reason, RequestKind, Verdict
from training.language.dreams.dream import Dream, Slots, uninstructed
from training.language.dreams.events import Event, events_of
from training.language.dreams.line import Line
from training.language.dreams.roll_out import SPEED, TICKS_A_WAYPOINT, YAW, Pace, RollOut, roll_out
from training.language.dreams.scene import Scene


@dataclass(frozen=True)
class Attempt:
    """A request with what following it means: a line to drive along, and a pace."""

    kind: RequestKind
    slots: Slots
    line: Line
    pace: Pace
    asks_speed: bool = False  # the speed limit is its affair
    changes_lane: bool = False  # it comes before others in another lane
    wrong: tuple[Reason, ...] = ()  # what is wrong with it whatever happens


def dream_of(scene: Scene, attempt: Attempt) -> Dream:
    """Roll out ``attempt``; what is wrong with a request whatever happens is told before what happens."""
    rolled = roll_out(scene.vehicle, attempt.line, attempt.pace)
    return judged(scene, attempt, rolled)


def judged(scene: Scene, attempt: Attempt, rolled: RollOut) -> Dream:
    """The dream of what has been rolled out."""
    events = events_of(scene, rolled, asks_speed=attempt.asks_speed, changes_lane=attempt.changes_lane)
    cause: Event | None = events[0] if events else None
    if attempt.wrong:
        same = [event for event in events if event.reason is attempt.wrong[0]]
        cause = same[0] if same else Event(attempt.wrong[0], None)
    path, waypoints, track = labels_of(scene, rolled)
    verdict = Verdict.FOLLOW if cause is None else cause.reason.verdict
    reason, by, at_s = (None, None, None) if cause is None else (cause.reason, cause.by, cause.at_s)
    return Dream(attempt.kind, attempt.slots, path, waypoints, verdict, reason, by, at_s, True, track)


def labels_of(scene: Scene, rolled: RollOut) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Path (20, 2) m, speed waypoints (10, 2) m and track (51, 4) in the ego's frame.

    The path is the way that is driven, a point a metre from the ego's own place; the first waypoint is at 0.25 s.
    """
    ego = scene.ego
    driven = np.column_stack(
        (
            scene.in_ego(rolled.driven[:, :2]),
            np.mod(rolled.driven[:, YAW] - ego.yaw + np.pi, 2.0 * np.pi) - np.pi,
            rolled.driven[:, SPEED],
        )
    )
    way = np.vstack((driven[:, :2], scene.in_ego(rolled.onward[:, :2])))
    places = arc_length(way) + 1e-9 * np.arange(len(way))  # where it stands, points repeat
    wanted = np.arange(float(PATH_POINTS))
    path = np.stack([np.interp(wanted, places, way[:, axis]) for axis in (0, 1)], axis=1)
    return path, driven[TICKS_A_WAYPOINT::TICKS_A_WAYPOINT, :2], driven


def impossible(scene: Scene, kind: RequestKind, slots: Slots, reason: Reason) -> Dream:
    """A request with nothing to imagine: the labels are those without instruction."""
    path, waypoints = uninstructed(scene.row)
    return Dream(kind, slots, path, waypoints, reason.verdict, reason, dreamt=False)
