"""The bridge with a simulator that is gone after ``FAIL_AFTER`` ticks (environment)."""

from __future__ import annotations

import os

from simlingo_node import carla_bridge
from simlingo_node.bridge.simulator import Simulator


class FailingSimulator(Simulator):
    """Ticks a few times, then raises as CARLA does when its server has gone."""

    ticks_left = int(os.environ["FAIL_AFTER"])

    def tick(self) -> int:
        """Advance, or fail."""
        self.ticks_left -= 1
        if self.ticks_left < 0:
            raise RuntimeError("the server is gone")
        return super().tick()


if __name__ == "__main__":
    carla_bridge.Simulator = FailingSimulator
    carla_bridge.main()
