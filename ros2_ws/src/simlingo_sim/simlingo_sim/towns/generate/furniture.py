"""Stop lines, crosswalks, traffic lights, stop signs and light phases at the junctions of a network."""

from __future__ import annotations

import math

from simlingo_sim.towns.generate.curves import Pose, wrap
from simlingo_sim.towns.generate.network import STRAIGHT_TOLERANCE, Arm
from simlingo_sim.towns.generate.plan import (
    Controller,
    Junction,
    Network,
    Node,
    Repeater,
    Road,
    RoadObject,
    Signal,
    TownPlan,
)

#: Distances in m outward from the junction's border.
CROSSWALK_FROM, CROSSWALK_TO = 0.4, 2.9
STOP_LINE_SIGNALLED = 3.9
STOP_LINE_PLAIN = 1.5
STOP_LINE_THICKNESS = 0.4
#: The light stands this far behind the stop line (seen in driving direction) and outside the kerb, m.
SIGNAL_BEHIND_LINE = 2.0
SIGNAL_OUTSIDE_KERB = 2.0
SIGNAL_HEIGHT = 3.2
REPEATER_HEIGHT = 4.2
SIGN_HEIGHT = 2.2
#: First ids, so that no two kinds of things share one.
FIRST_OBJECT, FIRST_CONTROLLER = 10000, 7000


class _Counter:
    def __init__(self) -> None:
        self.signal, self.object, self.controller = 0, FIRST_OBJECT - 1, FIRST_CONTROLLER - 1

    def next_signal(self) -> int:
        self.signal += 1
        return self.signal

    def next_object(self) -> int:
        self.object += 1
        return self.object

    def next_controller(self) -> int:
        self.controller += 1
        return self.controller


def furnish(plan: TownPlan, network: Network, arms: dict[str, list[Arm]]) -> None:
    """Add to ``network`` what its nodes' controls ask for."""
    roads = {road.id: road for road in network.roads}
    count = _Counter()
    for junction in network.junctions:
        node = plan.nodes[junction.name]
        if node.control == "signal":
            _signalled(network, junction, node, arms[junction.name], roads, count)
        elif node.control == "stop":
            _stop_controlled(arms[junction.name], roads, count)


def _signalled(
    network: Network, junction: Junction, node: Node, arms: list[Arm], roads: dict[int, Road], count: _Counter
) -> None:
    signals: list[int] = []
    for arm in arms:
        road = roads[arm.street + 1]
        if arm.spec.sidewalk > 0.0:
            road.objects.append(_crosswalk(arm, road, count.next_object()))
        road.objects.append(_stop_line(arm, road, STOP_LINE_SIGNALLED, count.next_object()))
        signal = Signal(
            count.next_signal(),
            "1000001",
            "Signal_3Light_Post01",
            _station(arm, road, STOP_LINE_SIGNALLED - SIGNAL_BEHIND_LINE),
            _right(arm) * (arm.spec.half_width + SIGNAL_OUTSIDE_KERB),
            SIGNAL_HEIGHT,
            "+" if arm.at_end else "-",
            _validity(arm),
            (1.6, 0.5),
        )
        road.signals.append(signal)
        signals.append(signal.id)
        network.repeaters.append(_repeater(signal.id, node, arm, arms))
    for sequence, phase in enumerate(_phases(arms)):
        name = f"{junction.name}-{sequence}"
        members = tuple(signals[index] for index in phase)
        junction.controllers.append(Controller(count.next_controller(), name, sequence, members))


def _stop_controlled(arms: list[Arm], roads: dict[int, Road], count: _Counter) -> None:
    for arm in arms:
        if any(_opposite(arm, other) for other in arms if other is not arm):
            continue
        road = roads[arm.street + 1]
        road.objects.append(_stop_line(arm, road, STOP_LINE_PLAIN, count.next_object()))
        road.signals.append(
            Signal(
                count.next_signal(),
                "206",
                "Sign_Stop",
                _station(arm, road, STOP_LINE_PLAIN),
                _right(arm) * (arm.spec.half_width + SIGNAL_OUTSIDE_KERB),
                SIGN_HEIGHT,
                "+" if arm.at_end else "-",
                _validity(arm),
                (0.75, 0.75),
            )
        )


def _station(arm: Arm, road: Road, outward: float) -> float:
    """s of the place ``outward`` m from the junction's border."""
    return road.length - outward if arm.at_end else outward


def _right(arm: Arm) -> float:
    """Sign of t on the right hand of the traffic that approaches the node."""
    return -1.0 if arm.at_end else 1.0


def _validity(arm: Arm) -> tuple[int, int]:
    ids = sorted((arm.lane(0, True), arm.lane(arm.spec.lanes - 1, True)))
    return ids[0], ids[1]


def _stop_line(arm: Arm, road: Road, outward: float, object_id: int) -> RoadObject:
    half = arm.spec.half_width
    return RoadObject(
        object_id,
        "roadMark",
        "StopLine",
        _station(arm, road, outward),
        _right(arm) * half / 2.0,
        "+" if arm.at_end else "-",
        half,
        STOP_LINE_THICKNESS,
    )


def _crosswalk(arm: Arm, road: Road, object_id: int) -> RoadObject:
    middle = (CROSSWALK_FROM + CROSSWALK_TO) / 2.0
    u, v = (CROSSWALK_TO - CROSSWALK_FROM) / 2.0, arm.spec.half_width
    # The first corner is repeated: carla.Map.get_crosswalks() marks the end of a zone by it.
    outline = ((-u, -v), (u, -v), (u, v), (-u, v), (-u, -v))
    name = "SimpleCrosswalk"
    return RoadObject(object_id, "crosswalk", name, _station(arm, road, middle), 0.0, "none", 2.0 * v, 2.0 * u, outline)


def _opposite(arm: Arm, other: Arm) -> bool:
    return abs(wrap(other.outward - arm.outward - math.pi)) < STRAIGHT_TOLERANCE


def _phases(arms: list[Arm]) -> list[list[int]]:
    """Arms that face each other are green together."""
    phases: list[list[int]] = []
    for index, arm in enumerate(arms):
        home = next((phase for phase in phases if len(phase) == 1 and _opposite(arms[phase[0]], arm)), None)
        if home is None:
            phases.append([index])
        else:
            home.append(index)
    return phases


def _repeater(signal: int, node: Node, arm: Arm, arms: list[Arm]) -> Repeater:
    """On the right, beyond the junction: beside the road straight on, or behind the far kerb of a T."""
    ahead = next((other for other in arms if _opposite(arm, other)), None)
    if ahead is not None:
        pose = Pose(node.x, node.y, ahead.outward)
        pose = pose.shifted(ahead.setback + CROSSWALK_TO + 0.6, -(ahead.spec.half_width + SIGNAL_OUTSIDE_KERB))
    else:
        cross = max(other.spec.half_width for other in arms if other is not arm)
        pose = Pose(node.x, node.y, wrap(arm.outward + math.pi))
        pose = pose.shifted(cross + SIGNAL_OUTSIDE_KERB, -arm.spec.half_width / 2.0)
    return Repeater(signal, pose.x, pose.y, REPEATER_HEIGHT, wrap(arm.outward))
