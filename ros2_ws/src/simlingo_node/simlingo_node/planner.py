"""The planner node: camera, speed and navigation in, a driving plan out; as fast as the driver can, never later."""

from __future__ import annotations

import dataclasses
import sys
import threading
import time
import traceback
from typing import Any

import numpy as np
from nav_msgs.msg import Odometry
from sensor_msgs.msg import CameraInfo, Image
from simlingo_msgs.msg import DrivingPlan as DrivingPlanMsg
from simlingo_msgs.msg import Navigation as NavigationMsg
from std_msgs.msg import Header

from simlingo.camera_monitor import CameraMonitor
from simlingo.contracts import (
    MODEL_CAMERA,
    PATH_POINTS,
    SPEED_WAYPOINTS,
    Command,
    DrivingPlan,
    Instruction,
    InvalidInputError,
    Navigation,
    Observation,
)
from simlingo.model.driver import TextOptions
from simlingo.model.engine.commentary_trigger import CommentaryMode
from simlingo.model.engine.speech import SpeechCancelledError
from simlingo.model.load import FLAGS, load_policy
from simlingo.model.prompt import RouteAs
from simlingo.picture_lag import PictureLag
from simlingo.policy import Policy
from simlingo_node import conversions, qos
from simlingo_node.camera_gate import MAX_AHEAD_NS, CameraGate
from simlingo_node.frame_join import FrameJoin
from simlingo_node.node_base import ERROR, FAILED, OK, WARN, StackNode
from simlingo_node.parameters import Parameter
from simlingo_node.plan_display import PlanDisplay
from simlingo_node.process import run_node
from simlingo_node.questions import Questions
from simlingo_node.spoken import Spoken

PARAMETERS = (
    Parameter(
        "model", "simlingo-mini", "Shipped model's name, or the path of a model folder or checkpoint.", fixed=True
    ),
    Parameter("threads", 2, "CPU threads of the network.", minimum=1, maximum=64, fixed=True),
    Parameter(
        "route_as",
        RouteAs.TARGET_POINT.value,
        "What of the navigation the model is told: the next two target points, or the command in words.",
        choices=tuple(each.value for each in RouteAs),
        fixed=True,
    ),
    Parameter("device", "cpu", "What the network runs on.", choices=("cpu", "cuda"), fixed=True),
    Parameter(
        "precision",
        "fp32",
        "Type of the network's weights; other than fp32 on a CPU needs torch, int8 a CPU.",
        choices=("fp32", "bf16", "int8"),
        fixed=True,
    ),
    Parameter(
        "text",
        CommentaryMode.ON_CHANGE.value,
        "When the model says what it does. on_change: another command or instruction, or a plan that begins to stop or to "
        "brake hard, at once; any other intent once three plans in a row have it. A model that was not trained to speak "
        "never does.",
        choices=tuple(each.value for each in CommentaryMode),
        fixed=True,
    ),
    Parameter("text_every", 20, "Plans between two texts under every_n.", minimum=1, maximum=10_000, fixed=True),
    Parameter(
        "text_before_plan",
        False,
        "True: the published order, in which a plan waits for a text that is due and reads it; for research.",
        fixed=True,
    ),
    Parameter(
        "instruction_mode",
        "safety",
        "safety: the driver refuses instructions that are unsafe. follow: it is told to obey whatever comes; only where "
        "simulation is declared. The controller's safety gate is the same in both.",
        choices=tuple(FLAGS),
        fixed=True,
    ),
    Parameter(
        "simulation",
        False,
        "Declares that what is driven is simulated; weights whose licence forbids real vehicles drive only so.",
        fixed=True,
    ),
    Parameter("camera", "rgb_front", "Id of the camera: topics /carla/<r>/<camera>/image and camera_info.", fixed=True),
    Parameter(
        "input_timeout_s",
        1.0,
        "Without a complete input for so long (s, steady clock), the state says which input is missing.",
        minimum=0.1,
        maximum=60.0,
    ),
)

#: What a plan is made of; the three pair by equal stamp.
PARTS = ("image", "odometry", "navigation")
_WARM_UP_PLANS = 3


def stop_plan(stamp: int, text: str) -> DrivingPlan:
    """A plan that stands still (all speed waypoints in one place), straight ahead; ``text`` says why."""
    path = np.stack((np.arange(1.0, PATH_POINTS + 1.0), np.zeros(PATH_POINTS)), axis=1)
    return DrivingPlan(stamp, path, np.zeros((SPEED_WAYPOINTS, 2)), text=text, text_stamp=stamp)


_NO_GUIDANCE = {
    NavigationMsg.NO_ROUTE: "There is no route yet, so I stand.",
    NavigationMsg.OFF_ROUTE: "I am too far off the route, so I stop.",
    NavigationMsg.FINISHED: "The goal is reached, so I stop.",
}


class PlannerNode(StackNode):
    """Plans on the newest image whose odometry and navigation have come; a worker thread owns the driver."""

    def __init__(self, **node_arguments: Any) -> None:
        super().__init__("planner", PARAMETERS, **node_arguments)
        self._join = FrameJoin(PARTS)
        self._gate = CameraGate()
        self._camera = CameraMonitor()
        self._lag = PictureLag()
        self._loaded: Policy | None = None
        self._worker: threading.Thread | None = None
        self._arrival: dict[str, float] = {}
        self._odometry_stamp: int | None = None
        self._pictured = -1  # ns, the last tick whose image has come, good or not
        self._misstamped = False  # an image has come that is of no known tick: it is of the next
        self._reported_clock = -1
        self._fault = ""
        self._standing = ""
        self._text_fault = ""
        self._seen = False  # a frame has come that questions can be about
        self._questions: Questions | None = None

    def configure(self) -> None:
        """Load the driver, plan once to warm it up, make the topics."""
        text = TextOptions(
            CommentaryMode(self.parameters["text"]), self.parameters["text_every"], self.parameters["text_before_plan"]
        )
        names = ("threads", "route_as", "device", "precision", "instruction_mode")
        self._loaded = load_policy(
            self.parameters["model"], text=text, **{name: self.parameters[name] for name in names}
        )
        self._warm_up()
        camera = self.ego_topic(self.parameters["camera"])
        self._publisher = self.create_publisher(DrivingPlanMsg, "/simlingo/plan", qos.DEFAULT)
        self._refused_frames = self.create_publisher(Header, "/simlingo/refused_frame", qos.DEFAULT)
        self._display = PlanDisplay(self, self.role)
        self._spoken = Spoken(self, self.role, self._policy.name)
        self._questions = Questions(self, self._policy.ask, self._no_question, self._policy.name)
        self._inputs = [
            self.create_subscription(CameraInfo, f"{camera}/camera_info", self._on_camera_info, qos.DEFAULT),
            self.create_subscription(Image, f"{camera}/image", self._on_image, qos.camera_subscription(self.lockstep)),
            self.create_subscription(Odometry, self.ego_topic("odometry"), self._on_odometry, qos.DEFAULT),
            self.create_subscription(NavigationMsg, "/simlingo/navigation", self._on_navigation, qos.DEFAULT),
        ]

    def activate(self) -> None:
        """Begin to plan; with weights for simulation alone only where simulation is declared."""
        simulated = self.get_parameter("use_sim_time").value and self.parameters["simulation"]
        if self._policy.simulation_only and not simulated:
            raise InvalidInputError(
                f"{self._policy.name} may drive in simulation only ({self._policy.licence}); where that is so, run the "
                "planner with use_sim_time:=true and simulation:=true"
            )
        if self.parameters["instruction_mode"] == "follow" and not simulated:
            raise InvalidInputError(
                "instruction_mode 'follow', in which the driver may refuse nothing, is for simulation only; where that is "
                "so, run the planner with use_sim_time:=true and simulation:=true, else choose instruction_mode:=safety"
            )
        self._join.clear()
        self._gate.clear()
        self._camera.clear()
        self._lag.clear()
        self._policy.reset()
        self._activated = self._paired = time.monotonic()
        self._arrival.clear()
        self._odometry_stamp = None
        self._pictured, self._misstamped = -1, False
        self._fault = self._standing = self._text_fault = ""
        self._seen = False
        self._worker = threading.Thread(target=self._work, name="planner", daemon=True)
        self._worker.start()

    def deactivate(self) -> None:
        """End the worker; the plan in work is finished and not published, or given up where it waits for a long text."""
        self._join.close()
        if self._worker is not None:
            self._worker.join(timeout=1.0)
            if self._worker.is_alive():
                self._policy.reset()
                self._worker.join(timeout=1.0)
        self._worker = None

    def cleanup(self) -> None:
        """Let the driver and the topics go."""
        for subscription in getattr(self, "_inputs", []):
            self.destroy_subscription(subscription)
        self._inputs = []
        if self._loaded is not None:
            self._loaded.close()
        self._loaded = None
        if self._questions is not None:
            self._questions.close()
        self._questions = None

    def report(self) -> tuple[int, str, str]:
        """Active, with its texts or without, standing without guidance, or waiting for an input that does not come."""
        self.statistics.dropped = self._join.dropped
        now, limit = time.monotonic(), self.parameters["input_timeout_s"]
        missing = [part for part in PARTS if now - self._arrival.get(part, self._activated) > limit]
        clock, before = self.get_clock().now().nanoseconds, self._reported_clock
        self._reported_clock = clock
        if missing:
            words = f"no {' and no '.join(missing)} for {limit:g} s"
            if clock == before and len(missing) == len(PARTS):
                return (
                    WARN,
                    "waiting",
                    f"{words}, and simulation time stands: the world is paused, or its bridge is gone",
                )
            return ERROR, "waiting", f"{words}; is its publisher running?"
        if self._fault:
            return ERROR, "refusing", self._fault
        if now - self._paired > limit:
            return ERROR, "waiting", f"{', '.join(PARTS)} come, but none of equal stamp for {limit:g} s"
        if self._standing:
            return WARN, "standing", self._standing
        if self._text_fault:
            return WARN, "active", self._text_fault
        return OK, "active", ""

    @property
    def _policy(self) -> Policy:
        """The driver of a configured node."""
        assert self._loaded is not None
        return self._loaded

    def _no_question(self) -> str:
        """Why nothing can be asked; empty: it can."""
        if not self.is_active:
            return "the planner is not active, so it sees nothing; activate it"
        return (
            "" if self._seen else "no frame has come yet, so there is nothing to speak of; ask again when the car sees"
        )

    def _on_camera_info(self, message: CameraInfo) -> None:
        try:
            self._gate.set_info(message)
        except InvalidInputError as error:
            self._note_fault(error)

    def _on_image(self, message: Image) -> None:
        if not self.is_active:
            return
        self._arrival["image"] = time.monotonic()
        try:
            stamp = self._gate.check_order(message, self._odometry_stamp)
        except InvalidInputError as error:
            self._note_fault(error)
            if conversions.stamp_to_ns(message.header.stamp) != self._pictured:  # else it came twice
                self._misstamped = True
                self._refuse_misstamped()
            return
        self._pictured = stamp
        self._take("image", stamp, (message, time.perf_counter()))

    def _on_odometry(self, message: Odometry) -> None:
        if not self.is_active:
            return
        self._arrival["odometry"] = time.monotonic()
        try:
            ego = conversions.odometry_to_ego_state(message)
        except InvalidInputError as error:
            self._note_fault(error)
            return
        self._odometry_stamp = ego.stamp
        self._take("odometry", ego.stamp, ego)
        if self._pictured >= 0 and abs(ego.stamp - self._pictured) > MAX_AHEAD_NS:
            self._tell_refused(ego.stamp)  # no picture comes with this stamp
        elif self._misstamped:
            self._refuse_misstamped()

    def _on_navigation(self, message: NavigationMsg) -> None:
        if self.is_active:
            self._arrival["navigation"] = time.monotonic()
            self._take("navigation", conversions.stamp_to_ns(message.header.stamp), message)

    def _take(self, part: str, stamp: int, value: object) -> None:
        if not self._join.put(part, stamp, value):
            self.statistics.refused += 1

    def _note_fault(self, error: InvalidInputError) -> None:
        """The first fault after good input is told at once."""
        first, self._fault = not self._fault, str(error)
        self.refuse(self._fault)
        if first:
            self.publish_state()

    def _refuse_misstamped(self) -> None:
        """Lockstep: an image has not the stamp of its tick, which is that of the odometry without one, or of the next to come."""
        if self._odometry_stamp is not None and self._odometry_stamp > self._pictured:
            self._pictured, self._misstamped = self._odometry_stamp, False
            self._tell_refused(self._odometry_stamp)

    def _refuse_frame(self, stamp: int, error: InvalidInputError) -> None:
        """There will be no plan for the frame of ``stamp`` (ns): in lockstep, where all wait for it, that is told."""
        self._note_fault(error)
        self._tell_refused(stamp)

    def _tell_refused(self, stamp: int) -> None:
        if self.lockstep and not self._join.closed:
            self._refused_frames.publish(Header(stamp=conversions.ns_to_stamp(stamp)))

    def _work(self) -> None:
        """Plan on the newest complete input, again and again, until deactivated."""
        try:
            while not self._join.closed:  # which is the first thing that deactivation does
                taken = self._join.take(timeout_s=0.5)
                if taken is not None:
                    self._answer(*taken)
        except SpeechCancelledError:  # the plan in work was given up, to end here
            return
        except Exception:  # whatever it is, without this thread there are no plans: end, so that the supervisor sees it
            self.get_logger().error(f"planning has failed, so the node ends\n{traceback.format_exc().rstrip()}")
            self.exit_code = FAILED

    def _answer(self, stamp: int, parts: dict[str, Any]) -> None:
        """Plan on one complete input and publish the plan; an input that breaks its contract is refused."""
        self._paired = time.monotonic()
        message, arrived = parts["image"]
        try:
            plan = self._plan(stamp, message, arrived, parts)
        except InvalidInputError as error:
            self._refuse_frame(stamp, error)
            return
        if self._join.closed:
            return
        self._publisher.publish(conversions.plan_to_message(plan, self.role, self._policy.name))
        self.statistics.add(time.perf_counter() - arrived, plan.timing)
        self.good_input()
        self._fault = ""
        self._note_text(plan)
        self._spoken.say(plan, bool(self._standing))
        self._display.show(plan)

    def _note_text(self, plan: DrivingPlan) -> None:
        """Texts that fail cost no plan; the state tells of them until one is whole again."""
        if plan.text_fault:
            self._text_fault = plan.text_fault
            self.warn(plan.text_fault)
        elif plan.text_stamp:
            self._text_fault = ""

    def _plan(self, stamp: int, message: Image, arrived: float, parts: dict[str, Any]) -> DrivingPlan:
        """A plan for one complete input, its phases timed from the image's arrival."""
        begin = time.perf_counter()
        image, intrinsics = self._gate.decode(message)
        self._camera.check(image, parts["odometry"])
        self._lag.check(image, parts["odometry"], intrinsics)
        guidance: NavigationMsg = parts["navigation"]
        self._standing = _NO_GUIDANCE.get(guidance.status, "")
        if self._standing:
            return dataclasses.replace(stop_plan(stamp, self._standing), timing={"wait": begin - arrived})
        decoded = time.perf_counter()
        # The route carries out what it can; the driver is told the rest, and whose words they are.
        told = None
        if guidance.instruction_id:
            told = Instruction(guidance.instruction_id, stamp, guidance.instruction_text)
        self._policy.set_instruction(told)
        plan = self._policy.plan(
            Observation(stamp, image, intrinsics, parts["odometry"].speed, conversions.message_to_navigation(guidance))
        )
        done = time.perf_counter()
        self._seen = True
        timing = {"wait": begin - arrived, "decode": decoded - begin, **plan.timing}
        timing["other"] = max(0.0, done - arrived - sum(timing.values()))
        return dataclasses.replace(plan, timing=timing)

    def _warm_up(self) -> None:
        """Plan on a grey picture, so that the first real plan is as fast as the others."""
        image = np.full((MODEL_CAMERA.height, MODEL_CAMERA.width, 3), 128, dtype=np.uint8)
        ahead = np.array(((10.0, 0.0), (30.0, 0.0)))
        navigation = Navigation(ahead, Command.FOLLOW_LANE, Command.FOLLOW_LANE, 0.0)
        for _ in range(_WARM_UP_PLANS):
            self._policy.plan(Observation(0, image, MODEL_CAMERA, 0.0, navigation))


def main() -> None:
    """Entry point of the executable ``planner``."""
    sys.exit(run_node(PlannerNode, pictures=True))


if __name__ == "__main__":
    main()
