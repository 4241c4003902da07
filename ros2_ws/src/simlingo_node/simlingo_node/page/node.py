"""The node behind the live page: subscribes to what is shown, publishes what a person asks for."""

from __future__ import annotations

import asyncio
import io
import json
import signal
import sys
import threading
import time

import rclpy
from carla_msgs.msg import CarlaControl, CarlaEgoVehicleControl, CarlaWorldInfo
from nav_msgs.msg import Odometry
from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor, ParameterType
from rclpy.clock import Clock, ClockType
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions
from rclpy.subscription import Subscription
from rosgraph_msgs.msg import Clock as ClockMsg
from sensor_msgs.msg import CameraInfo, Image
from simlingo_msgs.msg import DrivingPlan, InstructionStatus, Navigation, Route, Score, StackState
from std_msgs.msg import Bool, String

from simlingo.contracts import InvalidInputError, SimlingoError
from simlingo_node.conversions import camera_info_to_intrinsics, odometry_to_ego_state, stamp_to_ns
from simlingo_node.overlay import Camera, picture_from_pixels
from simlingo_node.page.lanes import street_lines
from simlingo_node.page.server import PageServer, bind
from simlingo_node.page.state import Json, PageState
from simlingo_node.page.takeover import TakeOver, checked_command
from simlingo_node.qos import DEFAULT, LATCHED
from simlingo_node.watch import EVENTS, PICTURES, WATCHED, vehicle_topic

_STEADY = Clock(clock_type=ClockType.STEADY_TIME)
_MANUAL_RATE_HZ = 20.0
_MAX_INSTRUCTION_LENGTH = 500
_WORLD_COMMANDS = {"pause": CarlaControl.PAUSE, "play": CarlaControl.PLAY, "step": CarlaControl.STEP_ONCE}


class PageNode(Node):
    """Keeps the newest of everything; ``Source`` of the page's server."""

    def __init__(self) -> None:
        super().__init__("page")
        self._declare_parameters()
        self.state = PageState()
        self._take_over = TakeOver()
        self._camera = Camera()
        self._frame: Image | None = None
        self._frame_lock = threading.Lock()
        self._watchers = 0
        self._pictures: Subscription | None = None
        self._streets = b'{"lanes":[],"marks":[]}'
        self._subscribe()
        self._override = self.create_publisher(Bool, vehicle_topic(self, "vehicle_control_manual_override"), LATCHED)
        self._manual = self.create_publisher(
            CarlaEgoVehicleControl, vehicle_topic(self, "vehicle_control_cmd_manual"), DEFAULT
        )
        self._world = self.create_publisher(CarlaControl, "/carla/control", DEFAULT)
        self._instruction = self.create_publisher(String, "/simlingo/instruction", DEFAULT)
        self.create_timer(1.0 / _MANUAL_RATE_HZ, self._drive_manually, clock=_STEADY)
        self.create_timer(0.2, self._follow_watchers, clock=_STEADY)

    def _declare_parameters(self) -> None:
        text = ParameterType.PARAMETER_STRING
        self.declare_parameter(
            "role_name", "ego_vehicle", ParameterDescriptor(type=text, description="vehicle below /carla that is shown")
        )
        self.declare_parameter(
            "host", "127.0.0.1", ParameterDescriptor(type=text, description="address to listen on; 0.0.0.0: all")
        )
        self.declare_parameter(
            "port",
            8090,
            ParameterDescriptor(
                type=ParameterType.PARAMETER_INTEGER,
                description="TCP port of the page; 0: any free one",
                integer_range=[IntegerRange(from_value=0, to_value=65535, step=1)],
            ),
        )
        self.declare_parameter(
            "jpeg_quality",
            70.0,
            ParameterDescriptor(
                type=ParameterType.PARAMETER_DOUBLE,
                description="quality of the pictures sent to browsers",
                floating_point_range=[FloatingPointRange(from_value=20.0, to_value=95.0, step=0.0)],
            ),
        )

    def _subscribe(self) -> None:
        state = self.state
        self.create_subscription(ClockMsg, "/clock", self._on_clock, PICTURES)
        self.create_subscription(Odometry, vehicle_topic(self, "odometry"), self._on_odometry, WATCHED)
        self.create_subscription(
            CameraInfo, vehicle_topic(self, "rgb_front/camera_info"), self._on_camera_info, PICTURES
        )
        self.create_subscription(
            CarlaEgoVehicleControl, vehicle_topic(self, "vehicle_control_cmd"), state.add_control, WATCHED
        )
        self.create_subscription(DrivingPlan, "/simlingo/plan", state.add_plan, WATCHED)
        self.create_subscription(Navigation, "/simlingo/navigation", state.add_navigation, WATCHED)
        self.create_subscription(Score, "/simlingo/score", state.add_score, EVENTS)
        self.create_subscription(StackState, "/simlingo/state", state.add_node, EVENTS)
        self.create_subscription(
            InstructionStatus, "/simlingo/instruction_status", state.add_instruction_status, EVENTS
        )
        self.create_subscription(Route, "/simlingo/mission", state.add_route, LATCHED)
        self.create_subscription(CarlaWorldInfo, "/carla/world_info", self._on_world_info, LATCHED)
        self.create_subscription(CarlaControl, "/carla/control", self._on_world_command, EVENTS)

    # --- messages --------------------------------------------------------------------------------------------

    def _on_clock(self, message: ClockMsg) -> None:
        self.state.add_clock(stamp_to_ns(message.clock) / 1e9)

    def _on_odometry(self, message: Odometry) -> None:
        try:
            self.state.add_pose(odometry_to_ego_state(message))
        except InvalidInputError as error:
            self.state.set_problem(str(error))

    def _on_camera_info(self, message: CameraInfo) -> None:
        try:
            self._camera = Camera(camera_info_to_intrinsics(message))
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
        """Work the streets out once; without ``carla`` the top view shows the route only."""
        try:
            import carla

            self._streets = json.dumps(street_lines(carla.Map(name, opendrive)), separators=(",", ":")).encode()
        except ImportError:
            self.get_logger().info("the package carla is not installed: the top view shows no streets")
        except RuntimeError as error:
            self.state.set_problem(f"the map {name} cannot be drawn: {error}")
        self.state.set_town(name)

    # --- what the server asks --------------------------------------------------------------------------------

    def watchers_changed(self, count: int) -> None:
        """So many browsers look now; at none, a person at the wheel is gone and the car brakes."""
        self._watchers = count

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
        buffer = io.BytesIO()
        picture.save(buffer, "JPEG", quality=int(self.get_parameter("jpeg_quality").value))
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
        snapshot["takeover"] = {"active": self._take_over.active, "alone": self._take_over.alone(now)}
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

    def act(self, request: dict[str, object]) -> None:
        """Carry out a browser's request.

        Raises:
            ValueError: the request is not understood.
        """
        action = request.get("do")
        if action in _WORLD_COMMANDS:
            self._world.publish(CarlaControl(command=_WORLD_COMMANDS[str(action)]))
        elif action == "instruct":
            self._instruct(request.get("text"))
        elif action == "take_over":
            self._take_over.engage()
            self._override.publish(Bool(data=True))
        elif action == "give_back":
            self._take_over.release()
            self._override.publish(Bool(data=False))
        elif action == "manual":
            names = ("steer", "throttle", "brake")
            command = checked_command(*(request.get(name) for name in names), reverse=request.get("reverse"))
            self._take_over.command(command, time.monotonic())
        else:
            raise ValueError(f"unknown request {action!r}")

    def _instruct(self, text: object) -> None:
        if not isinstance(text, str) or len(text) > _MAX_INSTRUCTION_LENGTH:
            raise ValueError(f"an instruction is a text of at most {_MAX_INSTRUCTION_LENGTH} characters")
        self._instruction.publish(String(data=text.strip()))

    # --- timers ----------------------------------------------------------------------------------------------

    def _drive_manually(self) -> None:
        command = self._take_over.output(time.monotonic())
        if command is None:
            return
        message = CarlaEgoVehicleControl(
            steer=command.steer, throttle=command.throttle, brake=command.brake, reverse=command.reverse
        )
        seconds = self.state.simulation_time()
        message.header.stamp.sec = int(seconds)
        message.header.stamp.nanosec = int((seconds % 1.0) * 1e9)
        self._manual.publish(message)

    def _follow_watchers(self) -> None:
        """Subscribe to the camera only while somebody looks: a picture costs a megabyte of copying."""
        if self._watchers and self._pictures is None:
            self._pictures = self.create_subscription(
                Image, vehicle_topic(self, "rgb_front/image"), self._on_image, PICTURES
            )
        elif not self._watchers and self._pictures is not None:
            self.destroy_subscription(self._pictures)
            self._pictures = None


def _spin(executor: SingleThreadedExecutor, stop: asyncio.Event, loop: asyncio.AbstractEventLoop) -> None:
    try:
        executor.spin()
    except ExternalShutdownException:
        pass
    finally:
        loop.call_soon_threadsafe(stop.set)


async def _serve(node: PageNode) -> None:
    """Serve ``node``'s page until a signal comes."""
    host, port = str(node.get_parameter("host").value), int(node.get_parameter("port").value)
    listener = bind(host, port)
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    threading.Thread(target=_spin, args=(executor, stop, loop), daemon=True).start()
    shown = "127.0.0.1" if host in ("0.0.0.0", "::") else host
    node.get_logger().info(f"live page: http://{shown}:{listener.getsockname()[1]}/")
    try:
        await PageServer(node).run(listener, stop)
    finally:
        executor.shutdown(timeout_sec=0.5)


def main(args: list[str] | None = None) -> int:
    """Run the node; 1 where the port cannot be used."""
    rclpy.init(args=args, signal_handler_options=SignalHandlerOptions.NO)
    node = PageNode()
    try:
        asyncio.run(_serve(node))
    except SimlingoError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    finally:
        node.destroy_node()
        rclpy.try_shutdown()
    return 0


if __name__ == "__main__":
    sys.exit(main())
