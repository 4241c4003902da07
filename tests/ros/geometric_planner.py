"""The planner node with a driver of a few lines, so that tests of the nodes need no weights: it aims at the route."""

from __future__ import annotations

import dataclasses
import time

import numpy as np

from simlingo.contracts import (
    MODEL_CAMERA,
    PATH_POINTS,
    SPEED_WAYPOINT_PERIOD_S,
    SPEED_WAYPOINTS,
    Answer,
    DrivingPlan,
    Instruction,
    Observation,
)
from simlingo.model.camera import to_model_camera
from simlingo.requests import Reason
from simlingo_node import planner

SPEED_MPS = 5.0


class GeometricDriver:
    """Drives straight at the first target point that is ahead, at a constant speed."""

    name = "geometric"
    licence = "Apache-2.0"
    simulation_only = False

    def __init__(self) -> None:
        self._instruction: Instruction | None = None

    def reset(self) -> None:
        """No instruction is carried out."""
        self._instruction = None

    def plan(self, observation: Observation) -> DrivingPlan:
        """A straight path towards the next target point."""
        begin = time.perf_counter()
        seen = to_model_camera(observation.image, observation.intrinsics)
        assert seen.shape == (MODEL_CAMERA.height, MODEL_CAMERA.width, 3)
        near, far = observation.navigation.target_points
        target = near if near[0] > 4.0 else far
        heading = target / max(float(np.linalg.norm(target)), 1e-6)
        path = np.arange(1.0, PATH_POINTS + 1.0)[:, None] * heading
        times = SPEED_WAYPOINT_PERIOD_S * np.arange(1.0, SPEED_WAYPOINTS + 1.0)
        waypoints = SPEED_MPS * times[:, None] * heading
        told = self._instruction
        timing = {"geometry": time.perf_counter() - begin}
        plan = DrivingPlan(observation.stamp, path, waypoints, timing=timing)
        if told is None:
            return plan
        if told.text:
            return dataclasses.replace(plan, instruction_id=told.id, refused=True, reason=Reason.NOT_UNDERSTOOD)
        said = f"I carry out {told.id}."
        return dataclasses.replace(plan, instruction_id=told.id, text=said, text_stamp=observation.stamp)

    def set_instruction(self, instruction: Instruction | None) -> None:
        """What the route carries out the next plans name; it reads no words."""
        self._instruction = instruction

    def ask(self, question: str, within_s: float = 60.0) -> Answer:
        """It cannot speak."""
        return Answer(error=f"no answer to {question!r}")

    def close(self) -> None:
        """It holds nothing."""


if __name__ == "__main__":
    planner.load_policy = lambda *_, **__: GeometricDriver()
    planner.main()
