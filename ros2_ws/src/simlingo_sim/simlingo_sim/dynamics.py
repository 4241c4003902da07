"""How a vehicle answers its controls: a family car on a single-track model.

The constants are this simulator's own. Two facts of CARLA's Lincoln MKZ are kept, so that the controllers of the
spec (D.5, D.6) meet a familiar plant: the turning gain at small steering (spec D.3: about 0.28 1/m of curvature
per unit of steer) and the middle of the body about 1.43 m ahead of the rear axle. The brake is proportional.
"""

from __future__ import annotations

import math

from simlingo_sim.bodies import BodyArrays, DriveArrays, Floats, Ints
from simlingo_sim.jit import kernel

#: Angle of the single-track front wheel at full steer, rad; the inner wheel then stands at about 70 degrees.
MAX_WHEEL_ANGLE = math.radians(45.4)
#: Steering angle of the inner front wheel at full steer as ``get_physics_control`` tells it, degrees.
MAX_INNER_WHEEL_ANGLE_DEG = 70.0
#: Deceleration at full brake on dry road, m/s^2.
FULL_BRAKE = 8.0

_STEER_LAG = 0.12  # s
_STEER_RATE = 1.9  # rad/s at the wheel
_THROTTLE_LAG = 0.15  # s
_BRAKE_LAG = 0.06  # s
_MAX_DRIVE = 3.3  # m/s^2 at full throttle from rest: 0-50 km/h in about 5 s
_POWER = 39.0  # W/kg that reach the road
_REVERSE_LIMIT = 8.0  # m/s
_ROLLING = 0.12  # m/s^2
_DRAG = 0.0005  # 1/m
_ENGINE_BRAKE = 0.35  # m/s^2 with the throttle released
_ENGINE_BRAKE_SLOPE = 0.015  # 1/s
_HAND_BRAKE = 6.0  # m/s^2
_UNDERSTEER = 0.0012  # s^2/m^2
_GRAVITY = 9.81


@kernel
def step_driven(bodies: BodyArrays, drive: DriveArrays, rows: Ints, dt: float, grip: float) -> None:
    """Advance every driven vehicle of ``rows`` by ``dt`` seconds on a road of friction ``grip`` (about 0.9 dry)."""
    for row in rows:
        drive.throttle_now[row] += (drive.throttle[row] - drive.throttle_now[row]) * (1 - math.exp(-dt / _THROTTLE_LAG))
        drive.brake_now[row] += (drive.brake[row] - drive.brake_now[row]) * (1 - math.exp(-dt / _BRAKE_LAG))
        change = (drive.steer[row] * MAX_WHEEL_ANGLE - drive.wheel_angle[row]) * (1 - math.exp(-dt / _STEER_LAG))
        drive.wheel_angle[row] += min(max(change, -_STEER_RATE * dt), _STEER_RATE * dt)

        speed = bodies.speed[row]
        pedal = drive.throttle_now[row]
        force = pedal * min(_MAX_DRIVE, _POWER / max(abs(speed), 1.0)) * drive.agility[row]
        if drive.reverse[row] != 0:
            force = 0.0 if speed < -_REVERSE_LIMIT else -force
        speed += force * dt
        resist = _ROLLING + _DRAG * speed * speed
        resist += (1 - pedal) * (_ENGINE_BRAKE + _ENGINE_BRAKE_SLOPE * abs(speed))
        stopping = FULL_BRAKE * drive.brake_now[row] + (_HAND_BRAKE if drive.hand_brake[row] != 0 else 0.0)
        resist += min(stopping, grip * _GRAVITY)
        speed = math.copysign(max(abs(speed) - resist * dt, 0.0), speed)

        curvature = math.tan(drive.wheel_angle[row]) / drive.wheelbase[row] / (1 + _UNDERSTEER * speed * speed)
        most = 0.85 * grip * _GRAVITY / max(speed * speed, 1e-6)
        curvature = min(max(curvature, -most), most)
        slip = math.atan(0.5 * drive.wheelbase[row] * curvature)
        yaw_rate = speed * curvature * math.cos(slip)
        course = bodies.yaw[row] + 0.5 * yaw_rate * dt + slip
        old_vx, old_vy = bodies.vx[row], bodies.vy[row]
        bodies.speed[row] = speed
        bodies.vx[row] = speed * math.cos(course)
        bodies.vy[row] = speed * math.sin(course)
        bodies.ax[row] = (bodies.vx[row] - old_vx) / dt
        bodies.ay[row] = (bodies.vy[row] - old_vy) / dt
        bodies.x[row] += bodies.vx[row] * dt
        bodies.y[row] += bodies.vy[row] * dt
        bodies.yaw_rate[row] = yaw_rate
        bodies.yaw[row] += yaw_rate * dt


@kernel
def step_strolling(bodies: BodyArrays, heading: Floats, pace: Floats, rows: Ints, dt: float) -> None:
    """Advance walkers under a WalkerControl: ``heading`` rad and ``pace`` m/s, both of shape (CAPACITY,)."""
    for row in rows:
        speed = 0.0 if bodies.halt_s[row] > 0 else pace[row]
        old_vx, old_vy = bodies.vx[row], bodies.vy[row]
        if speed > 0:
            bodies.yaw[row] = heading[row]
        bodies.speed[row] = speed
        bodies.vx[row] = speed * math.cos(heading[row])
        bodies.vy[row] = speed * math.sin(heading[row])
        bodies.ax[row] = (bodies.vx[row] - old_vx) / dt
        bodies.ay[row] = (bodies.vy[row] - old_vy) / dt
        bodies.x[row] += bodies.vx[row] * dt
        bodies.y[row] += bodies.vy[row] * dt
