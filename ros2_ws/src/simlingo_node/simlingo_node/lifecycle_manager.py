"""Brings the stack's lifecycle nodes up in order and down in reverse."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from typing import Any

from lifecycle_msgs.msg import State, Transition
from lifecycle_msgs.srv import ChangeState, GetState
from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from rclpy.task import Future

from simlingo.contracts import InvalidInputError
from simlingo_node.node_base import ERROR, FAILED, OK, WARN, StackNode
from simlingo_node.parameters import Parameter
from simlingo_node.process import run_node

PARAMETERS = (
    Parameter("configure_order", [""], "Names of the lifecycle nodes, in the order of configuration.", fixed=True),
    Parameter("activate_order", [""], "The same names, in the order of activation; the ticking node last.", fixed=True),
    Parameter(
        "transition_timeout_s",
        180.0,
        "A node must follow a transition within this time (s, steady clock); a model may take long to load.",
        1.0,
        3600.0,
    ),
)
#: Every node is asked for its state this often, and has so long to answer, s; a death is known within both together.
_WATCH_PERIOD_S = 0.5
_ANSWER_S = 1.2
_LABELS = {
    State.PRIMARY_STATE_UNKNOWN: "unknown",
    State.PRIMARY_STATE_UNCONFIGURED: "unconfigured",
    State.PRIMARY_STATE_INACTIVE: "inactive",
    State.PRIMARY_STATE_ACTIVE: "active",
    State.PRIMARY_STATE_FINALIZED: "finalized",
}


class _Managed:
    """One lifecycle node as the manager sees it."""

    def __init__(self, node: Node, name: str) -> None:
        self.name = name
        self.state = "unknown"
        self.change = node.create_client(ChangeState, f"{name}/change_state")
        self.get = node.create_client(GetState, f"{name}/get_state")
        self.asked: Future | None = None
        self.asked_at = 0.0  # s, steady clock


class LifecycleManagerNode(StackNode):
    """All nodes are configured first, then activated, each in its order.

    It has no lifecycle of its own to wait for: it begins at once. What it cannot bring up it names, and ends.
    """

    def __init__(self, **node_arguments: Any) -> None:
        super().__init__("lifecycle_manager", PARAMETERS, **node_arguments)
        configure_order, activate_order = (
            [name for name in self.parameters[order] if name] for order in ("configure_order", "activate_order")
        )
        if not configure_order or sorted(configure_order) != sorted(activate_order):
            raise InvalidInputError(
                f"parameters 'configure_order' ({configure_order}) and 'activate_order' ({activate_order})"
                " must name the same lifecycle nodes, at least one"
            )
        by_name = {name: _Managed(self, name) for name in activate_order}
        self._nodes = list(by_name.values())
        self._steps = [(by_name[name], "configure") for name in configure_order]
        self._steps += [(by_name[name], "activate") for name in activate_order]
        self._pending: Future | None = None
        self._since = time.monotonic()
        self._mode, self._detail = "starting", ""
        self.is_active = True
        self._stepper = self.create_timer(0.02, self._advance, clock=Clock(clock_type=ClockType.STEADY_TIME))
        self.create_timer(_WATCH_PERIOD_S, self._watch, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def report(self) -> tuple[int, str, str]:
        """Where the bring-up stands, with the state of every node."""
        level = {"active": OK, "degraded": ERROR, "failed": ERROR}.get(self._mode, WARN)
        states = " ".join(f"{managed.name}={managed.state}" for managed in self._nodes)
        return level, self._mode, f"{self._detail}; {states}" if self._detail else states

    def deactivate(self) -> None:
        """Deactivate in reverse order, as far as the nodes still answer."""
        for managed in reversed(self._nodes):
            if managed.state == "active" and managed.change.service_is_ready():
                managed.change.call_async(_request("deactivate"))

    def _advance(self) -> None:
        """One step of the bring-up at a time."""
        if self._mode == "failed" or not self._steps:
            return
        managed, transition = self._steps[0]
        limit = self.parameters["transition_timeout_s"]
        if time.monotonic() - self._since > limit:
            self._fail(f"{managed.name} did not {transition} within {limit:g} s")
        elif self._pending is None:
            self._detail = f"{transition} {managed.name}"
            if managed.change.service_is_ready():
                self._pending = managed.change.call_async(_request(transition))
        elif self._pending.done():
            result = self._pending.result()
            self._pending = None
            if result is None or not result.success:
                self._fail(f"{managed.name} could not {transition}; its log says why")
                return
            managed.state = "inactive" if transition == "configure" else "active"
            managed.asked = None  # an answer on its way may be older than this change
            self._next()

    def _next(self) -> None:
        self._steps.pop(0)
        self._since = time.monotonic()
        if not self._steps:
            self._mode, self._detail = "active", ""
            self._stepper.cancel()
            self.get_logger().info("all nodes are active")
        self.publish_state()

    def _fail(self, reason: str) -> None:
        self._mode, self._detail = "failed", reason
        self.get_logger().error(reason)
        self.publish_state()
        self.exit_code = FAILED

    def _watch(self) -> None:
        """Ask every node for its state; one that has left 'active', or says nothing, is a failure."""
        now = time.monotonic()
        for managed in self._nodes:
            if managed.asked is not None and managed.asked.done():
                answer = managed.asked.result()
                managed.asked = None
                if answer is not None:
                    managed.state = _LABELS.get(answer.current_state.id, answer.current_state.label)
            elif managed.asked is not None and not self._steps and now - managed.asked_at > _ANSWER_S:
                managed.get.remove_pending_request(managed.asked)  # its process may be another one by now
                managed.asked, managed.state = None, "not answering"
            if managed.asked is None and managed.get.service_is_ready():
                managed.asked, managed.asked_at = managed.get.call_async(GetState.Request()), now
            elif managed.asked is None and not self._steps:
                managed.state = "gone"
        if not self._steps:
            self._report_lost([managed for managed in self._nodes if managed.state != "active"])

    def _report_lost(self, lost: Sequence[_Managed]) -> None:
        """Be "degraded" while a node is not active that was, and "active" again once it is."""
        detail = ", ".join(f"{managed.name} is {managed.state}" for managed in lost)
        if detail == self._detail:
            return
        self._mode, self._detail = "degraded" if lost else "active", detail
        if lost:
            self.get_logger().error(f"{detail}; activate it again, or end the stack")
        self.publish_state()


def _request(transition: str) -> ChangeState.Request:
    numbers = {
        "configure": Transition.TRANSITION_CONFIGURE,
        "activate": Transition.TRANSITION_ACTIVATE,
        "deactivate": Transition.TRANSITION_DEACTIVATE,
    }
    return ChangeState.Request(transition=Transition(id=numbers[transition]))


def main() -> None:
    """Entry point of the executable ``lifecycle_manager``."""
    sys.exit(run_node(LifecycleManagerNode))


if __name__ == "__main__":
    main()
