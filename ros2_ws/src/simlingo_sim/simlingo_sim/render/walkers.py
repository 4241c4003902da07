"""Pedestrians: five rigid parts each, legs and arms swing about hip and shoulder.

Frame of the parts: x forward, y right, z up; origin between the soles.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np

from simlingo_sim.render.materials import FloatImage, Material, Tag, to_linear
from simlingo_sim.render.mesh import Color, MeshBuilder, Triangles, join, ring_points
from simlingo_sim.render.scene import WalkerVisual

#: Height of hip and shoulder of a grown-up of 1.75 m.
_HIP, _SHOULDER = 0.88, 1.42
_TOP, _TROUSERS, _SKIN_SLOT, _HAIR = 1, 2, 3, 4

_TOPS: tuple[Color, ...] = (
    (188, 48, 44),
    (44, 92, 168),
    (232, 226, 214),
    (56, 128, 84),
    (224, 176, 52),
    (92, 60, 124),
    (52, 56, 64),
    (214, 120, 62),
    (120, 172, 196),
)
_BOTTOMS: tuple[Color, ...] = ((44, 52, 78), (64, 58, 52), (28, 30, 36), (122, 108, 88), (88, 96, 110))
_SKINS: tuple[Color, ...] = ((236, 190, 158), (198, 146, 110), (142, 96, 68), (96, 64, 48))
_HAIRS: tuple[Color, ...] = ((40, 30, 24), (92, 62, 36), (24, 22, 22), (176, 140, 84), (150, 150, 150))


@dataclass(frozen=True)
class WalkerPart:
    """One rigid part and the joint it turns about."""

    mesh: Triangles
    joint: float  # height of the joint, m
    swing: float  # share of the stride's angle; its sign is the side of the body


def _limb(y: float, top: float, length: float, thick: float, slot: int, end_slot: int) -> Triangles:
    builder = MeshBuilder()
    for (low, high), width, part in (
        ((length * 0.5, 0.0), thick, slot),
        ((length, length * 0.5), thick * 0.82, end_slot),
    ):
        lower = [(x * width, y + w * width, top - low) for x, w in ((-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5))]
        upper = [(x, w, top - high) for x, w, _ in lower]
        builder.tube(lower, upper, (0, 0, 0), Material.FLAT, Tag.PEDESTRIAN, part)
    return builder.build()


@cache
def walker_parts() -> tuple[WalkerPart, ...]:
    """Trunk with head, two legs, two arms."""
    trunk = MeshBuilder()
    rings = [
        (_HIP - 0.08, 0.15, _TROUSERS),
        (_HIP + 0.08, 0.155, _TOP),
        (_SHOULDER, 0.20, _TOP),
        (_SHOULDER + 0.07, 0.09, 0),
    ]
    for (z0, r0, slot), (z1, r1, _) in itertools.pairwise(rings):
        lower = [(x * 0.62, y, z) for x, y, z in ring_points(0, 0, z0, r0, 8)]
        upper = [(x * 0.62, y, z) for x, y, z in ring_points(0, 0, z1, r1, 8)]
        trunk.tube(lower, upper, (0, 0, 0), Material.FLAT, Tag.PEDESTRIAN, slot)
    face = [ring_points(0.01, 0, z, r, 7) for z, r in ((1.47, 0.055), (1.53, 0.095), (1.64, 0.10))]
    hair = [ring_points(0.0, 0, z, r, 7) for z, r in ((1.64, 0.112), (1.72, 0.095), (1.755, 0.04))]
    for rings3, slot in ((face, _SKIN_SLOT), (hair, _HAIR)):
        for lower, upper in itertools.pairwise(rings3):
            trunk.tube(lower, upper, (0, 0, 0), Material.FLAT, Tag.PEDESTRIAN, slot)
    trunk.fan(hair[-1], (0, 0, 0), Material.FLAT, Tag.PEDESTRIAN, _HAIR)
    trunk.box((-0.075, 0, 1.61), (0.06, 0.15, 0.12), (0, 0, 0), Material.FLAT, Tag.PEDESTRIAN, _HAIR)
    parts = [WalkerPart(trunk.build(), _HIP, 0.0)]
    for side in (-1.0, 1.0):
        foot = MeshBuilder()
        foot.box((0.05, side * 0.085, 0.035), (0.25, 0.10, 0.07), (36, 30, 28), Material.FLAT, Tag.PEDESTRIAN)
        leg = _limb(side * 0.085, _HIP, _HIP - 0.05, 0.14, _TROUSERS, _TROUSERS)
        parts.append(WalkerPart(join([leg, foot.build()]), _HIP, side))
        parts.append(WalkerPart(_limb(side * 0.228, _SHOULDER, 0.62, 0.09, _TOP, _SKIN_SLOT), _SHOULDER, -0.7 * side))
    return tuple(parts)


@lru_cache(maxsize=1024)
def walker_look(seed: int) -> tuple[float, FloatImage]:
    """Scale of the body and palette (PALETTE, 3) of the clothes of one pedestrian."""
    dice = np.random.default_rng(seed & 0x7FFFFFFF)
    scale = 0.93 + 0.14 * float(dice.random())
    picked = [to_linear(colors[int(dice.integers(len(colors)))]) for colors in (_TOPS, _BOTTOMS, _SKINS, _HAIRS)]
    return scale, np.array(picked, np.float32)


def walker_joints(walker: WalkerVisual) -> list[tuple[float, ...]]:
    """State rows of the parts, in the order of :func:`walker_parts`, as instances.place_bodies reads them."""
    scale = walker_look(walker.seed)[0]
    stride = min(walker.speed, 3.0) * 0.36
    swing = math.sin(walker.phase) * stride
    bob = 0.025 * abs(math.cos(walker.phase)) * min(walker.speed, 1.5)
    yaw = math.radians(walker.yaw_deg)
    rows: list[tuple[float, ...]] = []
    for part in walker_parts():
        angle = part.swing * swing
        # The joint stays where it is while the part turns about it.
        reach, drop = scale * part.joint * math.sin(angle), scale * part.joint * (1.0 - math.cos(angle))
        lift = bob if part.joint == _SHOULDER or part.swing == 0.0 else 0.0
        rows.append(
            (
                walker.x + reach * math.cos(yaw),
                walker.y + reach * math.sin(yaw),
                walker.z + drop + lift,
                math.degrees(angle),
                walker.yaw_deg,
                0.0,
                scale,
            )
        )
    return rows
