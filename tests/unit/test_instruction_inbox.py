"""Instructions and plans are heard at the tick that they belong to."""

from __future__ import annotations

from simlingo.contracts import EgoState, Instruction
from simlingo.instructions.dispatcher import Dispatcher
from simlingo.instructions.session import PlanNews
from simlingo.instructions.states import State
from simlingo.navigation.guidance import Guidance
from simlingo.requests import Reason
from simlingo_node.instruction_inbox import MOST_A_TICK, MOST_KEPT, Inbox

TICK_NS = 50_000_000


def ego(tick: int) -> EgoState:
    return EgoState(tick * TICK_NS, 0.0, 0.0, 0.0, 5.0)


def told(inbox: Inbox, tick: int) -> list[tuple[str, State]]:
    return [(step.instruction.text, step.state) for step in inbox.steps(ego(tick))]


def test_a_script_counts_from_the_first_tick_and_begins_anew() -> None:
    inbox = Inbox(Dispatcher(Guidance()), [(0.1, "slow down")])
    assert [told(inbox, tick) for tick in (7, 8, 9)] == [[], [], [("slow down", State.ACCEPTED)]]
    inbox.restart()
    assert [told(inbox, tick) for tick in (20, 21, 22)] == [[], [], [("slow down", State.ACCEPTED)]]


def test_a_future_instruction_waits_and_those_due_come_in_the_order_of_their_stamps() -> None:
    inbox = Inbox(Dispatcher(Guidance()))
    inbox.hear(Instruction("b", 3 * TICK_NS, "later"))
    inbox.hear(Instruction("a", 0, "now"))
    assert told(inbox, 1) == [("now", State.ACCEPTED)]
    assert told(inbox, 2) == []
    assert told(inbox, 3) == [("later", State.ACCEPTED)]


def test_those_without_a_name_are_given_one_each() -> None:
    inbox = Inbox(Dispatcher(Guidance()))
    for _ in range(3):
        inbox.hear(Instruction("", 0, "slow down"))
    assert len({step.instruction.id for step in inbox.steps(ego(1))}) == 3


def test_a_plan_is_heard_two_ticks_after_its_image_whenever_it_came() -> None:
    inbox = Inbox(Dispatcher(Guidance()))
    inbox.hear(Instruction("a", 0, "sing"))
    assert told(inbox, 1) == [("sing", State.ACCEPTED)]
    inbox.hear_plan(PlanNews(1 * TICK_NS, "a", True, Reason.NOT_DRIVING))
    assert told(inbox, 2) == []
    assert told(inbox, 3) == [("sing", State.NOT_UNDERSTOOD)]


def test_what_is_kept_is_bounded_and_the_newest_stay() -> None:
    inbox = Inbox(Dispatcher(Guidance()))
    for number in range(MOST_KEPT + 50):
        inbox.hear(Instruction(str(number), (1 + number) * TICK_NS, "slow down"))
    first = next(step for tick in range(1, 400) for step in inbox.steps(ego(tick)))
    assert first.instruction.id == "50"


def test_of_a_flood_the_newest_of_a_tick_are_heard_and_the_others_counted() -> None:
    inbox = Inbox(Dispatcher(Guidance()))
    for number in range(50):
        inbox.hear(Instruction(str(number), TICK_NS, "slow down"))
    inbox.hear(Instruction("later", 2 * TICK_NS, "slow down"))
    accepted = [step.instruction.id for step in inbox.steps(ego(1)) if step.state is State.ACCEPTED]
    assert accepted == [str(number) for number in range(50 - MOST_A_TICK, 50)]
    assert inbox.passed_over == 50 - MOST_A_TICK
    assert "later" in [step.instruction.id for step in inbox.steps(ego(2))]
    for number in range(MOST_KEPT + 3):
        inbox.hear(Instruction(f"far {number}", 10 * TICK_NS, "slow down"))
    assert inbox.passed_over == 50 - MOST_A_TICK + 3
