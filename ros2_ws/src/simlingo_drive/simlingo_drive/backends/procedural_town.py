"""Towns of random layout, for training alone, so that a model does not learn two towns by heart.

Made by the same generators as the shipped towns: a grid whose junctions, bends, lanes, lights and houses are drawn anew.
"""

from __future__ import annotations

import math

import numpy as np

from simlingo.contracts import SimlingoError
from simlingo_sim.towns import Town, town_of
from simlingo_sim.towns.generate import files_of
from simlingo_sim.towns.generate.plan import Node, Street, TownPlan

#: Name of every such town; no shipped town has it.
PROCEDURAL = "procedural"
#: Columns and rows of junctions; the four corners have none, the outer street bends there.
_SIDE = 4
_INNER = range(1, _SIDE - 1)
#: Distance of neighbouring columns and rows, and by how much a junction lies off them, m.
_SPACING_M, _OFFSET_M = (85.0, 120.0), 14.0
#: Share of the inner rows and columns that have four lanes, and of the streets that bend.
_AVENUE_SHARE, _BENT_SHARE = 0.45, 0.45
#: How far a bent street lies off the straight line, and the radius of its bends, m.
_BEND_OFFSET_M, _BEND_RADIUS_M = (6.0, 18.0), (45.0, 90.0)
#: Share of the junctions with lights; those on avenues all have them.
_SIGNAL_SHARE = 0.7
#: Sides of the middle block, and the share of towns where one is missing.
_BLOCK_SIDES, _OPEN_BLOCK_SHARE = 4, 0.8
#: Looks of buildings to draw from; those of the held-out town stay unseen.
_STYLES = (0, 1, 2, 3)
#: Not every draw gives streets that fit between their junctions.
_ATTEMPTS = 50


def procedural_town(rng: np.random.Generator) -> Town:
    """A town drawn from ``rng``; equal generators give equal towns.

    Raises:
        SimlingoError: no draw gave a town whose streets fit.
    """
    for _ in range(_ATTEMPTS):
        plan = procedural_plan(rng)
        try:
            files = files_of(plan)
        except ValueError:
            continue
        return town_of(PROCEDURAL, files[f"{PROCEDURAL}.xodr"], files["decor.json"])
    raise SimlingoError(
        f"none of {_ATTEMPTS} drawn towns has streets that fit; this is a fault, please report the seed"
    )


def procedural_plan(rng: np.random.Generator) -> TownPlan:
    """Nodes and streets of such a town (OpenDRIVE frame, m, y north)."""
    columns = np.cumsum(rng.uniform(*_SPACING_M, _SIDE))
    rows = np.cumsum(rng.uniform(*_SPACING_M, _SIDE))
    columns, rows = columns - columns.mean(), rows - rows.mean()
    avenue_columns = [i for i in _INNER if rng.random() < _AVENUE_SHARE]
    avenue_rows = [j for j in _INNER if rng.random() < _AVENUE_SHARE]
    nodes = {}
    for i in range(_SIDE):
        for j in range(_SIDE):
            if not _is_corner(i, j):
                signal = i in avenue_columns or j in avenue_rows or rng.random() < _SIGNAL_SHARE
                x, y = columns[i] + rng.uniform(-1.0, 1.0) * _OFFSET_M, rows[j] + rng.uniform(-1.0, 1.0) * _OFFSET_M
                kerb_radius = float(rng.uniform(6.0, 10.0))
                nodes[_name(i, j)] = Node(float(x), float(y), "signal" if signal else "stop", kerb_radius)
    streets = []
    edges = _edges(avenue_columns, avenue_rows)
    # Without one side of the middle block two crossroads become T-junctions.
    missing = int(rng.integers(_BLOCK_SIDES)) if rng.random() < _OPEN_BLOCK_SHARE else None
    for index, (start, end, avenue) in enumerate(edges):
        if index != missing or avenue:
            streets.append(_street(nodes, start, end, avenue, rng))
    for i, j in ((0, 0), (_SIDE - 1, 0), (0, _SIDE - 1), (_SIDE - 1, _SIDE - 1)):
        beside, above = (1 if i == 0 else _SIDE - 2), (1 if j == 0 else _SIDE - 2)
        corner = (float(columns[i]), float(rows[j]))
        radius = float(rng.uniform(28.0, 36.0))
        streets.append(Street(_name(beside, j), _name(i, above), (corner,), bend_radius=radius, speed_kmh=30))
    styles = rng.choice(_STYLES, int(rng.integers(2, len(_STYLES) + 1)), replace=False)
    return TownPlan(
        PROCEDURAL,
        nodes,
        tuple(streets),
        styles=tuple(int(style) for style in styles),
        seed=int(rng.integers(1 << 31)),
        ground="paved" if rng.random() < 0.5 else "grass",
        trees=int(rng.integers(40, 220)),
        green_share=float(rng.uniform(0.1, 0.8)),
    )


def _is_corner(i: int, j: int) -> bool:
    return i in (0, _SIDE - 1) and j in (0, _SIDE - 1)


def _name(i: int, j: int) -> str:
    return f"n{i}{j}"


def _edges(avenue_columns: list[int], avenue_rows: list[int]) -> list[tuple[str, str, bool]]:
    """Pairs of neighbouring junctions and whether an avenue joins them, the sides of the middle block first."""
    found = []
    for j in range(_SIDE):
        for i in range(_SIDE - 1):
            if not _is_corner(i, j) and not _is_corner(i + 1, j):
                found.append(
                    (i in _INNER and i + 1 in _INNER and j in _INNER, _name(i, j), _name(i + 1, j), j in avenue_rows)
                )
    for i in range(_SIDE):
        for j in range(_SIDE - 1):
            if not _is_corner(i, j) and not _is_corner(i, j + 1):
                found.append(
                    (j in _INNER and j + 1 in _INNER and i in _INNER, _name(i, j), _name(i, j + 1), i in avenue_columns)
                )
    found.sort(key=lambda edge: not edge[0])
    return [(start, end, avenue) for _, start, end, avenue in found]


def _street(nodes: dict[str, Node], start: str, end: str, avenue: bool, rng: np.random.Generator) -> Street:
    first, last = nodes[start], nodes[end]
    via: tuple[tuple[float, float], ...] = ()
    if rng.random() < _BENT_SHARE:
        along = math.atan2(last.y - first.y, last.x - first.x)
        aside = float(rng.uniform(*_BEND_OFFSET_M)) * float(rng.choice((-1.0, 1.0)))
        middle = ((first.x + last.x) / 2.0, (first.y + last.y) / 2.0)
        via = ((middle[0] - math.sin(along) * aside, middle[1] + math.cos(along) * aside),)
    return Street(
        start,
        end,
        via,
        lanes=2 if avenue else 1,
        speed_kmh=50 if avenue else int(rng.choice((30, 40, 50))),
        bend_radius=float(rng.uniform(*_BEND_RADIUS_M)),
        center="solid" if avenue or rng.random() < 0.5 else "broken",
        sidewalk=float(rng.uniform(2.2, 3.2)),
    )
