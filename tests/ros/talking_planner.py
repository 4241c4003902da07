"""The planner node with a driver that reads a few words and answers questions, each after ``ANSWER_S`` seconds."""

from __future__ import annotations

import dataclasses
import time

from geometric_planner import GeometricDriver

from simlingo.contracts import Answer, DrivingPlan, Observation
from simlingo.requests import Reason, RequestKind
from simlingo_node import planner

ANSWER_S = 1.0
_REASONS = {"red": Reason.RED_LIGHT, "tree": Reason.NO_OBJECT, "sing": Reason.NOT_DRIVING}
_REQUESTS = {"stop": RequestKind.STOP, "slow": RequestKind.SLOWER, "go": RequestKind.GO}


class TalkingDriver(GeometricDriver):
    """Refuses what holds a word of ``_REASONS``, and stands where it is told to stop."""

    stamp = 0

    def plan(self, observation: Observation) -> DrivingPlan:
        """A plan that says what becomes of the words."""
        plan = super().plan(observation)
        self.stamp = observation.stamp
        if self._instruction is None or not self._instruction.text:
            return plan
        words = self._instruction.text.split()
        reason = next((_REASONS[word] for word in words if word in _REASONS), None)
        request = next((_REQUESTS[word] for word in words if word in _REQUESTS), None)
        stands = request is RequestKind.STOP and reason is None
        waypoints = plan.speed_waypoints * (0.0 if stands else 1.0)
        return dataclasses.replace(
            plan, speed_waypoints=waypoints, refused=reason is not None, reason=reason, request=request
        )

    def ask(self, question: str, within_s: float = 60.0) -> Answer:
        """The question again, of the newest frame when it was asked."""
        stamp = self.stamp
        if within_s < ANSWER_S:
            return Answer(error=f"no answer within {within_s:g} s")
        time.sleep(ANSWER_S)
        return Answer(text=f"You ask {question}", stamp=stamp)


if __name__ == "__main__":
    planner.load_policy = lambda *_, **__: TalkingDriver()
    planner.main()
