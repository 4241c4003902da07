"""The driver's face: what every model offers to the stack."""

from __future__ import annotations

from typing import Protocol

from simlingo.contracts import Answer, DrivingPlan, Instruction, Observation

#: An answer that takes longer is given up, s.
ANSWER_WITHIN_S = 60.0


class Policy(Protocol):
    """A driver. ``plan`` is called from one thread, ``reset`` between two plans or to end the one in work."""

    name: str  # of the model
    licence: str  # of its weights
    simulation_only: bool  # the licence forbids driving anything real

    def reset(self) -> None:
        """Forget the past; called before a new route. A plan that waits for a text is given up."""

    def plan(self, observation: Observation) -> DrivingPlan:
        """Plan for one observation; the plan carries the observation's stamp.

        Raises:
            InvalidInputError: the observation breaks its contract (shape, dtype, NaN).
            SimlingoError: given up, by a reset or because the driver was closed meanwhile.
        """

    def set_instruction(self, instruction: Instruction | None) -> None:
        """Obey ``instruction`` from the next plan on; ``None`` clears it. Any thread.

        Each plan names it and says whether it obeys. A driver that cannot read instructions refuses whatever is said in
        words (``Reason.NOT_UNDERSTOOD``); with an empty text the route alone carries it out.
        """

    def ask(self, question: str, within_s: float = ANSWER_WITHIN_S) -> Answer:
        """Answer a question about the newest frame, within so many seconds; plans go on meanwhile. Any thread."""

    def close(self) -> None:
        """Give back what it holds; no call comes after this one."""
