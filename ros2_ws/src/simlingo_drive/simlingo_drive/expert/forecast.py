"""Where the expert would be in the next seconds: labels for any state, also where it does not drive itself."""

from __future__ import annotations

import math

import numpy as np

from simlingo.contracts import TICK_S, FloatArray
from simlingo_drive.expert.constants import ExpertConstants
from simlingo_drive.expert.pedals import (
    BRAKE_LAG_S,
    COASTING,
    COASTING_SLOPE,
    FULL_BRAKE,
    HOLD_BRAKE,
    STANDING,
    STARTING,
    THROTTLE_LAG_S,
    full_throttle,
)
from simlingo_drive.expert.route import ExpertRoute
from simlingo_drive.expert.situation import Situation

#: Distance over which a lateral offset from the route decays, s of driving and m at least.
RETURN_S, RETURN_MIN_M = 0.8, 3.0


def forecast_ego(
    route: ExpertRoute,
    situation: Situation,
    s: float,
    speed: float,
    acceleration: float,
    seconds: float,
    constants: ExpertConstants,
    step_s: float = TICK_S,
) -> FloatArray:
    """Places and speeds of the ego under the expert's longitudinal law, as its car answers the pedals.

    Args:
        route, situation, constants: what the expert drives by; leading vehicles keep their speed, lights their state.
        s, speed, acceleration: m, m/s, m/s^2 now.
        seconds: length of the forecast.
        step_s: time between two states, s.

    Returns:
        (T + 1, 2) of s (m) and speed (m/s), ``step_s`` apart, the first one now.
    """
    steps = round(seconds / step_s)
    track = np.empty((steps + 1, 2))
    track[0] = s, speed
    throttle_blend, brake_blend = (1.0 - math.exp(-step_s / lag) for lag in (THROTTLE_LAG_S, BRAKE_LAG_S))
    held = 0.0  # m/s^2 of the brake that held the car and is on its way up
    for step in range(steps):
        wanted, _ = situation.acceleration(route, s, speed, step * step_s, constants)
        coasting = COASTING + COASTING_SLOPE * speed
        if speed < STANDING and wanted <= STARTING:
            held, acceleration = HOLD_BRAKE * FULL_BRAKE, -coasting
        elif speed < STANDING and step == 0:
            held, acceleration = HOLD_BRAKE * FULL_BRAKE * (1.0 - brake_blend), -coasting
        else:
            held *= 1.0 - brake_blend
        wanted = min(wanted, full_throttle(speed))
        acceleration += (wanted - acceleration) * (throttle_blend if wanted > -coasting else brake_blend)
        following = max(speed + (acceleration - held) * step_s, 0.0)
        s += 0.5 * (speed + following) * step_s
        speed = following
        track[step + 1] = s, speed
    return track


def offset_points(route: ExpertRoute, places: FloatArray, s: float, lateral: float, speed: float) -> FloatArray:
    """Points (N, 2) at ``places`` m along the route, moved sideways by an offset that fades out from ``s`` on."""
    reach = max(RETURN_MIN_M, RETURN_S * speed)
    offset = lateral * np.exp(-np.maximum(places - s, 0.0) / reach)
    yaw = np.interp(places, route.s, route.yaw)
    return np.asarray(route.at(places) + offset[:, None] * np.stack((-np.sin(yaw), np.cos(yaw)), axis=1))
