"""Takes sentences as they come: gives each part to the route or to the driver, and keeps what lives in order.

The route holds at most one turn that was asked for, and the driver at most one request that it obeys. A newer one takes
the place of an older of the same kind, and only once it is known to be obeyed: words that mean nothing end nothing.
"""

from __future__ import annotations

from typing import Protocol

from simlingo.contracts import Command, EgoState, Instruction, InvalidInputError
from simlingo.instructions.done import LANE_CHANGES, TURNS, Surroundings
from simlingo.instructions.parts import split
from simlingo.instructions.session import Limits, PlanNews, Session, Turn
from simlingo.instructions.states import State, Step
from simlingo.model.user_text import guarded

#: So many requests wait for a verdict at most; a newer one takes the place of the oldest.
MOST_WAITING = 8


class RouteFollower(Protocol):
    """The route as far as instructions need it; see ``simlingo.navigation.guidance.Guidance``."""

    @property
    def turn(self) -> Turn:
        """How far the turn has come that was asked for."""

    def surroundings(self, ego: EgoState) -> Surroundings:
        """What map and route know of the ego's place."""

    def check(self, command: Command, at_next_junction: bool, ego: EgoState) -> str:
        """Why the route cannot be changed so; empty: it can."""

    def change(self, command: Command, at_next_junction: bool, ego: EgoState) -> str:
        """Change the mission so, in place of any change before; empty, or why not, and then nothing has changed."""

    def restore(self, ego: EgoState) -> str:
        """Lead to the mission's goal as if nothing had been asked for; empty, or why that cannot be."""

    def rejoin(self, ego: EgoState) -> str:
        """Lead to the mission's goal from the lane that the ego is on; empty, or why that cannot be."""


class Dispatcher:
    """All instructions of one drive."""

    def __init__(self, route: RouteFollower, limits: Limits | None = None) -> None:
        self._route, self._limits = route, limits
        self._turning: Session | None = None  # whose turn the route makes
        self._driving: list[Session] = []  # the driver's: the obeyed one, then those that wait for a verdict
        self._by_hand = self._paused = False

    @property
    def told(self) -> Instruction | None:
        """What the driver is told now; its text is empty where the route alone carries the instruction out."""
        for session in reversed(self._driving):
            if session.words:
                return Instruction(session.instruction.id, session.instruction.stamp, session.words)
        if self._turning is not None:
            return Instruction(self._turning.instruction.id, self._turning.instruction.stamp, "")
        return None

    def hear(self, instruction: Instruction, ego: EgoState) -> list[Step]:
        """A sentence that holds from now on; an empty one withdraws all."""
        if not instruction.text.strip():
            return self._clear(instruction, ego)
        try:
            guarded(instruction.text, "instruction")
        except InvalidInputError as error:
            return [Step(instruction, State.NOT_UNDERSTOOD, str(error), ego.stamp)]
        session = Session(instruction, split(instruction.text), self._limits)
        session.on_hand(self._by_hand)
        parts = session.parts
        if parts.command is not None:
            attempt = self._route.check if parts.words else self._route.change
            if reason := attempt(parts.command, parts.at_next_junction, ego):
                return [session.enter(State.IMPOSSIBLE, ego.stamp, reason)]
        steps = [session.accept(ego, self._route.surroundings(ego), self._waits_for())]
        if parts.words:
            replaced = self._make_room(ego)
            self._driving.append(session)
        else:
            replaced = self._replace(self._turning, ego.stamp)
            self._driving = [each for each in self._driving if each.words]
            self._turning = session
        return [*replaced, *steps]

    def on_plan(self, news: PlanNews, ego: EgoState) -> list[Step]:
        """A plan, and the ego's newest state."""
        steps: list[Step] = []
        for session in list(self._driving):
            step = session.on_plan(news)
            if step is None:
                continue
            if step.state is State.OBEYING:
                steps += self._promote(session, step, ego)
                continue
            steps.append(step)
            if not session.words:
                self._drop(session, ego)
        return steps

    def on_ego(self, ego: EgoState) -> list[Step]:
        """The ego's state, after the route has been updated with it; call it at every tick."""
        steps: list[Step] = []
        missed = self._turning is not None and self._route.turn is Turn.MISSED
        around = self._route.surroundings(ego) if self._turning or self._driving else None
        for session in self._sessions():
            assert around is not None
            if session is self._turning:
                session.on_turn(self._route.turn)
            step = session.on_ego(ego, around)
            if step is not None:
                steps.append(step)
            if not session.live:
                self._drop(session, ego, restore=not missed)
        if missed:
            self._route.rejoin(ego)
        return steps

    def take_over(self, active: bool) -> None:
        """A person drives, or gives the wheel back."""
        self._by_hand = active
        for session in self._sessions():
            session.on_hand(active)

    def pause(self, active: bool) -> None:
        """The world stands still, or goes on; simulation time does not pass meanwhile."""
        self._paused = active

    def forget(self, stamp: int, reason: str) -> list[Step]:
        """End everything, since ``reason``; the route is not touched."""
        live = [session for session in self._sessions() if session.live]
        self._turning, self._driving = None, []
        return [session.enter(State.CLEARED, stamp, reason) for session in live]

    def _sessions(self) -> list[Session]:
        turning = [self._turning] if self._turning is not None else []
        return list(dict.fromkeys((*self._driving, *turning)))

    def _waits_for(self) -> str:
        if self._by_hand:
            return "a person drives; it holds from when the wheel is given back"
        return "the world is paused; it holds from when it goes on" if self._paused else ""

    def _clear(self, instruction: Instruction, ego: EgoState) -> list[Step]:
        was_turning = self._turning is not None
        steps = self.forget(ego.stamp, "withdrawn")
        kept = self._route.restore(ego) if was_turning else ""
        note = f"the route stays as it is now: {kept}" if kept else ""
        return [*steps, Step(instruction, State.CLEARED, note, ego.stamp)]

    def _make_room(self, ego: EgoState) -> list[Step]:
        """Where too many wait for a verdict, the oldest of them goes."""
        waiting = [session for session in self._driving if session.state is State.ACCEPTED]
        if len(waiting) < MOST_WAITING:
            return []
        self._driving.remove(waiting[0])
        return self._replace(waiting[0], ego.stamp)

    def _promote(self, session: Session, step: Step, ego: EgoState) -> list[Step]:
        """The driver obeys ``session``: it takes the place of those before it, and its turn becomes the route's."""
        index = self._driving.index(session)
        older, self._driving = self._driving[:index], self._driving[index:]
        steps: list[Step] = []
        turning = self._turning if session.parts.command is not None else None
        for each in dict.fromkeys((*older, *((turning,) if turning else ()))):
            steps += self._replace(each, ego.stamp)
            if each is self._turning and session.parts.command is None:
                self._turning = None
                self._route.restore(ego)
        steps.append(step)
        if session.parts.command is None:
            return steps
        reason = self._route.change(session.parts.command, session.parts.at_next_junction, ego)
        if not reason:
            self._turning = session
            return steps
        self._driving.remove(session)
        if turning is not None:
            self._turning = None
            self._route.restore(ego)
        return [*steps, session.enter(State.IMPOSSIBLE, ego.stamp, reason)]

    def _drop(self, session: Session, ego: EgoState, restore: bool = True) -> None:
        """``session`` has ended; what it still acts on is let go."""
        if session in self._driving and not session.words:
            self._driving.remove(session)
            obeyed = session.request if session.state is State.OBEYED else None
            changed = obeyed in LANE_CHANGES and self._turning in (None, session)  # a turn ahead knows its own lane
            turned = obeyed in TURNS and self._turning is None  # by the driver alone: the route leads elsewhere
            if changed or turned:
                self._route.rejoin(ego)
        if session is self._turning:
            self._turning = None
            if session.state is not State.OBEYED and restore:
                self._route.restore(ego)

    @staticmethod
    def _replace(session: Session | None, stamp: int) -> list[Step]:
        if session is None or not session.live:
            return []
        return [session.enter(State.REPLACED, stamp, "a newer instruction took its place")]
