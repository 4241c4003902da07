"""Where a vehicle of the traffic will be: points on its way, its next choice of lane, its pose."""

from __future__ import annotations

import math

from simlingo_sim.bodies import BodyArrays, Floats
from simlingo_sim.jit import kernel
from simlingo_sim.roads.lane_graph import LaneArrays
from simlingo_sim.traffic.arrays import ROUTE_LANES, TrafficArrays


@kernel
def lane_point(lanes: LaneArrays, lane: int, s: float) -> tuple[float, float, float, float, float]:
    """x, y, z, yaw (rad) and speed limit (m/s) at ``s`` m along a lane; straight on beyond its ends."""
    count = lanes.points[lane]
    place = s / lanes.length[lane] * (count - 1)
    index = min(max(int(place), 0), count - 2)
    part = place - index
    one = lanes.first[lane] + index
    two = one + 1
    inside = min(max(part, 0.0), 1.0)
    return (
        lanes.x[one] + part * (lanes.x[two] - lanes.x[one]),
        lanes.y[one] + part * (lanes.y[two] - lanes.y[one]),
        lanes.z[one] + inside * (lanes.z[two] - lanes.z[one]),
        lanes.yaw[one] + inside * (lanes.yaw[two] - lanes.yaw[one]),
        min(lanes.limit[one], lanes.limit[two]),
    )


@kernel
def offset_ahead(traffic: TrafficArrays, row: int, distance: float) -> float:
    """Offset in m right of the lane's middle, ``distance`` m ahead of the vehicle's middle (a smooth step to 0)."""
    if traffic.offset[row] == 0.0:
        return 0.0
    part = min(max((traffic.offset_done[row] + distance) / traffic.offset_length[row], 0.0), 1.0)
    return float(traffic.offset[row] * (1 - part * part * (3 - 2 * part)))


@kernel
def point_ahead(
    lanes: LaneArrays, traffic: TrafficArrays, row: int, distance: float
) -> tuple[float, float, float, float, float]:
    """x, y, z, yaw and limit on the vehicle's way, ``distance`` m ahead of its middle (behind where negative)."""
    s = traffic.s[row] + distance
    place = 0
    lane = traffic.route[row, 0]
    while s > lanes.length[lane] and place + 1 < ROUTE_LANES and traffic.route[row, place + 1] >= 0:
        s -= lanes.length[lane]
        place += 1
        lane = traffic.route[row, place]
    if s < 0 and place == 0 and traffic.previous[row] >= 0:
        lane = traffic.previous[row]
        s += lanes.length[lane]
    x, y, z, yaw, limit = lane_point(lanes, lane, s)
    offset = offset_ahead(traffic, row, distance)
    return x - offset * math.sin(yaw), y + offset * math.cos(yaw), z, yaw, limit


@kernel
def draw(traffic: TrafficArrays, row: int, dice: Floats) -> float:
    """The vehicle's next random number in [0, 1), from the shared table ``dice``."""
    traffic.draws[row] += 1
    return float(dice[(traffic.number[row] * 7919 + traffic.draws[row] * 104729) % len(dice)])


@kernel
def extend_route(lanes: LaneArrays, traffic: TrafficArrays, row: int, dice: Floats) -> None:
    """Choose lanes at random until the route is full or ends."""
    for place in range(1, ROUTE_LANES):
        if traffic.route[row, place] >= 0:
            continue
        last = traffic.route[row, place - 1]
        choices = lanes.successor_count[last] if last >= 0 else 0
        if choices == 0:
            return
        pick = min(int(draw(traffic, row, dice) * choices), choices - 1)
        traffic.route[row, place] = lanes.successors[lanes.successor_first[last] + pick]


@kernel
def restart_route(lanes: LaneArrays, traffic: TrafficArrays, row: int, lane: int, dice: Floats) -> None:
    """Begin a new way on ``lane``."""
    traffic.route[row, 0] = lane
    for place in range(1, ROUTE_LANES):
        traffic.route[row, place] = -1
    extend_route(lanes, traffic, row, dice)


@kernel
def place_body(lanes: LaneArrays, bodies: BodyArrays, traffic: TrafficArrays, row: int, dt: float) -> None:
    """Put the body on its way: both axles on the path, velocity and turning rate from the change since last tick."""
    half = 0.5 * traffic.wheelbase[row]
    front_x, front_y, front_z, _, _ = point_ahead(lanes, traffic, row, half)
    rear_x, rear_y, rear_z, _, _ = point_ahead(lanes, traffic, row, -half)
    yaw = math.atan2(front_y - rear_y, front_x - rear_x)
    turned = math.atan2(math.sin(yaw - bodies.yaw[row]), math.cos(yaw - bodies.yaw[row]))
    speed = bodies.speed[row]
    vx, vy = speed * math.cos(yaw), speed * math.sin(yaw)
    bodies.ax[row] = (vx - bodies.vx[row]) / dt
    bodies.ay[row] = (vy - bodies.vy[row]) / dt
    bodies.vx[row], bodies.vy[row] = vx, vy
    bodies.x[row], bodies.y[row] = 0.5 * (front_x + rear_x), 0.5 * (front_y + rear_y)
    bodies.z[row] = 0.5 * (front_z + rear_z)
    bodies.yaw[row] = yaw
    bodies.yaw_rate[row] = turned / dt
