"""What stands around and can be hit: scenery of the town, and what was put there."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from simlingo.contracts import EgoState, FloatArray
from training.language.dreams.scene import Obstacles
from training.language.surroundings.bodies import FIRST_PARKED_ID, Body

#: Farther obstacles are left out, m.
NEAR_M = 60.0
#: Flat things are at least so wide, m.
_THINNEST_M = 0.05
#: Half sizes of the town's things that its file does not tell, m (as the embedded world has them).
_PARKED_HALF_M, _TRUNK_HALF_M, _POLE_HALF_M = (2.25, 0.9), 0.25, 0.12


def scenery_of(decor: Mapping[str, Any]) -> tuple[FloatArray, tuple[int | None, ...]]:
    """Boxes (S, 5) of a town's solid things (x, y, yaw, half length, half width; m, rad), and the ids of parked cars."""
    found: list[tuple[float, float, float, float, float]] = []
    ids: list[int | None] = []
    sizes: dict[str, Callable[[Mapping[str, Any]], tuple[float, float]]] = {
        "buildings": lambda item: (item["length"] / 2.0, item["width"] / 2.0),
        "trees": lambda _: (_TRUNK_HALF_M, _TRUNK_HALF_M),
        "poles": lambda _: (_POLE_HALF_M, _POLE_HALF_M),
        "parked_cars": lambda _: _PARKED_HALF_M,
    }
    for group, size in sizes.items():
        for number, item in enumerate(decor.get(group, ())):
            found.append((item["x"], item["y"], math.radians(item.get("yaw_deg", 0.0)), *size(item)))
            ids.append(FIRST_PARKED_ID - number if group == "parked_cars" else None)
    return np.array(found, dtype=np.float64).reshape(-1, 5), tuple(ids)


def obstacles_near(scenery: FloatArray, ids: Sequence[int | None], bodies: Sequence[Body], ego: EgoState) -> Obstacles:
    """Scenery and standing things around the ego; a town's parked cars are scenery."""
    near = np.flatnonzero(np.hypot(scenery[:, 0] - ego.x, scenery[:, 1] - ego.y) < NEAR_M)
    placed = [body for body in bodies if body.stands and body.id > FIRST_PARKED_ID]
    boxes = [
        (body.pose.x, body.pose.y, body.pose.yaw, max(body.half_m[0], _THINNEST_M), max(body.half_m[1], _THINNEST_M))
        for body in placed
    ]
    found = np.vstack((scenery[near], np.array(boxes, dtype=np.float64).reshape(-1, 5)))
    return Obstacles(found, (*(ids[int(number)] for number in near), *(body.id for body in placed)))
