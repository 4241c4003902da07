"""The safety gate: a guard around PID, not a comfort filter.

It refuses plans and odometry that cannot be true, and bounds steering rate and lateral acceleration.
A command within the bounds passes unchanged, bit for bit.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from simlingo.contracts import PATH_POINTS, SPEED_WAYPOINT_PERIOD_S, SPEED_WAYPOINTS, DrivingPlan, EgoState

#: Geometry of the fitted bicycle model (spec D.3): centre of mass to rear axle and wheelbase, m, and
#: the wheel angle of full steering, rad.
REAR_TO_CENTER_M = 1.4178275
WHEELBASE_M = REAR_TO_CENTER_M - 0.090769015
FULL_STEER_RAD = 0.36848336


#: The fourth point of a path, 3 to 4 m ahead, tells where it turns off to.
_TURN_POINT = 3


@dataclass(frozen=True)
class GateLimits:
    """What the gate lets through."""

    #: Full lock to full lock in 0.2 s; no steering actuator is faster.
    steer_rate: float = 10.0  # 1/s
    #: Autoware's command gate allows 5 m/s^2; a steering lag asks for some more on the way into a bend.
    lateral_acceleration: float = 6.0  # m/s^2
    #: A path has one point a metre (spec B.4); farther apart is a jump.
    path_step: float = 3.0  # m
    #: The path starts at the car.
    path_start: float = 3.0  # m
    #: It does not turn off at the car. Of 12,000 paths of the expert none does by more than 17 degrees, of as many of a car that was
    #: put aside and turned away by more than 52.
    path_turn: float = math.radians(60.0)  # rad
    path_turn_from: float = 1.0  # m; a nearer point has no direction
    #: A plan drives ahead; one that stands may wander so far.
    backward: float = 1.0  # m
    #: The map frame is no larger than the Earth.
    place: float = 1e7  # m
    #: 252 km/h: no car of this stack goes faster.
    speed: float = 70.0  # m/s


def plan_fault(plan: DrivingPlan, limits: GateLimits) -> str | None:
    """Why ``plan`` must not steer a car; ``None`` when it may."""
    for name, points, count in (
        ("path", plan.path, PATH_POINTS),
        ("speed_waypoints", plan.speed_waypoints, SPEED_WAYPOINTS),
    ):
        if np.shape(points) != (count, 2):
            return f"{name} has shape {np.shape(points)} instead of ({count}, 2)"
        if not np.isfinite(points).all():
            return f"{name} holds NaN or infinity"
    start = float(np.linalg.norm(plan.path[0]))
    if start > limits.path_start:
        return f"path starts {start:.1f} m from the car"
    ahead, aside = plan.path[_TURN_POINT]
    turn = abs(math.atan2(aside, ahead))
    if turn > limits.path_turn and math.hypot(ahead, aside) > limits.path_turn_from:
        return f"path turns off by {math.degrees(turn):.0f} degrees at the car"
    back = float(plan.speed_waypoints[-1, 0])
    if back < -limits.backward:
        return f"speed waypoints lead {-back:.1f} m backwards"
    step = float(np.linalg.norm(np.diff(plan.path, axis=0), axis=1).max())
    if step > limits.path_step:
        return f"path jumps by {step:.1f} m between neighbouring points"
    line = np.vstack(((0.0, 0.0), plan.speed_waypoints))
    speed = float(np.linalg.norm(np.diff(line, axis=0), axis=1).max()) / SPEED_WAYPOINT_PERIOD_S
    if speed > limits.speed:
        return f"speed waypoints ask for {speed:.0f} m/s"
    return None


def ego_fault(ego: EgoState, limits: GateLimits) -> str | None:
    """Why ``ego`` cannot be true; ``None`` when it can."""
    if not all(math.isfinite(value) for value in (ego.x, ego.y, ego.yaw, ego.speed)):
        return "odometry holds NaN or infinity"
    if max(abs(ego.x), abs(ego.y)) > limits.place:
        return f"odometry says that the car is at ({ego.x:.3g}, {ego.y:.3g}) m"
    if not 0.0 <= ego.speed <= limits.speed:
        return f"odometry says {ego.speed:.1f} m/s"
    return None


def max_steer(speed: float, lateral_acceleration: float) -> float:
    """Largest |steer| (0, 1] that keeps ``lateral_acceleration`` (m/s^2) at ``speed`` (m/s)."""
    slip_sine = lateral_acceleration * REAR_TO_CENTER_M / max(speed * speed, 1e-6)
    if slip_sine >= 1.0:
        return 1.0
    wheel = math.atan(math.tan(math.asin(slip_sine)) * WHEELBASE_M / REAR_TO_CENTER_M)
    return min(wheel / FULL_STEER_RAD, 1.0)


def bound_steer(wanted: float, previous: float, speed: float, elapsed_s: float, limits: GateLimits) -> float:
    """``wanted`` steering, or the nearest value within the bounds on its rate and lateral acceleration.

    Args:
        wanted: steering that the controller asks for, [-1, 1].
        previous: steering of the previous command, [-1, 1].
        speed: m/s.
        elapsed_s: s since the previous command.
        limits: the bounds. Where they contradict, the one on lateral acceleration wins.
    """
    change = limits.steer_rate * elapsed_s
    steer = min(max(wanted, previous - change), previous + change)
    bound = max_steer(speed, limits.lateral_acceleration)
    return min(max(steer, -bound), bound)
