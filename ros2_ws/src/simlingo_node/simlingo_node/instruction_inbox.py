"""Instructions and plans on their way to the dispatcher, each given on at the tick that it belongs to."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from simlingo.contracts import EgoState, Instruction
from simlingo.instructions.dispatcher import Dispatcher
from simlingo.instructions.session import PlanNews
from simlingo.instructions.states import Step

#: What a plan says is heard so long after its image, ns: two ticks, so that in lockstep, where the plan of a tick has
#: come by the next, the same drive hears it at the same tick.
SETTLED_NS = 100_000_000
#: So many instructions are kept for their time; a sender of more is told nothing but the newest's fate.
MOST_KEPT = 256
#: So many are attended to at one tick, the newest; of a flood the rest is passed over, so that the route keeps its pace.
MOST_A_TICK = 8


class Inbox:
    """Keeps what comes until its time, in simulation time."""

    def __init__(self, dispatcher: Dispatcher, script: Iterable[tuple[float, str]] = ()) -> None:
        """``script``: seconds from the first state of the ego, and text, each."""
        self._dispatcher, self._script = dispatcher, list(script)
        self._waiting: list[Instruction] = []
        self._plans: deque[PlanNews] = deque(maxlen=MOST_KEPT)
        self._given = 0
        self._started = False
        self.passed_over = 0  # instructions of floods

    def restart(self) -> None:
        """A new drive: what waits is dropped, and the script begins with the next state of the ego."""
        self._waiting, self._started = [], False
        self._plans.clear()

    def hear(self, heard: Instruction) -> None:
        """An instruction holds from the first state that is not older than it; without an id it is given one."""
        self._given += 1
        self._waiting.append(Instruction(heard.id or f"instruction-{self._given}", heard.stamp, heard.text))
        self._waiting.sort(key=lambda waiting: waiting.stamp)
        self.passed_over += len(self._waiting) - len(self._waiting[-MOST_KEPT:])
        del self._waiting[:-MOST_KEPT]

    def hear_plan(self, news: PlanNews) -> None:
        """What a plan says of its instruction."""
        if news.instruction_id:
            self._plans.append(news)

    def steps(self, ego: EgoState) -> list[Step]:
        """What becomes of everything at ``ego``; call it after the route has been updated."""
        if not self._started:
            self._started = True
            for seconds, text in self._script:
                self.hear(Instruction("", ego.stamp + round(seconds * 1e9), text))
        found: list[Step] = []
        while self._plans and self._plans[0].stamp <= ego.stamp - SETTLED_NS:
            found += self._dispatcher.on_plan(self._plans.popleft(), ego)
        due = [waiting for waiting in self._waiting if waiting.stamp <= ego.stamp]
        del self._waiting[: len(due)]
        self.passed_over += len(due) - len(due[-MOST_A_TICK:])
        for heard in due[-MOST_A_TICK:]:
            found += self._dispatcher.hear(heard, ego)
        return [*found, *self._dispatcher.on_ego(ego)]
