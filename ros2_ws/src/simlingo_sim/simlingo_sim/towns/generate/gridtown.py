"""Gridtown: a signalled grid of two-lane streets with one four-lane avenue from west to east."""

from __future__ import annotations

from simlingo_sim.towns.generate.plan import Node, Street, TownPlan

#: x of the north-south streets and y of the east-west streets, m (OpenDRIVE frame, y north).
COLUMNS = (-200.0, -105.0, 0.0, 95.0, 200.0)
ROWS = (-170.0, -85.0, 0.0, 90.0, 175.0)
AVENUE_ROW = 2
#: Border junctions with stop signs instead of lights.
STOP_JUNCTIONS = ("n10", "n30", "n14", "n34", "n01", "n43")


def plan() -> TownPlan:
    """Nodes and streets of gridtown."""
    nodes = {f"n{i}{j}": _node(i, j) for j in range(5) for i in range(5) if not _is_corner(i, j)}
    streets: list[Street] = []
    for j in range(5):
        for i in range(4):
            if not _is_corner(i, j) and not _is_corner(i + 1, j):
                streets.append(_horizontal(i, j))
    for i in range(5):
        for j in range(4):
            if not _is_corner(i, j) and not _is_corner(i, j + 1):
                speed = 30 if i in (1, 4) else 50
                streets.append(Street(f"n{i}{j}", f"n{i}{j + 1}", speed_kmh=speed))
    for i, j in ((0, 0), (4, 0), (0, 4), (4, 4)):
        beside, above = (1 if i == 0 else 3), (1 if j == 0 else 3)
        corner = (COLUMNS[i], ROWS[j])
        streets.append(Street(f"n{beside}{j}", f"n{i}{above}", (corner,), bend_radius=32.0, speed_kmh=30))
    return TownPlan("gridtown", nodes, tuple(streets), styles=(0, 1, 2, 3), seed=11)


def _is_corner(i: int, j: int) -> bool:
    return i in (0, 4) and j in (0, 4)


def _node(i: int, j: int) -> Node:
    return Node(COLUMNS[i], ROWS[j], "stop" if f"n{i}{j}" in STOP_JUNCTIONS else "signal")


def _horizontal(i: int, j: int) -> Street:
    if j == AVENUE_ROW:
        return Street(f"n{i}{j}", f"n{i + 1}{j}", lanes=2, center="solid", sidewalk=3.0)
    return Street(f"n{i}{j}", f"n{i + 1}{j}", speed_kmh=40, center="solid" if j == 1 else "broken")
