"""The planner node with a driver that breaks at the first real plan, in a way that nobody has foreseen."""

from __future__ import annotations

from geometric_planner import GeometricDriver

from simlingo.contracts import DrivingPlan, Observation
from simlingo_node import planner


class FailingDriver(GeometricDriver):
    """Lives through the warm-up, whose stamps are zero."""

    def plan(self, observation: Observation) -> DrivingPlan:
        """Break."""
        if observation.stamp > 0:
            raise RuntimeError("the network has burst")
        return super().plan(observation)


if __name__ == "__main__":
    planner.load_policy = lambda *_, **__: FailingDriver()
    planner.main()
