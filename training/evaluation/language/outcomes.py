"""What has become of the sentences of a drive, as plain data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from simlingo.instructions.states import State, Step

#: Ends in which the driver has said no.
DECLINED = frozenset({State.REFUSED, State.IMPOSSIBLE, State.NOT_UNDERSTOOD})


def outcomes(steps: Sequence[Step]) -> list[dict[str, Any]]:
    """Each sentence in the order in which it was said: its states and the last one's reason; withdrawals are left out."""
    found: dict[str, dict[str, Any]] = {}
    for step in steps:
        if not step.instruction.text.strip() and step.state is State.CLEARED:
            continue
        entry = found.setdefault(step.instruction.id, {"text": step.instruction.text, "states": [], "reason": ""})
        entry["states"].append(step.state.value)
        entry["reason"] = step.reason
    return list(found.values())


def declined(outcome: dict[str, Any]) -> bool:
    """Whether the driver said no before it ever obeyed."""
    states = [State(value) for value in outcome["states"]]
    return State.OBEYING not in states and any(state in DECLINED for state in states)
