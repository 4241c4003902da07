"""The route node: answers every odometry with the navigation the driver hears, and takes instructions."""

from __future__ import annotations

import sys
import threading
import time
from typing import Any

from carla_msgs.msg import CarlaControl, CarlaWorldInfo
from nav_msgs.msg import Odometry
from simlingo_msgs.msg import DrivingPlan as DrivingPlanMsg
from simlingo_msgs.msg import Instruction as InstructionMsg
from simlingo_msgs.msg import InstructionStatus, Route
from simlingo_msgs.msg import Navigation as NavigationMsg
from std_msgs.msg import Bool, String

from simlingo.contracts import EgoState, Instruction, InvalidInputError, SimlingoError
from simlingo.instructions.dispatcher import Dispatcher
from simlingo.instructions.states import Step
from simlingo.navigation.guidance import Guidance
from simlingo_node import conversions, qos
from simlingo_node.instruction_inbox import Inbox
from simlingo_node.instruction_status import step_to_message
from simlingo_node.node_base import ERROR, OK, WARN, StackNode
from simlingo_node.parameters import Parameter
from simlingo_node.process import run_node
from simlingo_node.route_source import ROUTE_SOURCES, RouteReader, subscribe_to_route
from simlingo_node.script import parse_script

PARAMETERS = (
    Parameter(
        "route_source",
        "simlingo",
        "Where the route comes from: simlingo_msgs/Route on /simlingo/mission, nav_msgs/Path on /carla/<r>/waypoints,"
        " or carla_msgs/CarlaRoute on /carla/<r>/global_plan.",
        choices=ROUTE_SOURCES,
        fixed=True,
    ),
    Parameter(
        "max_deviation_m",
        30.0,
        "Further from the route than this (m) it does not guide any more.",
        minimum=5.0,
        maximum=200.0,
    ),
    Parameter(
        "instructions",
        [""],
        "Instructions given by themselves: 'seconds:text' each, counted from the first odometry.",
        fixed=True,
    ),
)


class RouteNode(StackNode):
    """Thin node around :class:`simlingo.navigation.guidance.Guidance` and the instructions that change it."""

    def __init__(self, **node_arguments: Any) -> None:
        super().__init__("route", PARAMETERS, **node_arguments)
        self._guidance = Guidance()
        self._dispatcher = Dispatcher(self._guidance)
        self._inbox = Inbox(self._dispatcher)
        self._ego: EgoState | None = None  # the newest
        self._paused = False
        self._route_id = ""
        self._published = 0  # revision of the route that was published last
        self._fault = ""  # of now; the next good odometry clears it
        self._refusal = ""  # why there is no route to follow; the next good route clears it
        self._map_fault = ""  # why instructions cannot change the route; the next good map clears it
        self._mode = "waiting"
        self._map_thread: threading.Thread | None = None
        self.parameters.on_change(self._take_parameters)

    def configure(self) -> None:
        """Read the script and make the topics."""
        script = parse_script([line for line in self.parameters["instructions"] if line])
        self._guidance = Guidance(self.parameters["max_deviation_m"])
        self._dispatcher = Dispatcher(self._guidance)
        self._inbox = Inbox(self._dispatcher, script)
        self._navigation = self.create_publisher(NavigationMsg, "/simlingo/navigation", qos.DEFAULT)
        self._status = self.create_publisher(InstructionStatus, "/simlingo/instruction_status", qos.DEFAULT)
        self._route = self.create_publisher(Route, "/simlingo/route", qos.LATCHED)
        self._inputs = [
            self.create_subscription(Odometry, self.ego_topic("odometry"), self._on_odometry, qos.DEFAULT),
            self.create_subscription(String, "/simlingo/instruction", self._on_text, qos.DEFAULT),
            self.create_subscription(
                InstructionMsg, "/simlingo/instruction_stamped", self._on_instruction, qos.DEFAULT
            ),
            self.create_subscription(CarlaWorldInfo, "/carla/world_info", self._on_world_info, qos.LATCHED),
            self.create_subscription(CarlaControl, "/carla/control", self._on_world_control, qos.DEFAULT),
            self.create_subscription(DrivingPlanMsg, "/simlingo/plan", self._on_plan, qos.DEFAULT),
            self.create_subscription(
                Bool, self.ego_topic("vehicle_control_manual_override"), self._on_override, qos.LATCHED
            ),
            subscribe_to_route(self, self.parameters["route_source"], self.role, self._set_route),
        ]

    def activate(self) -> None:
        """Answer odometry from now on."""
        if self._map_thread is not None:
            self._map_thread.join()
        self._inbox.restart()
        self._dispatcher.forget(0, "")
        self._ego, self._fault, self._mode = None, "", "waiting"

    def cleanup(self) -> None:
        """Let the topics go."""
        for subscription in getattr(self, "_inputs", []):
            self.destroy_subscription(subscription)
        self._inputs = []

    def report(self) -> tuple[int, str, str]:
        """On the route, or why not."""
        fault = self._fault or self._refusal
        if fault:
            return ERROR, self._mode, fault
        if self._map_fault:
            return WARN, self._mode, self._map_fault
        detail = "" if self._guidance.planner else f"no route from source '{self.parameters['route_source']}' yet"
        return (OK if self._mode in ("active", "finished") else WARN), self._mode, detail

    def _take_parameters(self) -> None:
        self._guidance.max_deviation_m = self.parameters["max_deviation_m"]

    # Routes.

    def _set_route(self, route_id: str, read: RouteReader) -> None:
        try:
            self._guidance.set_route(*read())
        except InvalidInputError as error:
            self._refuse_route(error)
            return
        self._refusal = ""
        self._forget("another route has come")
        self._route_id, self._published = route_id, self._guidance.revision
        self._publish_route(route_id)

    def _refuse_route(self, error: InvalidInputError) -> None:
        """Follow no route at all: whoever sent another one does not want the old one, so the car stops."""
        self._guidance.drop_route()
        self._forget("there is no route any more")
        self._refusal, self._mode = f"route refused: {error}", "no route"
        self.refuse(self._refusal)

    def _on_world_info(self, message: CarlaWorldInfo) -> None:
        """Work the map out beside the callbacks; it takes about a second."""
        self._map_thread = threading.Thread(target=self._read_map, args=(message,), daemon=True)
        self._map_thread.start()

    def _read_map(self, message: CarlaWorldInfo) -> None:
        try:
            import carla

            self._guidance.set_map(carla.Map(message.map_name, message.opendrive))
            self._map_fault = ""
        except ImportError:
            self._map_fault = (
                "the package 'carla' is missing, so instructions cannot change the route: pip install carla"
            )
            self.warn(self._map_fault)
        except (RuntimeError, SimlingoError) as error:
            self._map_fault = f"the map '{message.map_name}' of /carla/world_info cannot be read: {error}"
            self.refuse(self._map_fault)

    # Odometry.

    def _on_odometry(self, message: Odometry) -> None:
        if not self.is_active:
            return
        begin = time.perf_counter()
        try:
            ego = conversions.odometry_to_ego_state(message)
        except InvalidInputError as error:
            self._fault = str(error)
            self.refuse(self._fault)
            return
        self._fault, self._ego = "", ego
        answer = NavigationMsg(status=NavigationMsg.NO_ROUTE)
        try:
            self._guidance.update(ego)
            self._attend(ego)
            answer = self._answer(ego)
        except InvalidInputError as error:
            self._refuse_route(error)
        answer.header.stamp = message.header.stamp
        answer.header.frame_id = self.role
        self._navigation.publish(answer)
        self.statistics.add(time.perf_counter() - begin)
        self.good_input()

    def _answer(self, ego: EgoState) -> NavigationMsg:
        """Navigation at ``ego``."""
        navigation = self._guidance.update(ego)
        planner = self._guidance.planner
        if navigation is None or planner is None:
            self._mode = "no route"
            return NavigationMsg(status=NavigationMsg.NO_ROUTE)
        message = conversions.navigation_to_message(navigation)
        message.progress, message.length = float(planner.progress), float(planner.length)
        told = self._dispatcher.told
        if told is not None:
            message.instruction_id, message.instruction_text = told.id, told.text
        self._mode = "active"
        if planner.finished:
            self._mode, message.status = "finished", NavigationMsg.FINISHED
        elif self._guidance.off_route:
            self._mode, message.status = "off route", NavigationMsg.OFF_ROUTE
            self._fault = f"{planner.deviation:.0f} m beside the route; send a new route"
        return message

    # Instructions.

    def _on_text(self, message: String) -> None:
        self._hear(Instruction("", 0, message.data))

    def _on_instruction(self, message: InstructionMsg) -> None:
        self._hear(Instruction(message.id, conversions.stamp_to_ns(message.header.stamp), message.text))

    def _hear(self, heard: Instruction) -> None:
        """It is answered at the next odometry; while the world is paused, which sends none, at the last."""
        self._inbox.hear(heard)
        if self._paused and self.is_active and self._ego is not None:
            self._attend(self._ego)

    def _on_plan(self, message: DrivingPlanMsg) -> None:
        if self.is_active:
            plan = conversions.message_to_plan_news(message)
            self._inbox.hear_plan(plan)

    def _on_override(self, message: Bool) -> None:
        self._dispatcher.take_over(message.data)

    def _on_world_control(self, message: CarlaControl) -> None:
        self._paused = message.command != CarlaControl.PLAY
        self._dispatcher.pause(self._paused)

    def _attend(self, ego: EgoState) -> None:
        """Let everything that is due have its effect, and say what has become of it."""
        passed_over = self._inbox.passed_over
        self._tell(self._inbox.steps(ego))
        if self._inbox.passed_over > passed_over:
            self.statistics.refused += self._inbox.passed_over - passed_over
            self.warn("more instructions at once than anybody could mean: the newest are heard, the others passed over")
        if self._guidance.revision != self._published:
            self._published = self._guidance.revision
            self._publish_route(f"{self._route_id}/{self._published}")

    def _forget(self, reason: str) -> None:
        self._tell(self._dispatcher.forget(self._ego.stamp if self._ego is not None else 0, reason))

    def _tell(self, steps: list[Step]) -> None:
        for step in steps:
            self._status.publish(step_to_message(step))
            self.get_logger().info(
                f"instruction '{step.instruction.text[:80]}': {step.state.value} {step.reason}".rstrip()
            )

    def _publish_route(self, route_id: str) -> None:
        """Say which route is followed now; the bridge scores it."""
        points, commands = self._guidance.route()
        if commands:
            stamp = self.get_clock().now().nanoseconds
            self._route.publish(conversions.route_to_message(points, commands, route_id, stamp))


def main() -> None:
    """Entry point of the executable ``route``."""
    sys.exit(run_node(RouteNode))


if __name__ == "__main__":
    main()
