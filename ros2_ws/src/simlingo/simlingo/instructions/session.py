"""One instruction from the moment it was taken to its end."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from simlingo.contracts import EgoState, Instruction
from simlingo.instructions.done import ABOUT_OBJECTS, LASTING, Criterion, Surroundings, criterion_of
from simlingo.instructions.parts import Parts
from simlingo.instructions.reasons import SAID
from simlingo.instructions.speeds import wished_speed_mps
from simlingo.instructions.states import State, Step, check
from simlingo.requests import Reason, RequestKind, Verdict

#: Something seen counts as passed when it is out of sight after so many metres of obeying; before, it was lost.
PASSED_AFTER_M = 5.0
_NS = 1_000_000_000


@dataclass(frozen=True)
class Limits:
    """How long things may take, s of simulation time while the stack drives."""

    verdict_s: float = 5.0  # from the words to the first plan that says what becomes of them
    words_s: float = 60.0  # from there to the end of what the driver was asked for
    turn_s: float = 300.0  # to the end of what the route was asked for: a turn may wait for lights
    refusal_s: float = 3.0  # plans that refuse what they obeyed before, one after another


class Turn(Enum):
    """How far the route has carried out what it was asked for."""

    NONE = "none"  # it was asked for nothing
    AHEAD = "ahead"
    DONE = "done"
    MISSED = "missed"


@dataclass(frozen=True)
class PlanNews:
    """What a plan says of the instruction that its driver was told."""

    stamp: int  # ns, of its image
    instruction_id: str
    refused: bool = False
    reason: Reason | None = None
    request: RequestKind | None = None  # what the driver understood; None: it does not say

    @property
    def verdict(self) -> Verdict:
        """What the driver makes of the words."""
        if not self.refused:
            return Verdict.FOLLOW
        return Verdict.UNSAFE if self.reason is None else self.reason.verdict


class Session:
    """Holds one instruction; whoever drives reports plans and the ego's states, and hears each step.

    An instruction with words waits for the verdict of a plan; one for the route alone is obeyed from the next state on.
    """

    def __init__(self, instruction: Instruction, parts: Parts, limits: Limits | None = None) -> None:
        self.instruction, self.parts = instruction, parts
        self.state: State | None = None
        self.request: RequestKind | None = None
        self._limits = limits or Limits()
        self._told_at: tuple[EgoState, Surroundings] | None = None
        self._criterion: Criterion | None = None
        self._words_done = not parts.words
        self._turn = Turn.NONE if parts.command is None else Turn.AHEAD
        self._used_s = 0.0  # simulation time in the present state, without what a person drove
        self._driven_m = 0.0  # while obeying
        self._last: EgoState | None = None
        self._refusing_since: int | None = None
        self._refusal: Reason | None = None
        self._by_hand = False

    @property
    def live(self) -> bool:
        """Whether more steps can come."""
        return self.state is not None and not self.state.final

    @property
    def words(self) -> str:
        """What the driver is to be told now; empty: nothing."""
        going = self.live or self.state is State.OBEYED
        return self.parts.words if going and (not self._words_done or self.request in LASTING) else ""

    def enter(self, state: State, stamp: int, reason: str = "") -> Step:
        """Go into ``state``.

        Raises:
            IllegalTransitionError: it cannot follow the present one.
        """
        check(self.state, state)
        self.state, self._used_s = state, 0.0
        return Step(self.instruction, state, reason, stamp)

    def accept(self, ego: EgoState, around: Surroundings, reason: str = "") -> Step:
        """The words have come at ``ego``."""
        self._told_at, self._last = (ego, around), ego
        return self.enter(State.ACCEPTED, ego.stamp, reason)

    def on_hand(self, active: bool) -> None:
        """A person drives, or gives the wheel back; meanwhile nothing counts as done, and no time runs out."""
        self._by_hand = active

    def on_turn(self, turn: Turn) -> None:
        """What the route says of its part; it acts with the next state of the ego."""
        if self._turn is Turn.AHEAD:
            self._turn = turn

    def on_plan(self, news: PlanNews) -> Step | None:
        """A plan whose driver was told these words."""
        if not (self.live and self.parts.words and news.instruction_id == self.instruction.id):
            return None
        if self.state is State.ACCEPTED:
            return self._first_verdict(news)
        return self._later_verdict(news)

    def on_ego(self, ego: EgoState, around: Surroundings) -> Step | None:
        """The ego's state; call it at every tick, after ``on_turn``."""
        last, self._last = self._last, ego
        if not self.live or last is None:
            return None
        if not self._by_hand:
            self._used_s += max(ego.stamp - last.stamp, 0) / _NS
            if self.state is State.OBEYING:
                self._driven_m += ego.speed * max(ego.stamp - last.stamp, 0) / _NS
        if self._turn is Turn.MISSED:
            return self.enter(State.EXPIRED, ego.stamp, "the turn was missed; the route goes on to the goal from here")
        if self.state is State.ACCEPTED and not self.parts.words:
            return self.enter(State.OBEYING, ego.stamp)
        if self.state is State.OBEYING and not self._by_hand:
            self._words_done = self._words_done or (self._criterion is not None and self._criterion.update(ego, around))
            if self._words_done and self._turn in (Turn.NONE, Turn.DONE):
                return self.enter(State.OBEYED, ego.stamp)
        return self._expiry(ego.stamp)

    def _first_verdict(self, news: PlanNews) -> Step:
        if news.verdict is Verdict.FOLLOW:
            self.request = news.request
            assert self._told_at is not None
            self._criterion = criterion_of(news.request, wished_speed_mps(self.parts.words), *self._told_at)
            return self.enter(State.OBEYING, news.stamp)
        return self.enter(_STATE_OF[news.verdict], news.stamp, _why(news.reason))

    def _later_verdict(self, news: PlanNews) -> Step | None:
        """Obeying, a plan refuses: for a moment, for good, or since what it was about has been passed."""
        if news.verdict is Verdict.FOLLOW or self._words_done or self._by_hand:
            self._refusing_since = None
            return None
        self._refusal = news.reason
        self._refusing_since = news.stamp if self._refusing_since is None else self._refusing_since
        if news.stamp - self._refusing_since < round(self._limits.refusal_s * _NS):
            return None
        gone = news.verdict is Verdict.IMPOSSIBLE and self.request in ABOUT_OBJECTS
        if gone and self._driven_m >= PASSED_AFTER_M:
            self._words_done = True
            return None  # the next state of the ego says so
        state = State.IMPOSSIBLE if news.verdict is Verdict.IMPOSSIBLE else State.REFUSED
        return self.enter(state, news.stamp, _why(news.reason))

    def _expiry(self, stamp: int) -> Step | None:
        limits = self._limits
        if self.state is State.ACCEPTED:
            limit, why = limits.verdict_s, f"no plan has said within {limits.verdict_s:g} s whether it is obeyed"
        elif not self._words_done:
            refusal = f": {_why(self._refusal)}" if self._refusing_since is not None else ""
            limit, why = limits.words_s, f"not done within {limits.words_s:g} s{refusal}"
        else:
            limit, why = limits.turn_s, f"the turn was not made within {limits.turn_s:g} s"
        return self.enter(State.EXPIRED, stamp, why) if self._used_s > limit else None


_STATE_OF = {
    Verdict.UNSAFE: State.REFUSED,
    Verdict.IMPOSSIBLE: State.IMPOSSIBLE,
    Verdict.NOT_UNDERSTOOD: State.NOT_UNDERSTOOD,
}


def _why(reason: Reason | None) -> str:
    return SAID[reason] if reason is not None else "the driver gives no reason"
