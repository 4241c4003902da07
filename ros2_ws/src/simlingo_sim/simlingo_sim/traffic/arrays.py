"""State of the vehicles that the traffic drives: one row a vehicle, the same row as in the table of bodies."""

from __future__ import annotations

from typing import NamedTuple

from simlingo_sim.bodies import CAPACITY, Floats, Ints, column

#: Lanes of its way that a vehicle knows ahead, the current one first.
ROUTE_LANES = 10

#: Values of ``TrafficArrays.granted``: whether the vehicle may enter the next junction.
REFUSED, ALLOWED, COMMITTED = 0, 1, 2

#: Values in the array of light states that the kernels read.
LIGHT_RED, LIGHT_YELLOW, LIGHT_GREEN, LIGHT_OFF = 0, 1, 2, 3


class TrafficArrays(NamedTuple):
    """Each of shape (CAPACITY,), ``route`` (CAPACITY, ROUTE_LANES)."""

    route: Ints  # lane indices ahead, -1 beyond the end of the way
    previous: Ints  # lane driven before, else -1
    s: Floats  # m, of the vehicle's middle on route[0]
    acceleration: Floats  # m/s^2, of the last tick
    offset: Floats  # m, right of the lane's middle, where a lane change began
    offset_done: Floats  # m driven since then
    offset_length: Floats  # m after which the offset is gone
    pace: Floats  # desired speed as a share of the limit
    top_speed: Floats  # m/s
    urge: Floats  # m/s^2, largest acceleration
    headway: Floats  # s
    granted: Ints  # REFUSED, ALLOWED or COMMITTED
    stopped: Ints  # 1 once it stood at the stop sign ahead
    waited: Floats  # s since it last moved
    change_wait: Floats  # s until it thinks of changing lanes again
    draws: Ints  # random numbers used so far
    number: Ints  # the actor's id: makes each vehicle's random numbers its own
    wheelbase: Floats  # m
    blinker: Ints  # -1 left, 0 none, 1 right
    braking: Ints
    obeys: Ints  # 0 ignores lights and signs (a scenario's offender)


def make_traffic_arrays() -> TrafficArrays:
    """Zeroed arrays."""
    return TrafficArrays(
        *(
            column(TrafficArrays, name, (CAPACITY, ROUTE_LANES) if name == "route" else (CAPACITY,))
            for name in TrafficArrays._fields
        )
    )
