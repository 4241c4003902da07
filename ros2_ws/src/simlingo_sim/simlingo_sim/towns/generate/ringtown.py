"""Ringtown: winding two-lane streets inside a ring, one crossroads, and a fast rural loop around it."""

from __future__ import annotations

from simlingo_sim.towns.generate.curves import Point
from simlingo_sim.towns.generate.plan import Node, Street, TownPlan

#: Junctions, m (OpenDRIVE frame, y north). The crossroads is "center"; all others are T-junctions.
NODES = {
    "center": Node(0.0, 0.0, "signal"),
    "north": Node(-10.0, 125.0, "signal"),
    "northeast": Node(110.0, 95.0, "stop"),
    "east": Node(150.0, -10.0, "signal"),
    "southeast": Node(105.0, -110.0, "signal"),
    "south": Node(10.0, -135.0, "signal"),
    "southwest": Node(-110.0, -95.0, "stop"),
    "west": Node(-150.0, 15.0, "signal"),
    "market": Node(72.0, -14.0, "signal"),
    "mill": Node(22.0, -68.0, "stop"),
    "farm_east": Node(275.0, 125.0, "stop"),
    "farm_south": Node(215.0, -245.0, "stop"),
    "farm_west": Node(-275.0, -165.0, "stop"),
}


def _town(start: str, end: str, *via: Point, speed: int = 40, bend: float = 50.0) -> Street:
    return Street(start, end, via, speed_kmh=speed, bend_radius=bend, center="solid" if speed == 40 else "broken")


def _rural(start: str, end: str, *via: Point, speed: int = 70, bend: float = 160.0) -> Street:
    return Street(start, end, via, speed_kmh=speed, bend_radius=bend, sidewalk=0.0)


def plan() -> TownPlan:
    """Nodes and streets of ringtown."""
    ring = (
        _town("north", "northeast", (50.0, 132.0)),
        _town("northeast", "east", (143.0, 45.0)),
        _town("east", "southeast", (152.0, -75.0)),
        _town("southeast", "south", (60.0, -142.0)),
        _town("south", "southwest", (-60.0, -136.0)),
        _town("southwest", "west", (-148.0, -50.0)),
        _town("west", "north", (-152.0, 75.0), (-120.0, 118.0), (-60.0, 118.0), bend=55.0),
    )
    inside = (
        _town("center", "north", (4.0, 36.0), (-22.0, 84.0), speed=30, bend=35.0),
        _town("center", "market", (34.0, -2.0), speed=30),
        _town("market", "east", (108.0, -20.0), speed=30),
        _town("center", "mill", (0.0, -34.0), speed=30),
        _town("mill", "south", (36.0, -98.0), speed=30, bend=35.0),
        _town("center", "west", (-40.0, -4.0), (-96.0, 22.0), speed=30),
        _town("market", "mill", (68.0, -44.0), (48.0, -64.0), speed=30, bend=30.0),
    )
    outside = (
        _rural("northeast", "farm_east", (170.0, 118.0), speed=60, bend=120.0),
        _rural("southeast", "farm_south", (150.0, -160.0), (190.0, -195.0), speed=60, bend=120.0),
        _rural("southwest", "farm_west", (-165.0, -140.0), (-225.0, -150.0), speed=60, bend=120.0),
        _rural("farm_east", "farm_south", (290.0, 60.0), (320.0, -70.0), (275.0, -200.0), bend=170.0),
        _rural("farm_south", "farm_west", (90.0, -295.0), (-205.0, -266.0), bend=170.0),
        _rural("farm_west", "farm_east", (-330.0, -60.0), (-300.0, 110.0), (-170.0, 230.0), (40.0, 235.0),
               (150.0, 238.0), (230.0, 195.0), bend=170.0),
    )  # fmt: skip
    return TownPlan("ringtown", NODES, (*ring, *inside, *outside), styles=(0, 1, 2, 3), seed=23, trees=260)
