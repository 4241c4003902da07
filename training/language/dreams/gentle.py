"""How long the way over to another line must be, so that the car can take it."""

from __future__ import annotations

import math

#: The sharpest bend of such a way, 1/m, and the most lateral acceleration, m/s^2.
SHARPEST_PER_M, LATERAL_MPS2 = 0.15, 4.5


def shortest_m(offset_m: float, speed_mps: float) -> float:
    """Length (m) of the shortest cosine over ``offset_m`` m to the side at ``speed_mps``."""
    bend = min(SHARPEST_PER_M, LATERAL_MPS2 / max(speed_mps, 0.1) ** 2)
    return math.pi * math.sqrt(abs(offset_m) / (2.0 * bend))
