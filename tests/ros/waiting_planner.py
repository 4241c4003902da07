"""The planner node with a driver whose first real plan waits for a text without end, as with ``text_before_plan``."""

from __future__ import annotations

import threading

from geometric_planner import GeometricDriver

from simlingo.contracts import DrivingPlan, Observation
from simlingo.model.engine import SpeechCancelledError
from simlingo_node import planner


class WaitingDriver(GeometricDriver):
    """Its first real plan ends at a reset only."""

    def __init__(self) -> None:
        super().__init__()
        self._waited = False
        self._called_off = threading.Event()

    def reset(self) -> None:
        """Give the plan in work up."""
        super().reset()
        self._called_off.set()

    def plan(self, observation: Observation) -> DrivingPlan:
        """Wait once."""
        if observation.stamp > 0 and not self._waited:
            self._waited = True
            self._called_off.clear()
            print("a plan waits for its text", flush=True)
            self._called_off.wait()
            raise SpeechCancelledError("the text was called off")
        return super().plan(observation)


if __name__ == "__main__":
    planner.load_policy = lambda *_, **__: WaitingDriver()
    planner.main()
