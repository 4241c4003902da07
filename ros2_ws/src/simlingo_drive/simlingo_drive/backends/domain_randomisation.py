"""A town in other colours, so that a model does not learn two towns' walls by heart.

Signals, signs, marks, vehicles and people keep their colours: those mean something.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from simlingo_sim.render.materials import Material, Tag
from simlingo_sim.render.town_mesh import TownMesh

#: Standard deviation of the logarithm of brightness, and of each channel's, for each colour by itself.
_EACH: dict[Tag, tuple[float, float]] = {
    Tag.BUILDING: (0.35, 0.5),
    Tag.WALL: (0.35, 0.5),
    Tag.VEGETATION: (0.2, 0.12),
}
#: The same for surfaces that change together.
_TOGETHER: dict[Tag, tuple[float, float]] = {
    Tag.ROAD: (0.2, 0.05),
    Tag.SIDEWALK: (0.2, 0.06),
    Tag.TERRAIN: (0.2, 0.1),
}
#: Share of the towns whose grass is paved over, the pavement's grey (linear light), and its tint as above.
_PAVED_SHARE, _PAVED_GREY, _PAVED_TINT = 0.4, (0.15, 0.4), 0.08
#: No surface reflects more than this share of the light.
_BRIGHTEST = 0.9


def repainted(mesh: TownMesh, rng: np.random.Generator) -> TownMesh:
    """``mesh`` with new colours of buildings, plants and ground; equal generators give equal colours."""
    triangles = mesh.triangles
    colors = triangles.colors.copy()
    materials, tags = triangles.materials, triangles.tags
    for tag, (brightness, tint) in (_EACH | _TOGETHER).items():
        chosen = np.flatnonzero(triangles.tags == tag)
        unique, which = np.unique(triangles.colors[chosen], axis=0, return_inverse=True)
        count = len(unique) if tag in _EACH else 1
        gain = np.exp(rng.normal(0.0, brightness, (count, 1)) + rng.normal(0.0, tint, (count, 3)))
        colors[chosen] = np.minimum(unique * gain, _BRIGHTEST)[which.ravel()]
    if rng.random() < _PAVED_SHARE:
        grass = triangles.materials == Material.GRASS
        materials, tags = np.where(grass, Material.PAVED, materials), np.where(grass, Tag.GROUND, tags)
        colors[grass] = rng.uniform(*_PAVED_GREY) * np.exp(rng.normal(0.0, _PAVED_TINT, 3))
    changed = replace(triangles, colors=colors, materials=materials.astype(np.uint8), tags=tags.astype(np.uint8))
    return replace(mesh, triangles=changed)
