"""Whether odometry can be true: each state is compared with those before it.

A fault ends when the odometry has been good for a second and the car can be where it says. Nothing here knows the world:
a localisation that drifts slowly, or lies in the same way about pose and speed, passes.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import replace

from simlingo.contracts import TICK_NS, TICK_S, EgoState, InvalidInputError
from simlingo.control.safety import FULL_STEER_RAD, REAR_TO_CENTER_M, WHEELBASE_M, GateLimits, ego_fault
from simlingo.geometry import wrap_angle

#: Longer silence, or a jump of the clock; twice the controller's oldest plan, s.
MAX_GAP_S = 1.0
#: Pose and integrated speed may differ by so much within ``WINDOW_S``, and by so much of the way driven there.
MAX_DRIFT_M, MAX_DRIFT_SHARE = 1.0, 0.1
WINDOW_S = 1.0
#: A car that spins turns with 3 rad/s; a whole turn a second is no car's.
MAX_YAW_RATE = 2.0 * math.pi  # rad/s
#: Ten times what a road can do to a car's speed; more is a collision, or wrong.
MAX_ACCELERATION = 100.0  # m/s^2
#: After a fault odometry must be good for so long, s.
CONFIRM_S = 1.0
#: Places further apart in time than this tell a speed, s.
KNOWN_S = 0.3
#: How far from where the car is thought to be its odometry may return: aside, m; and along, a share of the way since.
RETURN_M, RETURN_SHARE = 2.0, 0.5


class OdometryMonitor:
    """Call :meth:`check` with every odometry in the order in which it comes."""

    def __init__(self, limits: GateLimits) -> None:
        self._limits = limits
        self.clear()

    def clear(self) -> None:
        """Trust the next state, whatever it is."""
        self._fault = ""
        self._trusted: EgoState | None = None  # the last that was
        self._chain: deque[tuple[EgoState, float, float, float]] = deque()  # with drift x, y and way since its begin, m
        self._chain_s = 0.0  # how long the chain has been good
        self._fast = 0.0  # m/s, by speed or by change of place, whichever said more while it was trusted
        self._estimate: EgoState | None = None  # since the fault
        self._way = 0.0  # of the estimate, m

    def dead_reckoned(self, steer: float, deceleration: float) -> EgoState | None:
        """Where the car is a tick further on since the fault; ``None`` where odometry was never good.

        Args:
            steer: of the command before, [-1, 1]; the bicycle model of spec D.3 follows it.
            deceleration: m/s^2, not more than the brake does.
        """
        before = self._estimate or self._trusted
        if before is None:
            return None
        if self._estimate is None:  # the speed may have been wrong for longer than it was known to be
            before = replace(before, speed=self._fast)
        speed = max(before.speed - deceleration * TICK_S, 0.0)
        moved = 0.5 * (before.speed + speed) * TICK_S
        slip = math.atan(math.tan(steer * FULL_STEER_RAD) * REAR_TO_CENTER_M / WHEELBASE_M)
        yaw = wrap_angle(before.yaw + moved * math.sin(slip) / REAR_TO_CENTER_M)
        x, y = before.x + moved * math.cos(before.yaw + slip), before.y + moved * math.sin(before.yaw + slip)
        self._estimate, self._way = EgoState(before.stamp + TICK_NS, x, y, yaw, speed), self._way + moved
        return self._estimate

    def check(self, ego: EgoState) -> str | None:
        """Why ``ego`` is not to be trusted; ``None`` when it is.

        Raises:
            InvalidInputError: it comes late, behind a newer one; nothing has changed.
        """
        if not self._fault and self._chain and 0.0 <= (self._newest.stamp - ego.stamp) * 1e-9 < MAX_GAP_S:
            raise InvalidInputError(
                f"odometry stamped {ego.stamp} ns came after one of {self._newest.stamp} ns: it is dropped"
            )
        fault = self._step(ego)
        if fault is not None:
            self._fault = fault
        elif self._fault and self._chain_s >= CONFIRM_S - 1e-6:
            self._fault = self._distance_fault(ego)
        if not self._fault:
            self._trusted, self._estimate, self._way = ego, None, 0.0
            self._fast = max(ego.speed, self._speed_by_place())
        return self._fault or None

    @property
    def _newest(self) -> EgoState:
        return self._chain[-1][0]

    def _step(self, ego: EgoState) -> str | None:
        """Add ``ego`` to the chain of states that fit each other, or begin a new one with it and say why."""
        fault = ego_fault(ego, self._limits)
        if fault is not None:
            self._chain.clear()
            return fault
        if not self._chain:
            self._begin(ego)
            return None
        before, drift_x, drift_y, way = self._chain[-1]
        elapsed_s = (ego.stamp - before.stamp) * 1e-9
        fault = _step_fault(before, ego, elapsed_s)
        if fault is None:
            moved = 0.5 * (before.speed + ego.speed) * elapsed_s
            yaw = before.yaw + 0.5 * wrap_angle(ego.yaw - before.yaw)
            drift_x += ego.x - before.x - moved * math.cos(yaw)
            drift_y += ego.y - before.y - moved * math.sin(yaw)
            self._chain.append((ego, drift_x, drift_y, way + moved))
            self._chain_s += elapsed_s
            fault = self._drift_fault()
        if fault is not None:
            self._begin(ego)
        return fault

    def _begin(self, ego: EgoState) -> None:
        """What comes next is compared with ``ego``."""
        self._chain.clear()
        self._chain.append((ego, 0.0, 0.0, 0.0))
        self._chain_s = 0.0

    def _drift_fault(self) -> str | None:
        """Whether the pose of the last second has moved as its speed says."""
        newest, drift_x, drift_y, way = self._chain[-1]
        while (newest.stamp - self._chain[0][0].stamp) * 1e-9 > WINDOW_S:
            self._chain.popleft()
        oldest, old_x, old_y, old_way = self._chain[0]
        drift = math.hypot(drift_x - old_x, drift_y - old_y)
        if drift <= MAX_DRIFT_M + MAX_DRIFT_SHARE * (way - old_way):
            return None
        seconds = (newest.stamp - oldest.stamp) * 1e-9
        return f"pose and speed of the odometry differ by {drift:.1f} m within {seconds:.2f} s"

    def _speed_by_place(self) -> float:
        """Mean speed by the change of place in the last second, m/s; 0 where too little is known."""
        oldest, newest = self._chain[0][0], self._newest
        seconds = (newest.stamp - oldest.stamp) * 1e-9
        return math.hypot(newest.x - oldest.x, newest.y - oldest.y) / seconds if seconds >= KNOWN_S else 0.0

    def _distance_fault(self, ego: EgoState) -> str:
        """Whether the car can be where ``ego`` says after all; empty when it can."""
        thought = self._estimate or self._trusted
        if thought is None:
            return ""
        x, y = ego.x - thought.x, ego.y - thought.y
        along = abs(x * math.cos(thought.yaw) + y * math.sin(thought.yaw))
        aside = abs(y * math.cos(thought.yaw) - x * math.sin(thought.yaw))
        if along <= RETURN_M + RETURN_SHARE * self._way and aside <= RETURN_M:
            return ""
        return f"odometry is {math.hypot(x, y):.1f} m away from where the car should be; activate the controller again to trust it"


def _step_fault(before: EgoState, ego: EgoState, elapsed_s: float) -> str | None:
    """Why ``ego`` cannot follow on ``before``; ``None`` when it can."""
    if not 0.0 < elapsed_s <= MAX_GAP_S:
        return f"the clock of the odometry jumps by {elapsed_s:.2f} s"
    turn = abs(wrap_angle(ego.yaw - before.yaw))
    if turn > MAX_YAW_RATE * elapsed_s:
        return f"odometry turns by {math.degrees(turn):.0f} degrees within {elapsed_s:.2f} s"
    change = abs(ego.speed - before.speed)
    if change > MAX_ACCELERATION * elapsed_s:
        return f"the odometry's speed changes by {change:.1f} m/s within {elapsed_s:.2f} s"
    return None
