"""Where the expert would be in the next seconds: labels for any state, also where it does not drive itself."""

from __future__ import annotations

import math

import numpy as np

from simlingo.contracts import TICK_S, FloatArray
from simlingo_drive.expert.constants import ExpertConstants
from simlingo_drive.expert.route import ExpertRoute
from simlingo_drive.expert.situation import Situation

#: Time in which the pedals bring about a wanted acceleration, s (measured in the embedded world).
PEDAL_LAG_S = 0.12
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
    """Places and speeds of the ego under the expert's longitudinal law.

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
    blend = 1.0 - math.exp(-step_s / PEDAL_LAG_S)
    for step in range(steps):
        wanted, _ = situation.acceleration(route, s, speed, step * step_s, constants)
        acceleration += (wanted - acceleration) * blend
        following = max(speed + acceleration * step_s, 0.0)
        if following == 0.0:
            acceleration = max(acceleration, 0.0)
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
