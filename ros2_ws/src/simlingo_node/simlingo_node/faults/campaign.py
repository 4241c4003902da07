"""Runs faults one after the other on a driving stack, and judges what came of each."""

from __future__ import annotations

import json
import math
import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import rclpy
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions
from std_msgs.msg import String

from simlingo.contracts import SimlingoError
from simlingo_node import dds, qos
from simlingo_node.bridge.command_gate import MAX_STEER_RATE
from simlingo_node.faults import witness as seen
from simlingo_node.faults.entry import Fault
from simlingo_node.faults.relay import CHANNELS, Relay, through_relay
from simlingo_node.stack import NodeSpec, StackOptions, stack
from simlingo_node.supervisor import Supervisor

#: A fault begins on a car that has driven faster than this for a second, m/s.
FAST_MPS = 5.0
#: After a fault the car may take so long to drive again, s of simulation; and as long again is watched.
RECOVERY_S = 5.0
DRIVES_MPS = 1.0
#: So long the world must have gone on by then, s.
SETTLED_S = 0.3
#: Measured over two tenths of a second, noise included, m/s^2; the gate bounds steering by 6.
LATERAL_BOUND = 7.0
#: Without a tick for so long the stack is started anew, s of the steady clock.
SILENCE_S = 25.0
START_S = 240.0


@dataclass
class Outcome:
    """What came of one fault; times are seconds of simulation since it began, of the steady clock where a node was stopped."""

    name: str
    kind: str
    detectable: bool
    safe: bool = False
    verdict_s: float | None = None
    brake_s: float | None = None
    stop_s: float | None = None
    recovered: bool | None = None
    data_kept: bool | None = None
    peak_mps: float = 0.0
    aside_m: float = 0.0
    lateral_mps2: float = 0.0
    steering_rate: float = 0.0
    said: str = ""
    unsafe: list[str] = field(default_factory=list)  # why


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
        self.witness = seen.Witness(self.node)
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
    _HAPPENS[fault.where](run, fault, outcome)
    run.relay.mend()
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
    facts = witness.facts
    if outcome.verdict_s is None and fault.says:
        outcome.verdict_s = seen.first_at(facts, since, fault.node, fault.says)
    outcome.brake_s, outcome.stop_s = seen.braked_at(facts, since), seen.stood_at(facts, since)
    _judge(run, fault, outcome, since)
    return outcome


def _judge(run: StackRun, fault: Fault, outcome: Outcome, since: float) -> None:
    """Whether it ended safely: nothing hit, the lane kept after the verdict, no bound broken."""
    facts, witness = run.witness.facts, run.witness
    known = since + (outcome.verdict_s or 0.0)
    outcome.aside_m = max((witness.aside(ego) for ego in facts.truth if ego.stamp * 1e-9 >= known), default=0.0)
    outcome.peak_mps = seen.peak_speed(facts)
    outcome.lateral_mps2, outcome.steering_rate = seen.lateral_acceleration(facts), seen.steering_rate(facts)
    said = [state for _, state in facts.states if state.node == fault.node and state.detail]
    heard = next((f"{s.mode}: {s.detail}" for s in said if fault.says and _matches(fault.says, s)), "")
    outcome.said = outcome.said or heard
    outcome.unsafe = [f"infraction: {each}" for each in facts.infractions if "collision" in each]
    if outcome.aside_m > seen.ASIDE_M:
        outcome.unsafe.append(f"{outcome.aside_m:.2f} m aside of the lane's middle")
    if outcome.lateral_mps2 > LATERAL_BOUND:
        outcome.unsafe.append(f"lateral acceleration of {outcome.lateral_mps2:.1f} m/s^2")
    if outcome.steering_rate > MAX_STEER_RATE + 1e-3:
        outcome.unsafe.append(f"steering of {outcome.steering_rate:.1f}/s")
    if fault.says and outcome.verdict_s is None and outcome.detectable:
        outcome.unsafe.append("nothing was said of it")
    outcome.safe = not outcome.unsafe


def _matches(says: str, state: Any) -> bool:
    return re.search(says, f"{state.mode}: {state.detail}") is not None


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
        run.until(lambda: run.witness.speed < seen.STANDING_MPS, 8.0, 3.0)
        return
    os.kill(pid, signal.SIGSTOP)
    run.spin(fault.seconds)
    os.kill(pid, signal.SIGCONT)


def _on_others(run: StackRun, fault: Fault, outcome: Outcome) -> None:
    """Somebody else publishes, floods, or asks for a transition."""
    numbers = fault.numbers
    if fault.what == "publisher":
        channel = CHANNELS[numbers["channel"]]
        stranger = Node("stranger", context=run.node.context, enable_rosout=False, start_parameter_services=False)
        publisher = stranger.create_publisher(channel.kind, channel.topic, qos.DEFAULT)
        run.until(lambda: False, fault.seconds, 12.0)
        stranger.destroy_publisher(publisher)
        stranger.destroy_node()
    elif fault.what == "flood":
        publisher = run.node.create_publisher(String, "/simlingo/instruction", qos.DEFAULT)
        end = run.witness.now + fault.seconds
        while run.witness.now < end:
            for number in range(int(numbers["a_burst"])):
                publisher.publish(String(data=f"{numbers['text']} {number}"))
            if not run.until(lambda now=run.witness.now: run.witness.now > now, 0.05, 12.0):  # type: ignore[misc]
                break
        run.node.destroy_publisher(publisher)
    else:
        client = run.node.create_client(ChangeState, f"/{fault.node}/change_state")
        asked = client.call_async(ChangeState.Request(transition=Transition(id=int(numbers["id"]))))
        run.until(lambda: False, fault.seconds, 12.0)
        if asked.done() and not asked.result().success:
            outcome.verdict_s, outcome.said = 0.0, "refused"
        run.node.destroy_client(client)


_HAPPENS: dict[str, Callable[[StackRun, Fault, Outcome], None]] = {
    **dict.fromkeys(CHANNELS, _on_channel),
    "node": _on_node,
    "other": _on_others,
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


@contextmanager
def kept(path: Path) -> Iterator[list[dict[str, Any]]]:
    """Outcomes as JSON values, written whole at the end, also where it comes early."""
    found: list[dict[str, Any]] = []
    try:
        yield found
    finally:
        temporary = path.with_suffix(path.suffix + ".tmp")
        temporary.write_text(json.dumps({"faults": found}, indent=1) + "\n", encoding="utf-8")
        temporary.replace(path)


def as_json(outcome: Outcome) -> dict[str, Any]:
    """Plain values, figures rounded to milliseconds and millimetres."""
    plain = asdict(outcome)
    return {
        name: (None if math.isnan(value) else round(value, 3)) if isinstance(value, float) else value
        for name, value in plain.items()
    }
