"""What ``./simlingo drive`` hears of its own stack: states, score, speed and simulation time."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import rclpy
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions
from rosgraph_msgs.msg import Clock
from simlingo_msgs.msg import InstructionStatus, Score, StackState
from std_msgs.msg import Float32

from simlingo_node import qos
from simlingo_node.conversions import stamp_to_ns
from simlingo_node.statistics import process_age_s

#: Scores with these words go on; all others are the last of a drive.
RUNNING = "running"
#: A vehicle that is faster is moving, m/s; settling on its springs it is slower.
MOVING_MPS = 0.3


@dataclass
class Picture:
    """Everything known of the drive now."""

    states: dict[str, StackState] = field(default_factory=dict)  # by node
    score: Score | None = None
    speed: float = 0.0  # m/s
    first_clock: tuple[int, float] | None = None  # simulation time in ns, steady clock in s
    last_clock: tuple[int, float] | None = None
    first_motion_s: float | None = None  # from the command's start until the vehicle moved
    instructions: dict[str, InstructionStatus] = field(default_factory=dict)  # by id
    memory_mib: float = 0.0  # highest sum over all nodes

    @property
    def ended(self) -> bool:
        """True once the last score has come."""
        return self.score is not None and self.score.status != RUNNING

    @property
    def simulated_s(self) -> float:
        """Simulated seconds since the first tick."""
        if self.first_clock is None or self.last_clock is None:
            return 0.0
        return (self.last_clock[0] - self.first_clock[0]) * 1e-9

    @property
    def wall_s(self) -> float:
        """Seconds of the steady clock for the same."""
        if self.first_clock is None or self.last_clock is None:
            return 0.0
        return self.last_clock[1] - self.first_clock[1]

    @property
    def real_time_factor(self) -> float:
        """Simulated over wall seconds; 0 before the second tick."""
        return self.simulated_s / self.wall_s if self.wall_s > 0.0 else 0.0


class DriveMonitor:
    """A node in the command's own process; call ``listen`` often."""

    def __init__(self, role: str, domain: int) -> None:
        self.picture = Picture()
        self._context = Context()
        rclpy.init(context=self._context, domain_id=domain, signal_handler_options=SignalHandlerOptions.NO)
        self._node = Node("drive", context=self._context, enable_rosout=False, start_parameter_services=False)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self._node)
        subscribe = self._node.create_subscription
        subscribe(StackState, "/simlingo/state", self._on_state, qos.DEFAULT)
        subscribe(Score, "/simlingo/score", self._on_score, qos.LATCHED)
        subscribe(InstructionStatus, "/simlingo/instruction_status", self._on_instruction, qos.DEFAULT)
        subscribe(Clock, "/clock", self._on_clock, qos.DEFAULT)
        subscribe(Float32, f"/carla/{role}/speedometer", self._on_speed, qos.DEFAULT)

    def listen(self, seconds: float) -> None:
        """Take in what comes within ``seconds``."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0.0:
            self._executor.spin_once(timeout_sec=left)

    def close(self) -> None:
        """Leave the network."""
        self._executor.shutdown(timeout_sec=0.2)
        self._node.destroy_node()
        rclpy.shutdown(context=self._context)

    def _on_state(self, message: StackState) -> None:
        self.picture.states[message.node] = message
        total = sum(state.memory_mib for state in self.picture.states.values())
        self.picture.memory_mib = max(self.picture.memory_mib, total)

    def _on_score(self, message: Score) -> None:
        if not self.picture.ended:
            self.picture.score = message

    def _on_instruction(self, message: InstructionStatus) -> None:
        self.picture.instructions[message.id] = message

    def _on_clock(self, message: Clock) -> None:
        now = (stamp_to_ns(message.clock), time.monotonic())
        self.picture.first_clock = self.picture.first_clock or now
        self.picture.last_clock = now

    def _on_speed(self, message: Float32) -> None:
        self.picture.speed = message.data
        if self.picture.first_motion_s is None and message.data > MOVING_MPS:
            self.picture.first_motion_s = process_age_s()
