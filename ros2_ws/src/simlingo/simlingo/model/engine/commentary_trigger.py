"""When the model puts its driving into words: text costs time, and most frames have nothing new to say."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np

from simlingo.contracts import Command, FloatArray


class CommentaryMode(Enum):
    """Which plans a commentary is asked for with."""

    NEVER = "never"
    EVERY_N = "every_n"
    ON_CHANGE = "on_change"
    ALWAYS = "always"


class Pace(Enum):
    """What a plan does about the speed."""

    STOP = "stop"
    BRAKE_HARD = "brake hard"
    SLOW_DOWN = "slow down"
    KEEP = "keep"
    SPEED_UP = "speed up"


class Way(Enum):
    """Where a plan's path leads."""

    LEFT = "left"
    AHEAD = "ahead"
    RIGHT = "right"


#: A plan stops below this speed, m/s (the controller's own bound, spec D.5).
_STOP_BELOW = 0.4
#: Differences between wanted and present speed, m/s.
_SLOWER_BY, _HARD_BY, _FASTER_BY = 1.0, 4.0, 1.0
#: A path turns when its end lies further to the side than this, rad.
_TURN_RAD = 0.26
#: A change of intent counts when so many plans in a row agree: single plans waver at the bounds.
STEADY_PLANS = 3
#: What a plan does about a hazard: told when it begins, and it is over when ``STEADY_PLANS`` in a row do something else.
_HAZARD = (Pace.STOP, Pace.BRAKE_HARD)


@dataclass(frozen=True)
class Intent:
    """What a plan means to do, in two words."""

    pace: Pace
    way: Way


def intent_of(path: FloatArray, speed_waypoints: FloatArray, speed: float) -> Intent:
    """The intent of a plan.

    Args:
        path: (20, 2) m, ego frame (y right).
        speed_waypoints: (10, 2) m, every 0.25 s.
        speed: m/s.
    """
    # Distance between the points at 0.25 s and 0.75 s, as the controller reads it (spec D.5).
    wanted = 2.0 * float(np.linalg.norm(speed_waypoints[2] - speed_waypoints[0]))
    if wanted < _STOP_BELOW:
        pace = Pace.STOP
    elif wanted < speed - _HARD_BY:
        pace = Pace.BRAKE_HARD
    elif wanted < speed - _SLOWER_BY:
        pace = Pace.SLOW_DOWN
    elif wanted > speed + _FASTER_BY:
        pace = Pace.SPEED_UP
    else:
        pace = Pace.KEEP
    aside = float(np.arctan2(path[-1, 1], path[-1, 0]))
    return Intent(pace, Way.RIGHT if aside > _TURN_RAD else Way.LEFT if aside < -_TURN_RAD else Way.AHEAD)


class CommentaryTrigger:
    """Decides plan by plan.

    Args:
        when: the rule.
        every: plans between two texts under ``every_n``.
    """

    def __init__(self, when: CommentaryMode, every: int = 20) -> None:
        self.when, self.every = when, every
        self.reset()

    def reset(self) -> None:
        """Forget the past: the next plan is new under every rule but ``never``."""
        self._count = 0
        self._told: tuple[Command, str] | None = None  # command and instruction
        self._told_intent: Intent | None = None
        self._candidate: Intent | None = None
        self._agreed = 0
        self._calm = STEADY_PLANS  # plans in a row without a hazard

    def due(self, intent: Intent | None, command: Command, instruction_id: str) -> bool:
        """Whether a text is due; to be asked for every plan once.

        On change means: the command or the instruction is another one, a hazard begins (stop or brake hard), or the
        intent has been another one for ``STEADY_PLANS`` plans in a row.

        Args:
            intent: of the newest plan; None: there has been none, since the first one waits for its text.
            command: the route's, now.
            instruction_id: of the instruction that is carried out; empty: none.
        """
        if self.when is CommentaryMode.NEVER:
            return False
        if self.when is CommentaryMode.ALWAYS:
            return True
        if self.when is CommentaryMode.EVERY_N:
            self._count += 1
            return self._count % self.every == 1 or self.every == 1
        changed = self._intent_changed(intent)
        if self._told == (command, instruction_id) and not changed:
            return False
        self._told, self._told_intent = (command, instruction_id), intent
        return True

    def _intent_changed(self, intent: Intent | None) -> bool:
        """Whether ``intent`` is news against what was told last."""
        if intent is None:
            return False
        self._agreed = self._agreed + 1 if intent == self._candidate else 1
        self._candidate = intent
        hazard = intent.pace in _HAZARD
        begins = hazard and self._calm >= STEADY_PLANS
        self._calm = 0 if hazard else self._calm + 1
        if self._told is not None and self._told_intent is None:
            self._told_intent = intent  # the text before the first plan spoke of the same frame
            return False
        return begins or (intent != self._told_intent and self._agreed >= STEADY_PLANS)
