"""A model that people talk to while it drives: route, instructions and controller around it as in the live stack, without ROS.

What ``simlingo_node.route`` and ``simlingo_node.planner`` do at an odometry is done here at a tick.
"""

from __future__ import annotations

import itertools
from collections import deque
from typing import Protocol

import carla
import numpy as np

from simlingo.contracts import (
    MODEL_CAMERA,
    PATH_POINTS,
    SPEED_WAYPOINTS,
    TICK_S,
    DrivingPlan,
    EgoState,
    Instruction,
    Navigation,
    Observation,
)
from simlingo.control.controller import Controller
from simlingo.instructions.dispatcher import Dispatcher
from simlingo.instructions.session import PlanNews, Turn
from simlingo.instructions.states import Step
from simlingo.navigation.global_planner import DenseRoute, GlobalPlanner
from simlingo.navigation.guidance import Guidance
from simlingo.policy import Policy
from simlingo_drive.driver import Driver
from simlingo_drive.drivers.frames import FrameSource
from simlingo_drive.session import Session
from training.evaluation.language.roads import straight_on

#: What a plan says of its instruction is heard so long after its frame, ns: two ticks, as in the stack's lockstep.
SETTLED_NS = 100_000_000
#: A road that leads straight on is known this far ahead, m.
STRAIGHT_ON_M = 400.0
#: A junction lies behind the ego once it has driven this far since, m.
BEHIND_JUNCTION_M = 4.0


class Told(Driver, Protocol):
    """A driver that can be told something."""

    steps: list[Step]  # what has become of what was said

    def say(self, text: str) -> None:
        """It is heard at the next tick; an empty text withdraws all."""


class TalkingDriver:
    """Drives by plans; what it is told acts on the plan of the same tick."""

    def __init__(
        self,
        session: Session,
        mission: DenseRoute,
        planner: GlobalPlanner,
        policy: Policy,
        frames: FrameSource,
        roams: bool = False,
    ) -> None:
        """At the start of ``mission``.

        Args:
            session: with the ego in it.
            mission: the way without any words.
            planner: of the same map.
            policy: makes the plans.
            frames: what it sees.
            roams: behind each junction where no turn is still to come, and where the mission is out of reach, it is the road
                straight on from there, so that only words say where to go.
        """
        self._session, self._planner, self._policy, self._frames = session, planner, policy, frames
        self._roams = roams
        self._guidance = Guidance()
        self._guidance.set_map(session.map, planner)
        self._follow(mission)
        self._dispatcher = Dispatcher(self._guidance)
        self._controller = Controller()
        self._plan: DrivingPlan | None = None
        self._news: deque[PlanNews] = deque()
        self._said: deque[str] = deque()
        self._numbers = itertools.count(1)
        self._since_junction_m: float | None = None  # driven since the ego was in one; None: since long ago
        self.steps: list[Step] = []
        self.planner_ms: list[float] = []
        self.texts = 0
        self.alarms: list[str] = []
        policy.reset()

    def say(self, text: str) -> None:
        """See :class:`Told`."""
        self._said.append(text)

    def control(self, tick: int) -> carla.VehicleControl:
        """The control that follows the newest plan, which is made of this tick's frame where it has one."""
        ego = self._session.ego_state()
        navigation = self._navigate(ego)
        image = self._frames.frame(tick)
        if image is not None:
            self._plan = self._plan_on(Observation(ego.stamp, image, MODEL_CAMERA, ego.speed, navigation))
        control = self._controller.update(ego, self._plan)
        return carla.VehicleControl(throttle=control.throttle, steer=control.steer, brake=control.brake)

    def _navigate(self, ego: EgoState) -> Navigation:
        """Let all that is due have its effect, and say where the route leads."""
        self._guidance.update(ego)
        while self._news and self._news[0].stamp <= ego.stamp - SETTLED_NS:
            self.steps += self._dispatcher.on_plan(self._news.popleft(), ego)
        while self._said:
            said = Instruction(f"said-{next(self._numbers)}", ego.stamp, self._said.popleft())
            self.steps += self._dispatcher.hear(said, ego)
        self.steps += self._dispatcher.on_ego(ego)
        if self._roams:
            self._roam(ego)
        navigation = self._guidance.update(ego)
        assert navigation is not None
        return navigation

    def _plan_on(self, observation: Observation) -> DrivingPlan:
        route = self._guidance.planner
        if route is None or route.finished or self._guidance.off_route:
            return _standing(observation.stamp)
        self._policy.set_instruction(self._dispatcher.told)
        plan = self._policy.plan(observation)
        if plan.instruction_id:
            self._news.append(PlanNews(plan.stamp, plan.instruction_id, plan.refused, plan.reason, plan.request))
        return plan

    def _roam(self, ego: EgoState) -> None:
        """Forget the mission behind a junction, and where it has got out of reach: it leads straight on from here."""
        if self._guidance.surroundings(ego).in_junction:
            self._since_junction_m = 0.0
        elif self._since_junction_m is not None:
            self._since_junction_m += ego.speed * TICK_S
        behind = self._since_junction_m is not None and self._since_junction_m >= BEHIND_JUNCTION_M
        place = self._planner.graph.under(ego)
        if (self._guidance.off_route or (behind and self._guidance.turn is not Turn.AHEAD)) and place is not None:
            lane = int(self._planner.graph.lane_of[place])
            begin_m = float(place - self._planner.graph.lanes[lane].first)
            self._follow(straight_on(self._planner, lane, begin_m, STRAIGHT_ON_M))
            self._since_junction_m = None

    def _follow(self, dense: DenseRoute) -> None:
        self._guidance.set_route(self._planner.polyline(dense), [command for _, command in dense])


def _standing(stamp: int) -> DrivingPlan:
    """What the stack plans where no route leads on: to stand, straight ahead."""
    path = np.stack((np.arange(1.0, PATH_POINTS + 1.0), np.zeros(PATH_POINTS)), axis=1)
    return DrivingPlan(stamp, path, np.zeros((SPEED_WAYPOINTS, 2)))
