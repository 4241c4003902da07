"""A model at the wheel, through route planner and controller, as in the ROS stack."""

from __future__ import annotations

import dataclasses
import time
import zlib

import carla
import numpy as np

from simlingo.camera_monitor import CameraMonitor
from simlingo.contracts import (
    MODEL_CAMERA,
    DrivingPlan,
    EgoState,
    ImageArray,
    Instruction,
    InvalidInputError,
    Navigation,
    Observation,
)
from simlingo.control.controller import DRIVING, Controller
from simlingo.instructions.parts import split
from simlingo.model.driver import TextOptions
from simlingo.model.engine.commentary_trigger import CommentaryMode
from simlingo.model.load import load_policy
from simlingo.navigation.global_planner import DenseRoute, GlobalPlanner
from simlingo.navigation.route import RoutePlanner
from simlingo.picture_lag import PictureLag
from simlingo.policy import Policy
from simlingo_drive.driver import DriverSettings
from simlingo_drive.drivers.frames import FrameSource, frame_source
from simlingo_drive.drivers.perturbation import PERTURBATIONS, Perturbation
from simlingo_drive.routes.route import Route
from simlingo_drive.session import Session


class Pilot:
    """A policy, the frames that it sees, and the controller that follows its plans."""

    def __init__(self, policy: Policy, frames: FrameSource, watched: bool = False) -> None:
        """``watched``: pictures that cannot be of here and now are refused, as the planner node refuses them."""
        self._policy, self._frames, self._watched = policy, frames, watched
        self._camera, self._lag = CameraMonitor(), PictureLag()
        self.alarms: list[str] = []  # each refused picture, and each tick that is not driven by a plan after the first
        self._controller = Controller()
        self._plan: DrivingPlan | None = None
        self.planner_ms: list[float] = []
        self.texts = 0
        policy.reset()

    def restart(self) -> None:
        """Somebody else has driven: forget the plan and what the controller remembers."""
        self._plan = None
        self._controller.reset()
        self._camera.clear()
        self._lag.clear()
        self._frames.restart()

    def control(self, tick: int, ego: EgoState, navigation: Navigation) -> carla.VehicleControl:
        """A plan where there is a frame, and the control that follows the newest plan."""
        image = self._frames.frame(tick)
        if image is not None and self._trusted(image, ego):
            observation = Observation(ego.stamp, image, MODEL_CAMERA, ego.speed, navigation)
            begin = time.perf_counter()
            self._plan = self._policy.plan(observation)
            self.planner_ms.append((time.perf_counter() - begin) * 1e3)
            self.texts += bool(self._plan.text)
        control = self._controller.update(ego, self._plan)
        if self._plan is not None and self._controller.mode != DRIVING:
            self.alarms.append(f"{self._controller.mode}: {self._controller.detail}")
        return carla.VehicleControl(throttle=control.throttle, steer=control.steer, brake=control.brake)

    def _trusted(self, image: ImageArray, ego: EgoState) -> bool:
        if not self._watched:
            return True
        try:
            self._camera.check(image, ego)
            self._lag.check(image, ego, MODEL_CAMERA)
        except InvalidInputError as error:
            self.alarms.append(str(error))
            return False
        return True


class PerturbedFrames:
    """The frames of another source as a perturbation leaves them."""

    def __init__(self, frames: FrameSource, perturbation: Perturbation) -> None:
        self._frames, self._perturbation = frames, perturbation

    def frame(self, tick: int) -> ImageArray | None:
        """The frame of this tick."""
        image = self._frames.frame(tick)
        return None if image is None else self._perturbation.frame(image)

    def restart(self) -> None:
        """See the source's."""
        self._frames.restart()


class ModelDriver:
    """A pilot on a route."""

    def __init__(
        self,
        session: Session,
        dense: DenseRoute,
        planner: GlobalPlanner,
        policy: Policy,
        frames: FrameSource,
        watched: bool = False,
        perturbation: Perturbation | None = None,
    ) -> None:
        self._session, self._planner, self._policy = session, planner, policy
        self._perturbation = perturbation or Perturbation()
        self._route = _route_planner(planner, dense)
        self._pilot = Pilot(policy, PerturbedFrames(frames, self._perturbation), watched)

    @property
    def planner_ms(self) -> list[float]:
        """How long each plan took, frame in to plan out, ms."""
        return self._pilot.planner_ms

    @property
    def texts(self) -> int:
        """How many commentaries came with the plans."""
        return self._pilot.texts

    @property
    def alarms(self) -> list[str]:
        """What the monitors of pictures, odometry and plans had against them."""
        return self._pilot.alarms

    def control(self, tick: int) -> carla.VehicleControl:
        """The control that follows the newest plan."""
        ego = self._perturbation.ego(self._session.ego_state())
        return self._perturbation.control(self._pilot.control(tick, ego, self._route.update(ego)))

    def instruct(self, instruction: Instruction, dense: DenseRoute) -> None:
        """The navigation follows ``dense`` from now on; the policy is told what of the words is no matter of the route."""
        told = dataclasses.replace(instruction, text=split(instruction.text).words)
        self._policy.set_instruction(told)
        self._route = _route_planner(self._planner, dense)


def _route_planner(planner: GlobalPlanner, dense: DenseRoute) -> RoutePlanner:
    return RoutePlanner(planner.polyline(dense), [command for _, command in dense])


def make_model(session: Session, route: Route, planner: GlobalPlanner, settings: DriverSettings) -> ModelDriver:
    """The model that ``settings`` names, at the start of ``route``."""
    text = TextOptions(CommentaryMode(settings.text), before_plan=settings.text_before_plan)
    policy = load_policy(settings.weights, settings.threads, settings.route_as, text)
    frames = frame_source(settings.camera, route, session, planner, settings.traffic, settings.plan_every)
    perturbation = PERTURBATIONS[settings.perturbation](np.random.default_rng(zlib.crc32(route.name.encode())))
    return ModelDriver(session, route.dense, planner, policy, frames, settings.camera == "real", perturbation)
