"""What the page shows, kept from messages and handed out as plain JSON values. Thread-safe.

Positions are in the core's map frame (CARLA's: x east, y south on paper), which is also how a screen counts.
"""

from __future__ import annotations

import math
import threading
import time
from collections import deque

from carla_msgs.msg import CarlaEgoVehicleControl, CarlaTrafficLightInfoList, CarlaTrafficLightStatusList
from simlingo_msgs.msg import Commentary, InstructionStatus, Route, Score, StackState
from simlingo_msgs.msg import DrivingPlan as DrivingPlanMsg
from simlingo_msgs.msg import Navigation as NavigationMsg

from simlingo.contracts import Command, DrivingPlan, EgoState, FloatArray, InvalidInputError
from simlingo.geometry import ego_to_map
from simlingo_node.conversions import message_to_plan, message_to_route, points_from_ros, stamp_to_ns, to_command
from simlingo_node.instruction_status import word_of
from simlingo_node.overlay import Camera, Overlay
from simlingo_node.page.lights import StopArea, light_ahead, stop_area
from simlingo_node.watch import PoseHistory

Json = dict[str, object]

NAVIGATION_NAMES = {
    NavigationMsg.OK: "on route",
    NavigationMsg.NO_ROUTE: "no route",
    NavigationMsg.OFF_ROUTE: "off route",
    NavigationMsg.FINISHED: "arrived",
}
COMMAND_NAMES = {
    Command.LEFT: "turn left",
    Command.RIGHT: "turn right",
    Command.STRAIGHT: "go straight",
    Command.FOLLOW_LANE: "follow the road",
    Command.CHANGE_LANE_LEFT: "change to the left lane",
    Command.CHANGE_LANE_RIGHT: "change to the right lane",
}
_TRACE_STEP_M = 1.0
_TRACE_POINTS = 4000
_FEED_LENGTH = 20
#: Characters of a sentence that are shown.
_SHOWN_TEXT = 300


def flat(points: FloatArray) -> list[float]:
    """Points (N, 2) as x0, y0, x1, y1, ... rounded to centimetres."""
    return [round(value, 2) for value in points.reshape(-1).tolist()]


def finite(value: float, digits: int = 2) -> float | None:
    """``value`` for JSON, which knows no NaN."""
    return round(value, digits) if math.isfinite(value) else None


class PageState:
    """The newest of everything. Every method may be called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._poses = PoseHistory()
        self._plan: DrivingPlan | None = None
        self._plan_json: Json | None = None
        self._control: Json | None = None
        self._navigation: Json | None = None
        self._score: Json | None = None
        self._nodes: dict[str, tuple[float, Json]] = {}
        self._feed: deque[Json] = deque(maxlen=_FEED_LENGTH)
        self._answers: deque[Json] = deque(maxlen=_FEED_LENGTH)
        self._trace: deque[tuple[float, float]] = deque(maxlen=_TRACE_POINTS)
        self._clock: deque[tuple[float, float]] = deque(maxlen=200)  # steady s, simulation s
        self._route: Json = {"id": "", "points": []}
        self._town = ""
        self._paused = False
        self._stop_areas: dict[int, StopArea] = {}
        self._light_states: dict[int, int] = {}
        self._words = ""
        self._problem: tuple[float, str] | None = None

    def set_problem(self, text: str) -> None:
        """A message of the stack that could not be shown; stays visible for some seconds."""
        with self._lock:
            self._problem = (time.monotonic(), text)

    def set_town(self, town: str) -> None:
        """The name of the map that is driven."""
        with self._lock:
            self._town = town

    def set_paused(self, paused: bool) -> None:
        """Whether the world has been told to stand still."""
        with self._lock:
            self._paused = paused

    def add_pose(self, pose: EgoState) -> None:
        """A pose of the vehicle."""
        with self._lock:
            newest = self._poses.newest()
            if newest is not None and pose.stamp < newest.stamp:
                self._trace.clear()
                self._clock.clear()
            self._clock.append((time.monotonic(), pose.stamp / 1e9))
            self._poses.add(pose)
            last = self._trace[-1] if self._trace else None
            if last is None or math.hypot(pose.x - last[0], pose.y - last[1]) >= _TRACE_STEP_M:
                self._trace.append((round(pose.x, 2), round(pose.y, 2)))

    def add_plan(self, message: DrivingPlanMsg) -> None:
        """A plan; a broken one becomes a visible problem."""
        try:
            plan = message_to_plan(message)
        except InvalidInputError as error:
            self.set_problem(str(error))
            return
        with self._lock:
            self._plan = plan
            then = self._poses.at(plan.stamp)
            self._plan_json = {
                "path": [] if then is None else flat(ego_to_map(plan.path, then)),
                "waypoints": [] if then is None else flat(ego_to_map(plan.speed_waypoints, then)),
                "stamp": plan.stamp / 1e9,
                "instruction_id": plan.instruction_id,
                "model": message.model,
                "timing_ms": {name: round(seconds * 1e3, 1) for name, seconds in plan.timing.items()},
            }

    def add_commentary(self, message: Commentary) -> None:
        """What the driver says."""
        with self._lock:
            self._words = message.text

    def add_control(self, message: CarlaEgoVehicleControl) -> None:
        """What the vehicle was told."""
        with self._lock:
            self._control = {
                "steer": finite(message.steer, 3),
                "throttle": finite(message.throttle, 3),
                "brake": finite(message.brake, 3),
            }

    def add_navigation(self, message: NavigationMsg) -> None:
        """What the route says."""
        on_route = message.status == NavigationMsg.OK
        try:
            command = COMMAND_NAMES[to_command(message.command)] if on_route else ""
        except InvalidInputError as error:
            self.set_problem(str(error))
            return
        with self._lock:
            pose = self._poses.at(stamp_to_ns(message.header.stamp))
            targets = [] if pose is None else flat(ego_to_map(points_from_ros(message.target_points), pose))
            self._navigation = {
                "status": NAVIGATION_NAMES.get(message.status, "unknown"),
                "command": command,
                "distance": finite(message.distance_to_command, 1),
                "progress": finite(message.progress, 1),
                "length": finite(message.length, 1),
                "targets": targets if on_route else [],
            }

    def add_route(self, message: Route) -> None:
        """The mission."""
        try:
            points, _ = message_to_route(message)
        except InvalidInputError as error:
            self.set_problem(str(error))
            return
        with self._lock:
            self._route = {"id": message.id, "points": flat(points)}

    def add_score(self, message: Score) -> None:
        """How well it goes."""
        with self._lock:
            self._score = {
                "status": message.status,
                "completion": finite(message.route_completion, 1),
                "driving": finite(message.driving_score, 1),
                "driven_m": finite(message.driven_m, 0),
                "infractions": list(message.infractions),
                "red_lights": [message.red_lights_stopped, message.red_lights_met],
                "collisions": message.collisions,
                "instruction": message.instruction_result,
            }

    def add_node(self, message: StackState) -> None:
        """How a node is doing."""
        with self._lock:
            self._nodes[message.node] = (
                time.monotonic(),
                {
                    "name": message.node,
                    "mode": message.mode,
                    "detail": message.detail,
                    "p50_ms": finite(message.latency_p50_ms, 1),
                    "p99_ms": finite(message.latency_p99_ms, 1),
                    "processed": message.processed,
                    "dropped": message.dropped,
                    "refused": message.refused,
                    "memory_mib": finite(message.memory_mib, 0),
                },
            )

    def add_instruction_status(self, message: InstructionStatus) -> None:
        """What became of an instruction; one that is in the feed already goes on there, and keeps its earlier states."""
        status = word_of(message.status)
        entry: Json = {
            "id": message.id,
            "text": message.text[:_SHOWN_TEXT],
            "status": status,
            "reason": message.reason,
            "time": round(stamp_to_ns(message.header.stamp) / 1e9, 2),
            "steps": [status],
        }
        with self._lock:
            for index, old in enumerate(self._feed):
                if old["id"] == message.id and message.id:
                    before = old["steps"]
                    self._feed[index] = {**entry, "steps": [*(before if isinstance(before, list) else []), status]}
                    return
            self._feed.append(entry)

    def add_question(self, number: int, question: str) -> None:
        """A question that has been asked; its answer comes later."""
        with self._lock:
            self._answers.append({"id": number, "question": question, "answer": "", "error": "", "stamp": 0.0})

    def add_answer(self, number: int, answer: str, error: str, stamp: int) -> None:
        """The answer to question ``number``, or why there is none; ``stamp`` (ns) of the frame that it speaks of."""
        with self._lock:
            for index, old in enumerate(self._answers):
                if old["id"] == number:
                    self._answers[index] = {**old, "answer": answer, "error": error, "stamp": stamp / 1e9}

    def set_light_places(self, message: CarlaTrafficLightInfoList) -> None:
        """Where the traffic lights are."""
        areas = {info.id: stop_area(info) for info in message.traffic_lights}
        with self._lock:
            self._stop_areas = areas

    def set_light_states(self, message: CarlaTrafficLightStatusList) -> None:
        """What the traffic lights show."""
        with self._lock:
            self._light_states = {light.id: light.state for light in message.traffic_lights}

    def overlay(self, stamp: int, camera: Camera) -> Overlay | None:
        """The newest plan as the picture of ``stamp`` (ns) shows it."""
        with self._lock:
            return self._poses.overlay(self._plan, stamp, camera)

    def newest_stamp(self) -> int:
        """Simulation time of the newest pose, ns; 0 before the first."""
        with self._lock:
            pose = self._poses.newest()
            return 0 if pose is None else pose.stamp

    def lasting(self) -> Json:
        """What a browser needs once, or after a change: town, mission, the driven trace."""
        with self._lock:
            return {
                "kind": "lasting",
                "town": self._town,
                "route": self._route,
                "trace": [value for point in self._trace for value in point],
            }

    def lasting_version(self) -> tuple[str, str, int]:
        """Changes when ``lasting`` must be sent again."""
        with self._lock:
            points = self._route["points"]
            return self._town, str(self._route["id"]), len(points) if isinstance(points, list) else 0

    def snapshot(self) -> Json:
        """Everything that changes, as JSON values."""
        now = time.monotonic()
        with self._lock:
            pose = self._poses.newest()
            problem = self._problem[1] if self._problem and now - self._problem[0] < 5.0 else ""
            return {
                "kind": "state",
                "time": self._clock[-1][1] if self._clock else None,
                "real_time_factor": self._real_time_factor(now),
                "pose": None if pose is None else [round(pose.x, 2), round(pose.y, 2), round(pose.yaw, 4)],
                "speed": None if pose is None else round(pose.speed, 2),
                "plan": self._plan_json,
                "words": self._words,
                "control": self._control,
                "navigation": self._navigation,
                "score": self._score,
                "nodes": [dict(node, age=round(now - heard, 1)) for heard, node in self._nodes.values()],
                "feed": list(self._feed),
                "answers": list(self._answers),
                "light": None if pose is None else light_ahead(self._stop_areas, self._light_states, pose),
                "paused": self._paused,
                "problem": problem,
            }

    def _real_time_factor(self, now: float) -> float | None:
        """Simulated seconds per second over the last three seconds; the lock is held."""
        recent = [entry for entry in self._clock if now - entry[0] <= 3.0]
        if len(recent) < 2 or now - recent[0][0] < 0.5:
            return None
        return round((recent[-1][1] - recent[0][1]) / (now - recent[0][0]), 2)
