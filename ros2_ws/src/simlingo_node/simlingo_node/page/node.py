"""The node behind the live page: subscribes to what is shown, publishes what a person asks for."""

from __future__ import annotations

import io
import subprocess
import sys
import threading
import time

from carla_msgs.msg import (
    CarlaControl,
    CarlaEgoVehicleControl,
    CarlaTrafficLightInfoList,
    CarlaTrafficLightStatusList,
    CarlaWorldInfo,
)
from nav_msgs.msg import Odometry
from rclpy.clock import Clock, ClockType
from rclpy.subscription import Subscription
from rclpy.task import Future
from sensor_msgs.msg import CameraInfo, Image
from simlingo_msgs.msg import Commentary, DrivingPlan, InstructionStatus, Navigation, Route, Score, StackState
from simlingo_msgs.srv import Ask
from std_msgs.msg import Bool, String

from simlingo.contracts import InvalidInputError
from simlingo_node.conversions import camera_info_to_intrinsics, ns_to_stamp, odometry_to_ego_state, stamp_to_ns
from simlingo_node.node_base import OK, StackNode
from simlingo_node.overlay import Camera, picture_from_pixels
from simlingo_node.page.server import PageServer, bind
from simlingo_node.page.state import Json, PageState
from simlingo_node.page.takeover import TakeOver, checked_command
from simlingo_node.parameters import Parameter
from simlingo_node.process import run_node
from simlingo_node.qos import DEFAULT, LATCHED
from simlingo_node.watch import EVENTS, PICTURES, SETTLE_S, WATCHED, started

_STEADY = Clock(clock_type=ClockType.STEADY_TIME)
_MANUAL_RATE_HZ = 20.0
_MAX_TEXT_LENGTH = 500
_ANSWER_WITHIN_S = 20.0  # later answers are not wanted on a page
_STREETS_TIMEOUT_S = 60.0
_WORLD_COMMANDS = {"pause": CarlaControl.PAUSE, "play": CarlaControl.PLAY, "step": CarlaControl.STEP_ONCE}


PARAMETERS = (
    Parameter("host", "127.0.0.1", "Address to listen on; 0.0.0.0: all of this machine's addresses.", fixed=True),
    Parameter("port", 8090, "TCP port of the page; 0: any free one.", minimum=0, maximum=65535, fixed=True),
    Parameter("jpeg_quality", 70, "Quality of the pictures sent to browsers.", minimum=20, maximum=95),
)


class PageNode(StackNode):
    """Keeps the newest of everything; ``Source`` of the page's server."""

    def __init__(self) -> None:
        super().__init__("page", PARAMETERS)
        self.state = PageState()
        self._take_over = TakeOver()
        self._camera = Camera()
        self._frame: Image | None = None
        self._frame_lock = threading.Lock()
        self._browsers = 0
        self._watched: list[Subscription] = []
        self._streets = b'{"lanes":[],"marks":[]}'
        self._server: PageServer | None = None

    def configure(self) -> None:
        """Open the port and serve; subscribe."""
        host, port = self.parameters["host"], self.parameters["port"]
        listener = bind(host, port)
        self._server = PageServer(self)
        self._server.start(listener)
        shown = "127.0.0.1" if host in ("0.0.0.0", "::") else host
        self.get_logger().info(f"live page: http://{shown}:{listener.getsockname()[1]}/")
        self._subscribe()
        self._override = self.create_publisher(Bool, self.ego_topic("vehicle_control_manual_override"), LATCHED)
        self._manual = self.create_publisher(
            CarlaEgoVehicleControl, self.ego_topic("vehicle_control_cmd_manual"), DEFAULT
        )
        self._world = self.create_publisher(CarlaControl, "/carla/control", DEFAULT)
        self._instruction = self.create_publisher(String, "/simlingo/instruction", DEFAULT)
        self._ask = self.create_client(Ask, "/simlingo/ask")
        self._asked = 0
        self._manual_timer = self.create_timer(1.0 / _MANUAL_RATE_HZ, self._drive_manually, clock=_STEADY)
        self._manual_timer.cancel()
        self.create_timer(0.2, self._follow_browsers, clock=_STEADY)

    def cleanup(self) -> None:
        """Close the port."""
        if self._server is not None:
            self._server.stop()
            self._server = None

    def report(self) -> tuple[int, str, str]:
        """How many look."""
        return OK, "active", f"{self._browsers} browser(s)"

    def _subscribe(self) -> None:
        """What is rare, or is remembered for those who open the page later."""
        state = self.state
        self.create_subscription(CameraInfo, self.ego_topic("rgb_front/camera_info"), self._on_camera_info, PICTURES)
        self.create_subscription(Odometry, self.ego_topic("odometry"), self._on_odometry, WATCHED)
        self.create_subscription(
            CarlaTrafficLightInfoList, "/carla/traffic_lights/info", state.set_light_places, LATCHED
        )
        self.create_subscription(
            CarlaTrafficLightStatusList, "/carla/traffic_lights/status", state.set_light_states, LATCHED
        )
        self.create_subscription(Score, "/simlingo/score", state.add_score, EVENTS)
        self.create_subscription(StackState, "/simlingo/state", state.add_node, EVENTS)
        self.create_subscription(
            InstructionStatus, "/simlingo/instruction_status", state.add_instruction_status, EVENTS
        )
        self.create_subscription(Commentary, "/simlingo/commentary", state.add_commentary, LATCHED)
        self.create_subscription(Route, "/simlingo/mission", state.add_route, LATCHED)
        self.create_subscription(CarlaWorldInfo, "/carla/world_info", self._on_world_info, LATCHED)
        self.create_subscription(CarlaControl, "/carla/control", self._on_world_command, EVENTS)

    def _follow_browsers(self) -> None:
        """Subscribe to the rest only while somebody looks: a picture costs megabytes of copying."""
        if self._browsers and not self._watched:
            state = self.state
            self._watched = [
                self.create_subscription(kind, topic, callback, profile)
                for kind, topic, callback, profile in (
                    (Image, self.ego_topic("rgb_front/image"), self._on_image, PICTURES),
                    (CarlaEgoVehicleControl, self.ego_topic("vehicle_control_cmd"), state.add_control, PICTURES),
                    (DrivingPlan, "/simlingo/plan", state.add_plan, PICTURES),
                    (Navigation, "/simlingo/navigation", state.add_navigation, PICTURES),
                )
            ]
        elif not self._browsers:
            for subscription in self._watched:
                self.destroy_subscription(subscription)
            self._watched = []

    # --- messages --------------------------------------------------------------------------------------------

    def _on_odometry(self, message: Odometry) -> None:
        try:
            self.state.add_pose(odometry_to_ego_state(message))
        except InvalidInputError as error:
            self.state.set_problem(str(error))
        if self._watched:
            time.sleep(SETTLE_S)

    def _on_camera_info(self, message: CameraInfo) -> None:
        try:
            intrinsics = camera_info_to_intrinsics(message)
            if intrinsics != self._camera.intrinsics:
                self._camera = Camera(intrinsics)
        except InvalidInputError as error:
            self.state.set_problem(str(error))

    def _on_image(self, message: Image) -> None:
        with self._frame_lock:
            self._frame = message

    def _on_world_command(self, message: CarlaControl) -> None:
        self.state.set_paused(message.command != CarlaControl.PLAY)

    def _on_world_info(self, message: CarlaWorldInfo) -> None:
        threading.Thread(target=self._read_streets, args=(message.map_name, message.opendrive), daemon=True).start()

    def _read_streets(self, name: str, opendrive: str) -> None:
        """Work the streets out once, in a process of its own: its memory goes back, and nothing here waits."""
        if opendrive:
            done = subprocess.run(
                [sys.executable, "-m", "simlingo_node.page.lanes"],
                input=opendrive.encode(),
                capture_output=True,
                timeout=_STREETS_TIMEOUT_S,
                check=False,
            )
            if done.returncode == 0:
                self._streets = done.stdout
            else:
                reason = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
                self.get_logger().warning(f"top view without streets: {' '.join(reason)}")
        self.state.set_town(name)

    # --- what the server asks --------------------------------------------------------------------------------

    def browsers_changed(self, count: int) -> None:
        """So many browsers look now."""
        self._browsers = count

    def next_picture(self) -> tuple[dict[str, object], bytes] | None:
        """Overlay and JPEG of the newest frame, once."""
        with self._frame_lock:
            frame, self._frame = self._frame, None
        if frame is None:
            return None
        try:
            picture = picture_from_pixels(frame.data, frame.width, frame.height, frame.step, frame.encoding)
        except InvalidInputError as error:
            self.state.set_problem(str(error))
            return None
        self.statistics.processed += 1
        buffer = io.BytesIO()
        picture.save(buffer, "JPEG", quality=self.parameters["jpeg_quality"])
        stamp = stamp_to_ns(frame.header.stamp)
        overlay = self.state.overlay(stamp, self._camera)
        seen: Json = {"stamp": stamp / 1e9}
        if overlay is not None:
            for name, points in (("left", overlay.left), ("right", overlay.right), ("dots", overlay.dots)):
                seen[name] = [round(value, 4) for value in points.reshape(-1).tolist()]
        return seen, buffer.getvalue()

    def snapshot(self) -> Json:
        """Everything that changes, as JSON values."""
        snapshot = self.state.snapshot()
        now = time.monotonic()
        wheel = self._take_over
        snapshot["takeover"] = {"active": wheel.active, "alone": wheel.alone(now), "by": wheel.owner}
        return snapshot

    def lasting(self) -> Json:
        """Town, mission and driven trace."""
        return self.state.lasting()

    def lasting_version(self) -> object:
        """Changes when ``lasting`` must be sent again."""
        return self.state.lasting_version()

    def streets(self) -> bytes:
        """The streets as JSON."""
        return self._streets

    def act(self, request: dict[str, object], browser: int) -> None:
        """Carry out a request of the browser with this number.

        Raises:
            ValueError: the request is not understood, or somebody else is at the wheel.
        """
        action, now = request.get("do"), time.monotonic()
        if not isinstance(action, str):
            raise ValueError("a request says what to do in a word")
        if action in _WORLD_COMMANDS:
            self._world.publish(CarlaControl(command=_WORLD_COMMANDS[action]))
        elif action == "instruct":
            self._instruction.publish(String(data=_text(request.get("text"))))
        elif action == "ask":
            self._question(_text(request.get("text")))
        elif action == "take_over":
            self._take_over.engage(browser, now)
            self._manual_timer.reset()
            self._override.publish(Bool(data=True))
        elif action == "give_back":
            self._take_over.release(browser, now)
            self._manual_timer.cancel()
            self._override.publish(Bool(data=False))
        elif action == "manual":
            command = checked_command(
                request.get("steer"), request.get("throttle"), request.get("brake"), request.get("reverse")
            )
            self._take_over.command(browser, command, now)
        else:
            raise ValueError(f"unknown request {action[:40]!r}")

    def _question(self, question: str) -> None:
        """Ask the planner; the answer, or why there is none, comes with a later snapshot."""
        self._asked += 1
        number = self._asked
        self.state.add_question(number, question)
        if not self._ask.service_is_ready():
            self.state.add_answer(number, "", "nobody answers questions; is the planner running?", 0)
            return

        def answered(future: Future) -> None:
            answer = future.result()
            self.state.add_answer(number, answer.answer, answer.error, stamp_to_ns(answer.stamp))

        self._ask.call_async(Ask.Request(question=question, deadline_s=_ANSWER_WITHIN_S)).add_done_callback(answered)

    # --- timers ----------------------------------------------------------------------------------------------

    def _drive_manually(self) -> None:
        command = self._take_over.output(time.monotonic())
        if command is None:
            return
        message = CarlaEgoVehicleControl(
            steer=command.steer, throttle=command.throttle, brake=command.brake, reverse=command.reverse
        )
        message.header.stamp = ns_to_stamp(self.state.newest_stamp())
        self._manual.publish(message)


def _text(value: object) -> str:
    """A browser's text.

    Raises:
        ValueError: it is none, or too long.
    """
    if not isinstance(value, str) or len(value) > _MAX_TEXT_LENGTH:
        raise ValueError(f"say it in a text of at most {_MAX_TEXT_LENGTH} characters")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise ValueError("the text is no valid Unicode") from error
    return value.strip()


def main(arguments: list[str] | None = None) -> int:
    """Run the node; returns the exit code."""
    return run_node(lambda: started(PageNode()), arguments, pictures=True)


if __name__ == "__main__":
    sys.exit(main())
