"""What every node of the stack shares: lifecycle, state message, diagnostics, and a start and end without surprises."""

from __future__ import annotations

import gc
import math
import time
from collections.abc import Sequence
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from lifecycle_msgs.srv import ChangeState
from rclpy.clock import Clock, ClockType
from rclpy.impl.implementation_singleton import rclpy_implementation
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from simlingo_msgs.msg import PhaseTiming, StackState

from simlingo.contracts import SimlingoError
from simlingo_node import qos
from simlingo_node.parameters import Parameter, Parameters
from simlingo_node.statistics import Statistics, gpu_memory_mib, resident_memory_mib

#: State and diagnostics are published this often, s of the steady clock.
STATE_PERIOD_S = 0.5

RCLError = rclpy_implementation.RCLError

OK = DiagnosticStatus.OK
WARN = DiagnosticStatus.WARN
ERROR = DiagnosticStatus.ERROR

#: Exit code of a node that cannot go on.
FAILED = 3

#: Parameters of every node of the stack.
COMMON = (
    Parameter("role_name", "ego_vehicle", "Role name <r> of the vehicle; topics are /carla/<r>/...", fixed=True),
    Parameter(
        "lockstep",
        False,
        "True: the world waits for the command of every tick. False: real time, the world does not wait.",
        fixed=True,
    ),
)


class StackNode(LifecycleNode):
    """A lifecycle node of the stack.

    A node overrides ``configure``, ``activate``, ``deactivate``, ``cleanup`` and ``report``. Topics are made in
    ``configure`` so that they are matched when the first tick comes; callbacks ask ``self.is_active``.
    """

    def __init__(self, name: str, parameters: Sequence[Parameter], **node_arguments: Any) -> None:
        super().__init__(name, **node_arguments)
        self._guard_transitions()
        self.parameters = Parameters(self, (*COMMON, *parameters))
        self.statistics = Statistics()
        self.is_active = False
        self.exit_code: int | None = None  # set by a node that must end: its process leaves with this code
        self._last_good_input = math.nan
        self._last_warning: dict[str, float] = {}
        self._state_publisher = self.create_publisher(StackState, "/simlingo/state", qos.DEFAULT)
        self._diagnostics_publisher = self.create_publisher(DiagnosticArray, "/diagnostics", qos.DEFAULT)
        self._state_timer = self.create_timer(
            STATE_PERIOD_S, self.publish_state, clock=Clock(clock_type=ClockType.STEADY_TIME)
        )

    # What a node brings.

    def configure(self) -> None:
        """Make topics, load what is heavy. Raise SimlingoError to stay unconfigured."""

    def activate(self) -> None:
        """Begin to work."""

    def deactivate(self) -> None:
        """Stop working, safely."""

    def cleanup(self) -> None:
        """Give back what ``configure`` took."""

    def report(self) -> tuple[int, str, str]:
        """Diagnostic level, mode, and one sentence why."""
        return OK, "active", ""

    # What it gets.

    @property
    def role(self) -> str:
        """Role name of the vehicle, which is also the name of its tf frame."""
        return str(self.parameters["role_name"])

    @property
    def lockstep(self) -> bool:
        """True when the world waits for every command."""
        return bool(self.parameters["lockstep"])

    def ego_topic(self, name: str) -> str:
        """``/carla/<r>/<name>``."""
        return f"/carla/{self.role}/{name}"

    def good_input(self) -> None:
        """Note that an input was taken; staleness counts from here."""
        self._last_good_input = time.monotonic()

    def refuse(self, reason: str) -> None:
        """Count an input that broke its contract and say so, at most once a second for one reason."""
        self.statistics.refused += 1
        self.warn(reason)

    def warn(self, text: str) -> None:
        """Log a warning, at most once a second for one text."""
        now = time.monotonic()
        if now - self._last_warning.get(text, -math.inf) >= 1.0:
            self._last_warning[text] = now
            self.get_logger().warning(text)
        if len(self._last_warning) > 100:
            self._last_warning.clear()

    def staleness_s(self) -> float:
        """Seconds of the steady clock since the last good input; NaN without one."""
        return time.monotonic() - self._last_good_input

    def publish_state(self) -> None:
        """Publish StackState and diagnostics now."""
        level, mode, detail = self.report() if self.is_active else (OK, self._state_machine.current_state[1], "")
        p50, p99 = self.statistics.percentiles_ms()
        allocated, reserved = gpu_memory_mib()
        stamp = self.get_clock().now().to_msg()
        state = StackState(
            node=self.get_name(),
            mode=mode,
            detail=detail,
            latency_p50_ms=p50,
            latency_p99_ms=p99,
            processed=self.statistics.processed,
            dropped=self.statistics.dropped,
            refused=self.statistics.refused,
            staleness_s=self.staleness_s(),
            memory_mib=resident_memory_mib(),
            gpu_allocated_mib=allocated,
            gpu_reserved_mib=reserved,
            phases=[
                PhaseTiming(phase=phase, duration_ms=duration)
                for phase, duration in self.statistics.phase_medians_ms().items()
            ],
        )
        state.header.stamp = stamp
        self._state_publisher.publish(state)
        status = DiagnosticStatus(level=level, name=f"simlingo: {self.get_name()}", message=detail or mode)
        status.hardware_id = self.role
        status.values = [
            KeyValue(key=key, value=str(getattr(state, key)))
            for key in ("latency_p50_ms", "latency_p99_ms", "processed", "dropped", "refused", "staleness_s")
        ]
        diagnostics = DiagnosticArray(status=[status])
        diagnostics.header.stamp = stamp
        self._diagnostics_publisher.publish(diagnostics)

    # Lifecycle callbacks of rclpy.

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Configure; a fault is logged with its cure and leaves the node unconfigured."""
        del state
        done = self._transition(self.configure)
        self.parameters.frozen = done == TransitionCallbackReturn.SUCCESS
        gc.collect()
        gc.freeze()  # what lives from here on lives long: the collector need not look at it during ticks
        gc.set_threshold(20_000, 20, 50)
        return done

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Begin to work."""
        del state
        self.statistics.reset()
        self.is_active = True
        done = self._transition(self.activate)
        self.is_active = done == TransitionCallbackReturn.SUCCESS
        return done

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Stop working."""
        del state
        done = self._transition(self.deactivate)
        self.is_active = False
        self.publish_state()
        return done

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Give resources back."""
        del state
        self.parameters.frozen = False
        return self._transition(self.cleanup)

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Stop working where it still does, and give resources back."""
        if self.is_active:
            self.on_deactivate(state)
        return self._transition(self.cleanup)

    def _guard_transitions(self) -> None:
        """Answer requests for transitions that the state does not allow; rclpy raises, which would end the process."""
        change = self._service_change_state.callback

        def answer(request: ChangeState.Request, response: ChangeState.Response) -> ChangeState.Response:
            try:
                return change(request, response)
            except RCLError:
                wanted = request.transition.label or request.transition.id
                self.warn(f"transition {wanted} is refused: '{self._state_machine.current_state[1]}' does not allow it")
                response.success = False
                return response

        self._service_change_state.callback = answer

    def _transition(self, work: Any) -> TransitionCallbackReturn:
        try:
            work()
        except SimlingoError as error:
            self.get_logger().error(str(error))
            return TransitionCallbackReturn.FAILURE
        return TransitionCallbackReturn.SUCCESS
