"""What stands around and can be hit: scenery of the town, and the static things of a frame's boxes."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from simlingo.contracts import EgoState, FloatArray
from simlingo.geometry import ego_to_map
from training.language.dreams.scene import Obstacles
from training.language.naming import name_of, paint_of

#: Farther obstacles are left out, m.
NEAR_M = 60.0
#: Classes of boxes that stand for static things (spec K.1).
_STATIC = ("static", "static_car", "static_trafficwarning")
#: Half sizes of the town's things that its file does not tell, m (as the embedded world has them).
_PARKED_HALF_M, _TRUNK_HALF_M, _POLE_HALF_M = (2.25, 0.9), 0.25, 0.12
PARKED_CAR = "parked car"


def scenery_of(decor: Mapping[str, Any]) -> tuple[FloatArray, tuple[str, ...]]:
    """Boxes (S, 5) of a town's solid things (x, y, yaw, half length, half width; m, rad), and what they are."""
    found: list[tuple[float, float, float, float, float]] = []
    names: list[str] = []
    sizes: dict[str, tuple[str, Callable[[Mapping[str, Any]], tuple[float, float]]]] = {
        "buildings": ("building", lambda item: (item["length"] / 2.0, item["width"] / 2.0)),
        "trees": ("tree", lambda _: (_TRUNK_HALF_M, _TRUNK_HALF_M)),
        "poles": ("pole", lambda _: (_POLE_HALF_M, _POLE_HALF_M)),
        "parked_cars": (PARKED_CAR, lambda _: _PARKED_HALF_M),
    }
    for group, (name, size) in sizes.items():
        for item in decor.get(group, ()):
            found.append((item["x"], item["y"], math.radians(item.get("yaw_deg", 0.0)), *size(item)))
            names.append(name)
    return np.array(found, dtype=np.float64).reshape(-1, 5), tuple(names)


def obstacles_near(
    scenery: FloatArray, names: Sequence[str], boxes: Sequence[Mapping[str, Any]], ego: EgoState
) -> Obstacles:
    """Scenery and static boxes around the ego."""
    near = np.flatnonzero(np.hypot(scenery[:, 0] - ego.x, scenery[:, 1] - ego.y) < NEAR_M)
    found, called = [scenery[near]], [names[int(number)] for number in near]
    colours: list[str | None] = [None] * len(near)
    ids: list[int | None] = [None] * len(near)
    for box in boxes:
        if box["class"] not in _STATIC:
            continue
        spot = ego_to_map(np.array([box["position"][:2]], dtype=np.float64), ego)[0]
        half = box["extent"]
        found.append(np.array([[spot[0], spot[1], ego.yaw + box["yaw"], max(half[0], 0.05), max(half[1], 0.05)]]))
        name = name_of(str(box.get("type_id", "")), str(box.get("mesh_path", "")))
        called.append(f"parked {name}" if name in ("car", "van") else name)
        colours.append(paint_of(str(box.get("color", ""))) or None)
        ids.append(int(box["id"]) if "id" in box else None)
    return Obstacles(np.vstack(found), tuple(called), tuple(colours), tuple(ids))
