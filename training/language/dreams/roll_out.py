"""What the vehicle does that is to drive along a line at a pace: the embedded world's dynamics, tick by tick."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from simlingo.contracts import SPEED_WAYPOINT_PERIOD_S, SPEED_WAYPOINTS, TICK_S, FloatArray
from simlingo_drive.expert.constants import CONSTANTS
from training.language.dreams.line import Line
from training.language.dreams.rolling import TUNING, Lengths, roll

#: Ticks of the speed waypoints, and from one to the next.
TICKS = round(SPEED_WAYPOINTS * SPEED_WAYPOINT_PERIOD_S / TICK_S)
TICKS_A_WAYPOINT = round(SPEED_WAYPOINT_PERIOD_S / TICK_S)
#: After the waypoints the vehicle brakes so hard, m/s^2, to see whether that would still do: the expert's firm brake.
TAIL_MPS2 = CONSTANTS.firm_deceleration
#: Most ticks of that.
TAIL_TICKS = 160
#: How far the path reaches, m, the least speed at which the vehicle drives on to its end, m/s, and most ticks of that.
PATH_M, DRIVE_ON_MPS, DRIVE_ON_TICKS = 20.5, 4.0, 400
#: Friction of a dry road, as the embedded world has it.
GRIP = 0.9
#: Columns of a track.
X, Y, YAW, SPEED, WHEEL = range(5)


@dataclass(frozen=True)
class Vehicle:
    """The ego at the frame. Map frame; wheel and pedals are those that are under way."""

    x_m: float
    y_m: float
    yaw_rad: float
    speed_mps: float
    wheel_rad: float = 0.0  # of the single-track front wheel, right positive
    throttle: float = 0.0
    brake: float = 0.0
    half_length_m: float = 2.45
    half_width_m: float = 0.92
    wheelbase_m: float = 2.86


@dataclass(frozen=True)
class Pace:
    """How fast to drive along a line; the expert's laws with other numbers."""

    speed_mps: float  # where nothing bounds it
    up_mps2: float = CONSTANTS.max_acceleration
    down_mps2: float = CONSTANTS.comfort_deceleration
    stops_m: tuple[float, ...] = ()  # places along the line that the front bumper must not pass
    lead_m: float = math.inf  # place of the rear bumper of the vehicle ahead
    lead_mps: float = 0.0
    gap_m: float = CONSTANTS.standing_gap  # to it
    gap_s: float = CONSTANTS.time_gap


@dataclass(frozen=True)
class RollOut:
    """Tracks in the map frame: a row a tick of x, y, yaw, speed and wheel angle (m, rad, m/s)."""

    driven: FloatArray  # (51, 5) the seconds of the speed waypoints; the first row is now
    tail: FloatArray  # (n, 5) from there braking to a standstill
    onward: FloatArray  # (m, 5) from there driving on to the path's end


def roll_out(vehicle: Vehicle, line: Line, pace: Pace) -> RollOut:
    """Drive ``vehicle`` along ``line`` at ``pace``."""
    start = np.array(
        (
            vehicle.x_m, vehicle.y_m, vehicle.yaw_rad, vehicle.speed_mps, vehicle.wheel_rad, vehicle.throttle,
            vehicle.brake, vehicle.wheelbase_m,
        ),
        dtype=np.float64,
    )  # fmt: skip
    bounds = np.array(
        (pace.speed_mps, pace.up_mps2, pace.down_mps2, pace.lead_m, pace.lead_mps, pace.gap_m, pace.gap_s),
        dtype=np.float64,
    )
    track = np.empty((1 + TICKS + TAIL_TICKS + DRIVE_ON_TICKS, 5))
    lengths = Lengths(
        TICKS, TAIL_TICKS, DRIVE_ON_TICKS, TAIL_MPS2, PATH_M, DRIVE_ON_MPS, vehicle.half_length_m, TICK_S, GRIP
    )
    stops = np.array(pace.stops_m, dtype=np.float64)
    way = (line.points, line.yaw, line.allowed_mps)
    tail, onward = roll(start, *way, bounds, stops, np.array(lengths, dtype=np.float64), TUNING, track)
    first, third = 1 + TICKS, 1 + TICKS + TAIL_TICKS
    return RollOut(track[:first], track[first : first + tail], track[third : third + onward])
