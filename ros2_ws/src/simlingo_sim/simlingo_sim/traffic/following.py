"""How a vehicle of the traffic speeds up and slows down: the intelligent driver model on what is in its way."""

from __future__ import annotations

import math

import numpy as np

from simlingo_sim.bodies import DRIVEN, FREE, STROLLING, WALKER, BodyArrays, Ints
from simlingo_sim.jit import kernel
from simlingo_sim.roads.lane_graph import LaneArrays
from simlingo_sim.traffic.arrays import REFUSED, TrafficArrays
from simlingo_sim.traffic.junctions import next_junction
from simlingo_sim.traffic.path import point_ahead

_STANDSTILL_GAP = 2.0  # m, to the vehicle in front
_COMFORT = 2.5  # m/s^2, braking
_HARDEST = -8.0  # m/s^2
_STEP = 1.0  # m between two looks ahead
_SIDE_AIR = 0.35  # m beside the body that must be clear
_WALKER_AIR = 0.7  # m, the same for walkers


@kernel
def idm(speed: float, wish: float, gap: float, other_speed: float, urge: float, headway: float) -> float:
    """Acceleration in m/s^2 behind something ``gap`` m ahead that moves at ``other_speed`` (Treiber et al. 2000)."""
    free = urge * (1 - (speed / max(wish, 0.5)) ** 4)
    free = max(free, -3.0)
    if gap > 150.0:
        return free
    if gap < 0.1:
        return _HARDEST
    closing = speed * (speed - other_speed) / (2 * math.sqrt(urge * _COMFORT))
    if speed < 0.6 and other_speed < 0.1 and gap < _STANDSTILL_GAP + 1.0:
        return -0.7  # the model alone would creep for many seconds
    wanted = _STANDSTILL_GAP + max(speed * headway + closing, 0.0)
    return max(min(free, urge * (1 - (speed / max(wish, 0.5)) ** 4 - (wanted / gap) ** 2)), _HARDEST)


@kernel
def overlap_depth(
    x: float,
    y: float,
    yaw: float,
    half_length: float,
    half_width: float,
    other_x: float,
    other_y: float,
    other_yaw: float,
    other_half_length: float,
    other_half_width: float,
) -> float:
    """Least depth in m by which two oriented boxes overlap; negative where they are apart (separating axes)."""
    dx, dy = other_x - x, other_y - y
    turn_cos, turn_sin = math.cos(other_yaw - yaw), math.sin(other_yaw - yaw)
    along = dx * math.cos(yaw) + dy * math.sin(yaw)
    across = -dx * math.sin(yaw) + dy * math.cos(yaw)
    depth = half_length + other_half_length * abs(turn_cos) + other_half_width * abs(turn_sin) - abs(along)
    depth = min(depth, half_width + other_half_length * abs(turn_sin) + other_half_width * abs(turn_cos) - abs(across))
    along = dx * math.cos(other_yaw) + dy * math.sin(other_yaw)
    across = -dx * math.sin(other_yaw) + dy * math.cos(other_yaw)
    depth = min(depth, other_half_length + half_length * abs(turn_cos) + half_width * abs(turn_sin) - abs(along))
    return min(depth, other_half_width + half_length * abs(turn_sin) + half_width * abs(turn_cos) - abs(across))


@kernel
def _reach(bodies: BodyArrays, other: int) -> float:
    """Metres ahead of a body that it is about to need: walkers on the road, vehicles somebody else drives."""
    if bodies.kind[other] == WALKER:
        return bodies.speed[other] * 1.3 if bodies.exposed[other] == 1 or bodies.mode[other] == STROLLING else 0.0
    return max(bodies.speed[other], 0.0) * 0.3 if bodies.mode[other] == DRIVEN else 0.0


@kernel
def _bumper(
    lanes: LaneArrays, traffic: TrafficArrays, row: int, ahead: float, half: float
) -> tuple[float, float, float]:
    """x, y and yaw of the front bumper once the vehicle's middle has come ``ahead - half`` m farther: the axles keep to
    the way, and a long vehicle's nose swings out of a bend."""
    axle = 0.5 * traffic.wheelbase[row]
    front_x, front_y, _, _, _ = point_ahead(lanes, traffic, row, ahead - half + axle)
    rear_x, rear_y, _, _, _ = point_ahead(lanes, traffic, row, ahead - half - axle)
    yaw = math.atan2(front_y - rear_y, front_x - rear_x)
    return 0.5 * (front_x + rear_x) + half * math.cos(yaw), 0.5 * (front_y + rear_y) + half * math.sin(yaw), yaw


@kernel
def accelerations(lanes: LaneArrays, bodies: BodyArrays, traffic: TrafficArrays, rows: Ints, everyone: Ints) -> None:
    """Set ``acceleration`` of every vehicle of ``rows`` from what all bodies (``everyone``) do now."""
    near = np.empty(len(everyone), dtype=np.int64)
    done = np.empty(len(everyone), dtype=np.int64)
    for row in rows:
        speed, half, wide = bodies.speed[row], bodies.half_length[row], bodies.half_width[row]
        place, entry, line = next_junction(lanes, bodies, traffic, row)
        look = min(10.0 + 1.6 * speed + speed * speed / (2 * _COMFORT), 70.0)
        count = 0
        for other in everyone:
            if other != row and bodies.kind[other] != FREE:
                dx, dy = bodies.x[other] - bodies.x[row], bodies.y[other] - bodies.y[row]
                if dx * dx + dy * dy < (look + half + 8.0) ** 2:
                    near[count] = other
                    done[count] = 0
                    count += 1
        wish = point_ahead(lanes, traffic, row, 0.0)[4]
        best = 99.0
        left = count
        ahead = half + 0.5 * _STEP
        while ahead < half + look:
            limit = point_ahead(lanes, traffic, row, ahead)[4]
            wish = min(wish, math.sqrt(limit * limit + 2 * 1.5 * (ahead - half)))
            x, y, yaw = _bumper(lanes, traffic, row, ahead, half)
            for index in range(count):
                if done[index] == 1 or left == 0:
                    continue
                other = near[index]
                air = _WALKER_AIR if bodies.kind[other] == WALKER else _SIDE_AIR
                reach = _reach(bodies, other)
                cos, sin = math.cos(bodies.yaw[other]), math.sin(bodies.yaw[other])
                other_x, other_y = bodies.x[other] + 0.5 * reach * cos, bodies.y[other] + 0.5 * reach * sin
                other_half = bodies.half_length[other] + 0.5 * reach
                if (
                    overlap_depth(
                        x,
                        y,
                        yaw,
                        0.5 * _STEP,
                        wide + air,
                        other_x,
                        other_y,
                        bodies.yaw[other],
                        other_half,
                        bodies.half_width[other],
                    )
                    < 0
                ):
                    continue
                done[index] = 1
                left -= 1
                turn = bodies.yaw[other] - yaw
                extent = other_half * abs(math.cos(turn)) + bodies.half_width[other] * abs(math.sin(turn))
                nearest = (other_x - x) * math.cos(yaw) + (other_y - y) * math.sin(yaw) - extent
                gap = ahead - half + min(max(nearest, -0.5 * _STEP), 0.5 * _STEP)
                along = max(bodies.vx[other] * math.cos(yaw) + bodies.vy[other] * math.sin(yaw), 0.0)
                best = min(best, idm(speed, 99.0, gap, along, traffic.urge[row], traffic.headway[row]))
            ahead += _STEP
        wish = min(wish * traffic.pace[row], traffic.top_speed[row])
        best = min(best, idm(speed, wish, 999.0, 0.0, traffic.urge[row], traffic.headway[row]))
        if place >= 0 and traffic.granted[row] == REFUSED:
            hold = line if line > -0.5 else entry
            best = min(best, idm(speed, wish, max(hold, 0.0) + 1.2, 0.0, traffic.urge[row], 0.4))
        best = min(best, _behind_merging(lanes, bodies, traffic, rows, row, place, entry))
        if place < 0:
            best = min(best, _end_of_way(lanes, traffic, row, speed, half))
        if bodies.halt_s[row] > 0:
            best = _HARDEST
        best = min(best, traffic.acceleration[row] + 0.4)
        traffic.acceleration[row] = max(best, _HARDEST)


@kernel
def _behind_merging(
    lanes: LaneArrays, bodies: BodyArrays, traffic: TrafficArrays, rows: Ints, row: int, place: int, entry: float
) -> float:
    """Acceleration behind whoever comes from another lane of the junction to the same exit and is nearer to it."""
    half, speed = bodies.half_length[row], bodies.speed[row]
    if lanes.junction[traffic.route[row, 0]] >= 0:
        lane, leave = traffic.route[row, 0], traffic.route[row, 1]
        left = lanes.length[lane] - traffic.s[row]
    elif place >= 0 and place + 1 < traffic.route.shape[1] and entry < 8.0 and traffic.granted[row] != REFUSED:
        lane, leave = traffic.route[row, place], traffic.route[row, place + 1]
        left = lanes.length[lane] + entry + half
    else:
        return 99.0
    best = 99.0
    for other in rows:
        their = traffic.route[other, 0]
        if other == row or leave < 0 or their == lane or lanes.junction[their] < 0 or traffic.route[other, 1] != leave:
            continue
        ahead = left - (lanes.length[their] - traffic.s[other])
        if ahead < 0 or (ahead == 0 and other > row):
            continue
        gap = max(ahead - half - bodies.half_length[other], 0.3)
        best = min(best, idm(speed, 99.0, gap, bodies.speed[other], traffic.urge[row], traffic.headway[row]))
    return best


@kernel
def _end_of_way(lanes: LaneArrays, traffic: TrafficArrays, row: int, speed: float, half: float) -> float:
    """Acceleration that stops the vehicle where its known way ends."""
    ahead = -traffic.s[row] - half
    for place in range(traffic.route.shape[1]):
        if traffic.route[row, place] < 0:
            return idm(speed, 99.0, max(ahead, 0.0) + 1.0, 0.0, traffic.urge[row], 0.4)
        ahead += lanes.length[traffic.route[row, place]]
    return 99.0
