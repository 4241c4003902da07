"""The states of an instruction, and which may follow which."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from simlingo.contracts import Instruction, SimlingoError


class State(Enum):
    """Where an instruction is in its life; the words are those of the status message."""

    ACCEPTED = "accepted"  # taken; the driver's next plans say what becomes of it
    OBEYING = "obeying"  # plans follow it
    OBEYED = "obeyed"
    REFUSED = "refused"  # could be done, and must not
    IMPOSSIBLE = "impossible"  # cannot be done here
    EXPIRED = "expired"  # not done in its time, or its chance has passed
    REPLACED = "replaced"  # a newer one took its place
    CLEARED = "cleared"  # withdrawn
    NOT_UNDERSTOOD = "not understood"

    @property
    def final(self) -> bool:
        """Whether nothing comes after it."""
        return not TRANSITIONS[self]


_STOPPED = {State.EXPIRED, State.REPLACED, State.CLEARED, State.REFUSED, State.IMPOSSIBLE}
#: What may follow; None is the text that has just come. A state that is not a key of its own has no follower.
TRANSITIONS: dict[State | None, frozenset[State]] = {
    **dict.fromkeys(State, frozenset()),
    None: frozenset({State.ACCEPTED, State.IMPOSSIBLE, State.NOT_UNDERSTOOD, State.CLEARED}),
    State.ACCEPTED: frozenset({State.OBEYING, State.NOT_UNDERSTOOD, *_STOPPED}),
    State.OBEYING: frozenset({State.OBEYED, *_STOPPED}),
}


class IllegalTransitionError(SimlingoError):
    """A fault of the caller's: the instruction cannot go from its state into that one."""


@dataclass(frozen=True)
class Step:
    """One change in an instruction's life."""

    instruction: Instruction
    state: State
    reason: str  # for people; may be empty with ACCEPTED, OBEYING, OBEYED and CLEARED
    stamp: int  # ns, simulation time


def check(before: State | None, after: State) -> None:
    """Whether ``after`` may follow ``before``.

    Raises:
        IllegalTransitionError: it may not.
    """
    if after not in TRANSITIONS[before]:
        name = before.value if before is not None else "new"
        raise IllegalTransitionError(f"an instruction that is {name} cannot become {after.value}")
