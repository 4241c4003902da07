"""The streets of a map as polylines for the page's top view.

``python -m simlingo_node.page.lanes`` reads OpenDRIVE from standard input and writes them as JSON.
"""

from __future__ import annotations

import json
import math
import sys
from collections import defaultdict
from typing import Any

Polyline = list[float]  # x0, y0, x1, y1, ... metres, map frame of CARLA (y right)

_SPACING_M = 2.0
_TOLERANCE_M = 0.05


def _thin(points: list[tuple[float, float]]) -> Polyline:
    """``points`` without those that lie within 5 cm of the line between their neighbours, flattened."""
    kept = [points[0]]
    for index in range(1, len(points) - 1):
        (ax, ay), (bx, by), (px, py) = kept[-1], points[index + 1], points[index]
        length = math.hypot(bx - ax, by - ay)
        offset = abs((bx - ax) * (py - ay) - (by - ay) * (px - ax)) / length if length > 0.0 else 0.0
        if offset > _TOLERANCE_M or length > 40.0:
            kept.append(points[index])
    kept.append(points[-1])
    return [round(value, 2) for point in kept for value in point]


def _edge(waypoints: list[Any], side: float) -> list[tuple[float, float]]:
    """The lane's edge; ``side`` is +1 for the right one, -1 for the left one."""
    edge = []
    for waypoint in waypoints:
        location, right = waypoint.transform.location, waypoint.transform.get_right_vector()
        half = side * waypoint.lane_width / 2.0
        edge.append((location.x + right.x * half, location.y + right.y * half))
    return edge


def _marks(waypoints: list[Any]) -> list[dict[str, object]]:
    """The painted lines of one lane, named by the mark at its middle."""
    middle = waypoints[len(waypoints) // 2]
    marks: list[dict[str, object]] = []
    for side, marking in ((-1.0, middle.left_lane_marking), (1.0, middle.right_lane_marking)):
        if str(marking.type) in ("NONE", "Curb", "Grass"):
            continue
        marks.append(
            {
                "points": _thin(_edge(waypoints, side)),
                "broken": "Broken" in str(marking.type),
                "yellow": str(marking.color) == "Yellow",
            }
        )
    return marks


def street_lines(carla_map: Any) -> dict[str, list[dict[str, object]]]:
    """Driving lanes and painted lines of ``carla_map`` (carla.Map).

    Returns:
        ``lanes``: each with ``points`` (centre line, metres, map frame of CARLA) and ``width`` (m);
        ``marks``: each with ``points``, ``broken`` and ``yellow``.
    """
    by_lane: dict[tuple[int, int, int], list[Any]] = defaultdict(list)
    for waypoint in carla_map.generate_waypoints(_SPACING_M):
        by_lane[waypoint.road_id, waypoint.section_id, waypoint.lane_id].append(waypoint)
    lanes: list[dict[str, object]] = []
    marks: list[dict[str, object]] = []
    for key in sorted(by_lane):
        waypoints = sorted(by_lane[key], key=lambda waypoint: float(waypoint.s))
        if len(waypoints) < 2:
            continue
        centre = [(waypoint.transform.location.x, waypoint.transform.location.y) for waypoint in waypoints]
        lanes.append({"points": _thin(centre), "width": round(float(waypoints[0].lane_width), 2)})
        if not waypoints[len(waypoints) // 2].is_junction:
            marks.extend(_marks(waypoints))
    return {"lanes": lanes, "marks": marks}


def main() -> int:
    """Standard input to standard output; 1 without the package ``carla`` or with a map that it cannot read."""
    try:
        import carla

        streets = street_lines(carla.Map("map", sys.stdin.read()))
    except (ImportError, RuntimeError) as error:
        print(error, file=sys.stderr)
        return 1
    json.dump(streets, sys.stdout, separators=(",", ":"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
