"""The states of an instruction as a message, and in words."""

from __future__ import annotations

from simlingo_msgs.msg import InstructionStatus

from simlingo.instructions.states import State, Step
from simlingo_node.conversions import ns_to_stamp

STATUS_OF: dict[State, int] = {
    State.ACCEPTED: InstructionStatus.ACCEPTED,
    State.OBEYED: InstructionStatus.OBEYED,
    State.REFUSED: InstructionStatus.REFUSED,
    State.NOT_UNDERSTOOD: InstructionStatus.NOT_UNDERSTOOD,
    State.CLEARED: InstructionStatus.CLEARED,
    State.OBEYING: InstructionStatus.OBEYING,
    State.IMPOSSIBLE: InstructionStatus.IMPOSSIBLE,
    State.EXPIRED: InstructionStatus.EXPIRED,
    State.REPLACED: InstructionStatus.REPLACED,
}
STATE_OF: dict[int, State] = {number: state for state, number in STATUS_OF.items()}


def word_of(status: int) -> str:
    """The word for a message's status; one that is none of the message's own by its number."""
    return STATE_OF[status].value if status in STATE_OF else f"unknown status {status}"


def is_final(status: int) -> bool:
    """Whether no other status of the same instruction comes after this one."""
    return status not in STATE_OF or STATE_OF[status].final


def step_to_message(step: Step) -> InstructionStatus:
    """One step as a message."""
    stamp = ns_to_stamp(step.stamp)
    message = InstructionStatus(
        id=step.instruction.id,
        text=step.instruction.text,
        status=STATUS_OF[step.state],
        reason=step.reason,
        since=stamp,
    )
    message.header.stamp = stamp
    return message
