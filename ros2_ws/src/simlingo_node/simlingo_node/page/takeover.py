"""A person at the wheel through the live page, with a dead man's switch."""

from __future__ import annotations

import contextlib
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
        number = math.nan
        if isinstance(value, int | float) and not isinstance(value, bool):
            with contextlib.suppress(OverflowError):  # a whole number of hundreds of digits
                number = float(value)
        if not math.isfinite(number):
            raise ValueError(f"{name} must be a finite number, not {_shown(value)}")
        numbers.append(number)
    return ManualCommand(
        steer=min(max(numbers[0], -1.0), 1.0),
        throttle=min(max(numbers[1], 0.0), 1.0),
        brake=min(max(numbers[2], 0.0), 1.0),
        reverse=reverse is True,
    )


def _shown(value: object) -> str:
    return "one of hundreds of digits" if isinstance(value, int) and abs(value) > 10**300 else repr(value)[:40]


class TakeOver:
    """Who drives, and what the person commands. Browsers go by number; times are seconds of the steady clock.

    The browser that has taken the wheel keeps it while it speaks; once it has fallen silent another may take it, or give it back.
    """

    def __init__(self) -> None:
        self.owner: int | None = None  # the browser at the wheel; None: the stack drives
        self._command = HOLD
        self._heard = -math.inf

    @property
    def active(self) -> bool:
        """Whether a person drives."""
        return self.owner is not None

    def engage(self, browser: int, now: float) -> None:
        """The person at ``browser`` takes the wheel; the car brakes until the first command.

        Raises:
            ValueError: somebody else drives.
        """
        self._check(browser, now)
        if self.owner != browser:
            self.owner, self._command, self._heard = browser, HOLD, -math.inf

    def release(self, browser: int, now: float) -> None:
        """The stack drives again.

        Raises:
            ValueError: somebody else drives.
        """
        self._check(browser, now)
        self.owner = None

    def command(self, browser: int, command: ManualCommand, now: float) -> None:
        """The person's newest command; ignored unless it comes from the wheel."""
        if self.owner == browser:
            self._command, self._heard = command, now

    def alone(self, now: float) -> bool:
        """Whether the page has fallen silent while a person should be driving."""
        return self.active and now - self._heard > DEAD_MAN_S

    def output(self, now: float) -> ManualCommand | None:
        """What to send to the vehicle: ``None`` while the stack drives, full brake after silence."""
        if not self.active:
            return None
        return HOLD if self.alone(now) else self._command

    def _check(self, browser: int, now: float) -> None:
        if self.owner not in (None, browser) and not self.alone(now):
            raise ValueError("another browser drives; the wheel is free once it gives back or falls silent")
