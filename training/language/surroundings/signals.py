"""Whether the picture shows a light or a stop sign that is known to stand somewhere."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np

from simlingo.contracts import EgoState
from simlingo.geometry import map_to_ego
from training.language.surroundings.town import Town
from training.language.surroundings.visibility import Seen

#: A plate stands at most so far from the stop line that it speaks of, m.
PLATE_TO_LINE_M = 12.0


def light_seen(
    seen: Seen, town: Town, opendrive_ids: Iterable[str], state: str, view: EgoState, ground_m: float
) -> bool:
    """Whether a head of one of these lights shows ``state`` ("red", "yellow", "green"): by a lit lens of that state."""
    heads = [head for number in opendrive_ids for head in town.heads.get(str(number), ())]
    return seen.lens_lit(_in_view(heads, view, ground_m), state)


def sign_seen(seen: Seen, town: Town, x_m: float, y_m: float, view: EgoState, ground_m: float) -> bool:
    """Whether the plate of a stop sign is seen whose line is at a place of the map."""
    plates = [plate for plate in town.plates if math.hypot(plate[0] - x_m, plate[1] - y_m) < PLATE_TO_LINE_M]
    return seen.plate_seen(_in_view(plates, view, ground_m))


def _in_view(places: Sequence[tuple[float, float, float]], view: EgoState, ground_m: float) -> list[tuple[float, ...]]:
    if not places:
        return []
    flat = map_to_ego(np.array([place[:2] for place in places]), view)
    return [(float(x), float(y), place[2] - ground_m) for (x, y), place in zip(flat, places, strict=True)]
