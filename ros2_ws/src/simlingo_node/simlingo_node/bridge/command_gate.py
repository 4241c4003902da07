"""Which command reaches the vehicle at a tick: the stack's, a person's, or the last brake."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from simlingo.contracts import TICK_NS, TICK_S
from simlingo.control.safety import GateLimits

#: A lockstep command answers a tick when its stamp is this near to the simulation time, ns (CARLA leaderboard).
STAMP_TOLERANCE_NS = 1_000_000

#: Steering moves no faster than this, whoever asks, 1/s: a tenth more than the controller allows itself, whose commands pass
#: unchanged. After silence it may move as in two ticks at most.
MAX_STEER_RATE = 1.1 * GateLimits().steer_rate
MAX_ELAPSED_S = 2 * TICK_S

#: Faster ahead than this the reverse gear brakes instead, m/s.
MAX_SHIFT_MPS = 1.0

#: Who drives.
STACK, PERSON, LAST_BRAKE = "driving", "manual", "braking"


@dataclass(frozen=True)
class VehicleCommand:
    """Actuation; steer [-1, 1] right positive, throttle and brake [0, 1]."""

    steer: float = 0.0
    throttle: float = 0.0
    brake: float = 0.0
    hand_brake: bool = False
    reverse: bool = False

    @property
    def only_brakes(self) -> bool:
        """True when it slows the vehicle down and does nothing else to its speed."""
        return self.throttle == 0.0 and self.brake > 0.0

    def bounded(self, before: float, elapsed_s: float) -> VehicleCommand:
        """The command that a vehicle may get ``elapsed_s`` after one that steered ``before``; never throttle and brake at once."""
        change = MAX_STEER_RATE * min(max(elapsed_s, 0.0), MAX_ELAPSED_S)
        steer = min(max(self.steer, before - change), before + change)
        return replace(self, steer=steer, throttle=0.0 if self.brake > 0.0 else self.throttle)

    def problem(self) -> str | None:
        """Why this must not reach a vehicle; ``None`` when it may."""
        for name, value, low in (
            ("steer", self.steer, -1.0),
            ("throttle", self.throttle, 0.0),
            ("brake", self.brake, 0.0),
        ):
            if not (math.isfinite(value) and low <= value <= 1.0):
                return f"{name} is {value}, outside [{low:g}, 1]"
        return None


class CommandGate:
    """One command a tick. Times: simulation time in ns."""

    def __init__(self, lockstep: bool) -> None:
        self.lockstep = lockstep
        self.timeout_s = 0.5  # without a command for so long the gate brakes
        self.brake = 0.6  # [0, 1] of the last brake
        self.override = False  # a person drives
        self.doubted = False  # the stack's commands may be a stranger's
        self.forward_mps = 0.0  # speed of the vehicle along its heading
        self._command: VehicleCommand | None = None
        self._stamp = -1
        self._manual: VehicleCommand | None = None
        self._manual_at = -1
        self._closed = False
        self._applied: tuple[float, int] | None = None  # steering of the last tick, and its time

    def reset(self) -> None:
        """Forget all commands; brake until the next one."""
        self._command = self._manual = None
        self._stamp = self._manual_at = -1
        self._closed = False
        self._applied = None

    def close(self) -> None:
        """Take no command any more and brake, until ``reset``."""
        self._closed = True

    def offer(self, stamp: int, command: VehicleCommand, now: int) -> str | None:
        """Take the stack's command that answers the tick of ``stamp``; a second one for it may only brake.

        Returns:
            ``None`` when taken, else why it was dropped.
        """
        problem = command.problem()
        if problem is not None:
            return f"command refused: {problem}"
        if self._closed:
            return "a command after the end is dropped"
        age = now - stamp
        if age < -STAMP_TOLERANCE_NS:
            return f"command refused: it is stamped {-age * 1e-9:.3f} s ahead of the world; give it the stamp of its odometry"
        if age > self.timeout_s * 1e9:
            return f"command refused: it is stamped {age * 1e-9:.3f} s ago; give it the stamp of its odometry"
        if stamp < self._stamp or (stamp == self._stamp and not command.only_brakes):
            return "a second command for the same tick, or an older one, is dropped"
        if self.lockstep and age > STAMP_TOLERANCE_NS:
            return "a command that answers an older tick is dropped"
        self._command, self._stamp = command, stamp
        return None

    def brake_for(self, now: int) -> None:
        """No usable command answers the tick of ``now``: it is braked, steering as at the last one."""
        steer = self._applied[0] if self._applied is not None else 0.0
        self._command, self._stamp = VehicleCommand(steer=steer, brake=self.brake), now

    def offer_manual(self, command: VehicleCommand, now: int) -> str | None:
        """Take a person's command; it counts while ``override`` is on. ``None`` or why it was dropped."""
        problem = command.problem()
        if problem is not None:
            return f"manual command refused: {problem}"
        if self._closed:
            return "manual command refused: the drive is over"
        self._manual, self._manual_at = command, now
        return None

    def answered(self, now: int) -> bool:
        """True when the stack has answered the tick of ``now``."""
        return self._stamp >= now - STAMP_TOLERANCE_NS

    def control(self, now: int) -> tuple[VehicleCommand, str]:
        """What the vehicle gets for the tick that begins at ``now``, and who drives; within the bounds of every command."""
        command, who = self._chosen(now)
        if command.reverse and self.forward_mps > MAX_SHIFT_MPS:
            command = VehicleCommand(steer=command.steer, brake=max(self.brake, command.brake))
        before, at = self._applied or (0.0, now - TICK_NS)
        bounded = command.bounded(before, (now - at) * 1e-9)
        self._applied = bounded.steer, now
        return bounded, who

    def _chosen(self, now: int) -> tuple[VehicleCommand, str]:
        command, since = (self._manual, self._manual_at) if self.override else (self._command, self._stamp)
        doubted = self.doubted and not self.override
        if command is not None and not self._closed and not doubted and now - since <= self.timeout_s * 1e9:
            return command, PERSON if self.override else STACK
        steer = command.steer if command is not None else 0.0
        return VehicleCommand(steer=steer, brake=self.brake), LAST_BRAKE
