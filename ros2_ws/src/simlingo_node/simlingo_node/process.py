"""The life of a node's process: signals end it within two seconds, and it does not outlive its supervisor."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
from collections.abc import Callable

import rclpy
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.signals import SignalHandlerOptions

from simlingo.contracts import SimlingoError
from simlingo_node import dds
from simlingo_node.node_base import StackNode

#: An orderly end may take this long, s; then the process leaves as it is.
GRACE_S = 1.5
#: Process id of the supervisor; a node started by one ends with it.
SUPERVISOR_VARIABLE = "SIMLINGO_SUPERVISOR_PID"
_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_PR_SET_PDEATHSIG = 1


class _StopSignals:
    """Waits for SIGINT or SIGTERM on a thread of its own, so that no long call can hold the end up.

    The signals are caught, not blocked: libraries like OpenBLAS have threads by now, which a mask would not reach.
    """

    def __init__(self) -> None:
        self.stop = threading.Event()
        self._wake: Callable[[], None] = lambda: None
        self._come, caught = os.pipe()
        os.set_blocking(caught, False)
        for number in _STOP_SIGNALS:
            signal.signal(number, lambda *_: None)
        signal.set_wakeup_fd(caught, warn_on_full_buffer=False)
        threading.Thread(target=self._wait, name="signals", daemon=True).start()

    def on_stop(self, wake: Callable[[], None]) -> None:
        """Call ``wake`` once a signal has come."""
        self._wake = wake
        if self.stop.is_set():
            wake()

    def _wait(self) -> None:
        os.read(self._come, 1)
        self.stop.set()
        # The kernel ends the process, whichever thread holds the interpreter by then.
        signal.setitimer(signal.ITIMER_REAL, GRACE_S)
        self._wake()


def run_node(make_node: Callable[[], StackNode], arguments: list[str] | None = None, *, pictures: bool = False) -> int:
    """Spin one node until a signal; return the exit code: 0 ended in order, 2 bad parameter, else the node's own.

    ``pictures``: it sends or receives camera images.
    """
    dds.choose_transport(pictures)
    _end_with_supervisor()
    signals = _StopSignals()
    rclpy.init(args=arguments, signal_handler_options=SignalHandlerOptions.NO)
    try:
        node = make_node()
    except SimlingoError as error:
        print(f"error: {error}", file=sys.stderr, flush=True)
        rclpy.shutdown()
        return 2
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    signals.on_stop(node.create_guard_condition(lambda: None).trigger)
    try:
        while node.exit_code is None and not signals.stop.is_set():
            executor.spin_once(timeout_sec=1.0)
    except ExternalShutdownException:
        pass
    if rclpy.ok():
        node.trigger_shutdown()
    executor.shutdown(timeout_sec=0.2)
    node.destroy_node()
    rclpy.try_shutdown()
    code = node.exit_code or 0
    if SUPERVISOR_VARIABLE in os.environ:
        # Seven interpreters taken apart at once on two cores need a second that the supervisor does not have.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    return code


def _end_with_supervisor() -> None:
    """Ask Linux for SIGTERM when the supervisor dies, however it dies."""
    supervisor = os.environ.get(SUPERVISOR_VARIABLE)
    if supervisor is None or not sys.platform.startswith("linux"):
        return
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != int(supervisor):  # it died before the call above
        os._exit(1)
