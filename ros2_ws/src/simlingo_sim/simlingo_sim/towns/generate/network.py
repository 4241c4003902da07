"""From a plan of nodes and streets to roads, junctions and connecting roads."""

from __future__ import annotations

import math
from dataclasses import dataclass

from simlingo_sim.towns.generate.curves import (
    Path,
    Point,
    Pose,
    connect,
    path_length,
    pose_along,
    rounded_polyline,
    sample,
    trimmed,
    wrap,
)
from simlingo_sim.towns.generate.plan import (
    LANE_WIDTH,
    Connection,
    Junction,
    Lane,
    LaneType,
    Link,
    Mark,
    Network,
    Node,
    Road,
    Street,
    TownPlan,
)

#: Ids of connecting roads and of junctions begin here, above those of the streets.
FIRST_CONNECTING_ROAD = 1000
FIRST_JUNCTION = 5000
#: Arms that differ by more than this (rad) from a half turn have a kerb corner between them.
STRAIGHT_TOLERANCE = math.radians(35.0)
#: Shortest way from a node's middle to the border of its junction, m.
SHORTEST_ARM = 9.0

EDGE = Mark("solid", "white")
DIVIDER = Mark("broken", "white", "both")


@dataclass
class Arm:
    """A street's end at a node."""

    street: int  # index, road id - 1
    at_end: bool  # whether the street's reference line ends here
    outward: float  # heading away from the node, rad
    spec: Street
    setback: float = 0.0  # m from the node to the junction's border

    def lane(self, index: int, incoming: bool) -> int:
        """OpenDRIVE id of the ``index``-th lane from the centre, towards or away from the node."""
        return -(index + 1) if self.at_end == incoming else index + 1

    def left_edge(self, node: Node, index: int, incoming: bool) -> Pose:
        """Pose, at the junction's border, of the left edge of such a lane in its driving direction."""
        heading = wrap(self.outward + math.pi) if incoming else self.outward
        forward = -self.setback if incoming else self.setback
        return Pose(node.x, node.y, heading).shifted(forward, -index * LANE_WIDTH)


def build_network(plan: TownPlan) -> Network:
    """Roads and junctions of ``plan``; ValueError where a street does not fit between its junctions."""
    centers = [_center_line(plan, street) for street in plan.streets]
    arms = {name: _arms(plan, centers, name) for name in plan.nodes}
    roads = [_street_road(plan, index, centers[index], arms) for index in range(len(plan.streets))]
    junctions: list[Junction] = []
    for number, (name, node) in enumerate(plan.nodes.items()):
        junction = Junction(FIRST_JUNCTION + number, name, [], [])
        roads += _connecting_roads(junction, node, arms[name], FIRST_CONNECTING_ROAD + len(roads) - len(plan.streets))
        junctions.append(junction)
    return Network(roads, junctions, [])


def node_arms(plan: TownPlan) -> dict[str, list[Arm]]:
    """The arms of every node, counter-clockwise."""
    centers = [_center_line(plan, street) for street in plan.streets]
    return {name: _arms(plan, centers, name) for name in plan.nodes}


def _center_line(plan: TownPlan, street: Street) -> Path:
    start, end = plan.nodes[street.start], plan.nodes[street.end]
    return rounded_polyline([(start.x, start.y), *street.via, (end.x, end.y)], street.bend_radius)


def _arms(plan: TownPlan, centers: list[Path], name: str) -> list[Arm]:
    found: list[Arm] = []
    for index, street in enumerate(plan.streets):
        path = centers[index]
        if street.start == name:
            found.append(Arm(index, False, path[0].start.heading, street))
        if street.end == name:
            found.append(Arm(index, True, wrap(pose_along(path, path_length(path)).heading + math.pi), street))
    found.sort(key=lambda arm: wrap(arm.outward) % (2.0 * math.pi))
    if len(found) < 3:
        raise ValueError(f"node {name} of {plan.name} joins {len(found)} streets: a junction needs three")
    _set_back(found, plan.nodes[name].kerb_radius)
    return found


def _set_back(arms: list[Arm], kerb_radius: float) -> None:
    """Move the junction's border out until the rounded kerbs between neighbouring arms fit inside."""
    for arm in arms:
        arm.setback = SHORTEST_ARM
    for arm, neighbour in zip(arms, arms[1:] + arms[:1], strict=True):
        between = (neighbour.outward - arm.outward) % (2.0 * math.pi)
        if between > math.pi - STRAIGHT_TOLERANCE:
            continue
        tangent = kerb_radius / math.tan(between / 2.0)
        for one, other in ((arm, neighbour), (neighbour, arm)):
            corner = (other.spec.half_width + one.spec.half_width * math.cos(between)) / math.sin(between)
            one.setback = max(one.setback, corner + tangent)


def _street_road(plan: TownPlan, index: int, center: Path, arms: dict[str, list[Arm]]) -> Road:
    street = plan.streets[index]
    setbacks, links = [], []
    junction_ids = {name: FIRST_JUNCTION + number for number, name in enumerate(plan.nodes)}
    for name, at_end in ((street.start, False), (street.end, True)):
        arm = next(arm for arm in arms[name] if arm.street == index and arm.at_end == at_end)
        setbacks.append(arm.setback)
        links.append(Link("junction", junction_ids[name]))
    verge_type, verge_width = street.verge
    lanes: list[Lane] = []
    for side in (1, -1):
        for number in range(1, street.lanes + 1):
            mark = EDGE if number == street.lanes else DIVIDER
            lanes.append(Lane(side * number, "driving", LANE_WIDTH, LANE_WIDTH, mark))
        lanes.append(Lane(side * (street.lanes + 1), verge_type, verge_width, verge_width))
    lanes.sort(key=lambda lane: -lane.id)
    return Road(
        index + 1,
        f"{street.start}-{street.end}",
        trimmed(center, *setbacks),
        lanes,
        Mark(street.center, "yellow"),
        street.speed_kmh,
        "town" if verge_type == "sidewalk" else "rural",
        predecessor=links[0],
        successor=links[1],
    )


def _connecting_roads(junction: Junction, node: Node, arms: list[Arm], first_id: int) -> list[Road]:
    roads: list[Road] = []
    for number, arm in enumerate(arms):
        right_neighbour = (number + 1) % len(arms)  # counter-clockwise: where the right kerb leads
        for target in range(len(arms)):
            if target == number:
                continue
            for lane_in, lane_out in _lane_pairs(arm, arms[target]):
                follows_kerb = target == right_neighbour and lane_in == arm.spec.lanes - 1
                road = _connecting_road(
                    first_id + len(roads), junction.id, node, arm, arms[target], lane_in, lane_out, follows_kerb
                )
                roads.append(road)
                links = [(arm.lane(lane_in, True), -1)]
                if follows_kerb:
                    links.append((arm.lane(arm.spec.lanes, True), -2))
                    junction.kerb += _right_edge(road)
                junction.connections.append(Connection(arm.street + 1, road.id, tuple(links)))
    return roads


def _lane_pairs(arm: Arm, other: Arm) -> list[tuple[int, int]]:
    """Which lanes lead on: left turns from lane to lane at the centre, right turns at the kerb, straight on all."""
    turn = wrap(other.outward - arm.outward - math.pi)
    lanes_in, lanes_out = arm.spec.lanes, other.spec.lanes
    if abs(turn) < STRAIGHT_TOLERANCE:
        if lanes_in > lanes_out:
            raise ValueError(f"the {lanes_in} lanes of {arm.spec.start}-{arm.spec.end} do not fit straight on")
        return [(index, index) for index in range(lanes_in)]
    if turn > 0.0:
        return [(0, 0)]
    return [(lanes_in - 1, lanes_out - 1)]


def _connecting_road(
    road_id: int, junction_id: int, node: Node, arm: Arm, other: Arm, lane_in: int, lane_out: int, follows_kerb: bool
) -> Road:
    path = connect(arm.left_edge(node, lane_in, True), other.left_edge(node, lane_out, False))
    lanes = [Lane(-1, "driving", LANE_WIDTH, LANE_WIDTH, Mark(), arm.lane(lane_in, True), other.lane(lane_out, False))]
    verges = arm.spec.verge, other.spec.verge
    if follows_kerb:
        kind: LaneType = "sidewalk" if all(kind == "sidewalk" for kind, _ in verges) else "shoulder"
        lanes.append(
            Lane(
                -2,
                kind,
                verges[0][1],
                verges[1][1],
                Mark(),
                arm.lane(arm.spec.lanes, True),
                other.lane(other.spec.lanes, False),
            )
        )
    rural = all(kind == "shoulder" for kind, _ in verges)
    return Road(
        road_id,
        "",
        path,
        lanes,
        Mark(),
        min(arm.spec.speed_kmh, other.spec.speed_kmh),
        "rural" if rural else "town",
        junction_id,
        Link("road", arm.street + 1, "end" if arm.at_end else "start"),
        Link("road", other.street + 1, "end" if other.at_end else "start"),
    )


def _right_edge(road: Road) -> list[Point]:
    """The kerb along a connecting road's driving lane."""
    return [
        (edge.x, edge.y)
        for _, x, y, heading in sample(road.path, 1.5).tolist()
        for edge in [Pose(x, y, heading).shifted(0.0, -LANE_WIDTH)]
    ]
