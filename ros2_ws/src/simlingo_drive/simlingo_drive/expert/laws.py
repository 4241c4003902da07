"""Laws of longitudinal motion: each turns a reason into the acceleration (m/s^2) it allows."""

from __future__ import annotations

import math

from simlingo_drive.expert.constants import ExpertConstants


def towards_speed(speed: float, wanted: float, constants: ExpertConstants) -> float:
    """Reach ``wanted`` m/s, gently in both directions."""
    acceleration = (wanted - speed) / (2.0 * constants.response)
    return min(max(acceleration, -constants.comfort_deceleration), constants.max_acceleration)


def through_bend(speed: float, allowed: float, slope: float, constants: ExpertConstants) -> float:
    """Follow the speed profile of a bend: ``allowed`` m/s here, changing by ``slope`` 1/s."""
    acceleration = (allowed - speed) / constants.response + min(speed * slope, 0.0)
    return min(max(acceleration, -constants.firm_deceleration), constants.max_acceleration)


def stop_in(speed: float, distance: float, constants: ExpertConstants, strongest: float) -> float:
    """Stand still after ``distance`` m: at the comfortable deceleration, at most ``strongest`` where it is late.

    On the curve v = sqrt(2 b d) it brakes by exactly b; below the curve it lets the car roll up to it.
    """
    if distance <= 0.05:
        return -strongest if speed > 0.5 else -constants.comfort_deceleration
    needed = speed * speed / (2.0 * distance)
    if needed > constants.comfort_deceleration:
        return -min(needed * 1.1, strongest)
    curve = math.sqrt(2.0 * constants.comfort_deceleration * distance)
    return (curve - speed) / constants.response - constants.comfort_deceleration


def slow_to(speed: float, distance: float, allowed: float, constants: ExpertConstants) -> float:
    """Drive at most ``allowed`` m/s after ``distance`` m (from now on where it is negative), braking comfortably before."""
    if distance <= 0.0:
        return towards_speed(speed, allowed, constants)
    distance = max(distance, 2.0)  # a little too fast at the end is no reason to brake hard
    needed = (speed * speed - allowed * allowed) / (2.0 * distance)
    if needed > constants.comfort_deceleration:
        return -min(needed * 1.1, constants.firm_deceleration)
    curve = math.sqrt(allowed * allowed + 2.0 * constants.comfort_deceleration * distance)
    # Fast enough to brake along the curve, or slower already and rolling up to it.
    braking = constants.comfort_deceleration * min(max(speed - allowed, 0.0), 1.0)
    return (curve - speed) / constants.response - braking


def follow(speed: float, gap: float, lead_speed: float, constants: ExpertConstants) -> float:
    """Intelligent driver model's interaction behind a vehicle ``gap`` m ahead (bumper to bumper) at ``lead_speed``."""
    most, brake = constants.max_acceleration, constants.comfort_deceleration
    wanted = constants.standing_gap + max(
        0.0, speed * constants.time_gap + speed * (speed - lead_speed) / (2.0 * math.sqrt(most * brake))
    )
    acceleration = most * (1.0 - (wanted / max(gap, 0.1)) ** 2)
    late = (speed - lead_speed) ** 2 / (2.0 * max(gap - 1.5, 0.1)) if speed > lead_speed else 0.0
    strongest = constants.emergency_deceleration if late > constants.firm_deceleration else constants.firm_deceleration
    return max(acceleration, -strongest)


def seconds_to_cover(distance: float, speed: float, acceleration: float, top_speed: float) -> float:
    """Time (s) over ``distance`` m when accelerating from ``speed`` to at most ``top_speed``; 0 where it is behind."""
    if distance <= 0.0:
        return 0.0
    top = max(top_speed, speed, 0.1)
    ramp = (top * top - speed * speed) / (2.0 * acceleration)
    if distance <= ramp:
        return (math.sqrt(speed * speed + 2.0 * acceleration * distance) - speed) / acceleration
    return (top - speed) / acceleration + (distance - ramp) / top
