"""Streets of a town as polylines."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path

import carla
import pytest

from simlingo_node.page.lanes import street_lines

TOWNS = Path(__file__).parents[2] / "ros2_ws/src/simlingo_sim/simlingo_sim/towns"


@pytest.fixture(scope="module")
def carla_map() -> carla.Map:
    return carla.Map("gridtown", (TOWNS / "gridtown/gridtown.xodr").read_text(encoding="utf-8"))


def test_every_place_on_a_driving_lane_is_near_a_line(carla_map: carla.Map) -> None:
    lanes = street_lines(carla_map)["lanes"]
    places = [waypoint.transform.location for waypoint in carla_map.generate_waypoints(37.0)]
    for place in places[::7]:
        nearest = min(_distance(lane["points"], place.x, place.y) for lane in lanes)
        assert nearest < 1.0


def test_lines_are_few_and_marks_have_colours(carla_map: carla.Map) -> None:
    streets = street_lines(carla_map)
    assert len(json.dumps(streets)) < 600_000
    assert any(mark["yellow"] for mark in streets["marks"])
    assert any(mark["broken"] for mark in streets["marks"])
    assert all(3.0 <= lane["width"] <= 4.0 for lane in streets["lanes"])


def test_broken_map_is_said_and_not_drawn() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "simlingo_node.page.lanes"],
        input="<OpenDRIVE",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode != 0
    assert done.stdout == ""


def _distance(points: list[float], x: float, y: float) -> float:
    """From (x, y) to the polyline x0, y0, x1, y1, ..."""
    best = math.inf
    for i in range(0, len(points) - 2, 2):
        ax, ay, bx, by = points[i : i + 4]
        dx, dy = bx - ax, by - ay
        t = max(0.0, min(1.0, ((x - ax) * dx + (y - ay) * dy) / max(dx * dx + dy * dy, 1e-9)))
        best = min(best, math.hypot(ax + t * dx - x, ay + t * dy - y))
    return best
