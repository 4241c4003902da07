"""Harbortown, the town that is held out: crooked blocks above a four-lane quay road, with a pier loop at either end."""

from __future__ import annotations

from simlingo_sim.towns.generate.curves import Point
from simlingo_sim.towns.generate.plan import Node, Street, TownPlan

#: Junctions, m (OpenDRIVE frame, y north).
NODES = {
    "lock": Node(-235.0, -15.0, "signal"),
    "crane": Node(-125.0, -80.0, "signal"),
    "ferry": Node(-15.0, -100.0, "signal"),
    "customs": Node(115.0, -85.0, "signal"),
    "dock": Node(240.0, -20.0, "signal"),
    "chapel": Node(-225.0, 85.0, "stop"),
    "tavern": Node(-120.0, 45.0, "signal"),
    "square": Node(0.0, 38.0, "signal"),
    "mint": Node(125.0, 55.0, "signal"),
    "school": Node(235.0, 75.0, "stop"),
    "theatre": Node(-95.0, 150.0, "stop"),
    "garden": Node(30.0, 165.0, "signal"),
}


def _quay(start: str, end: str, *via: Point) -> Street:
    return Street(start, end, via, lanes=2, speed_kmh=50, bend_radius=90.0, center="solid", sidewalk=3.0)


def _lane(start: str, end: str, *via: Point, speed: int = 40, bend: float = 50.0) -> Street:
    return Street(start, end, via, speed_kmh=speed, bend_radius=bend, center="solid" if speed == 50 else "broken")


def plan() -> TownPlan:
    """Nodes and streets of harbortown."""
    streets = (
        _quay("lock", "crane", (-180.0, -38.0)),
        _quay("crane", "ferry"),
        _quay("ferry", "customs"),
        _quay("customs", "dock", (180.0, -48.0)),
        _lane("chapel", "lock", (-238.0, 40.0), speed=50, bend=90.0),
        _lane("lock", "crane", (-230.0, -90.0), (-195.0, -150.0), (-140.0, -150.0), speed=30, bend=35.0),
        _lane("customs", "dock", (135.0, -150.0), (205.0, -155.0), (246.0, -90.0), speed=30, bend=35.0),
        _lane("dock", "school", speed=50),
        _lane("chapel", "tavern", (-170.0, 70.0)),
        _lane("tavern", "square"),
        _lane("square", "mint", (60.0, 42.0)),
        _lane("mint", "school", (185.0, 80.0)),
        _lane("crane", "tavern"),
        _lane("ferry", "square", (-22.0, -40.0)),
        _lane("customs", "mint"),
        _lane("tavern", "theatre", (-122.0, 100.0)),
        _lane("square", "garden", (8.0, 100.0)),
        _lane("theatre", "garden", (-30.0, 172.0), speed=50, bend=90.0),
        _lane("theatre", "chapel", (-170.0, 142.0), (-220.0, 135.0), speed=30, bend=30.0),
        _lane("garden", "school", (110.0, 165.0), (200.0, 150.0), (235.0, 118.0), speed=30, bend=35.0),
    )
    return TownPlan("harbortown", NODES, streets, styles=(4, 5, 6), seed=37, ground="paved", trees=110, green_share=0.3)
