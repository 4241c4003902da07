"""The pace of a careful driver along any line: the expert's laws with what the frame tells of lights, signs and others."""

from __future__ import annotations

import math

import numpy as np

from training.language.dreams.line import Line
from training.language.dreams.roll_out import Pace
from training.language.dreams.scene import Scene
from training.language.dreams.speeds import free_mps

#: The expert's stops hold on another line where that passes them within this distance, m.
SAME_WAY_M = 0.6
#: Those of its stops that no line holds by itself; lights and signs are found along each.
_OF_THE_EXPERT = ("walker", "junction", "vehicle")


def lawful(
    scene: Scene, line: Line, place_m: float, speed_mps: float | None = None, without: int | None = None
) -> Pace:
    """Stop for lights and signs on ``line``, for people and crossing traffic as the expert does, and follow who is ahead.

    Args:
        scene: the frame.
        line: where to drive.
        place_m: of the ego along it.
        speed_mps: on a free road; None: the expert's.
        without: an actor that is not followed: it is passed.
    """
    lead = scene.lead_on(line, place_m, without)
    return Pace(
        free_mps(scene) if speed_mps is None else speed_mps,
        stops_m=(*scene.stops_on(line, place_m), *_expert_stops(scene, line)),
        lead_m=lead.rear_m if lead else math.inf,
        lead_mps=lead.speed_mps if lead else 0.0,
    )


def _expert_stops(scene: Scene, line: Line) -> list[float]:
    """Where on ``line`` the expert's front bumper would stop for people and crossing traffic."""
    distances = [float(stop["distance_m"]) for stop in scene.row["stops"] if stop["reason"] in _OF_THE_EXPERT]
    if not distances:
        return []
    along, right = line.locate(scene.line.at(scene.place_m + np.array(distances)))
    return [float(place) for place in along[np.abs(right) < SAME_WAY_M]]
