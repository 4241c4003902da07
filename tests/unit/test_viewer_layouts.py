"""The layouts for RViz and Foxglove: whole, and about topics and types that the stack has."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import yaml

CONFIG = Path(__file__).parents[2] / "ros2_ws/src/simlingo_node/config"
EGO = "/carla/ego_vehicle"
TOPICS = {
    f"{EGO}/rgb_front/image",
    f"{EGO}/rgb_front/image/compressed",
    f"{EGO}/rgb_front/camera_info",
    f"{EGO}/odometry",
    f"{EGO}/vehicle_control_cmd",
    "/simlingo/path",
    "/simlingo/speed_waypoints",
    "/simlingo/markers",
    "/simlingo/commentary",
    "/simlingo/score",
    "/simlingo/instruction",
    "/simlingo/instruction_status",
}


def panels(layout: Any) -> set[str]:
    """Names of the panels that a layout tree shows."""
    return {layout} if isinstance(layout, str) else panels(layout["first"]) | panels(layout["second"])


def test_foxglove_shows_every_panel_that_it_describes() -> None:
    layout = json.loads((CONFIG / "foxglove_layout.json").read_text(encoding="utf-8"))
    assert panels(layout["layout"]) == set(layout["configById"])


def test_foxglove_reads_topics_of_the_stack() -> None:
    text = (CONFIG / "foxglove_layout.json").read_text(encoding="utf-8")
    topics = set(re.findall(r'"(/[\w/]+)', text))
    assert topics <= TOPICS
    assert f"{EGO}/rgb_front/image/compressed" in topics


def test_rviz_reads_topics_of_the_stack_and_follows_the_vehicle() -> None:
    manager = yaml.safe_load((CONFIG / "simlingo.rviz").read_text(encoding="utf-8"))["Visualization Manager"]
    assert manager["Global Options"]["Fixed Frame"] == "map"
    assert manager["Views"]["Current"]["Target Frame"] == "ego_vehicle"
    topics = {display["Topic"]["Value"] for display in manager["Displays"] if "Topic" in display}
    assert topics <= TOPICS
    assert {f"{EGO}/rgb_front/image", "/simlingo/path"} <= topics
    for display in manager["Displays"]:
        if "Topic" in display:
            assert display["Topic"]["Reliability Policy"] == "Best Effort", "a viewer must not hold the stack up"
