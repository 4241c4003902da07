"""Vehicles ahead on the ego's way, pedestrians on or about to step on it, and a short forecast of everyone."""

from __future__ import annotations

import math

import numpy as np

from simlingo.contracts import FloatArray
from simlingo_drive.expert.boxes import overlaps
from simlingo_drive.expert.constants import ExpertConstants
from simlingo_drive.expert.route import ExpertRoute
from simlingo_drive.expert.situation import Lead, Stop
from simlingo_drive.expert.traffic import RoadUsers

#: A vehicle that crosses the route at more than this angle is left to the forecast while it moves, rad.
CROSSING_ANGLE = math.radians(50.0)
#: Slower vehicles stand, m/s.
STANDING = 1.0


def along_route(
    route: ExpertRoute, s: float, users: RoadUsers, ahead: float
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Where ``users`` are relative to the route near ``s`` m.

    Returns:
        s (N,) m, lateral (N,) m (right positive), heading difference (N,) rad in [-pi, pi).
    """
    span = route.window(s, 10.0, ahead)
    points, yaw = route.points[span], route.yaw[span]
    delta = users.position[:, None] - points[None]
    nearest = np.argmin(np.einsum("nki,nki->nk", delta, delta), axis=1)
    rows = np.arange(len(users))
    cos, sin = np.cos(yaw[nearest]), np.sin(yaw[nearest])
    dx, dy = delta[rows, nearest, 0], delta[rows, nearest, 1]
    turned = (users.yaw - yaw[nearest] + math.pi) % (2 * math.pi) - math.pi
    return route.s[span][nearest] + dx * cos + dy * sin, dy * cos - dx * sin, turned


def find_leads(
    route: ExpertRoute, s: float, half_width: float, users: RoadUsers, constants: ExpertConstants
) -> list[Lead]:
    """Vehicles in the ego's corridor ahead, nearest first."""
    if not len(users):
        return []
    along, lateral, turned = along_route(route, s, users, constants.look_ahead)
    cos, sin = np.abs(np.cos(turned)), np.abs(np.sin(turned))
    reach = cos * users.half_length + sin * users.half_width
    width = cos * users.half_width + sin * users.half_length
    speed = users.speed * np.cos(turned)
    inside = np.abs(lateral) - width < half_width + constants.corridor_margin
    ahead = (along > s) & (along - s < constants.look_ahead)
    crossing = (np.abs(turned) > CROSSING_ANGLE) & (users.speed > STANDING)
    rows = np.flatnonzero(inside & ahead & ~crossing)
    leads = [Lead(float(along[i] - reach[i]), max(float(speed[i]), 0.0), users.ids[i]) for i in rows]
    return sorted(leads, key=lambda lead: lead.rear_s)


def walker_stops(
    route: ExpertRoute,
    s: float,
    speed: float,
    front: float,
    half_width: float,
    walkers: RoadUsers,
    constants: ExpertConstants,
) -> list[Stop]:
    """Stops for pedestrians who are, or will be within the forecast, on the ego's way."""
    if not len(walkers):
        return []
    stops = []
    along, lateral, _ = along_route(route, s, walkers, 50.0)
    times = np.arange(0.0, constants.walker_horizon, 0.25)
    bound = half_width + constants.walker_margin
    for row in range(len(walkers)):
        if not s + front - 1.0 < along[row] < s + 45.0:
            continue
        across = np.full(len(times), lateral[row])
        if walkers.speed[row] > constants.walker_min_speed:
            yaw = route.yaw_at(float(along[row]))
            side = walkers.velocity[row] @ np.array((-math.sin(yaw), math.cos(yaw)))
            across = lateral[row] + side * times
        blocked = np.abs(across) < bound
        arrival = (float(along[row]) - s - front) / max(speed, 1.0)
        if not blocked.any() or _passes_before(times, blocked, arrival) or _leaves_before(times, blocked, arrival):
            continue
        place = float(along[row]) - constants.walker_gap
        stops.append(Stop(place, "walker", walkers.ids[row], firm=True))
    return stops


def _passes_before(times: FloatArray, blocked: np.ndarray, arrival: float) -> bool:
    """The ego (about 5 m long, at 4 m/s and more) is past before the pedestrian reaches its way."""
    return bool(times[np.argmax(blocked)] > arrival + 2.0)


def _leaves_before(times: FloatArray, blocked: np.ndarray, arrival: float) -> bool:
    """The pedestrian has left the ego's way well before it arrives."""
    last = len(times) - 1 - int(np.argmax(blocked[::-1]))
    return last < len(times) - 1 and bool(times[last] + 1.0 < arrival)


def forecast_stop(
    route: ExpertRoute,
    s: float,
    ego_track: FloatArray,
    front: float,
    half_width: float,
    users: RoadUsers,
    constants: ExpertConstants,
) -> Stop | None:
    """A stop before the first forecast overlap with another moving vehicle.

    Args:
        route: the route.
        s: m, the ego's place.
        ego_track: (T, 4) of s, x, y, yaw of the ego every ``forecast_step_s`` from now on, if nothing stops it.
        front: m, half the ego's length.
        half_width: m, half the ego's width.
        users: the vehicles; they keep their speed and yaw rate.
        constants: the expert's.
    """
    moving = np.flatnonzero(users.speed > 0.5)
    if not len(moving):
        return None
    times = constants.forecast_step_s * np.arange(len(ego_track))
    yaw = users.yaw[moving, None] + users.yaw_rate[moving, None] * times[None]
    step = users.speed[moving, None, None] * constants.forecast_step_s * np.stack((np.cos(yaw), np.sin(yaw)), axis=2)
    position = users.position[moving, None] + np.cumsum(step, axis=1) - step
    scale = constants.other_box_scale
    hit = overlaps(
        ego_track[None, :, 1:3],
        ego_track[None, :, 3],
        np.array((front * constants.ego_box_scale, half_width * constants.ego_box_scale)),
        position,
        yaw,
        np.stack((users.half_length[moving] * scale, users.half_width[moving] * scale), axis=1)[:, None],
    )
    hit &= ~_comes_from_behind(ego_track, position, yaw, front)
    if not hit.any():
        return None
    first = int(np.argmax(hit.any(axis=0)))
    row = int(np.argmax(hit[:, first]))
    place = float(ego_track[first, 0]) + front - 2.0 - 0.5 * users.speed[moving[row]] * constants.forecast_step_s
    return Stop(max(place, s + front), "vehicle", users.ids[int(moving[row])], firm=True)


def _comes_from_behind(ego_track: FloatArray, position: FloatArray, yaw: FloatArray, front: float) -> np.ndarray:
    """(N, T): the other's middle is behind the ego's and drives the same way; braking would not help."""
    delta = position - ego_track[None, :, 1:3]
    cos, sin = np.cos(ego_track[:, 3]), np.sin(ego_track[:, 3])
    behind = delta[..., 0] * cos + delta[..., 1] * sin < 0.3 * front
    return np.asarray(behind & (np.cos(yaw - ego_track[None, :, 3]) > 0.3))
