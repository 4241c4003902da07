"""From the newest plan to one control per 20 Hz tick, whatever the plan's age."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

import numpy as np

from simlingo.contracts import TICK_NS, TICK_S, Control, DrivingPlan, EgoState, FloatArray
from simlingo.control.lateral import LateralController
from simlingo.control.longitudinal import LongitudinalController, shift_in_time
from simlingo.control.odometry_monitor import OdometryMonitor
from simlingo.control.pose_history import PoseHistory
from simlingo.control.safety import GateLimits, bound_steer, plan_fault
from simlingo.geometry import ego_to_map, map_to_ego, project_onto_polyline

#: Poses kept: twice the oldest plan that may still drive.
HISTORY_NS = 1_000_000_000

#: Modes of the controller, as published in its state.
DRIVING = "driving"  # on a fresh plan
COASTING = "coasting"  # on the last plan, which is no longer fresh
STOPPING = "stopping"  # without a usable plan: braking smoothly
HOLDING = "holding"  # without a usable plan: standing


@dataclass(frozen=True)
class ControllerSettings:
    """How long a plan drives the car, and how the car stops without one."""

    fresh_s: float = 0.25  # a younger plan is fresh (published systems plan at 4 Hz and faster)
    coast_s: float = 0.5  # an older plan no longer drives
    stop_brake: float = 0.4  # [0, 1], about 3 m/s^2 of a family car's 8
    stop_brake_rate: float = 0.8  # 1/s, from none to ``stop_brake`` in half a second
    stop_deceleration: float = 2.5  # m/s^2, what the car is taken to slow down by where odometry cannot tell
    hold_brake: float = 0.6  # [0, 1]
    standing_speed: float = 0.1  # m/s, slower is standing
    limits: GateLimits = field(default_factory=GateLimits)


class Controller:
    """Carries the newest plan to the current pose and follows it; brakes to a stop when there is none.

    Call ``update`` once for each odometry message, 20 times a second. ``mode`` and ``detail`` say what
    it does and why; ``refused_plans`` counts plans that cannot be true.
    """

    def __init__(self, settings: ControllerSettings | None = None) -> None:
        self._settings = settings or ControllerSettings()
        self._odometry = OdometryMonitor(self._settings.limits)
        self._longitudinal = LongitudinalController()
        self._lateral = LateralController()
        self._history = PoseHistory(HISTORY_NS)
        self.reset()

    def reset(self) -> None:
        """Forget plans, poses and past errors; hold."""
        self._longitudinal.reset()
        self._lateral.reset()
        self._history.clear()
        self._odometry.clear()
        self._plan: DrivingPlan | None = None
        self._plan_pose: EgoState | None = None
        self._last_refused: int | None = None
        self._last = Control(stamp=0, steer=0.0, throttle=0.0, brake=self._settings.hold_brake)
        self._mode = HOLDING
        self._detail = "no plan yet"
        self._refusal = ""  # of the newest plan, where it was refused
        self.refused_plans = 0

    @property
    def mode(self) -> str:
        """``driving``, ``coasting``, ``stopping`` or ``holding``."""
        return self._mode

    @property
    def detail(self) -> str:
        """Why the mode is not ``driving``; empty when it is."""
        return self._detail

    @property
    def plan_stamp(self) -> int | None:
        """Stamp (ns) of the plan in use."""
        return self._plan.stamp if self._plan else None

    def update(self, ego: EgoState, plan: DrivingPlan | None) -> Control:
        """Control that answers ``ego``; ``plan`` is the newest known plan (the same one may come again).

        Plans older than the one in use are ignored; so is one stamped later than ``ego`` until then.

        Odometry that cannot be true stops the car, until it has been good for a second.

        Raises:
            InvalidInputError: ``ego`` is not newer than the one before; nothing has changed.
        """
        fault = self._odometry.check(ego)
        if fault is not None:
            return self._stop_blind(ego.stamp, fault)
        newest = self._history.newest
        if newest is not None and not 0 < ego.stamp - newest.stamp <= HISTORY_NS:  # trusted again, by another clock
            self._history.clear()
            self._plan, self._last_refused, self._refusal = None, None, ""
        self._history.add(ego)
        self._take(plan, ego)
        age_s = math.inf if self._plan is None else (ego.stamp - self._plan.stamp) * 1e-9
        if self._plan is None:
            return self._stop(ego.stamp, ego.speed, 0.0, self._refusal or "no plan yet")
        path = self._carry(self._plan, ego)
        if age_s > self._settings.coast_s or path is None:
            reason = self._age(age_s) if path is not None else "the last plan's path is used up"
            return self._stop(ego.stamp, ego.speed, self._steer(path, ego), reason)
        throttle, brake = self._longitudinal.step(shift_in_time(self._plan.speed_waypoints, age_s), ego.speed)
        fresh = age_s <= self._settings.fresh_s
        self._mode = DRIVING if fresh else COASTING
        self._detail = "" if fresh else self._age(age_s)
        self._last = Control(ego.stamp, self._steer(path, ego), throttle if fresh else 0.0, brake)
        return self._last

    def _take(self, plan: DrivingPlan | None, ego: EgoState) -> None:
        """Make ``plan`` the one in use when it is newer, from the known past, and possible."""
        if plan is None or plan.stamp > ego.stamp or plan.stamp == self._last_refused:
            return
        if self._plan is not None and plan.stamp <= self._plan.stamp:
            return
        fault = plan_fault(plan, self._settings.limits)
        pose = self._history.at(plan.stamp)
        if fault is None and pose is not None:
            self._plan, self._plan_pose, self._refusal = plan, pose, ""
            return
        fault = fault or "it is older than the odometry known here"
        self._last_refused = plan.stamp
        self.refused_plans += 1
        self._refusal = f"plan of {plan.stamp} ns refused: {fault}"

    def _age(self, age_s: float) -> str:
        """Why the plan in use is no longer fresh, as far as is known."""
        return f"the last plan is {age_s:.2f} s old" + (f"; {self._refusal}" if self._refusal else "")

    def _carry(self, plan: DrivingPlan, ego: EgoState) -> FloatArray | None:
        """The part of ``plan``'s path that lies ahead, in the frame of ``ego``; ``None`` when used up."""
        if plan.stamp == ego.stamp or self._plan_pose is None:
            return plan.path
        path = map_to_ego(ego_to_map(plan.path, self._plan_pose), ego)
        segment, _, _ = project_onto_polyline(path, np.zeros(2))
        ahead = path[segment + 1 :]
        return ahead if len(ahead) > 1 else None

    def _steer(self, path: FloatArray | None, ego: EgoState) -> float:
        """Steering along ``path`` within the gate's bounds; without a path the last steering."""
        elapsed_s = (ego.stamp - self._last.stamp) * 1e-9 if self._last.stamp else TICK_S
        wanted = self._last.steer if path is None else self._lateral.step(path, ego.speed)
        elapsed_s = min(max(elapsed_s, 0.0), 2 * TICK_S)
        return bound_steer(wanted, self._last.steer, ego.speed, elapsed_s, self._settings.limits)

    def _stop_blind(self, stamp: int, reason: str) -> Control:
        """Stop along the last plan by dead reckoning; without one, or a place, straight on as before."""
        settings = self._settings
        ego = self._odometry.dead_reckoned(self._last.steer, settings.stop_deceleration)
        if ego is None:  # the car may be moving
            return self._stop(stamp, settings.standing_speed, self._last.steer, reason)
        path = None if self._plan is None else self._carry(self._plan, ego)
        self._last = replace(self._last, stamp=ego.stamp - TICK_NS)  # the message's stamp may be wrong, too
        return self._stop(stamp, ego.speed, self._steer(path, ego), reason)

    def _stop(self, stamp: int, speed: float, steer: float, reason: str) -> Control:
        """Brake smoothly to a stop, then hold."""
        settings = self._settings
        self._longitudinal.reset()
        if speed < settings.standing_speed:
            self._mode, brake = HOLDING, settings.hold_brake
        else:
            self._mode = STOPPING
            brake = min(settings.stop_brake, self._last.brake + settings.stop_brake_rate * TICK_S)
        self._detail = reason
        self._last = Control(stamp, steer, 0.0, brake)
        return self._last
