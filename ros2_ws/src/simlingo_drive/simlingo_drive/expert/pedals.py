"""From a wanted acceleration to throttle and brake, and back: what the pedals can give at most.

The constants are those of the embedded world's cars, measured on its dynamics (a test holds them); CARLA's Lincoln is
near these. Wrong values only delay, the expert looks again at every tick, but labels forecast what it asks for.
"""

from __future__ import annotations

#: Acceleration at full throttle before rolling and air take theirs, m/s^2: from rest, and power for each kg, W/kg.
FULL_THROTTLE, POWER = 3.3, 39.0
#: What rolling, m/s^2, and air, 1/m, take at any throttle.
ROLLING, DRAG = 0.12, 0.0005
#: Deceleration at full brake, m/s^2.
FULL_BRAKE = 8.0
#: Deceleration with both pedals released: rolling, engine and air, m/s^2 at rest, and per m/s.
COASTING, COASTING_SLOPE = 0.47, 0.02
#: Brake that holds a standing car.
HOLD_BRAKE = 0.5
#: A slower car stands, m/s, and is held unless so much is wanted, m/s^2.
STANDING, STARTING = 0.1, 0.05
#: Times in which the pedals are followed, s.
THROTTLE_LAG_S, BRAKE_LAG_S = 0.15, 0.06


def full_throttle(speed: float) -> float:
    """Acceleration (m/s^2) at full throttle and ``speed`` (m/s)."""
    return min(FULL_THROTTLE, POWER / max(speed, 1.0)) - ROLLING - DRAG * speed * speed


def pedals(acceleration: float, speed: float) -> tuple[float, float]:
    """Throttle [0, 1] and brake [0, 1] for ``acceleration`` (m/s^2) at ``speed`` (m/s)."""
    coasting = COASTING + COASTING_SLOPE * speed
    if speed < STANDING and acceleration <= STARTING:
        return 0.0, HOLD_BRAKE
    if acceleration > -coasting:
        return min((acceleration + coasting) / (full_throttle(speed) + coasting), 1.0), 0.0
    return 0.0, min((-acceleration - coasting) / FULL_BRAKE, 1.0)
