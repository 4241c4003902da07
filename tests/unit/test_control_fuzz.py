"""The controller and the bridge's gate under inputs that no drive brings: whatever comes, what goes out is within its bounds.

A million updates: ``python -m pytest -m slow tests/unit/test_control_fuzz.py``. A seed that fails is kept in ``COUNTEREXAMPLES``.
"""

from __future__ import annotations

import math

import numpy as np
import pytest

from simlingo.contracts import TICK_NS, TICK_S, Control, DrivingPlan, EgoState, InvalidInputError
from simlingo.control.controller import COASTING, DRIVING, HOLDING, STOPPING, Controller
from simlingo.control.safety import GateLimits, max_steer
from simlingo_node.bridge.command_gate import MAX_STEER_RATE, CommandGate, VehicleCommand

#: Seeds that once broke a bound.
COUNTEREXAMPLES: tuple[int, ...] = ()
UPDATES = 250
#: Sessions of the daily run and of the long one.
DAILY, LONG = 40, 4000
FRESH_S = 0.25
LIMITS = GateLimits()
STRANGE = (math.nan, math.inf, -math.inf, 1e300, -1e300, 1e7, 1e-320, 0.0, -0.0)


class World:
    """A car that drives somehow, and is told wrongly of now and then."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng
        self.stamp = int(rng.integers(0, 10**12))
        self.x, self.y, self.yaw = rng.normal(0.0, 100.0, 3)
        self.fastest = float(rng.choice([3.0, 12.0, 40.0]))
        self.speed = float(rng.uniform(0.0, self.fastest))
        self.bad = float(rng.choice([0.0, 0.02, 0.2]))  # chance of each wrong thing

    def happens(self) -> bool:
        return bool(self.rng.random() < self.bad)

    def ego(self) -> EgoState:
        """The next state, usually a tick later."""
        rng = self.rng
        ticks = int(rng.choice([1, 1, 1, 1, 2, 7])) if self.bad else 1
        self.stamp += ticks * TICK_NS
        self.speed = min(max(self.speed + rng.normal(0.0, 0.3), 0.0), self.fastest)
        self.yaw += rng.normal(0.0, 0.03)
        self.x += self.speed * ticks * TICK_S * math.cos(self.yaw)
        self.y += self.speed * ticks * TICK_S * math.sin(self.yaw)
        values = {"x": self.x, "y": self.y, "yaw": self.yaw, "speed": self.speed}
        stamp = self.stamp
        if self.happens():
            values[str(rng.choice(list(values)))] = float(rng.choice(STRANGE))
        if self.happens():
            values["x"] += rng.normal(0.0, 20.0)
        if self.happens():
            values["speed"] *= float(rng.choice([0.0, 0.5, 3.0, -1.0]))
        if self.happens():
            stamp = max(stamp + int(rng.choice([-1, 1])) * int(rng.choice([1, TICK_NS, 10**9, 10**12])), 0)
        if self.happens():
            self.stamp = max(self.stamp + int(rng.choice([-1, 1])) * 10**11, 0)  # the clock itself
        return EgoState(stamp, **values)

    def plan(self, now: int) -> DrivingPlan:
        """Somewhere ahead, of some stamp before now."""
        rng = self.rng
        turn, speed = rng.normal(0.0, rng.choice([0.05, 0.4])), float(rng.uniform(0.0, 20.0))
        steps = np.arange(1.0, 21.0)
        path = np.stack((steps * np.cos(turn * steps / 4), steps * np.sin(turn * steps / 4)), axis=1)
        waypoints = np.stack((0.25 * speed * steps[:10], np.zeros(10)), axis=1)
        path += rng.normal(0.0, 0.1, path.shape)
        for points in (path, waypoints):
            if self.happens():
                points[rng.integers(0, len(points)), rng.integers(0, 2)] = rng.choice(STRANGE)
            if self.happens():
                points[:] = np.nan_to_num(points * rng.choice([-1.0, 5.0, 100.0]))
            if self.happens():
                points[:] = 0.0
        return DrivingPlan(max(now - int(rng.choice([0, 0, 0, 1, 4, 9, 30])) * TICK_NS, 0), path, waypoints)


def check(control: Control, before: Control, ego: EgoState, controller: Controller) -> None:
    """The bounds of every command."""
    values = (control.steer, control.throttle, control.brake)
    assert all(map(math.isfinite, values)), "finite"
    assert abs(control.steer) <= 1.0, "steering's range"
    assert 0.0 <= control.throttle <= 1.0, "throttle's range"
    assert 0.0 <= control.brake <= 1.0, "brake's range"
    assert not (control.throttle > 0.0 and control.brake > 0.0), "one pedal"
    assert controller.mode in (DRIVING, COASTING, STOPPING, HOLDING)
    if controller.mode != DRIVING:
        assert control.throttle == 0.0, "throttle while driving alone"
        assert controller.detail != "", "a reason"
    else:
        assert controller.plan_stamp is not None
        assert 0.0 <= (ego.stamp - controller.plan_stamp) * 1e-9 <= FRESH_S, "throttle on a fresh plan alone"
    bound = max_steer(ego.speed, LIMITS.lateral_acceleration) if math.isfinite(ego.speed) else 1.0
    if controller.mode in (DRIVING, COASTING):
        assert abs(control.steer) <= bound + 1e-9, "lateral acceleration"
    if abs(control.steer) < abs(before.steer) and control.steer * before.steer >= 0.0:
        return  # back towards straight on, as the bound on lateral acceleration may ask for at once
    assert abs(control.steer - before.steer) <= LIMITS.steer_rate * 2 * TICK_S + 1e-9, "steering's rate"


def session(seed: int) -> int:
    """Number of commands; raises at the first that breaks a bound."""
    rng = np.random.default_rng(seed)
    world, controller = World(rng), Controller()
    plan: DrivingPlan | None = None
    before = Control(0, 0.0, 0.0, 0.0)
    count = 0
    for number in range(UPDATES):
        ego = world.ego()
        if rng.random() < 0.6:
            plan = world.plan(ego.stamp)
        if rng.random() < 0.01:
            controller.reset()
            plan, before = None, Control(0, 0.0, 0.0, 0.0)
        try:
            control = controller.update(ego, plan if rng.random() < 0.95 else None)
        except InvalidInputError:
            continue
        try:
            check(control, before, ego, controller)
        except AssertionError as error:
            raise AssertionError(f"seed {seed}, update {number}: {error}; {before} then {control} at {ego}") from error
        before, count = control, count + 1
    return count


def test_whatever_comes_commands_keep_their_bounds() -> None:
    assert sum(session(seed) for seed in (*COUNTEREXAMPLES, *range(DAILY))) > 0.9 * DAILY * UPDATES


@pytest.mark.slow
def test_a_million_updates_keep_their_bounds() -> None:
    assert sum(session(seed) for seed in range(10_000, 10_000 + LONG)) > 0.9 * LONG * UPDATES


def wild(rng: np.random.Generator) -> VehicleCommand:
    def value(low: float) -> float:
        return float(rng.choice(STRANGE)) if rng.random() < 0.05 else float(rng.uniform(low, 1.0))

    return VehicleCommand(value(-1.0), value(0.0), value(0.0), bool(rng.random() < 0.1), bool(rng.random() < 0.1))


@pytest.mark.parametrize("lockstep", [True, False])
def test_whoever_commands_the_vehicle_gets_what_an_actuator_can_do(lockstep: bool) -> None:
    rng = np.random.default_rng(5)
    gate, now, before = CommandGate(lockstep), 0, (0.0, -TICK_NS)
    for _ in range(5000):
        now += TICK_NS
        for _ in range(rng.integers(0, 3)):
            gate.offer(max(now + int(rng.choice([0, 0, 0, -TICK_NS, TICK_NS, -(10**9), 10**12])), 0), wild(rng), now)
        if rng.random() < 0.2:
            gate.offer_manual(wild(rng), now)
        if rng.random() < 0.02:
            gate.override = not gate.override
        gate.doubted, gate.forward_mps = bool(rng.random() < 0.05), float(rng.uniform(-5.0, 30.0))
        if rng.random() < 0.05:
            gate.brake_for(now)
        command, _ = gate.control(now)
        assert command.problem() is None
        assert not (command.throttle > 0.0 and command.brake > 0.0)
        assert not (command.reverse and gate.forward_mps > 1.0)
        elapsed_s = (now - before[1]) * 1e-9
        assert abs(command.steer - before[0]) <= MAX_STEER_RATE * min(elapsed_s, 2 * TICK_S) + 1e-9
        before = command.steer, now
