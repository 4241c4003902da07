"""The kernels of a roll-out: steering, pedals and the vehicle, tick by tick.

Steering is the stack's (spec D.6) on the path that the expert would label from where the vehicle is. Pedals are the
expert's: the stack's own brake is all or nothing (spec D.5), and a label that chatters teaches nobody to brake.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from simlingo.contracts import FloatArray
from simlingo.control import lateral
from simlingo_drive.expert import pedals
from simlingo_drive.expert.constants import CONSTANTS
from simlingo_drive.expert.labels import RETURN_RATIO
from simlingo_sim.bodies import BodyArrays, DriveArrays, Ints
from simlingo_sim.dynamics import step_driven
from simlingo_sim.jit import kernel
from training.language.dreams.line import SPACING_M


class Tuning(NamedTuple):
    """Constants of other modules, handed to the kernels: compiled in, they would outlive a change of them."""

    kp: float = lateral.KP
    ki: float = lateral.KI
    kd: float = lateral.KD
    error_unit: float = lateral.ERROR_UNIT_RAD
    look_slope: float = lateral.LOOKAHEAD_SLOPE
    look_offset: float = lateral.LOOKAHEAD_OFFSET
    look_least: int = lateral.LOOKAHEAD_MIN
    look_most: int = lateral.LOOKAHEAD_MAX
    look_step: float = lateral.SAMPLE_SPACING
    label_from: float = CONSTANTS.first_label_distance
    label_ratio: float = RETURN_RATIO
    coasting: float = pedals.COASTING
    coasting_slope: float = pedals.COASTING_SLOPE
    full_throttle: float = pedals.FULL_THROTTLE
    full_brake: float = pedals.FULL_BRAKE
    hold_brake: float = pedals.HOLD_BRAKE
    response: float = CONSTANTS.response
    comfort: float = CONSTANTS.comfort_deceleration
    most: float = CONSTANTS.max_acceleration
    emergency: float = CONSTANTS.emergency_deceleration
    firm: float = CONSTANTS.firm_deceleration
    spacing: float = SPACING_M


TUNING = Tuning()


class Car(NamedTuple):
    """The one vehicle that is rolled out, with its steering's memory."""

    bodies: BodyArrays  # one row
    drive: DriveArrays  # one row
    errors: FloatArray  # (window,) of the steering
    counts: Ints  # (2,) steps so far, nearest point of the line
    rows: Ints  # (1,) the number of its row


class Way(NamedTuple):
    """The line that it drives along, see :class:`training.language.dreams.line.Line`."""

    points: FloatArray
    yaw: FloatArray
    allowed: FloatArray


class Lengths(NamedTuple):
    """How long it is rolled out, and in what world."""

    ticks: int
    tail_ticks: int
    onward_ticks: int
    tail_mps2: float
    path_m: float
    drive_on_mps: float
    front_m: float  # middle to front bumper
    tick_s: float
    grip: float


@kernel
def roll(
    car: Car, way: Way, bounds: FloatArray, stops: FloatArray, lengths: Lengths, tuning: Tuning, track: FloatArray
) -> tuple[int, int]:
    """Fill ``track``: the driven ticks, the tail's, those driven on; returns how many of the last two there are."""
    bodies, drive = car.bodies, car.drive
    gaps = (way.points[:, 0] - bodies.x[0]) ** 2 + (way.points[:, 1] - bodies.y[0]) ** 2
    car.counts[1] = np.argmin(gaps)
    _note(car, track, 0)
    driven_m = 0.0
    for tick in range(lengths.ticks):
        _step(car, way, bounds, stops, lengths, tuning, tick, 0.0)
        _note(car, track, tick + 1)
        driven_m += abs(bodies.speed[0]) * lengths.tick_s
    kept = (bodies.x[0], bodies.y[0], bodies.yaw[0], bodies.speed[0])
    kept_drive = (drive.wheel_angle[0], drive.throttle_now[0], drive.brake_now[0])
    errors, counts = car.errors.copy(), car.counts.copy()
    first, tail, nowhere = 1 + lengths.ticks, 0, np.empty(0)
    while tail < lengths.tail_ticks and bodies.speed[0] > 0.05:
        _step(car, way, bounds, nowhere, lengths, tuning, lengths.ticks + tail, lengths.tail_mps2)
        _note(car, track, first + tail)
        tail += 1
    bodies.x[0], bodies.y[0], bodies.yaw[0], bodies.speed[0] = kept
    drive.wheel_angle[0], drive.throttle_now[0], drive.brake_now[0] = kept_drive
    car.errors[:], car.counts[:] = errors, counts
    free = bounds.copy()
    free[0], free[1], free[3] = max(kept[3], lengths.drive_on_mps), tuning.most, np.inf
    first, onward = first + lengths.tail_ticks, 0
    while onward < lengths.onward_ticks and driven_m < lengths.path_m:
        _step(car, way, free, nowhere, lengths, tuning, 0, 0.0)
        _note(car, track, first + onward)
        onward += 1
        driven_m += abs(bodies.speed[0]) * lengths.tick_s
    return tail, onward


@kernel
def _step(
    car: Car,
    way: Way,
    bounds: FloatArray,
    stops: FloatArray,
    lengths: Lengths,
    tuning: Tuning,
    tick: int,
    brake_mps2: float,
) -> None:
    """One tick along the way, under the bounds or braking at ``brake_mps2``."""
    s, right = _place(car, way, tuning)
    wanted = -brake_mps2
    if brake_mps2 == 0.0:
        wanted = wanted_acceleration(
            car.bodies.speed[0], s, lengths.front_m, way.allowed, bounds, stops, tick * lengths.tick_s, tuning
        )
    car.drive.steer[0] = _steering(car, way, s, right, tuning)
    car.drive.throttle[0], car.drive.brake[0] = _pedals(wanted, car.bodies.speed[0], tuning)
    step_driven(car.bodies, car.drive, car.rows, lengths.tick_s, lengths.grip)


@kernel
def _note(car: Car, track: FloatArray, row: int) -> None:
    """The state as a row of the track."""
    track[row, 0], track[row, 1], track[row, 2] = car.bodies.x[0], car.bodies.y[0], car.bodies.yaw[0]
    track[row, 3], track[row, 4] = car.bodies.speed[0], car.drive.wheel_angle[0]


@kernel
def _place(car: Car, way: Way, tuning: Tuning) -> tuple[float, float]:
    """Place along the way and distance right of it, m; searched from the last place on."""
    x, y, index = car.bodies.x[0], car.bodies.y[0], car.counts[1]
    best = (way.points[index, 0] - x) ** 2 + (way.points[index, 1] - y) ** 2
    while index + 1 < len(way.points):
        gap = (way.points[index + 1, 0] - x) ** 2 + (way.points[index + 1, 1] - y) ** 2
        if gap > best:
            break
        best = gap
        index += 1
    car.counts[1] = index
    dx, dy = x - way.points[index, 0], y - way.points[index, 1]
    cos, sin = math.cos(way.yaw[index]), math.sin(way.yaw[index])
    return tuning.spacing * index + dx * cos + dy * sin, dy * cos - dx * sin


@kernel
def _point(way: Way, s: float, spacing: float) -> tuple[float, float]:
    """The way's point at ``s`` m."""
    place = min(max(s / spacing, 0.0), len(way.points) - 1.001)
    index = int(place)
    part = place - index
    x = way.points[index, 0] + part * (way.points[index + 1, 0] - way.points[index, 0])
    return x, way.points[index, 1] + part * (way.points[index + 1, 1] - way.points[index, 1])


@kernel
def _steering(car: Car, way: Way, s: float, right: float, tuning: Tuning) -> float:
    """Steering along the expert's label of this place: straight to the way ahead, then along it."""
    x, y, speed, count = car.bodies.x[0], car.bodies.y[0], abs(car.bodies.speed[0]), car.counts[0]
    samples = int(tuning.look_slope * speed * 3.6 + tuning.look_offset)
    look = tuning.look_step * (min(max(samples, tuning.look_least), tuning.look_most) + 1)
    first = s + max(tuning.label_from, tuning.label_ratio * abs(right))
    aim_x, aim_y = _point(way, first, tuning.spacing)
    straight = math.hypot(aim_x - x, aim_y - y)
    if look > straight:
        aim_x, aim_y = _point(way, first + look - straight, tuning.spacing)
    error = math.atan2(aim_y - y, aim_x - x) - car.bodies.yaw[0]
    error = ((error + math.pi) % (2.0 * math.pi) - math.pi) / tuning.error_unit
    window = len(car.errors)
    before = car.errors[(count - 1) % window] if count > 0 else error
    car.errors[count % window] = error
    car.counts[0] = count + 1
    mean = np.mean(car.errors[: min(count + 1, window)])
    steer = tuning.kp * error + tuning.ki * mean + tuning.kd * (error - before)
    return round(min(max(steer, -1.0), 1.0), 3)


@kernel
def _pedals(wanted: float, speed: float, tuning: Tuning) -> tuple[float, float]:
    """Throttle and brake for an acceleration (m/s^2), see ``simlingo_drive.expert.pedals``."""
    coasting = tuning.coasting + tuning.coasting_slope * speed
    if speed < 0.1 and wanted <= 0.05:
        return 0.0, tuning.hold_brake
    if wanted > -coasting:
        return min((wanted + coasting) / (tuning.full_throttle + coasting), 1.0), 0.0
    return 0.0, min((-wanted - coasting) / tuning.full_brake, 1.0)


@kernel
def wanted_acceleration(
    speed: float,
    s: float,
    front: float,
    allowed: FloatArray,
    bounds: FloatArray,
    stops: FloatArray,
    time: float,
    tuning: Tuning,
) -> float:
    """The least of the accelerations (m/s^2) that the bounds allow, see ``simlingo_drive.expert.laws``.

    ``bounds``: speed, acceleration up and down, place and speed of the lead, gap to it in m and s.
    """
    index = min(max(int(s / tuning.spacing), 0), len(allowed) - 2)
    slope = (allowed[index + 1] - allowed[index]) / tuning.spacing
    bend = (allowed[index] - speed) / tuning.response + min(speed * slope, 0.0)
    best = min(max(bend, -tuning.firm), bounds[1])
    best = min(best, min(max((bounds[0] - speed) / (2.0 * tuning.response), -bounds[2]), bounds[1]))
    for stop in stops:
        room = stop - s - front
        if room <= 0.05:
            best = min(best, -tuning.firm if speed > 0.5 else -tuning.comfort)
            continue
        needed = speed * speed / (2.0 * room)
        if needed > tuning.comfort:
            best = min(best, -min(needed * 1.1, tuning.firm))
        else:
            best = min(best, (math.sqrt(2.0 * tuning.comfort * room) - speed) / tuning.response - tuning.comfort)
    if bounds[3] < np.inf:
        gap, lead = bounds[3] + bounds[4] * time - s - front, bounds[4]
        held = speed * bounds[6] + speed * (speed - lead) / (2.0 * math.sqrt(tuning.most * tuning.comfort))
        follow = tuning.most * (1.0 - ((bounds[5] + max(held, 0.0)) / max(gap, 0.1)) ** 2)
        late = (speed - lead) ** 2 / (2.0 * max(gap - 1.5, 0.1)) if speed > lead else 0.0
        best = min(best, max(follow, -(tuning.emergency if late > tuning.firm else tuning.firm)))
    return best
