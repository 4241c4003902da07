"""One tick of the traffic: decide, accelerate, move, change lanes."""

from __future__ import annotations

import math

from simlingo_sim.bodies import VEHICLE, BodyArrays, Floats, Ints
from simlingo_sim.jit import kernel
from simlingo_sim.roads.conflicts import ConflictArrays
from simlingo_sim.roads.lane_graph import LaneArrays
from simlingo_sim.traffic.arrays import REFUSED, ROUTE_LANES, TrafficArrays
from simlingo_sim.traffic.following import accelerations, idm
from simlingo_sim.traffic.junctions import grant_junctions, next_junction
from simlingo_sim.traffic.path import draw, extend_route, lane_point, offset_ahead, place_body, restart_route

_CHANGE_PAUSE = 2.0  # s between two thoughts of changing lanes
_CHANGE_GAIN = 0.4  # m/s^2 that a lane change must win
_CHANGE_TIME = 3.2  # s that it takes
_CLEAR_ROAD = 45.0  # m of lane that must be left for it


@kernel
def step_traffic(
    lanes: LaneArrays,
    conflicts: ConflictArrays,
    bodies: BodyArrays,
    traffic: TrafficArrays,
    rows: Ints,
    everyone: Ints,
    strangers: Ints,
    stranger_lane: Ints,
    stranger_s: Floats,
    lights: Ints,
    dice: Floats,
    changes: bool,
    dt: float,
) -> None:
    """Advance the vehicles ``rows`` by ``dt`` s. ``everyone``: rows of all bodies; ``strangers``: vehicles that others
    drive, with lane and s; ``lights``: state of each light; ``changes``: whether lanes may be changed."""
    grant_junctions(lanes, conflicts, bodies, traffic, rows, strangers, stranger_lane, stranger_s, lights)
    accelerations(lanes, bodies, traffic, rows, everyone)
    for row in rows:
        _move(lanes, bodies, traffic, row, dice, dt)
        if changes:
            _think_of_change(lanes, bodies, traffic, row, everyone, dice, dt)
        _show_lamps(lanes, bodies, traffic, row)
        place_body(lanes, bodies, traffic, row, dt)


@kernel
def _move(lanes: LaneArrays, bodies: BodyArrays, traffic: TrafficArrays, row: int, dice: Floats, dt: float) -> None:
    speed = max(bodies.speed[row] + traffic.acceleration[row] * dt, 0.0)
    if traffic.acceleration[row] < 0 and speed < 0.02:
        speed = 0.0
    bodies.speed[row] = speed
    traffic.waited[row] = traffic.waited[row] + dt if speed < 0.3 else 0.0
    traffic.s[row] += speed * dt
    if traffic.offset[row] != 0.0:
        traffic.offset_done[row] += speed * dt
        if traffic.offset_done[row] >= traffic.offset_length[row] + 6.0:
            traffic.offset[row] = 0.0
    while traffic.s[row] > lanes.length[traffic.route[row, 0]] and traffic.route[row, 1] >= 0:
        traffic.s[row] -= lanes.length[traffic.route[row, 0]]
        traffic.previous[row] = traffic.route[row, 0]
        for place in range(ROUTE_LANES - 1):
            traffic.route[row, place] = traffic.route[row, place + 1]
        traffic.route[row, ROUTE_LANES - 1] = -1
        extend_route(lanes, traffic, row, dice)
        if lanes.junction[traffic.route[row, 0]] >= 0:
            traffic.granted[row] = REFUSED
            traffic.stopped[row] = 0


@kernel
def _think_of_change(
    lanes: LaneArrays, bodies: BodyArrays, traffic: TrafficArrays, row: int, everyone: Ints, dice: Floats, dt: float
) -> None:
    """Change to a neighbouring lane where that wins speed (or where this lane ends) and nobody is hindered."""
    traffic.change_wait[row] -= dt
    lane = traffic.route[row, 0]
    if traffic.change_wait[row] > 0 or traffic.offset[row] != 0.0 or lanes.junction[lane] >= 0:
        return
    traffic.change_wait[row] = _CHANGE_PAUSE * (0.5 + draw(traffic, row, dice))
    ends = lanes.successor_count[lane] == 0
    speed = bodies.speed[row]
    left_over = lanes.stop_s[lane] - traffic.s[row]
    if (left_over < _CLEAR_ROAD and not ends) or speed < 2.0:
        return
    own = _gap_accel(lanes, bodies, traffic, row, lane, traffic.s[row], everyone)[0]
    bored = draw(traffic, row, dice) < 0.03
    for side in (lanes.left[lane], lanes.right[lane]):
        if side < 0 or (ends and lanes.successor_count[side] == 0):
            continue
        s = traffic.s[row] / lanes.length[lane] * lanes.length[side]
        gain, follower_ok = _gap_accel(lanes, bodies, traffic, row, side, s, everyone)
        if not follower_ok or gain < -1.0 or not (ends or bored or gain > own + _CHANGE_GAIN):
            continue
        x, y, _, yaw, _ = lane_point(lanes, side, s)
        offset = -(bodies.x[row] - x) * math.sin(yaw) + (bodies.y[row] - y) * math.cos(yaw)
        s += (bodies.x[row] - x) * math.cos(yaw) + (bodies.y[row] - y) * math.sin(yaw)
        traffic.s[row] = s
        traffic.previous[row] = -1
        traffic.offset[row] = offset
        traffic.offset_done[row] = 0.0
        traffic.offset_length[row] = max(speed * _CHANGE_TIME, 14.0)
        traffic.granted[row] = REFUSED
        restart_route(lanes, traffic, row, side, dice)
        return


@kernel
def _gap_accel(
    lanes: LaneArrays, bodies: BodyArrays, traffic: TrafficArrays, row: int, lane: int, s: float, everyone: Ints
) -> tuple[float, bool]:
    """Acceleration in m/s^2 that the vehicle would have on ``lane``, and whether the one behind could live with it."""
    x, y, _, yaw, limit = lane_point(lanes, lane, s)
    cos, sin = math.cos(yaw), math.sin(yaw)
    speed, half = bodies.speed[row], bodies.half_length[row]
    wish = min(limit * traffic.pace[row], traffic.top_speed[row])
    best = idm(speed, wish, 999.0, 0.0, traffic.urge[row], traffic.headway[row])
    follower_ok = True
    for other in everyone:
        if other == row or bodies.kind[other] != VEHICLE:
            continue
        dx, dy = bodies.x[other] - x, bodies.y[other] - y
        along, across = dx * cos + dy * sin, -dx * sin + dy * cos
        if abs(along) > 70.0 or abs(across) > bodies.half_width[other] + bodies.half_width[row] + 0.5:
            continue
        other_speed = bodies.vx[other] * cos + bodies.vy[other] * sin
        gap = abs(along) - half - bodies.half_length[other]
        if gap < 1.0:
            return -99.0, False
        if along > 0:
            best = min(best, idm(speed, wish, gap, max(other_speed, 0.0), traffic.urge[row], traffic.headway[row]))
        elif idm(other_speed, max(other_speed, 1.0), gap, speed, 1.8, 1.0) < -2.0:
            follower_ok = False
    return best, follower_ok


@kernel
def _show_lamps(lanes: LaneArrays, bodies: BodyArrays, traffic: TrafficArrays, row: int) -> None:
    traffic.braking[row] = 1 if traffic.acceleration[row] < -0.8 or bodies.speed[row] < 0.1 else 0
    blinker = 0
    current = traffic.route[row, 0]
    if lanes.junction[current] >= 0:
        blinker = lanes.turn[current]
    else:
        place, entry, _ = next_junction(lanes, bodies, traffic, row)
        if place >= 0 and entry < 35.0:
            blinker = lanes.turn[traffic.route[row, place]]
    if blinker == 0 and abs(offset_ahead(traffic, row, 0.0)) > 0.3:
        blinker = -1 if traffic.offset[row] > 0 else 1
    traffic.blinker[row] = blinker


@kernel
def enter_traffic(
    lanes: LaneArrays, bodies: BodyArrays, traffic: TrafficArrays, row: int, lane: int, s: float, dice: Floats
) -> None:
    """Let a vehicle begin on ``lane`` from where it stands; it steers to the lane's middle over the next metres."""
    x, y, _, yaw, _ = lane_point(lanes, lane, s)
    offset = -(bodies.x[row] - x) * math.sin(yaw) + (bodies.y[row] - y) * math.cos(yaw)
    traffic.s[row] = s
    traffic.previous[row] = -1
    traffic.offset[row] = offset if abs(offset) > 0.05 else 0.0
    traffic.offset_done[row] = 0.0
    traffic.offset_length[row] = 15.0
    restart_route(lanes, traffic, row, lane, dice)
