"""The planner node with a driver whose every text fails, and whose plans are whole."""

from __future__ import annotations

import dataclasses

from geometric_planner import GeometricDriver

from simlingo.contracts import DrivingPlan, Observation
from simlingo_node import planner


class MumblingDriver(GeometricDriver):
    """Says with each plan that its text has failed."""

    def plan(self, observation: Observation) -> DrivingPlan:
        """A plan without its text."""
        return dataclasses.replace(super().plan(observation), text_fault="the text has more tokens than fit")


if __name__ == "__main__":
    planner.load_policy = lambda *_, **__: MumblingDriver()
    planner.main()
