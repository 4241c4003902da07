"""The bridge node: a CARLA world, embedded or on a server, on the topics of carla-ros-bridge.

It owns the clock and the ticks. In lockstep it ticks only when the command of the last tick has come; in real time
it ticks by the steady clock. It brakes by itself when commands stop: a simulator keeps the last control for ever.
"""

from __future__ import annotations

import math
import sys
import time
from typing import Any

from carla_msgs.msg import CarlaControl, CarlaEgoVehicleControl
from rclpy.clock import Clock, ClockType
from simlingo_msgs.msg import InstructionStatus, Route
from std_msgs.msg import Bool

from simlingo.contracts import (
    MODEL_CAMERA_POSITION_IN_EGO,
    TICK_S,
    CameraIntrinsics,
    InvalidInputError,
    SimlingoError,
)
from simlingo_node import conversions, qos
from simlingo_node.bridge.command_gate import LAST_BRAKE, CommandGate
from simlingo_node.bridge.judge import Judge
from simlingo_node.bridge.messages import command_to_carla, forward_speed, message_to_command
from simlingo_node.bridge.options import PARAMETERS, world_settings
from simlingo_node.bridge.output import BridgeOutput, Tick
from simlingo_node.bridge.simulator import Simulator, sensor_rig
from simlingo_node.node_base import ERROR, OK, WARN, StackNode
from simlingo_node.process import run_node
from simlingo_node.publishers import Publishers

#: The last discovery messages may take this long after both ends of the loop are known, s.
SETTLE_S = 0.3
#: Lockstep: the stack's silence is looked at this often, s.
WATCH_PERIOD_S = 0.2


class CarlaBridgeNode(StackNode):
    """Ticks the world and carries messages between it and the stack."""

    def __init__(self, **node_arguments: Any) -> None:
        super().__init__("carla_bridge", PARAMETERS, **node_arguments)
        self._gate = CommandGate(lockstep=False)
        self._timer: Any = None
        self._paused = self._started = self._ended = False
        self._mode = "waiting"
        self._detail = ""
        self.parameters.on_change(self._take_parameters)

    # Lifecycle.

    def configure(self) -> None:
        """Load the world and say what it is: map and mission are latched."""
        self._gate = CommandGate(self.lockstep)
        self._take_parameters()
        self._simulator = Simulator(world_settings(self.parameters, self.role))
        width, height, fov = (self.parameters[f"camera.{name}"] for name in ("width", "height", "fov_deg"))
        camera = CameraIntrinsics.from_field_of_view(width, height, fov)
        self._rig = sensor_rig(self._simulator, camera, fov)
        self._output = BridgeOutput(self, self.role, camera, MODEL_CAMERA_POSITION_IN_EGO)
        self._output.publish_world(self._simulator.map, self._simulator.route, self._simulator.traffic_lights)
        self._subscribe()
        self._judge: Judge | None = None
        self._frame = -1
        self._now = 0
        self._published_at = self._heard_at = math.inf

    def activate(self) -> None:
        """Tick as soon as a planner listens and a controller speaks."""
        self._gate.reset()
        self._refused = ""  # the last command, where it was
        self._paused = self._started = self._ended = False
        self._mode, self._detail = "waiting", "for the planner and the controller"
        self._ready_at: float | None = None
        self._set_timer(TICK_S)

    def deactivate(self) -> None:
        """Brake and let the world stand."""
        self._set_timer(None)
        self._brake()

    def cleanup(self) -> None:
        """Take everything out of the world that came with this node."""
        if not hasattr(self, "_simulator"):
            return
        if self._judge is not None:
            self._judge.close()
        self._rig.close()
        self._simulator.close()
        self._output.close()
        self._controllers.close()
        for subscription in self._inputs:
            self.destroy_subscription(subscription)
        del self._simulator

    def report(self) -> tuple[int, str, str]:
        """Driving, waiting, paused, braking, finished or failed."""
        if self._paused and self._started and not self._ended:
            return WARN, "paused", "a person holds the world; PLAY on /carla/control lets it go on"
        level = {"driving": OK, "manual": OK, "finished": OK, "failed": ERROR}.get(self._mode, WARN)
        return level, self._mode, self._detail

    def _subscribe(self) -> None:
        topic = self.ego_topic
        self._controllers = Publishers(self, topic("vehicle_control_cmd"), self.parameters["allowed_publishers"])
        self._inputs = [
            self.create_subscription(
                CarlaEgoVehicleControl, topic("vehicle_control_cmd"), self._on_command, qos.DEFAULT
            ),
            self.create_subscription(
                CarlaEgoVehicleControl, topic("vehicle_control_cmd_manual"), self._on_manual, qos.DEFAULT
            ),
            self.create_subscription(Bool, topic("vehicle_control_manual_override"), self._on_override, qos.LATCHED),
            self.create_subscription(CarlaControl, "/carla/control", self._on_world_control, qos.DEFAULT),
            self.create_subscription(Route, "/simlingo/route", self._on_route, qos.LATCHED),
            self.create_subscription(
                InstructionStatus, "/simlingo/instruction_status", self._on_instruction_status, qos.DEFAULT
            ),
        ]

    def _take_parameters(self) -> None:
        self._gate.timeout_s = self.parameters["control_timeout_s"]
        self._gate.brake = self.parameters["brake"]

    # What comes in.

    def _on_command(self, message: CarlaEgoVehicleControl) -> None:
        if not self.is_active or not self._started:
            return
        stamp = conversions.stamp_to_ns(message.header.stamp)
        dropped = self._gate.offer(stamp, message_to_command(message), self._now)
        refused = dropped is not None and "refused" in dropped
        if dropped is not None:
            self.statistics.dropped += 1
            self.get_logger().debug(dropped)
            if refused:
                first, self._refused = not self._refused, dropped
                self.refuse(dropped)
                if first:
                    self._mode, self._detail = LAST_BRAKE, dropped
                    self.publish_state()
            if not (refused and self.lockstep) or self._gate.answered(self._now):
                return
            self._gate.brake_for(self._now)  # in lockstep no other command comes for the tick
        else:
            self._refused = ""
            self.good_input()
        self._heard_at = time.perf_counter()
        if self.lockstep:
            self.statistics.add(time.perf_counter() - self._published_at)
            if not self._paused:
                self._step()

    def _on_manual(self, message: CarlaEgoVehicleControl) -> None:
        dropped = self._gate.offer_manual(message_to_command(message), self._now)
        if dropped is not None:
            self.refuse(dropped)

    def _on_override(self, message: Bool) -> None:
        self._gate.override = message.data
        self.get_logger().info("a person takes over" if message.data else "the stack drives again")

    def _on_world_control(self, message: CarlaControl) -> None:
        """Pause, go on, or make one step."""
        was_paused, self._paused = self._paused, message.command != CarlaControl.PLAY
        if not self.is_active or not self._started:
            return
        if message.command == CarlaControl.STEP_ONCE or (was_paused and not self._paused and self.lockstep):
            self._published_at = self._heard_at = time.perf_counter()
            if not self.lockstep or self._gate.answered(self._now):
                self._step()

    def _on_route(self, message: Route) -> None:
        """An instruction has changed the route: the score goes along."""
        if self._judge is None or not message.id.startswith(f"{self._simulator.route.name}/"):
            return
        try:
            self._judge.follow(conversions.message_to_route(message)[0])
        except InvalidInputError as error:
            self.refuse(str(error))

    def _on_instruction_status(self, message: InstructionStatus) -> None:
        if self._judge is not None:
            self._judge.note_instruction(message)

    # Ticks.

    def _on_timer(self) -> None:
        """Real time: the tick. Lockstep: the start, and the watch over a stack that does not answer."""
        if not self._started:
            self._start_when_ready()
        elif not self.lockstep:
            if not self._paused:
                self._step()
        elif not (self._paused or self._ended):
            now = time.perf_counter()
            silent_s, waited_s = now - self._heard_at, now - self._published_at
            if silent_s > self.parameters["lockstep_timeout_s"]:
                self._end("failed", f"no command for {silent_s:.1f} s of wall time; see the other nodes' states")
            elif waited_s > self.parameters["lockstep_lost_s"]:
                self._refused = f"a tick without an answer for {waited_s:.1f} s of wall time: something was lost"
                self.refuse(self._refused)
                self._gate.brake_for(self._now)
                self._step()
                self.publish_state()

    def _start_when_ready(self) -> None:
        missing = self._output.missing_partner(self.count_publishers(self.ego_topic("vehicle_control_cmd")))
        if missing:
            self._ready_at, self._detail = None, f"for {missing}"
            return
        now = time.monotonic()
        self._ready_at = self._ready_at or now
        if now - self._ready_at >= SETTLE_S:
            self._started = True
            if self.lockstep:
                self._set_timer(WATCH_PERIOD_S)
            self._heard_at = time.perf_counter()
            self._step()

    def _set_timer(self, period_s: float | None) -> None:
        """Call ``_on_timer`` every ``period_s`` of the steady clock; ``None``: not at all."""
        if self._timer is not None:
            self.destroy_timer(self._timer)
            self._timer = None
        if period_s is not None:
            clock = Clock(clock_type=ClockType.STEADY_TIME)
            self._timer = self.create_timer(period_s, self._on_timer, clock=clock)

    def _step(self) -> None:
        """One tick: the command in, the world on, its messages out."""
        begin = time.perf_counter()
        self._gate.doubted = bool(self._controllers.fault)
        command, who = self._gate.control(self._now)
        try:
            if self._frame >= 0:
                self._simulator.ego.apply_control(command_to_carla(command))
            self._frame = self._simulator.tick()
            data = self._rig.collect(self._frame)
            self._gate.forward_mps = forward_speed(self._simulator.ego)
        except (RuntimeError, SimlingoError) as error:
            self._set_timer(None)  # it will not tick any more
            self._end("failed", f"the simulator failed: {error}")
            return
        camera = data["camera"]
        world = self._simulator.world
        self._now = conversions.seconds_to_ns(world.get_snapshot().timestamp.elapsed_seconds)
        tick = Tick(self._now, self._frame, self._simulator.ego, command, data)
        self._output.publish_frame(tick, camera)
        self._published_at = time.perf_counter()
        if not self.lockstep:
            self.statistics.add(self._published_at - begin)
        self._score()
        self._output.publish_rest(tick, self._simulator.traffic_lights)
        if not self._ended:
            self._mode = LAST_BRAKE if self._refused else who
            missing = "no command from the controller" if who == LAST_BRAKE and self._frame > 1 else ""
            self._detail = self._controllers.fault or self._refused or missing

    def _score(self) -> None:
        """Judge the tick; end the drive when it is over."""
        simulator = self._simulator
        if self._judge is None:
            self._judge = Judge(simulator.world, simulator.ego, simulator.route.transforms, simulator.map)
            self._started_at = self._now
        elif not self._ended:
            self._judge.tick()
        limit_s = self.parameters["seconds"]
        if self._ended:
            return
        if self._judge.status != "running":
            self._end(self._judge.status, "")
        elif limit_s > 0.0 and (self._now - self._started_at) * 1e-9 >= limit_s - TICK_S / 2:
            self._end("stopped", f"the {limit_s:g} s asked for are over")
        else:
            self._output.publish_score(self._judge, self._now)

    def _end(self, status: str, detail: str) -> None:
        """End the drive: brake for good, publish the last score and the state. The world may go on in real time."""
        if self._ended:
            self.warn(f"after the end: {detail}")
            return
        self._ended = True
        self._mode = "failed" if status == "failed" else "finished"
        self._detail = detail or status
        self._brake()
        if self._judge is None:
            self._output.publish_failure(self._now)
        else:
            if status in ("failed", "stopped"):
                self._judge.ending = status
            self._output.publish_score(self._judge, self._now, last=True)
        self.get_logger().info(f"the drive has ended: {self._detail}")
        self.publish_state()

    def _brake(self) -> None:
        """The last brake, which nobody releases; a simulator that is gone brakes by itself."""
        self._gate.close()
        try:
            self._simulator.ego.apply_control(command_to_carla(self._gate.control(self._now)[0]))
        except RuntimeError as error:
            self.warn(f"cannot brake: {error}")


def main() -> None:
    """Entry point of the executable ``carla_bridge``."""
    sys.exit(run_node(CarlaBridgeNode, pictures=True))


if __name__ == "__main__":
    main()
