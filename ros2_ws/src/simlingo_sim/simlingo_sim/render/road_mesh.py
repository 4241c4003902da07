"""Carriageways, junction areas and what is painted on them."""

from __future__ import annotations

import itertools
import math
import xml.etree.ElementTree as ElementTree

import carla

from simlingo_sim.render.materials import Material, Tag
from simlingo_sim.render.mesh import Color, MeshBuilder, Point
from simlingo_sim.render.streets import Lane, LaneEdge, Street, shifted

ASPHALT: Color = (92, 93, 97)
WHITE: Color = (236, 236, 230)
YELLOW: Color = (246, 190, 44)
#: Marks lie this far above the road, m: enough for the depth buffer, too little to be seen from the side.
MARK_LIFT = 0.012
#: Stroke and gap of broken lines, m.
DASH_M, GAP_M = 3.0, 4.5
#: An edge line keeps this far from the kerb, m.
EDGE_INSET = 0.22
#: Lane marks end this far before a stop line or crosswalk, m.
_CLEAR = 0.4


def add_strip(
    builder: MeshBuilder, left: list[Point], right: list[Point], color: Color, material: Material, tag: Tag
) -> None:
    """A level band between two polylines of equal length; ``left`` and ``right`` as seen along them."""
    for i in range(len(left) - 1):
        builder.quad(left[i], left[i + 1], right[i + 1], right[i], color, material, tag)


def add_carriageway(builder: MeshBuilder, street: Street) -> None:
    """Asphalt across all driving lanes; shoulders of rural roads as well."""
    left, right = street.carriageway()
    add_strip(builder, left, right, ASPHALT, Material.ASPHALT, Tag.ROAD)
    for lane in street.lanes_of("Shoulder"):
        add_strip(builder, lane.left, lane.right, (118, 112, 100), Material.ASPHALT, Tag.ROAD)


def triangulate(polygon: list[Point]) -> list[tuple[Point, Point, Point]]:
    """Ears of a simple polygon, counter-clockwise in numeric x, y."""
    points = list(polygon)
    area = sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(points, [*points[1:], points[0]], strict=True))
    if area < 0.0:
        points.reverse()
    ears: list[tuple[Point, Point, Point]] = []
    while len(points) > 3:
        best, best_score = 0, -math.inf
        for i in range(len(points)):
            score = _ear_score(points, i)
            if score > best_score:
                best, best_score = i, score
        ears.append((points[best - 1], points[best], points[(best + 1) % len(points)]))
        points.pop(best)
    ears.append((points[0], points[1], points[2]))
    return ears


def _ear_score(points: list[Point], i: int) -> float:
    """How well corner ``i`` can be cut off: fat ears first, -1 where it cannot."""
    a, b, c = points[i - 1], points[i], points[(i + 1) % len(points)]
    area = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
    if area < -1e-9:
        return -1.0
    for p in points:
        if p in (a, b, c):
            continue
        sides = [(v[0] - u[0]) * (p[1] - u[1]) - (v[1] - u[1]) * (p[0] - u[0]) for u, v in ((a, b), (b, c), (c, a))]
        if min(sides) >= 0.0:
            return -1.0
    longest = max(math.dist(a, b), math.dist(b, c), math.dist(c, a))
    return area / max(longest * longest, 1e-9)


def add_junction(builder: MeshBuilder, kerb: list[Point]) -> None:
    """Asphalt within a junction's kerb polygon, without holes."""
    for a, b, c in triangulate(kerb):
        builder.triangle(a, b, c, ASPHALT, Material.ASPHALT, Tag.ROAD)


def _cut(line: list[Point], start: float, end: float) -> list[Point]:
    """Part of a polyline between two distances along it, m."""
    part: list[Point] = []
    travelled = 0.0
    for a, b in itertools.pairwise(line):
        length = math.dist(a, b)
        low, high = max(start - travelled, 0.0), min(end - travelled, length)
        if high > low and length > 0.0:
            for distance in (low, high):
                share = distance / length
                point = (a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1]), a[2] + share * (b[2] - a[2]))
                if not part or math.dist(part[-1], point) > 1e-4:
                    part.append(point)
        travelled += length
    return part


def _paint(builder: MeshBuilder, line: list[Point], width: float, color: Color) -> None:
    if len(line) < 2:
        return
    raised = [(x, y, z + MARK_LIFT) for x, y, z in line]
    add_strip(
        builder, shifted(raised, -width / 2), shifted(raised, width / 2), color, Material.PAINT_MARK, Tag.ROAD_LINE
    )


def _mark_line(
    builder: MeshBuilder, line: list[Point], edge: LaneEdge, offset: float, clear: tuple[float, float]
) -> None:
    """One border of a lane; ``clear``: metres left unpainted at both ends."""
    color = YELLOW if edge.color == "Yellow" else WHITE
    total = sum(math.dist(a, b) for a, b in itertools.pairwise(line))
    start, end = clear[0], total - clear[1]
    strokes = {
        "SolidSolid": (0.14, -0.14),
        "SolidBroken": (0.14, -0.14),
        "BrokenSolid": (0.14, -0.14),
        "BrokenBroken": (0.14, -0.14),
    }.get(edge.kind, (0.0,))
    kinds = {"SolidBroken": ("Solid", "Broken"), "BrokenSolid": ("Broken", "Solid")}.get(
        edge.kind, ("Broken" if edge.kind.startswith("Broken") else "Solid",) * 2
    )
    for stroke, kind in zip(strokes, kinds, strict=False):
        moved = shifted(line, offset + stroke)
        if kind == "Solid":
            _paint(builder, _cut(moved, start, end), edge.width, color)
            continue
        room = end - start
        count = max(1, round((room + GAP_M) / (DASH_M + GAP_M)))
        pitch = (room + GAP_M) / count
        for i in range(count):
            _paint(builder, _cut(moved, start + i * pitch, start + i * pitch + DASH_M), edge.width, color)


def add_marks(builder: MeshBuilder, street: Street, clear: tuple[float, float]) -> None:
    """Centre, lane and edge lines of a street."""
    driving = street.lanes_of("Driving")
    ids = {lane.lane_id for lane in driving}
    for lane in driving:
        ends = clear if lane.lane_id < 0 else clear[::-1]
        for edge in lane.edges:
            if edge.kind in ("NONE", "None"):
                continue
            line, offset = _line_of(lane, edge, ids)
            if line is not None:
                _mark_line(builder, line, edge, offset, ends)


def _line_of(lane: Lane, edge: LaneEdge, ids: set[int]) -> tuple[list[Point] | None, float]:
    """The border to paint and its inset; None where another lane paints it."""
    outermost = (lane.lane_id + 1 if lane.lane_id > 0 else lane.lane_id - 1) not in ids
    if edge.side == "right":
        return lane.right, (-EDGE_INSET if outermost else 0.0)
    centre = abs(lane.lane_id) == 1
    if centre and (lane.lane_id == -1 or -1 not in ids):
        return lane.left, 0.0
    return None, 0.0


class PaintedObjects:
    """Stop lines and crosswalks, which carla.Map does not tell: read from the OpenDRIVE text."""

    def __init__(self, carla_map: carla.Map, xodr_text: str, driving: dict[int, tuple[int, ...]]) -> None:
        self._map = carla_map
        self._driving = driving
        self._items = [
            (int(road.get("id", "-1")), float(road.get("length", "0")), item)
            for road in ElementTree.fromstring(xodr_text.encode()).iter("road")
            for item in road.iter("object")
        ]

    def clearances(self, road_id: int) -> tuple[float, float]:
        """Metres at the start and end of a road that lane marks leave to stop lines and crosswalks."""
        start = end = 0.0
        for road, length, item in self._items:
            if road == road_id:
                s, half = float(item.get("s", "0")), float(item.get("length", "0")) / 2.0
                if s < length / 2.0:
                    start = max(start, s + half + _CLEAR)
                else:
                    end = max(end, length - s + half + _CLEAR)
        return start, end

    def add(self, builder: MeshBuilder) -> None:
        """Paint all of them."""
        for road_id, length, item in self._items:
            if not self._driving.get(road_id):
                continue
            s, t = float(item.get("s", "0")), float(item.get("t", "0"))
            along, across = float(item.get("length", "0")), float(item.get("width", "0"))
            frame = self._frame(road_id, min(max(s, 0.01), length - 0.01))
            if item.get("name") == "StopLine":
                self._bar(builder, frame, 0.0, t, along, across - 0.3)
            elif item.get("type") == "crosswalk":
                count = max(1, int(across / 1.0))
                pitch = across / count
                for i in range(count):
                    self._bar(builder, frame, 0.0, t - across / 2 + (i + 0.5) * pitch, along, pitch * 0.5)

    def _frame(self, road_id: int, s: float) -> tuple[float, float, float, float]:
        """x, y, z and heading (rad, map frame, along increasing s) of the reference line."""
        lane_id = min(self._driving[road_id], key=abs)
        waypoint = self._map.get_waypoint_xodr(road_id, lane_id, s)
        location, yaw = waypoint.transform.location, math.radians(waypoint.transform.rotation.yaw)
        if lane_id > 0:
            yaw += math.pi
        half = waypoint.lane_width / 2.0 * (1.0 if lane_id < 0 else -1.0)
        return location.x + half * math.sin(yaw), location.y - half * math.cos(yaw), location.z, yaw

    @staticmethod
    def _bar(
        builder: MeshBuilder, frame: tuple[float, float, float, float], u: float, t: float, along: float, across: float
    ) -> None:
        """A white rectangle centred at (u along the road, t to its left)."""
        x, y, z, yaw = frame
        corners = []
        for du, dt in ((-0.5, 0.5), (0.5, 0.5), (0.5, -0.5), (-0.5, -0.5)):
            forward, right = u + du * along, -(t + dt * across)
            corners.append(
                (
                    x + forward * math.cos(yaw) - right * math.sin(yaw),
                    y + forward * math.sin(yaw) + right * math.cos(yaw),
                    z + MARK_LIFT,
                )
            )
        builder.fan(corners, WHITE, Material.PAINT_MARK, Tag.ROAD_LINE)
