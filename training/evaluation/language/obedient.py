"""An expert that obeys: it is told what a sentence means instead of its words, and shows that trials can be passed."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace

import carla
import numpy as np

from simlingo.contracts import Command, EgoState, FloatArray, Instruction, SimlingoError
from simlingo.control.lateral import LateralController
from simlingo.instructions.states import State, Step
from simlingo.navigation.global_planner import DenseRoute, GlobalPlanner
from simlingo.requests import RequestKind
from simlingo_drive.expert import CONSTANTS, Expert
from simlingo_drive.expert.pedals import pedals
from simlingo_drive.session import Session

_COMMANDS = {
    RequestKind.TURN_LEFT: Command.LEFT,
    RequestKind.TURN_RIGHT: Command.RIGHT,
    RequestKind.STRAIGHT: Command.STRAIGHT,
    RequestKind.LANE_LEFT: Command.CHANGE_LANE_LEFT,
    RequestKind.LANE_RIGHT: Command.CHANGE_LANE_RIGHT,
    RequestKind.OVERTAKE: Command.CHANGE_LANE_LEFT,
}
#: How it stops and pulls over: deceleration, m/s^2; where its middle comes to stand beside the lane's, m; the way there, m.
STOP_MPS2, KERB_SHIFT_M, KERB_WAY_M = 2.5, 0.58, 14.0
#: So fast it rolls until it is at the kerb, m/s.
KERB_MPS = 3.0


@dataclass(frozen=True)
class Said:
    """What a sentence means."""

    kind: RequestKind | None  # None: nothing that is done
    speed_mps: float | None = None
    distance_m: float | None = None  # bumper to bumper


#: What the sentences of a drive mean, in the order in which they are said.
Meaning = tuple[Said, ...]


class ObedientExpert:
    """Drives as the expert does, and as it was last told to."""

    def __init__(self, session: Session, way: DenseRoute, planner: GlobalPlanner, meant: Meaning) -> None:
        self._session, self._planner = session, planner
        self._meant = deque(meant)
        self._way, self._pace = way, CONSTANTS
        self._kerb = LateralController()
        self._stopping = self._pulling_over = False
        self._heard = 0
        self._begin()
        self.steps: list[Step] = []
        self.planner_ms: list[float] = []
        self.texts = 0
        self.alarms: list[str] = []

    def say(self, text: str) -> None:
        """Take the next meaning for ``text``; an empty one withdraws all."""
        if not text:
            self._stopping = self._pulling_over = False
            self._pace = CONSTANTS
            self._begin()
            return
        said = self._meant.popleft()
        ego = self._session.ego_state()
        instruction = Instruction(f"said-{self._heard}", ego.stamp, text)
        self._heard += 1
        if said.kind is None:
            self.steps.append(Step(instruction, State.REFUSED, "it is meant to be refused", ego.stamp))
            return
        self._obey(said, ego)
        self.steps += [Step(instruction, state, "", ego.stamp) for state in (State.ACCEPTED, State.OBEYING)]

    def control(self, tick: int) -> carla.VehicleControl:
        """The expert's, or a stop."""
        del tick
        control, info = self._expert.run_step()
        ego = info.ego
        if self._pulling_over:
            path = self._to_kerb(info.path, info.place.lateral)
            control.steer = self._kerb.step(path, ego.speed)
            there = info.place.lateral > KERB_SHIFT_M - 0.15
            wanted = -STOP_MPS2 if there else min(info.acceleration, (KERB_MPS - ego.speed) / 0.8)
            control.throttle, control.brake = pedals(wanted, ego.speed)
        if self._stopping:
            control.throttle, control.brake = pedals(-STOP_MPS2, ego.speed)
        return control

    def _obey(self, said: Said, ego: EgoState) -> None:
        kind = said.kind
        self._stopping = kind is RequestKind.STOP
        self._pulling_over = kind is RequestKind.PULL_OVER
        if kind in (RequestKind.TARGET_SPEED, RequestKind.FASTER, RequestKind.SLOWER):
            assert said.speed_mps is not None
            self._pace = replace(CONSTANTS, limit_ratio=10.0, max_speed=said.speed_mps)
        elif kind is RequestKind.KEEP_DISTANCE and said.distance_m is not None:
            self._pace = replace(CONSTANTS, limit_ratio=1.0, standing_gap=said.distance_m, time_gap=0.0)
        elif kind in _COMMANDS:
            answer = self._planner.redirect(self._way, ego, _COMMANDS[kind])
            if answer.route is None:
                raise SimlingoError(f"{kind.value} cannot be done here: {answer.reason}")
            self._way = answer.route
        self._begin()

    def _begin(self) -> None:
        self._expert = Expert(self._session.world, self._session.ego, self._way, self._planner, self._pace)

    @staticmethod
    def _to_kerb(path: FloatArray, lateral_m: float) -> FloatArray:
        """The expert's path, led to the kerb within ``KERB_WAY_M``; ``lateral_m``: where the ego is beside the lane's middle."""
        share = np.clip(np.arange(1.0, len(path) + 1.0) / KERB_WAY_M, 0.0, 1.0)
        aside = lateral_m + (KERB_SHIFT_M - lateral_m) * share
        return np.column_stack((path[:, 0], path[:, 1] + aside))
