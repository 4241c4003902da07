"""The controller node: every odometry is answered with one command, from the newest plan."""

from __future__ import annotations

import math
import sys
import time
from typing import Any

from carla_msgs.msg import CarlaEgoVehicleControl
from nav_msgs.msg import Odometry
from simlingo_msgs.msg import DrivingPlan as DrivingPlanMsg
from std_msgs.msg import Bool, Header

from simlingo.contracts import Control, DrivingPlan, EgoState, InvalidInputError
from simlingo.control.controller import COASTING, DRIVING, HOLDING, Controller
from simlingo_node import conversions, qos
from simlingo_node.node_base import ERROR, OK, WARN, StackNode
from simlingo_node.parameters import Parameter
from simlingo_node.process import run_node
from simlingo_node.publishers import ALLOWED, Publishers

PARAMETERS = (
    Parameter(
        "brake",
        0.6,
        "Brake [0, 1] of the command sent on deactivation and when odometry is unusable.",
        minimum=0.1,
        maximum=1.0,
    ),
    ALLOWED,
)
#: A plan may be stamped this much (ns) ahead of the newest odometry, which may still be on its way.
MAX_AHEAD_NS = 1_000_000_000
#: Odometry arrivals kept for the measure "camera stamp to control": two seconds at 20 Hz.
_KEPT_ARRIVALS = 40


class ControllerNode(StackNode):
    """Lockstep: odometry k is answered when plan k has come, or word that there is none. Real time: at once, with the newest plan.

    Its latency is "camera stamp to control": from the arrival of the odometry with the image's stamp to the first
    command that follows the plan made from that image.
    """

    def __init__(self, **node_arguments: Any) -> None:
        super().__init__("controller", PARAMETERS, **node_arguments)
        self._core = Controller()
        self._told_mode = ""

    def configure(self) -> None:
        """Make the topics."""
        self._reset()
        self._commands = self.create_publisher(
            CarlaEgoVehicleControl, self.ego_topic("vehicle_control_cmd"), qos.DEFAULT
        )
        self._planners = Publishers(self, "/simlingo/plan", self.parameters["allowed_publishers"])
        self._ready = self.create_publisher(Bool, self.ego_topic("status"), qos.LATCHED)
        self._inputs = [
            self.create_subscription(Odometry, self.ego_topic("odometry"), self._on_odometry, qos.DEFAULT),
            self.create_subscription(DrivingPlanMsg, "/simlingo/plan", self._on_plan, qos.DEFAULT),
        ]
        if self.lockstep:
            topic = "/simlingo/refused_frame"
            self._inputs.append(self.create_subscription(Header, topic, self._on_refused_frame, qos.DEFAULT))

    def activate(self) -> None:
        """Answer from now on, and tell the leaderboard that the stack is ready."""
        self._reset()
        self._ready.publish(Bool(data=True))

    def deactivate(self) -> None:
        """Brake before anything else, for the odometry that waits or once more for the one answered last."""
        stamp = self._last_stamp if self._unanswered is None else self._unanswered.stamp
        self._send(self._brake_command(stamp))
        self._ready.publish(Bool(data=False))

    def cleanup(self) -> None:
        """Let the topics go."""
        for subscription in getattr(self, "_inputs", []):
            self.destroy_subscription(subscription)
        if getattr(self, "_inputs", []):
            self._planners.close()
        self._inputs = []

    def report(self) -> tuple[int, str, str]:
        """What the core does and why."""
        level = {DRIVING: OK, COASTING: WARN, HOLDING: WARN}.get(self._core.mode, ERROR)
        if self._planners.fault:
            return ERROR, self._core.mode, self._planners.fault
        return level, self._core.mode, self._fault or self._core.detail

    def _reset(self) -> None:
        self._core.reset()
        self._plan: DrivingPlan | None = None
        self._unanswered: EgoState | None = None
        self._arrival: dict[int, float] = {}
        self._newest_odometry: int | None = None
        self._refused_frame: int | None = None
        self._answered_plan = -1
        self._last_stamp = 0
        self._fault = ""

    def _on_odometry(self, message: Odometry) -> None:
        if not self.is_active:
            return
        stamp = conversions.stamp_to_ns(message.header.stamp)
        try:
            ego = conversions.odometry_to_ego_state(message)
        except InvalidInputError as error:
            self._fault = str(error)
            self.refuse(f"{error}: braking")
            self._send(self._core.update(EgoState(stamp, math.nan, math.nan, math.nan, math.nan), None))
            self._tell_mode()
            return
        if self._plan is not None and self._plan.stamp > stamp + MAX_AHEAD_NS:  # the clock was set back
            self._plan = None
        self._newest_odometry = stamp
        self._arrival[stamp] = time.perf_counter()
        while len(self._arrival) > _KEPT_ARRIVALS:
            del self._arrival[min(self._arrival)]
        self._unanswered = ego
        planned = stamp in (self._plan.stamp if self._plan is not None else None, self._refused_frame)
        if not self.lockstep or planned or self._planners.fault:
            self._answer()

    def _on_plan(self, message: DrivingPlanMsg) -> None:
        if not self.is_active:
            return
        stamp = conversions.stamp_to_ns(message.header.stamp)
        if self._plan is not None and stamp <= self._plan.stamp:
            self.statistics.dropped += 1
            return
        if self._newest_odometry is not None and stamp > self._newest_odometry + MAX_AHEAD_NS:
            ahead_s = (stamp - self._newest_odometry) * 1e-9
            self._fault = (
                f"plan is stamped {ahead_s:.3f} s ahead of the odometry; it is dropped: let both use one clock"
            )
            self.refuse(self._fault)
            if self.lockstep:  # no other comes for this tick
                self._answer(self._fault)
            return
        try:
            self._plan = conversions.message_to_plan(message)
        except InvalidInputError as error:
            self._fault = str(error)
            self.refuse(self._fault)
        if self.lockstep and self._unanswered is not None and self._unanswered.stamp == stamp:
            self._answer()

    def _on_refused_frame(self, message: Header) -> None:
        """No plan comes for this tick: the last one drives until it is too old."""
        self._refused_frame = conversions.stamp_to_ns(message.stamp)
        if self.is_active and self._unanswered is not None and self._unanswered.stamp == self._refused_frame:
            self._answer()

    def _answer(self, fault: str = "") -> None:
        """One command for the odometry that waits; ``fault``: why it had to be without its plan."""
        ego, self._unanswered = self._unanswered, None
        if ego is None:
            return
        refused = self._core.refused_plans
        try:
            # No plan is taken while it may be a stranger's; the last one drives until it is too old.
            control = self._core.update(ego, None if self._planners.fault else self._plan)
        except InvalidInputError as error:
            self._fault = str(error)
            self.refuse(self._fault)
            return
        self._send(control)
        self._tell_mode()
        self.statistics.refused += self._core.refused_plans - refused
        self.good_input()
        self._fault = fault
        plan_stamp = self._core.plan_stamp
        if self._core.mode == DRIVING and plan_stamp is not None and plan_stamp != self._answered_plan:
            self._answered_plan = plan_stamp
            if plan_stamp in self._arrival:
                self.statistics.add(time.perf_counter() - self._arrival[plan_stamp])

    def _tell_mode(self) -> None:
        """A mode that has changed is told at once."""
        if self._core.mode != self._told_mode:
            self._told_mode = self._core.mode
            self.publish_state()

    def _send(self, control: Control) -> None:
        command = CarlaEgoVehicleControl(
            steer=float(control.steer), throttle=float(control.throttle), brake=float(control.brake)
        )
        command.header.stamp = conversions.ns_to_stamp(control.stamp)
        self._commands.publish(command)
        self._last_stamp = control.stamp

    def _brake_command(self, stamp: int) -> Control:
        return Control(stamp=stamp, steer=0.0, throttle=0.0, brake=self.parameters["brake"])


def main() -> None:
    """Entry point of the executable ``controller``."""
    sys.exit(run_node(ControllerNode))


if __name__ == "__main__":
    main()
