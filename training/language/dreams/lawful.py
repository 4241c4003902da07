"""The pace of a careful driver along any line: the expert's laws with what the frame tells of lights, signs and others."""

from __future__ import annotations

import math

from training.language.dreams.line import Line
from training.language.dreams.roll_out import Pace
from training.language.dreams.scene import Scene
from training.language.dreams.speeds import free_mps

#: Of the expert's stops, those that hold whichever way it takes.
_ANYWHERE = ("walker", "junction")


def lawful(
    scene: Scene, line: Line, place_m: float, speed_mps: float | None = None, without: int | None = None
) -> Pace:
    """Stop for lights and signs on ``line``, for people and at junctions as the expert does, and follow who is ahead.

    Args:
        scene: the frame.
        line: where to drive.
        place_m: of the ego along it.
        speed_mps: on a free road; None: the expert's.
        without: an actor that is not followed: it is passed.
    """
    lead = scene.lead_on(line, place_m, without)
    stops = [place_m + stop["distance_m"] for stop in scene.row["stops"] if stop["reason"] in _ANYWHERE]
    return Pace(
        free_mps(scene) if speed_mps is None else speed_mps,
        stops_m=(*scene.stops_on(line, place_m), *stops),
        lead_m=lead.rear_m if lead else math.inf,
        lead_mps=lead.speed_mps if lead else 0.0,
    )
