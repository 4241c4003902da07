"""A person at the wheel through the live page, with a dead man's switch."""

from __future__ import annotations

import math
from dataclasses import dataclass

#: Without a word from the page for this long (s, steady clock) the car is braked.
DEAD_MAN_S = 0.5


@dataclass(frozen=True)
class ManualCommand:
    """Actuation by a person."""

    steer: float  # [-1, 1], right positive
    throttle: float  # [0, 1]
    brake: float  # [0, 1]
    reverse: bool = False


HOLD = ManualCommand(steer=0.0, throttle=0.0, brake=1.0)


def checked_command(steer: object, throttle: object, brake: object, reverse: object = False) -> ManualCommand:
    """A command from untrusted numbers, limited to the ranges of actuation.

    Raises:
        ValueError: something is no finite number.
    """
    numbers = []
    for name, value in (("steer", steer), ("throttle", throttle), ("brake", brake)):
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise ValueError(f"{name} must be a finite number, not {value!r}")
        numbers.append(float(value))
    return ManualCommand(
        steer=min(max(numbers[0], -1.0), 1.0),
        throttle=min(max(numbers[1], 0.0), 1.0),
        brake=min(max(numbers[2], 0.0), 1.0),
        reverse=reverse is True,
    )


class TakeOver:
    """Who drives, and what the person commands. Times are seconds of the steady clock."""

    def __init__(self) -> None:
        self.active = False
        self._command = HOLD
        self._heard = -math.inf

    def engage(self) -> None:
        """The person takes the wheel; the car brakes until the first command."""
        self.active = True
        self._command, self._heard = HOLD, -math.inf

    def release(self) -> None:
        """The stack drives again."""
        self.active = False

    def command(self, command: ManualCommand, now: float) -> None:
        """The person's newest command; ignored while the stack drives."""
        if self.active:
            self._command, self._heard = command, now

    def alone(self, now: float) -> bool:
        """Whether the page has fallen silent while a person should be driving."""
        return self.active and now - self._heard > DEAD_MAN_S

    def output(self, now: float) -> ManualCommand | None:
        """What to send to the vehicle: ``None`` while the stack drives, full brake after silence."""
        if not self.active:
            return None
        return HOLD if self.alone(now) else self._command
