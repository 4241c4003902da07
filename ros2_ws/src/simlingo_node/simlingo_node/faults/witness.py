"""What really happens while a fault lasts: the bridge's odometry before the relay, what the vehicle got, states and score."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field

import numpy as np
from carla_msgs.msg import CarlaEgoVehicleStatus
from nav_msgs.msg import Odometry
from rclpy.node import Node
from simlingo_msgs.msg import Route, Score, StackState

from simlingo.contracts import EgoState, FloatArray
from simlingo.geometry import project_onto_polyline, wrap_angle
from simlingo_node import qos
from simlingo_node.conversions import message_to_route, odometry_to_ego_state
from simlingo_node.faults.relay import ROLE

#: Slower is standing, m/s.
STANDING_MPS = 0.1


@dataclass(frozen=True)
class Applied:
    """What the vehicle got for one tick."""

    at: float  # s, simulation time
    steer: float
    throttle: float
    brake: float


@dataclass
class Facts:
    """What is known since a moment."""

    truth: list[EgoState] = field(default_factory=list)
    aside: list[tuple[float, float]] = field(default_factory=list)  # simulation time, s, and distance from the route, m
    applied: list[Applied] = field(default_factory=list)
    states: list[tuple[float, StackState]] = field(default_factory=list)  # with the simulation time of their arrival, s
    infractions: list[str] = field(default_factory=list)
    collisions: int = 0


class Witness:
    """Subscribes to what tells the truth; give it the odometry that comes before the relay."""

    def __init__(self, node: Node) -> None:
        self.facts = Facts()
        self.now = 0.0  # s, simulation time
        self.status = ""  # of the drive
        self._route: FloatArray | None = None
        self._known: set[str] = set()
        self._collisions = 0
        node.create_subscription(CarlaEgoVehicleStatus, f"/carla/{ROLE}/vehicle_status", self._on_status, qos.DEFAULT)
        node.create_subscription(StackState, "/simlingo/state", self._on_state, qos.DEFAULT)
        node.create_subscription(Score, "/simlingo/score", self._on_score, qos.LATCHED)
        node.create_subscription(Route, "/simlingo/route", self._on_route, qos.LATCHED)
        self.modes: dict[str, str] = {}  # by node

    @property
    def speed(self) -> float:
        """Now, m/s."""
        return self.facts.truth[-1].speed if self.facts.truth else 0.0

    def begin(self) -> None:
        """Forget what has been."""
        self.facts = Facts(truth=self.facts.truth[-1:])

    def on_odometry(self, message: Odometry) -> None:
        """The truth of a tick."""
        ego = odometry_to_ego_state(message)
        self.now = ego.stamp * 1e-9
        self.facts.truth.append(ego)
        if self._route is not None:
            self.facts.aside.append((self.now, project_onto_polyline(self._route, np.array((ego.x, ego.y)))[2]))

    def _on_status(self, message: CarlaEgoVehicleStatus) -> None:
        control = message.control
        self.facts.applied.append(Applied(self.now, control.steer, control.throttle, control.brake))

    def _on_state(self, message: StackState) -> None:
        self.modes[message.node] = message.mode
        self.facts.states.append((self.now, message))

    def _on_score(self, message: Score) -> None:
        self.status = message.status
        new = set(message.infractions) - self._known
        self._known |= new
        self.facts.infractions += sorted(new)
        self.facts.collisions += message.collisions - self._collisions
        self._collisions = message.collisions

    def _on_route(self, message: Route) -> None:
        self._route = message_to_route(message)[0]


def first_said(facts: Facts, since: float, node: str, says: str) -> tuple[float, str] | None:
    """Seconds from ``since`` until ``node`` said what matches ``says``, and what it said."""
    for at, state in facts.states:
        said = f"{state.mode}: {state.detail}"
        if state.node == node and at >= since and re.search(says, said):
            return at - since, said
    return None


def braked_at(facts: Facts, since: float) -> float | None:
    """Seconds from ``since`` until the vehicle was braked."""
    return next((each.at - since for each in facts.applied if each.at >= since and each.brake > 0.0), None)


def stood_at(facts: Facts, since: float) -> float | None:
    """Seconds from ``since`` until the vehicle stood."""
    stands = (ego.stamp * 1e-9 for ego in facts.truth if ego.speed < STANDING_MPS)
    return next((at - since for at in stands if at >= since), None)


def lateral_acceleration(facts: Facts) -> float:
    """The largest, by yaw rate and speed over two tenths of a second, m/s^2."""
    truth = facts.truth
    largest = 0.0
    for before, after in zip(truth, truth[4:], strict=False):
        seconds = (after.stamp - before.stamp) * 1e-9
        if seconds > 0.0:
            largest = max(
                largest, abs(wrap_angle(after.yaw - before.yaw)) / seconds * 0.5 * (before.speed + after.speed)
            )
    return largest


def steering_rate(facts: Facts) -> float:
    """The largest change of the steering that the vehicle got, 1/s."""
    pairs = zip(facts.applied, facts.applied[1:], strict=False)
    rates = (abs(b.steer - a.steer) / (b.at - a.at) for a, b in pairs if b.at > a.at)
    return max(rates, default=0.0)


def peak_speed(facts: Facts) -> float:
    """m/s."""
    return max((ego.speed for ego in facts.truth), default=math.nan)
