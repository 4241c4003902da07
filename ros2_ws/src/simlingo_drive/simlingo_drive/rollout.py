"""The tick loop: observe, plan, control, apply. Whoever scores, records or shows hangs a hook on it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import carla

from simlingo_drive.driver import Driver
from simlingo_drive.session import Session


class Hook:
    """Looks on while somebody drives. Every method may be left as it is."""

    #: The drive ends after the tick in which this became true.
    finished: bool = False

    def observe(self, tick: int) -> None:
        """The state before tick ``tick`` (from 0) is there, and nobody has decided yet."""

    def decide(self, tick: int, control: carla.VehicleControl) -> None:
        """``control`` is what the driver wants at this state; it has not been applied yet."""

    def judge(self, tick: int) -> None:
        """The world has made tick ``tick``."""

    def close(self) -> None:
        """The drive is over, however it ended."""


def roll_out(session: Session, driver: Driver, hooks: Sequence[Hook], limit_ticks: int | None = None) -> int:
    """Drive until a hook is finished or for ``limit_ticks``; returns the number of ticks driven.

    Hooks are called in their order, and closed in the end.
    """
    tick = 0
    try:
        while limit_ticks is None or tick < limit_ticks:
            for hook in hooks:
                hook.observe(tick)
            control = driver.control(tick)
            for hook in hooks:
                hook.decide(tick, control)
            session.ego.apply_control(control)
            session.world.tick()
            for hook in hooks:
                hook.judge(tick)
            tick += 1
            if any(hook.finished for hook in hooks):
                break
    finally:
        for hook in hooks:
            hook.close()
    return tick


class Score(Hook):
    """Judges the drive; it ends where the route does."""

    def __init__(self, scorer: Any) -> None:
        """``scorer``: :class:`simlingo_drive.criteria.RouteScorer`, begun at this state."""
        self.scorer = scorer

    def judge(self, tick: int) -> None:
        """Judge the tick."""
        del tick
        self.scorer.tick()
        self.finished = self.scorer.status != "running"

    def close(self) -> None:
        """Take the criteria's sensors away."""
        self.scorer.close()
