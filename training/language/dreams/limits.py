"""What the vehicle can do at most, measured on its dynamics: pedals and steering from one end to the other."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import numpy as np

from simlingo.contracts import SPEED_WAYPOINT_PERIOD_S, TICK_S
from simlingo_sim.bodies import BodyArrays, DriveArrays, column
from simlingo_sim.dynamics import step_driven
from training.language.dreams.roll_out import GRIP, Vehicle

#: Ticks of each measurement, and the speed of those that need one, m/s.
_TICKS, _FAST_MPS, _SLOW_MPS = 40, 15.0, 3.0


@dataclass(frozen=True)
class Limits:
    """The most that labels of this vehicle can show; each is a field of ``Kinematics``, too."""

    accelerate_mps2: float
    brake_mps2: float
    jerk_mps3: float  # from one interval of the speed waypoints to the next
    curvature_per_m: float
    lateral_mps2: float
    steering_rate_rps: float  # of the front wheel
    start_heading_rad: float  # of the path's first metre: the car slips a little while it turns
    start_m: float = 0.05  # the path starts at the car
    off_path_m: float = 0.15  # the speed waypoints lie on the path
    step_m: float = 0.05  # the path's points are a metre apart, give or take the bend between them


@cache
def vehicle_limits(slack: float = 1.05) -> Limits:
    """Limits of the embedded world's ego on a dry road; ``slack`` for reading them from points."""
    speed_up = np.diff(_drive(throttle=1.0)[:, 0])
    slow_down = np.diff(_drive(brake=1.0, speed_mps=_FAST_MPS)[:, 0])
    turning = _drive(steer=1.0, throttle=0.2, speed_mps=_SLOW_MPS)
    fast = _drive(steer=1.0, speed_mps=_FAST_MPS)
    accelerate, brake = float(speed_up.max()) / TICK_S, float(-slow_down.min()) / TICK_S
    curvature = float(np.max(turning[1:, 1] / turning[1:, 0]))
    wheelbase = Vehicle(0.0, 0.0, 0.0, 0.0).wheelbase_m
    return Limits(
        accelerate_mps2=slack * accelerate,
        brake_mps2=slack * brake,
        jerk_mps3=slack * (accelerate + brake) / SPEED_WAYPOINT_PERIOD_S,
        curvature_per_m=slack * curvature,
        lateral_mps2=slack * float(np.max(fast[1:, 1] * fast[1:, 0])),
        steering_rate_rps=slack * float(np.max(np.diff(turning[:, 2]))) / TICK_S,
        start_heading_rad=math.atan(0.5 * wheelbase * curvature) + 0.5 * curvature,
    )


def _drive(steer: float = 0.0, throttle: float = 0.0, brake: float = 0.0, speed_mps: float = 0.0) -> np.ndarray:
    """(ticks + 1, 3) speed m/s, yaw rate rad/s and wheel angle rad under a control that stays."""
    bodies = BodyArrays(*(column(BodyArrays, name, (1,)) for name in BodyArrays._fields))
    drive = DriveArrays(*(column(DriveArrays, name, (1,)) for name in DriveArrays._fields))
    bodies.speed[0], drive.wheelbase[0], drive.agility[0] = speed_mps, Vehicle(0.0, 0.0, 0.0, 0.0).wheelbase_m, 1.0
    drive.steer[0], drive.throttle[0], drive.brake[0] = steer, throttle, brake
    found = [(speed_mps, 0.0, 0.0)]
    for _ in range(_TICKS):
        step_driven(bodies, drive, np.zeros(1, np.int64), TICK_S, GRIP)
        found.append((float(bodies.speed[0]), float(bodies.yaw_rate[0]), float(drive.wheel_angle[0])))
        if bodies.speed[0] < 0.5 * _SLOW_MPS and speed_mps > 0.0:
            break
    return np.array(found)
