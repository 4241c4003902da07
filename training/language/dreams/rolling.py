"""The kernels of a roll-out: steering, pedals and the vehicle, tick by tick.

The wheel is turned so that the body keeps to the line: with the stack's own steering (spec D.6) the
expert's way came out farther beside its label (docs/dreams.md). Pedals are the expert's: the
stack's own brake is all or nothing (spec D.5), and a label that chatters teaches nobody to brake.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from simlingo.contracts import FloatArray
from simlingo_drive.expert import pedals
from simlingo_drive.expert.constants import CONSTANTS
from simlingo_drive.expert.labels import RETURN_RATIO
from simlingo_sim.bodies import BodyArrays, DriveArrays, Ints
from simlingo_sim.dynamics import MAX_WHEEL_ANGLE, step_driven
from simlingo_sim.jit import kernel
from training.language.dreams.line import SPACING_M

#: How much less the vehicle turns when fast, s^2/m^2 (the embedded vehicle's).
UNDERSTEER = 0.0012
#: The steering aims so far ahead, s, and reckons with the wheel's lag, s.
LOOK_S, LAG_S = 0.5, 0.1


class Tuning(NamedTuple):
    """Constants of other modules, handed to the kernels: compiled in, they would outlive a change of them."""

    label_from: float = CONSTANTS.first_label_distance
    label_ratio: float = RETURN_RATIO
    coasting: float = pedals.COASTING
    coasting_slope: float = pedals.COASTING_SLOPE
    full_throttle: float = pedals.FULL_THROTTLE
    power: float = pedals.POWER
    rolling: float = pedals.ROLLING
    drag: float = pedals.DRAG
    full_brake: float = pedals.FULL_BRAKE
    hold_brake: float = pedals.HOLD_BRAKE
    standing: float = pedals.STANDING
    starting: float = pedals.STARTING
    response: float = CONSTANTS.response
    comfort: float = CONSTANTS.comfort_deceleration
    most: float = CONSTANTS.max_acceleration
    emergency: float = CONSTANTS.emergency_deceleration
    firm: float = CONSTANTS.firm_deceleration
    spacing: float = SPACING_M
    full_steer: float = MAX_WHEEL_ANGLE
    understeer: float = UNDERSTEER
    look_s: float = LOOK_S
    lag_s: float = LAG_S


#: As a kernel takes them: numba looks at every field of a named tuple at each call, at an array once.
TUNING = np.array(Tuning(), dtype=np.float64)


class Car(NamedTuple):
    """The one vehicle that is rolled out, and where it is."""

    bodies: BodyArrays  # one row
    drive: DriveArrays  # one row
    nearest: Ints  # (1,) number of the nearest point of the line
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
    start: FloatArray,
    points: FloatArray,
    yaw: FloatArray,
    allowed: FloatArray,
    bounds: FloatArray,
    stops: FloatArray,
    lengths_of: FloatArray,
    tuning_of: FloatArray,
    track: FloatArray,
) -> tuple[int, int]:
    """Fill ``track``: the driven ticks, the tail's, those driven on; returns how many of the last two there are.

    ``start``: x, y, yaw, speed, wheel angle, throttle, brake, wheelbase; then the line's arrays, the pace's bounds and
    stops, and the values of ``Lengths`` and ``Tuning``.
    """
    car, way = _car_at(start), Way(points, yaw, allowed)
    lengths, tuning = _lengths(lengths_of), _tuning(tuning_of)
    bodies, drive = car.bodies, car.drive
    gaps = (way.points[:, 0] - bodies.x[0]) ** 2 + (way.points[:, 1] - bodies.y[0]) ** 2
    car.nearest[0] = np.argmin(gaps)
    _note(car, track, 0)
    driven_m = 0.0
    for tick in range(lengths.ticks):
        _step(car, way, bounds, stops, lengths, tuning, tick, 0.0)
        _note(car, track, tick + 1)
        driven_m += abs(bodies.speed[0]) * lengths.tick_s
    kept = (bodies.x[0], bodies.y[0], bodies.yaw[0], bodies.speed[0])
    kept_drive = (drive.wheel_angle[0], drive.throttle_now[0], drive.brake_now[0])
    index = car.nearest[0]
    first, tail, nowhere = 1 + lengths.ticks, 0, np.empty(0)
    while tail < lengths.tail_ticks and bodies.speed[0] > 0.05:
        _step(car, way, bounds, nowhere, lengths, tuning, lengths.ticks + tail, lengths.tail_mps2)
        _note(car, track, first + tail)
        tail += 1
    bodies.x[0], bodies.y[0], bodies.yaw[0], bodies.speed[0] = kept
    drive.wheel_angle[0], drive.throttle_now[0], drive.brake_now[0] = kept_drive
    car.nearest[0] = index
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
def _car_at(start: FloatArray) -> Car:
    """A car with that motion and wheel."""
    floats = np.zeros((20, 1))
    bodies = BodyArrays(
        np.zeros(1, np.int64),
        np.zeros(1, np.int64),
        floats[0],
        floats[1],
        floats[2],
        floats[3],
        floats[4],
        floats[5],
        floats[6],
        floats[7],
        floats[8],
        floats[9],
        floats[10],
        floats[11],
        np.zeros(1, np.int64),
        floats[12],
    )
    drive = DriveArrays(
        floats[13],
        floats[14],
        floats[15],
        np.zeros(1, np.int64),
        np.zeros(1, np.int64),
        floats[16],
        floats[17],
        floats[18],
        floats[19],
        np.ones(1),
    )
    bodies.x[0], bodies.y[0], bodies.yaw[0], bodies.speed[0] = start[0], start[1], start[2], start[3]
    drive.wheel_angle[0], drive.throttle_now[0], drive.brake_now[0] = start[4], start[5], start[6]
    drive.wheelbase[0] = start[7]
    return Car(bodies, drive, np.zeros(1, np.int64), np.zeros(1, np.int64))


@kernel
def _lengths(of: FloatArray) -> Lengths:
    """The values of ``Lengths`` under their names."""
    return Lengths(int(of[0]), int(of[1]), int(of[2]), of[3], of[4], of[5], of[6], of[7], of[8])


@kernel
def _tuning(of: FloatArray) -> Tuning:
    """The values of ``Tuning`` under their names."""
    return Tuning(
        of[0],
        of[1],
        of[2],
        of[3],
        of[4],
        of[5],
        of[6],
        of[7],
        of[8],
        of[9],
        of[10],
        of[11],
        of[12],
        of[13],
        of[14],
        of[15],
        of[16],
        of[17],
        of[18],
        of[19],
        of[20],
        of[21],
    )


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
    car.drive.steer[0] = _steering(car, way, s, right, tuning.lag_s, tuning)
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
    x, y, index = car.bodies.x[0], car.bodies.y[0], car.nearest[0]
    best = (way.points[index, 0] - x) ** 2 + (way.points[index, 1] - y) ** 2
    while index + 1 < len(way.points):
        gap = (way.points[index + 1, 0] - x) ** 2 + (way.points[index + 1, 1] - y) ** 2
        if gap > best:
            break
        best = gap
        index += 1
    car.nearest[0] = index
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
def _steering(car: Car, way: Way, s: float, right: float, lag_s: float, tuning: Tuning) -> float:
    """Steering on an arc to the way ahead (pure pursuit), from where the car will be when the wheel has answered."""
    speed, wheelbase = abs(car.bodies.speed[0]), car.drive.wheelbase[0]
    more = 1.0 + tuning.understeer * speed * speed
    curvature = math.tan(car.drive.wheel_angle[0]) / wheelbase / more
    slip = math.atan(0.5 * wheelbase * curvature)
    course = car.bodies.yaw[0] + slip + 0.5 * lag_s * speed * curvature
    x = car.bodies.x[0] + lag_s * speed * math.cos(course)
    y = car.bodies.y[0] + lag_s * speed * math.sin(course)
    course += 0.5 * lag_s * speed * curvature
    reach = max(tuning.label_from, tuning.look_s * speed, tuning.label_ratio * abs(right))
    aim_x, aim_y = _point(way, s + lag_s * speed + reach, tuning.spacing)
    aside = (aim_y - y) * math.cos(course) - (aim_x - x) * math.sin(course)
    wanted = 2.0 * aside / max((aim_x - x) ** 2 + (aim_y - y) ** 2, 0.01)
    wanted /= math.cos(math.atan(0.5 * wheelbase * wanted))
    return min(max(math.atan(wanted * wheelbase * more) / tuning.full_steer, -1.0), 1.0)


@kernel
def _pedals(wanted: float, speed: float, tuning: Tuning) -> tuple[float, float]:
    """Throttle and brake for an acceleration (m/s^2), see ``simlingo_drive.expert.pedals``."""
    coasting = tuning.coasting + tuning.coasting_slope * speed
    if speed < tuning.standing and wanted <= tuning.starting:
        return 0.0, tuning.hold_brake
    if wanted > -coasting:
        most = min(tuning.full_throttle, tuning.power / max(speed, 1.0)) - tuning.rolling - tuning.drag * speed * speed
        return min((wanted + coasting) / (most + coasting), 1.0), 0.0
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
    return float(best)
