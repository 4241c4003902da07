"""Who drives: the model through route planner and controller, as in the ROS stack, or the expert."""

from __future__ import annotations

import time
from typing import Protocol

import carla

from simlingo.contracts import MODEL_CAMERA, DrivingPlan, Instruction, Observation
from simlingo.control.controller import Controller
from simlingo.navigation.global_planner import DenseRoute, GlobalPlanner
from simlingo.navigation.route import RoutePlanner
from simlingo.policy import Policy
from simlingo_drive.expert import Expert
from training.evaluation.frames import FrameSource
from training.evaluation.world import RouteWorld


class Driver(Protocol):
    """Gives one control a tick."""

    def control(self, tick: int) -> carla.VehicleControl:
        """Control for the state after tick ``tick`` of the drive."""

    def instruct(self, instruction: Instruction, dense: DenseRoute) -> None:
        """Obey a navigation instruction: drive along ``dense``, the way that it means, from now on."""

    @property
    def planner_ms(self) -> list[float]:
        """How long each plan took, frame in to plan out, ms."""

    @property
    def texts(self) -> int:
        """How many commentaries came with the plans."""


class ExpertDriver:
    """The privileged expert."""

    def __init__(self, world: RouteWorld, dense: DenseRoute, planner: GlobalPlanner) -> None:
        self._world, self._planner = world, planner
        self._expert = Expert(world.world, world.ego, dense, planner)
        self.planner_ms: list[float] = []
        self.texts = 0

    def control(self, tick: int) -> carla.VehicleControl:
        """The expert's control."""
        del tick
        return self._expert.run_step()[0]

    def instruct(self, instruction: Instruction, dense: DenseRoute) -> None:
        """Begin anew on ``dense``; the expert reads no words."""
        del instruction
        self._expert = Expert(self._world.world, self._world.ego, dense, self._planner)


class ModelDriver:
    """A policy that sees frames, speed and navigation, and the controller that follows its plans."""

    def __init__(
        self, world: RouteWorld, dense: DenseRoute, planner: GlobalPlanner, policy: Policy, frames: FrameSource
    ) -> None:
        self._world, self._planner, self._policy, self._frames = world, planner, policy, frames
        self._controller = Controller()
        self._route = _route_planner(planner, dense)
        self._plan: DrivingPlan | None = None
        self.planner_ms: list[float] = []
        self.texts = 0
        policy.reset()

    def control(self, tick: int) -> carla.VehicleControl:
        """A plan where there is a frame, and the control that follows the newest plan."""
        ego = self._world.ego_state()
        navigation = self._route.update(ego)
        image = self._frames.frame(tick)
        if image is not None:
            observation = Observation(ego.stamp, image, MODEL_CAMERA, ego.speed, navigation)
            begin = time.perf_counter()
            self._plan = self._policy.plan(observation)
            self.planner_ms.append((time.perf_counter() - begin) * 1e3)
            self.texts += bool(self._plan.text)
        control = self._controller.update(ego, self._plan)
        return carla.VehicleControl(throttle=control.throttle, steer=control.steer, brake=control.brake)

    def instruct(self, instruction: Instruction, dense: DenseRoute) -> None:
        """The navigation follows ``dense`` from now on, and the policy knows the words."""
        self._policy.set_instruction(instruction)
        self._route = _route_planner(self._planner, dense)


def _route_planner(planner: GlobalPlanner, dense: DenseRoute) -> RoutePlanner:
    return RoutePlanner(planner.polyline(dense), [command for _, command in dense])
