"""Runs faults one after the other on a driving stack, and judges what came of each."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import rclpy
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from rcl_interfaces.srv import SetParameters
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.signals import SignalHandlerOptions
from std_msgs.msg import Bool, String

from simlingo.contracts import SimlingoError
from simlingo_node import dds, qos
from simlingo_node.faults.entry import Fault
from simlingo_node.faults.outcome import Outcome, judge
from simlingo_node.faults.relay import CHANNELS, ROLE, Relay, through_relay
from simlingo_node.faults.witness import STANDING_MPS, Witness
from simlingo_node.stack import NodeSpec, StackOptions, stack
from simlingo_node.supervisor import Supervisor

#: A fault begins on a car that has driven faster than this for a second, m/s.
FAST_MPS = 5.0
#: After a fault the car may take so long to drive again, s of simulation; and as long again is watched.
RECOVERY_S = 5.0
DRIVES_MPS = 1.0
#: So long the world must have gone on by then, s.
SETTLED_S = 0.3
#: Without a tick for so long the stack is started anew, s of the steady clock.
SILENCE_S = 25.0
START_S = 240.0


class StackRun:
    """One stack behind a relay, and a person in this process who watches it."""

    def __init__(self, folder: Path, lockstep: bool, nodes: Callable[[list[NodeSpec]], list[NodeSpec]]) -> None:
        options = StackOptions(lockstep=lockstep, page_port=None, traffic="none", town="ringtown")
        self.lockstep = lockstep
        self.domain = dds.take_domain()
        environment = dds.environment(self.domain.number, pictures=True)
        os.environ.update(environment)
        self.supervisor = Supervisor(nodes(through_relay(stack(options))), environment, folder)
        self._context = Context()
        rclpy.init(context=self._context, domain_id=self.domain.number, signal_handler_options=SignalHandlerOptions.NO)
        self.node = Node("faults", context=self._context, enable_rosout=False, start_parameter_services=False)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self.node)
        self.witness = Witness(self.node)
        self.relay = Relay(self.node, {"odometry": self.witness.on_odometry})
        self.supervisor.start()

    def close(self) -> None:
        """End the stack and leave the network."""
        self.supervisor.stop()
        self._executor.shutdown(timeout_sec=0.2)
        self.node.destroy_node()
        rclpy.shutdown(context=self._context)
        dds.remove_stale_segments(self.domain.number)
        self.domain.release()

    def start(self) -> None:
        """Wait until the stack drives.

        Raises:
            SimlingoError: it does not.
        """
        deadline = time.monotonic() + START_S
        while not self.relay.begin():
            self.spin(0.1)
            self._alive()
            if time.monotonic() > deadline:
                raise SimlingoError(f"the stack has not come up within {START_S:g} s; its logs say why")

    def spin(self, seconds: float) -> None:
        """Take in what comes within ``seconds`` of the steady clock."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0.0:
            self._executor.spin_once(timeout_sec=left)

    def until(self, condition: Callable[[], bool], simulated_s: float, silence_s: float = SILENCE_S) -> bool:
        """Spin until ``condition``, or so many simulated seconds are over, or nothing ticks for ``silence_s``."""
        end, last, heard = self.witness.now + simulated_s, self.witness.now, time.monotonic()
        while not condition():
            self._executor.spin_once(timeout_sec=0.1)
            if self.witness.now != last:
                last, heard = self.witness.now, time.monotonic()
            if last >= end or time.monotonic() - heard > silence_s:
                return condition()
        return True

    def _alive(self) -> None:
        death = self.supervisor.death()
        if death is not None:
            raise SimlingoError(f"the stack has ended: {death}")


def drives(run: StackRun) -> bool:
    """Whether the car drives fast, by its controller."""
    return run.witness.speed > FAST_MPS and run.witness.modes.get("controller") == "driving"


def approach(run: StackRun) -> bool:
    """Wait until the car has driven fast for a second; False where this stack comes to nothing any more."""
    for _ in range(60):
        if run.witness.status not in ("", "running"):
            return False
        if not run.until(lambda: drives(run), 40.0, START_S):
            return False
        run.until(lambda: not drives(run), 1.0)
        if drives(run):
            return True
    return False


def inject(run: StackRun, fault: Fault) -> Outcome:
    """Let a fault happen, and judge it."""
    witness = run.witness
    outcome = Outcome(fault.name, fault.kind, not fault.undetectable)
    witness.begin()
    since = witness.now
    _HAPPENS[fault.what if fault.where == "other" else fault.where](run, fault, outcome)
    run.relay.mend()
    if fault.confirmed:
        for transition in (Transition.TRANSITION_DEACTIVATE, Transition.TRANSITION_ACTIVATE):
            _ask(run, fault.node, transition)
    if outcome.recovered is None and fault.what != "kill":
        ended = witness.now
        outcome.recovered = run.until(
            lambda: (
                witness.now > ended + SETTLED_S
                and witness.speed > DRIVES_MPS
                and witness.modes.get("controller") == "driving"
            ),
            RECOVERY_S,
        )
    judge(outcome, fault, witness.facts, since)
    return outcome


def _on_channel(run: StackRun, fault: Fault, outcome: Outcome) -> None:
    run.relay.spoil(fault.where, fault.change())
    run.until(lambda: False, fault.seconds, 12.0)


def _on_node(run: StackRun, fault: Fault, outcome: Outcome) -> None:
    """A node is killed, or stopped and continued."""
    begin = time.monotonic()
    pid = run.supervisor.pids[fault.node]
    if fault.what == "kill":
        os.kill(pid, signal.SIGKILL)
        while run.supervisor.death() is None and time.monotonic() - begin < 5.0:
            run.spin(0.02)
        death = run.supervisor.death()
        outcome.verdict_s = time.monotonic() - begin if death is not None else None
        outcome.said = str(death).splitlines()[0] if death is not None else ""
        run.until(lambda: run.witness.speed < STANDING_MPS, 8.0, 3.0)
        return
    os.kill(pid, signal.SIGSTOP)
    run.spin(fault.seconds)
    os.kill(pid, signal.SIGCONT)


def _publisher(run: StackRun, fault: Fault, outcome: Outcome) -> None:
    """Somebody else has a publisher on a topic of the stack."""
    channel = CHANNELS[fault.numbers["channel"]]
    stranger = Node("stranger", context=run.node.context, enable_rosout=False, start_parameter_services=False)
    publisher = stranger.create_publisher(channel.kind, channel.topic, qos.DEFAULT)
    run.until(lambda: False, fault.seconds, 12.0)
    stranger.destroy_publisher(publisher)
    stranger.destroy_node()


def _flood(run: StackRun, fault: Fault, outcome: Outcome) -> None:
    """Instructions, many at every tick or of many letters."""
    numbers = fault.numbers
    publisher = run.node.create_publisher(String, "/simlingo/instruction", qos.DEFAULT)
    end = run.witness.now + fault.seconds
    while run.witness.now < end:
        for number in range(int(numbers["a_burst"])):
            publisher.publish(String(data=f"{numbers['text'] * int(numbers.get('times', 1))} {number}"))
        if not run.until(lambda now=run.witness.now: run.witness.now > now, 0.05, 12.0):  # type: ignore[misc]
            break
    run.node.destroy_publisher(publisher)


def _transition(run: StackRun, fault: Fault, outcome: Outcome) -> None:
    """A node is asked for a transition, and at the end for the one ``back``."""
    if not _ask(run, fault.node, int(fault.numbers["id"]), fault.seconds):
        outcome.verdict_s, outcome.said = 0.0, "refused"
    if "back" in fault.numbers:
        _ask(run, fault.node, int(fault.numbers["back"]))


def _ask(run: StackRun, node: str, transition: int, simulated_s: float = 0.0) -> bool:
    """Ask a node for a transition, and go on until it has answered and for so long; False where it has refused."""
    client = run.node.create_client(ChangeState, f"/{node}/change_state")
    asked = client.call_async(ChangeState.Request(transition=Transition(id=transition)))
    run.until(asked.done, 5.0, 12.0)
    run.until(lambda: False, simulated_s, 12.0)
    run.node.destroy_client(client)
    return not asked.done() or bool(asked.result().success)


def _parameter(run: StackRun, fault: Fault, outcome: Outcome) -> None:
    """A node's parameter is set to what it must not be."""
    client = run.node.create_client(SetParameters, f"/{fault.node}/set_parameters")
    parameter = Parameter(str(fault.numbers["name"]), value=fault.numbers["value"]).to_parameter_msg()
    asked = client.call_async(SetParameters.Request(parameters=[parameter]))
    run.until(lambda: False, fault.seconds, 12.0)
    if asked.done() and not asked.result().results[0].successful:
        outcome.verdict_s, outcome.said = 0.0, f"refused: {asked.result().results[0].reason}"
    run.node.destroy_client(client)


def _take_over(run: StackRun, fault: Fault, outcome: Outcome) -> None:
    """A person takes the wheel, says nothing, and gives it back."""
    topic = f"/carla/{ROLE}/vehicle_control_manual_override"
    publisher = run.node.create_publisher(Bool, topic, qos.LATCHED)
    publisher.publish(Bool(data=True))
    run.until(lambda: False, fault.seconds, 12.0)
    publisher.publish(Bool(data=False))
    run.spin(0.3)
    run.node.destroy_publisher(publisher)


_HAPPENS: dict[str, Callable[[StackRun, Fault, Outcome], None]] = {
    **dict.fromkeys(CHANNELS, _on_channel),
    "node": _on_node,
    "publisher": _publisher,
    "flood": _flood,
    "transition": _transition,
    "parameter": _parameter,
    "take-over": _take_over,
}


def campaign(
    faults: list[Fault],
    folder: Path,
    lockstep: bool,
    nodes: Callable[[list[NodeSpec]], list[NodeSpec]] = lambda nodes: nodes,
) -> Iterator[Outcome]:
    """Outcomes of all faults in order; the stack is started anew where a fault, or the route's end, has ended it.

    Raises:
        SimlingoError: the stack does not come up, or does not drive.
    """
    run: StackRun | None = None
    started = 0
    try:
        for fault in faults:
            for _ in range(2):
                if run is None:
                    started += 1
                    run = StackRun(folder / f"stack-{started}", lockstep, nodes)
                    run.start()
                if approach(run):
                    break
                run.close()
                run = None
            if run is None:
                raise SimlingoError(
                    f"the car does not reach {FAST_MPS:g} m/s for {fault.name}; see the logs in {folder}"
                )
            yield inject(run, fault)
            if fault.what == "kill" or run.supervisor.death() is not None:
                run.close()
                run = None
    finally:
        if run is not None:
            run.close()
