"""From a wanted acceleration to throttle and brake."""

from __future__ import annotations

#: Acceleration of a family car at full throttle and deceleration at full brake, m/s^2 (CARLA's Lincoln and the
#: embedded world's cars are near these); wrong values only delay, the expert looks again at every tick.
FULL_THROTTLE, FULL_BRAKE = 3.7, 8.0
#: Deceleration with both pedals released: rolling, engine and air, m/s^2 at rest, and per m/s.
COASTING, COASTING_SLOPE = 0.47, 0.02
#: Brake that holds a standing car.
HOLD_BRAKE = 0.5


def pedals(acceleration: float, speed: float) -> tuple[float, float]:
    """Throttle [0, 1] and brake [0, 1] for ``acceleration`` (m/s^2) at ``speed`` (m/s)."""
    coasting = COASTING + COASTING_SLOPE * speed
    if speed < 0.1 and acceleration <= 0.05:
        return 0.0, HOLD_BRAKE
    if acceleration > -coasting:
        return min((acceleration + coasting) / (FULL_THROTTLE + coasting), 1.0), 0.0
    return 0.0, min((-acceleration - coasting) / FULL_BRAKE, 1.0)
