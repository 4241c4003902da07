"""Who may enter a junction: lights, signs, right of way, and room to leave it.

A vehicle asks at the stop line. It is refused while its light is red, while it has not stood at a stop sign, while
the exit has no room for it, while a committed vehicle is on a conflicting lane, or while one of higher rank will
reach the conflict first. Once it could no longer stop comfortably it is committed, and others wait for it. Requests
are judged in the order of rows, so two can never commit to one conflict in one tick.
"""

from __future__ import annotations

import math

import numpy as np

from simlingo_sim.bodies import BodyArrays, Floats, Ints
from simlingo_sim.jit import kernel
from simlingo_sim.roads.conflicts import ConflictArrays
from simlingo_sim.roads.lane_graph import NO_SIGN, STOP_SIGN, LaneArrays
from simlingo_sim.traffic.arrays import (
    ALLOWED,
    COMMITTED,
    LIGHT_GREEN,
    LIGHT_OFF,
    LIGHT_RED,
    LIGHT_YELLOW,
    REFUSED,
    ROUTE_LANES,
    TrafficArrays,
)

_START = 1.6  # m/s^2, assumed acceleration of whoever crosses
_COMFORT = 3.0  # m/s^2, braking for a light
_HORIZON = 45.0  # m before the junction at which a vehicle begins to count
_MARGIN = 1.0  # s between two vehicles on one conflict
_PATIENCE = 2.0  # s after which one that stands no longer holds others back by its rank

# Columns of a claim: a vehicle's interest in one connecting lane.
_ROW, _LANE, _DISTANCE, _SPEED, _LENGTH, _STATE, _RANK, _ACTIVE = 0, 1, 2, 3, 4, 5, 6, 7


@kernel
def next_junction(lanes: LaneArrays, bodies: BodyArrays, traffic: TrafficArrays, row: int) -> tuple[int, float, float]:
    """Place in the route of the next connecting lane (-1: none known), metres from the front bumper to its start and
    to the stop line before it."""
    ahead = lanes.length[traffic.route[row, 0]] - traffic.s[row] - bodies.half_length[row]
    for place in range(1, ROUTE_LANES):
        lane = traffic.route[row, place]
        if lane < 0:
            return -1, 0.0, 0.0
        if lanes.junction[lane] >= 0:
            approach = traffic.route[row, place - 1]
            return place, ahead, ahead - (lanes.length[approach] - lanes.stop_s[approach])
        ahead += lanes.length[lane]
    return -1, 0.0, 0.0


@kernel
def _time_to(distance: float, speed: float) -> float:
    """Earliest time in s to cover ``distance`` m, speeding up from ``speed``."""
    if distance <= 0:
        return 0.0
    return (math.sqrt(speed * speed + 2 * _START * distance) - speed) / _START


@kernel
def _latest_time(lanes: LaneArrays, lane: int, distance: float, speed: float) -> float:
    """Time in s to cover ``distance`` m over a connecting lane, no faster than its bend allows."""
    bend = lanes.limit[lanes.first[lane] + lanes.points[lane] // 2]
    return float(max(_time_to(distance, speed), distance / min(max(speed, 2.5), bend)))


@kernel
def _rank(lanes: LaneArrays, approach: int, lane: int) -> float:
    """Lower goes first: main road before yield before stop, straight and right before left."""
    rank = 2.0 * lanes.sign[approach] if lanes.light[approach] < 0 else 0.0
    if lanes.turn[lane] < 0:
        rank += 1.0
    return rank


@kernel
def _light(lanes: LaneArrays, lights: Ints, approach: int) -> int:
    number = lanes.light[approach]
    return LIGHT_OFF if number < 0 else lights[number]


@kernel
def _add(
    claims: Floats,
    count: int,
    row: int,
    lane: int,
    distance: float,
    speed: float,
    length: float,
    state: int,
    rank: float,
    active: bool,
) -> int:
    if count < len(claims):
        claims[count, _ROW], claims[count, _LANE], claims[count, _DISTANCE] = row, lane, distance
        claims[count, _SPEED], claims[count, _LENGTH], claims[count, _STATE] = speed, length, state
        claims[count, _RANK], claims[count, _ACTIVE] = rank, 1.0 if active else 0.0
        return count + 1
    return count


@kernel
def _claim_traffic(
    lanes: LaneArrays, bodies: BodyArrays, traffic: TrafficArrays, rows: Ints, lights: Ints, claims: Floats
) -> int:
    """One claim for the lane ahead of each vehicle, and committed ones for connecting lanes it is still on."""
    count = 0
    for row in rows:
        speed, half = bodies.speed[row], bodies.half_length[row]
        current = traffic.route[row, 0]
        if lanes.junction[current] >= 0:
            count = _add(claims, count, row, current, -traffic.s[row] - half, speed, 2 * half, COMMITTED, 0.0, True)
        before = traffic.previous[row]
        if before >= 0 and lanes.junction[before] >= 0 and traffic.s[row] - half < 0.5:
            inside = -(lanes.length[before] + traffic.s[row] + half)
            count = _add(claims, count, row, before, inside, speed, 2 * half, COMMITTED, 0.0, True)
        place, distance, line = next_junction(lanes, bodies, traffic, row)
        if place < 0 or distance > _HORIZON:
            continue
        approach = traffic.route[row, place - 1]
        light = _light(lanes, lights, approach)
        moving_on = speed * speed > 2 * _COMFORT * max(line, 0.1)
        active = light in (LIGHT_GREEN, LIGHT_OFF) or (light == LIGHT_YELLOW and moving_on)
        active = active and not (speed < 0.3 and traffic.waited[row] > _PATIENCE)
        lane = traffic.route[row, place]
        count = _add(
            claims,
            count,
            row,
            lane,
            distance,
            speed,
            2 * half,
            traffic.granted[row],
            _rank(lanes, approach, lane),
            active,
        )
    return count


@kernel
def _claim_strangers(
    lanes: LaneArrays,
    bodies: BodyArrays,
    strangers: Ints,
    stranger_lane: Ints,
    stranger_s: Floats,
    lights: Ints,
    claims: Floats,
    count: int,
) -> int:
    """Claims for vehicles that somebody else drives: every connecting lane that they may be on or enter."""
    for index in range(len(strangers)):
        row, lane = strangers[index], stranger_lane[index]
        if lane < 0:
            continue
        speed, half = abs(bodies.speed[row]), bodies.half_length[row]
        if lanes.junction[lane] >= 0:
            for other in range(len(lanes.first)):
                if lanes.junction[other] != lanes.junction[lane]:
                    continue
                s = _place_on(lanes, bodies, row, other)
                if s >= 0:
                    count = _add(claims, count, row, other, -s - half, speed, 2 * half, COMMITTED, 0.0, True)
            continue
        ahead = lanes.length[lane] - stranger_s[index] - half
        approach = lane
        while ahead < _HORIZON and lanes.successor_count[approach] > 0:
            following = lanes.successors[lanes.successor_first[approach]]
            if lanes.junction[following] >= 0:
                break
            ahead += lanes.length[following]
            approach = following
        if ahead > _HORIZON or lanes.successor_count[approach] == 0:
            continue
        cannot_stop = speed * speed > 2 * 6.0 * max(ahead, 0.1)
        entering = ahead < 1.0 and speed > 0.5
        waits = speed < 0.5 or _light(lanes, lights, approach) == LIGHT_RED
        for choice in range(lanes.successor_count[approach]):
            other = lanes.successors[lanes.successor_first[approach] + choice]
            if lanes.junction[other] >= 0:
                state = COMMITTED if cannot_stop or entering else ALLOWED
                count = _add(claims, count, row, other, ahead, speed, 2 * half, state, -1.0, not waits)
    return count


@kernel
def _place_on(lanes: LaneArrays, bodies: BodyArrays, row: int, lane: int) -> float:
    """s in m of a body on a lane that it follows (within 2 m and 50 degrees), else -1."""
    best, found = 4.0, -1.0
    for index in range(lanes.points[lane]):
        point = lanes.first[lane] + index
        gap = (lanes.x[point] - bodies.x[row]) ** 2 + (lanes.y[point] - bodies.y[row]) ** 2
        if gap < best and math.cos(lanes.yaw[point] - bodies.yaw[row]) > 0.64:
            best = gap
            found = lanes.length[lane] * index / (lanes.points[lane] - 1)
    return found


@kernel
def _must_wait(lanes: LaneArrays, conflicts: ConflictArrays, claims: Floats, count: int, mine: int) -> bool:
    """Whether another claim goes before claim ``mine``."""
    row, distance, speed = claims[mine, _ROW], claims[mine, _DISTANCE], claims[mine, _SPEED]
    one = conflicts.position[int(claims[mine, _LANE])]
    for other in range(count):
        if claims[other, _ROW] == row:
            continue
        two = conflicts.position[int(claims[other, _LANE])]
        span = conflicts.pair[one, two]
        if span < 0:
            continue
        first, last = conflicts.span[span, 0], conflicts.span[span, 1]
        their_first, their_last = conflicts.span[span, 2], conflicts.span[span, 3]
        their_distance, their_speed = claims[other, _DISTANCE], claims[other, _SPEED]
        their_rear = -their_distance - claims[other, _LENGTH]
        if their_rear > their_last:
            continue
        enter = _time_to(distance + first, speed)
        their_clear = _latest_time(
            lanes, int(claims[other, _LANE]), their_distance + their_last + claims[other, _LENGTH], their_speed
        )
        if their_speed > 1.5 and their_clear + _MARGIN < enter:
            continue
        if claims[other, _STATE] == COMMITTED:
            return True
        if claims[other, _ACTIVE] == 0.0:
            continue
        higher = claims[other, _RANK] < claims[mine, _RANK]
        if claims[other, _RANK] == claims[mine, _RANK]:
            higher = their_distance < distance - 0.5 or (
                abs(their_distance - distance) <= 0.5 and claims[other, _ROW] < row
            )
        if not higher:
            continue
        clear = _latest_time(lanes, int(claims[mine, _LANE]), distance + last + claims[mine, _LENGTH], speed)
        if _time_to(their_distance + their_first, their_speed) < clear + _MARGIN:
            return True
    return False


@kernel
def _exit_is_full(
    lanes: LaneArrays,
    bodies: BodyArrays,
    traffic: TrafficArrays,
    rows: Ints,
    strangers: Ints,
    stranger_lane: Ints,
    stranger_s: Floats,
    row: int,
    place: int,
) -> bool:
    """Whether the vehicle would have to stand inside the junction for lack of room behind it."""
    if place + 1 >= ROUTE_LANES or traffic.route[row, place + 1] < 0:
        return False
    leave = traffic.route[row, place + 1]
    if lanes.junction[leave] >= 0:
        return False
    room, slowest, need = lanes.length[leave], 99.0, 2 * bodies.half_length[row] + 2.0
    taken = False
    for other in rows:
        if other == row:
            continue
        if traffic.route[other, 0] == leave:
            taken = True
            room = min(room, traffic.s[other] - bodies.half_length[other])
            slowest = min(slowest, bodies.speed[other])
        elif lanes.junction[traffic.route[other, 0]] >= 0 and traffic.route[other, 1] == leave:
            taken = True
            need += 2 * bodies.half_length[other] + 2.0
    for index in range(len(strangers)):
        if stranger_lane[index] == leave:
            taken = True
            room = min(room, stranger_s[index] - bodies.half_length[strangers[index]])
            slowest = min(slowest, abs(bodies.speed[strangers[index]]))
    return bool(taken and room < need and slowest < 4.0)


@kernel
def _decide(
    lanes: LaneArrays, bodies: BodyArrays, traffic: TrafficArrays, row: int, light: int, line: float, approach: int
) -> bool:
    """Whether lights and signs let the vehicle go."""
    speed = bodies.speed[row]
    if traffic.obeys[row] == 0:
        return True
    if light == LIGHT_RED:
        return False
    if light == LIGHT_YELLOW:
        waiting_at_line = speed < 1.5 and line < 2.0 and traffic.waited[row] > 1.0
        return bool(waiting_at_line or speed * speed > 2 * _COMFORT * max(line, 0.1))
    if light == LIGHT_OFF and lanes.sign[approach] == STOP_SIGN:
        if speed < 0.1 and line < 3.0 and traffic.waited[row] > 1.0:
            traffic.stopped[row] = 1
        return bool(traffic.stopped[row] == 1)
    return True


@kernel
def grant_junctions(
    lanes: LaneArrays,
    conflicts: ConflictArrays,
    bodies: BodyArrays,
    traffic: TrafficArrays,
    rows: Ints,
    strangers: Ints,
    stranger_lane: Ints,
    stranger_s: Floats,
    lights: Ints,
) -> None:
    """Set ``granted`` of every vehicle of ``rows`` for its next junction."""
    claims = np.zeros((3 * len(rows) + 24 * len(strangers) + 1, 8))
    count = _claim_traffic(lanes, bodies, traffic, rows, lights, claims)
    count = _claim_strangers(lanes, bodies, strangers, stranger_lane, stranger_s, lights, claims, count)
    for mine in range(count):
        row, lane = int(claims[mine, _ROW]), int(claims[mine, _LANE])
        place, distance, line = next_junction(lanes, bodies, traffic, row)
        if (
            claims[mine, _RANK] < 0
            or place < 0
            or traffic.route[row, place] != lane
            or (claims[mine, _DISTANCE] < -0.5 and claims[mine, _DISTANCE] != distance)
        ):
            continue
        speed = bodies.speed[row]
        approach = traffic.route[row, place - 1]
        light = _light(lanes, lights, approach)
        if traffic.granted[row] == COMMITTED:
            gave_up = line > 0 and speed < 0.3 and traffic.waited[row] > 3.0
            late = light == LIGHT_RED and line > 0 and speed * speed < 2 * 5.0 * line and traffic.obeys[row] == 1
            if not gave_up and not late:
                continue
        free = lanes.light[approach] < 0 and lanes.sign[approach] == NO_SIGN
        free = free and conflicts.any[conflicts.position[lane]] == 0
        go = free or (
            _decide(lanes, bodies, traffic, row, light, line, approach)
            and not _must_wait(lanes, conflicts, claims, count, mine)
            and not _exit_is_full(lanes, bodies, traffic, rows, strangers, stranger_lane, stranger_s, row, place)
        )
        traffic.granted[row] = REFUSED
        if go:
            traffic.granted[row] = COMMITTED if line < speed * speed / (2 * 2.5) + 1.5 else ALLOWED
        claims[mine, _STATE] = traffic.granted[row]
