"""Constants of the expert, with their origin.

"spec" is the description of the published system (PDM-Lite's constants, as cited there); "ours" was chosen by
driving our own towns, so that a camera model can imitate the driving: gentle, steady and early.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ExpertConstants:
    """How the expert drives. Lengths in m, times in s."""

    # Speed.
    limit_ratio: float = 0.72  # share of the speed limit to drive at (spec E.1, N)
    max_speed: float = 20.0  # m/s, 72 km/h (spec E.1)
    lateral_acceleration: float = 2.2  # m/s^2 in bends; ours, below the 3 that passengers accept
    min_bend_speed: float = 2.5  # m/s; ours
    max_acceleration: float = 2.2  # m/s^2; ours (spec E.3 has 24, which only a pedal on the floor answers)
    comfort_deceleration: float = 2.0  # m/s^2 towards stops and bends; ours (spec E.3: 3.72 to 8.7)
    firm_deceleration: float = 4.0  # m/s^2, most for stop lines and leading vehicles; ours
    emergency_deceleration: float = 8.0  # m/s^2, full brake
    response: float = 0.4  # s, time constant of following a speed; ours

    # Following (IDM, spec E.3: s0 and T for leading vehicles; T longer than its 0.25 s: ours).
    standing_gap: float = 4.0
    time_gap: float = 1.0
    corridor_margin: float = 0.3  # air beside the car that counts as its way; ours
    look_ahead: float = 60.0  # leading vehicles farther away do not matter; ours (spec N: 80)

    # Things that stand at the lane's edge; ours.
    standing_margin: float = 0.5  # air to them
    least_margin: float = 0.25  # less air than that, and the way is blocked
    standing_over: float = 0.25  # the car may reach over the lane's edge by this
    standing_ramp: float = 18.0  # over which the car moves aside and back
    narrow_air: float = 1.0  # free width beside the car, both sides together, below which it slows down
    narrow_speed: float = 6.0  # m/s
    narrow_joined: float = 12.0  # narrow places nearer to each other are one

    # Lights and signs.
    stop_margin: float = 1.2  # bumper to stop line; ours
    yellow_deceleration: float = 3.2  # m/s^2, above this a yellow light is passed; ours
    sign_stop_ticks: int = 25  # ticks below 0.1 m/s that clear a stop sign (spec E.3)
    sign_stop_distance: float = 3.0  # within which they count (spec E.3)
    light_radius: float = 64.0  # spec N

    # Pedestrians.
    walker_gap: float = 3.0  # bumper to a pedestrian's way; ours (spec E.3: 4 from the middle)
    walker_margin: float = 0.7  # beside the car; ours
    walker_horizon: float = 3.0  # s of forecast; ours
    walker_min_speed: float = 0.5  # m/s, slower ones are taken to stand (spec E.2)

    # Forecast of vehicles (spec E.2, N).
    forecast_s: float = 2.0
    forecast_step_s: float = 0.1  # ours (spec: 0.05)
    forecast_radius: float = 50.0
    ego_box_scale: float = 1.1  # ours (spec: 1.3 x 1.2 above 5 m/s)
    other_box_scale: float = 1.15  # ours (spec: 1.2 and more above 1 m/s)

    # Junctions; ours.
    conflict_width: float = 2.6  # lanes whose centre lines come closer are in conflict
    junction_look_ahead: float = 30.0  # junctions nearer than this are looked at (spec N)
    gap_before: float = 1.5  # s that must lie between a vehicle with priority and us
    gap_after: float = 1.0
    yield_margin: float = 1.5  # bumper to the conflict
    patience_s: float = 8.0  # waiting longer, vehicles that stand no longer have priority

    # The route label (spec B.2, B.4).
    first_label_distance: float = 2.5


CONSTANTS = ExpertConstants()
