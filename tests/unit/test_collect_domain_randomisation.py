"""A town in other colours: what means something keeps its colour, shapes and labels stay."""

from __future__ import annotations

import numpy as np

from simlingo_drive.backends.domain_randomisation import repainted
from simlingo_sim.render.materials import Material, Tag
from simlingo_sim.render.town_mesh import town_mesh


def test_walls_change_and_signals_stay() -> None:
    mesh = town_mesh("gridtown")
    painted = repainted(mesh, np.random.default_rng(0))
    changed = np.abs(painted.triangles.colors - mesh.triangles.colors).max(axis=1) > 0.01
    tags = mesh.triangles.tags
    assert changed[tags == Tag.BUILDING].mean() > 0.8
    for tag in (Tag.TRAFFIC_LIGHT, Tag.TRAFFIC_SIGN, Tag.ROAD_LINE, Tag.CAR):
        assert not changed[tags == tag].any()
    assert (painted.triangles.vertices == mesh.triangles.vertices).all()
    assert painted.triangles.colors.dtype == np.float32
    assert painted.triangles.colors.min() >= 0.0
    assert painted.triangles.colors[tags == Tag.BUILDING].max() <= 0.9


def test_some_towns_are_paved() -> None:
    mesh = town_mesh("gridtown")
    grass = mesh.triangles.materials == Material.GRASS
    paved = [repainted(mesh, np.random.default_rng(seed)).triangles for seed in range(12)]
    shares = [float((triangles.materials[grass] == Material.PAVED).mean()) for triangles in paved]
    assert set(shares) == {0.0, 1.0}
    assert all((triangles.materials[~grass] == mesh.triangles.materials[~grass]).all() for triangles in paved)
    assert paved[shares.index(1.0)].materials.dtype == mesh.triangles.materials.dtype


def test_one_colour_stays_one_colour_and_seeds_repeat() -> None:
    mesh = town_mesh("gridtown")
    one, same, other = (repainted(mesh, np.random.default_rng(seed)).triangles.colors for seed in (1, 1, 2))
    assert (one == same).all()
    assert (one != other).any()
    walls = mesh.triangles.tags == Tag.BUILDING
    before, after = mesh.triangles.colors[walls], one[walls]
    alike = (before == before[0]).all(axis=1)
    assert (after[alike] == after[alike][0]).all()
