"""The node that records a drive into ``<directory>/drive.mp4`` and ``<directory>/drive.mcap``."""

from __future__ import annotations

import struct
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import Any

from carla_msgs.msg import CarlaEgoVehicleControl
from nav_msgs.msg import Odometry
from nav_msgs.msg import Path as PathMsg
from rclpy.qos import QoSProfile
from sensor_msgs.msg import CameraInfo, Image
from simlingo_msgs.msg import Commentary, DrivingPlan, InstructionStatus, Navigation, Route, Score, StackState
from std_msgs.msg import String
from tf2_msgs.msg import TFMessage

from simlingo.contracts import SimlingoError
from simlingo_node.node_base import ERROR, OK, StackNode
from simlingo_node.parameters import Parameter
from simlingo_node.process import run_node
from simlingo_node.qos import LATCHED
from simlingo_node.recorder.bag import TEMPORARY_SUFFIX
from simlingo_node.recorder.writer import Item, RecordingThread, Settings
from simlingo_node.watch import EVENTS, PICTURES, SETTLE_S, WATCHED, started

#: The files must be whole this long after the order to end, s.
CLOSE_TIMEOUT_S = 1.2

PARAMETERS = (
    Parameter("directory", "", "Directory of the recording; empty: runs/<time>.", fixed=True),
    Parameter("video", True, "Write drive.mp4.", fixed=True),
    Parameter("bag", True, "Write drive.mcap.", fixed=True),
    Parameter("rate", 10.0, "Pictures per simulated second, in the video and in the bag.", 1.0, 20.0, fixed=True),
    Parameter("jpeg_quality", 80, "Quality of the pictures in the bag.", minimum=20, maximum=95, fixed=True),
)


def header_stamp(serialized: bytes) -> int:
    """Stamp (ns) of a serialized message that begins with a header: read in place, without decoding the rest."""
    seconds, nanoseconds = struct.unpack_from("<iI" if serialized[1] & 1 else ">iI", serialized, 4)
    return int(seconds) * 1_000_000_000 + int(nanoseconds)


def leftovers(runs: Path, own: Path) -> list[Path]:
    """Files below ``runs`` that a killed run left unfinished, those of ``own`` directory excepted."""
    found = runs.glob(f"*/drive.*{TEMPORARY_SUFFIX}")
    return sorted(path for path in found if path.parent != own and time.time() - path.stat().st_mtime > 60.0)


class RecorderNode(StackNode):
    """Listens with serialized messages, and leaves all work to a thread of its own."""

    def __init__(self) -> None:
        super().__init__("recorder", PARAMETERS)
        self._thread: RecordingThread | None = None
        self._newest_stamp: int | None = None
        self._early: list[tuple[str, str, bytes]] = []
        self._next_picture = 0
        self._directory = Path()
        self._problem = ""

    def configure(self) -> None:
        """Open the files and subscribe."""
        given = self.parameters["directory"]
        self._directory = Path(given) if given else Path("runs") / datetime.now().strftime("%Y-%m-%d_%H-%M-%S")
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            for path in leftovers(self._directory.parent, self._directory):
                self.get_logger().warning(
                    f"a killed run left {path}; python -m simlingo_node.recorder.recover {path.parent} makes it readable"
                )
            self._open()
        except OSError as error:
            raise SimlingoError(
                f"cannot record into {self._directory}: {error}; choose another place (recorder parameter directory)"
            ) from error

    def _open(self) -> None:
        directory, parameters = self._directory, self.parameters
        settings = Settings(
            video=directory / "drive.mp4" if parameters["video"] else None,
            bag=directory / "drive.mcap" if parameters["bag"] else None,
            rate=parameters["rate"],
            jpeg_quality=parameters["jpeg_quality"],
            picture_topic=self.ego_topic("rgb_front/image/compressed"),
        )
        topics = self._topics()
        types = {topic: _type_name(kind) for role, topic, kind, _ in topics if role != "image"}
        self._thread = RecordingThread(settings, types, self._on_problem)
        for role, topic, kind, profile in topics:
            self.create_subscription(kind, topic, self._taker(role, topic), profile, raw=True)

    def _topics(self) -> list[tuple[str, str, Any, QoSProfile]]:
        """What is recorded: its part in the video, topic, type and quality of service."""
        ego = self.ego_topic
        return [
            ("odometry", ego("odometry"), Odometry, WATCHED),
            ("camera_info", ego("rgb_front/camera_info"), CameraInfo, WATCHED),
            ("control", ego("vehicle_control_cmd"), CarlaEgoVehicleControl, WATCHED),
            ("plan", "/simlingo/plan", DrivingPlan, WATCHED),
            ("commentary", "/simlingo/commentary", Commentary, LATCHED),
            ("path", "/simlingo/path", PathMsg, WATCHED),
            ("speed_waypoints", "/simlingo/speed_waypoints", PathMsg, WATCHED),
            ("navigation", "/simlingo/navigation", Navigation, WATCHED),
            ("mission", "/simlingo/mission", Route, LATCHED),
            ("text", "/simlingo/instruction", String, EVENTS),
            ("instruction", "/simlingo/instruction_status", InstructionStatus, EVENTS),
            ("score", "/simlingo/score", Score, EVENTS),
            ("state", "/simlingo/state", StackState, EVENTS),
            ("tf", "/tf", TFMessage, WATCHED),
            ("tf", "/tf_static", TFMessage, LATCHED),
            ("image", ego("rgb_front/image"), Image, PICTURES),
        ]

    def _taker(self, role: str, topic: str) -> Any:
        """The callback of one topic; it never waits for the disk.

        A message enters the bag at the simulation time at which it came, which is that of the newest odometry;
        what comes before the first odometry (latched topics) enters with it.
        """

        def take(serialized: bytes) -> None:
            if role == "image":
                stamp = header_stamp(serialized)
                if self._picture_due(stamp):
                    self._offer(Item(role, topic, serialized, stamp))
                return
            if role == "odometry":
                self._newest_stamp = header_stamp(serialized)
            if self._newest_stamp is None:
                self._early.append((role, topic, serialized))
                return
            for early in self._early:
                self._offer(Item(*early, self._newest_stamp))
            self._early.clear()
            self._offer(Item(role, topic, serialized, self._newest_stamp))
            if role == "odometry":
                time.sleep(SETTLE_S)

        return take

    def _picture_due(self, stamp: int) -> bool:
        period = round(1e9 / self.parameters["rate"])
        if stamp + period // 10 < self._next_picture and stamp > self._next_picture - 10 * period:
            return False
        self._next_picture = stamp + period
        return True

    def _offer(self, item: Item) -> None:
        if self._thread is None:
            return
        if self._thread.offer(item):
            self.statistics.processed += 1
        else:
            self.statistics.dropped += 1

    def _on_problem(self, text: str) -> None:
        self._problem = text
        self.warn(text)

    def report(self) -> tuple[int, str, str]:
        """Where it records to, or what is wrong."""
        if self._problem:
            stopped = self._thread is None or self._thread.stopped
            return ERROR, "failed" if stopped else "active", self._problem
        written = self._thread.written if self._thread is not None else 0
        return OK, "active", f"{written} pictures in {self._directory}"

    def cleanup(self) -> None:
        """Finish the files."""
        thread, self._thread = self._thread, None
        if thread is not None and not thread.close(CLOSE_TIMEOUT_S):
            self.get_logger().error(f"the recording in {self._directory} was not finished in time: see its .tmp files")


def _type_name(kind: Any) -> str:
    return f"{kind.__module__.split('.')[0]}/msg/{kind.__name__}"


def main(arguments: list[str] | None = None) -> int:
    """Run the node; returns the exit code."""
    return run_node(lambda: started(RecorderNode()), arguments, pictures=True)


if __name__ == "__main__":
    sys.exit(main())
