"""How often each frame is drawn in training."""

from __future__ import annotations

import numpy as np

from simlingo_drive.expert.causes import Cause

#: A standing car that goes on standing.
WAITING = 0.8
#: A start lasts a frame or two; missed, the car stands for ever.
STARTING = 4.0


def sampling_weight(
    speed: float,
    target_speed: float,
    path: np.ndarray,
    hazard: bool,
    light_state: int,
    light_distance: float,
    cause: Cause = Cause.ROAD,
) -> float:
    """How often a frame is drawn: rare and decisive moments more often (the idea of spec B.8's buckets).

    Args:
        speed, target_speed: m/s.
        path: (20, 2) m, view frame.
        hazard: a vehicle or pedestrian makes the expert slow down.
        light_state: 0 none, 1 red or yellow, 2 green.
        light_distance: m.
        cause: of the expert's speed.
    """
    if speed < 0.3 and target_speed < 0.3:
        return WAITING
    if speed < 0.7 and target_speed > 0.6:
        return STARTING
    weight = 1.0
    if abs(path[-1, 1]) > 3.0:
        weight += 1.0
    if speed < 1.5 and target_speed > 1.0:
        weight += 1.5
    if light_state == 1 and light_distance < 40.0 and speed > 0.3:
        weight += 1.5
    if cause is Cause.STOP_SIGN and speed > 0.3:
        weight += 3.0
    if hazard:
        weight += 1.0
    if light_state == 2:
        weight *= 1.5
    return weight
