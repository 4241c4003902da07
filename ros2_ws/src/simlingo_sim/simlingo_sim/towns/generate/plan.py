"""What a town's script says (nodes and streets), and the roads and junctions made of it. OpenDRIVE frame, m, rad."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from simlingo_sim.towns.generate.curves import Path, Point, path_length

#: Width of a driving lane in m.
LANE_WIDTH = 3.5
#: Width of the hard shoulder beside a rural road, in m.
SHOULDER_WIDTH = 1.0

Control = Literal["signal", "stop", "none"]
LaneType = Literal["driving", "sidewalk", "shoulder", "none"]


@dataclass(frozen=True)
class Node:
    """A place where streets meet."""

    x: float
    y: float
    control: Control = "none"
    kerb_radius: float = 7.5  # m, of the corners between the kerbs of neighbouring arms


@dataclass(frozen=True)
class Street:
    """A two-way street between two nodes, through ``via`` with rounded corners."""

    start: str
    end: str
    via: tuple[Point, ...] = ()
    lanes: int = 1  # per direction
    speed_kmh: int = 50
    bend_radius: float = 40.0
    center: Literal["solid", "broken"] = "broken"
    sidewalk: float = 2.5  # m wide; 0 means a rural shoulder

    @property
    def half_width(self) -> float:
        """From the centre line to the kerb, m."""
        return self.lanes * LANE_WIDTH

    @property
    def verge(self) -> tuple[LaneType, float]:
        """Kind and width (m) of the strip outside the driving lanes."""
        return ("sidewalk", self.sidewalk) if self.sidewalk > 0.0 else ("shoulder", SHOULDER_WIDTH)


@dataclass(frozen=True)
class TownPlan:
    """Everything a town's script decides."""

    name: str
    nodes: dict[str, Node]
    streets: tuple[Street, ...]
    styles: tuple[int, ...]  # looks of the buildings along the streets
    seed: int
    ground: Literal["grass", "paved"] = "grass"
    trees: int = 200
    green_share: float = 0.5  # of the street sides: houses with front gardens and trees instead of closed rows
    rural_poles: bool = True


@dataclass(frozen=True)
class Mark:
    """Road mark on the outer border of a lane (on the centre line for lane 0)."""

    type: str = "none"
    color: str = "white"
    lane_change: str = "none"


@dataclass
class Lane:
    """One lane of a road, of constant or linearly changing width."""

    id: int
    type: LaneType
    width: float  # m at the road's start
    width_at_end: float
    mark: Mark = Mark()
    predecessor: int | None = None
    successor: int | None = None


@dataclass(frozen=True)
class Link:
    """The neighbour at one end of a road: a junction, or a road and which end of it."""

    kind: Literal["road", "junction"]
    id: int
    contact: Literal["start", "end", ""] = ""


@dataclass(frozen=True)
class Signal:
    """A traffic light (type 1000001) or a stop sign (206) beside a road."""

    id: int
    type: str
    name: str
    s: float
    t: float
    z: float  # m above ground, of the head's or the plate's middle
    orientation: Literal["+", "-"]
    lanes: tuple[int, int]  # validity: from lane, to lane
    size: tuple[float, float]  # m height, width


@dataclass(frozen=True)
class RoadObject:
    """A crosswalk or a stop line."""

    id: int
    type: str
    name: str
    s: float
    t: float
    orientation: str
    width: float  # m across the road
    length: float  # m along the road
    outline: tuple[Point, ...] = ()  # (u, v) m


@dataclass
class Road:
    """An OpenDRIVE road; lanes in descending order of id, the centre lane left out."""

    id: int
    name: str
    path: Path
    lanes: list[Lane]
    center: Mark
    speed_kmh: int
    kind: Literal["town", "rural"]
    junction: int = -1
    predecessor: Link | None = None
    successor: Link | None = None
    signals: list[Signal] = field(default_factory=list)
    objects: list[RoadObject] = field(default_factory=list)

    @property
    def length(self) -> float:
        """m."""
        return path_length(self.path)

    def widths(self) -> tuple[float, float]:
        """Whole width (m) left and right of the reference line, at the wider end."""
        left = sum(max(lane.width, lane.width_at_end) for lane in self.lanes if lane.id > 0)
        right = sum(max(lane.width, lane.width_at_end) for lane in self.lanes if lane.id < 0)
        return left, right


@dataclass(frozen=True)
class Connection:
    """Lanes of an incoming road that lead onto a connecting road."""

    incoming: int
    connecting: int
    lane_links: tuple[tuple[int, int], ...]


@dataclass
class Junction:
    """A junction, the kerb polygon around it and the phases of its lights."""

    id: int
    name: str
    connections: list[Connection]
    kerb: list[Point]
    controllers: list[Controller] = field(default_factory=list)


@dataclass(frozen=True)
class Controller:
    """The signals that are green together."""

    id: int
    name: str
    sequence: int
    signals: tuple[int, ...]


@dataclass(frozen=True)
class Repeater:
    """The second head of a signal, on the far side of its junction; heading: where its lenses look."""

    signal: int
    x: float
    y: float
    z: float
    heading: float


@dataclass
class Network:
    """The whole road network of a town."""

    roads: list[Road]
    junctions: list[Junction]
    repeaters: list[Repeater]
