"""The scenes of a data set's rows."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

from simlingo.contracts import InvalidInputError
from training.datasets.reader import Route, read_row
from training.datasets.schema import EGO
from training.language.questions.build import COLUMNS, EGO_COLUMNS, scene_of
from training.language.questions.roads import RoadMap
from training.language.questions.scene import Scene

#: Towns that are kept at hand; a procedural one belongs to one route.
TOWNS_KEPT = 8


def scene_at(route: Route, index: int) -> Scene:
    """The scene of row ``index`` of a route, a second view too.

    Raises:
        InvalidInputError: the row's frame has no view of the ego, or the route file lacks what scenes need.
    """
    row = read_row(route, index, COLUMNS)
    ego_row = (
        read_row(route, index if row["view"] == EGO else index - 1, EGO_COLUMNS) if index or row["view"] == EGO else {}
    )
    if ego_row.get("frame") != row["frame"] or ego_row.get("boxes") is None:
        raise InvalidInputError(
            f"{route.path}: frame {row['frame']} has no boxes, so nothing can be asked about it; collect again with ./simlingo collect"
        )
    for key in ("actors", "lights", "stop_signs", "waypoints"):
        if key not in route.meta:
            raise InvalidInputError(
                f"{route.path} does not hold {key} of its route; collect again with ./simlingo collect"
            )
    return scene_of(row, ego_row, route.meta, roads_of(route))


def scenes(route: Route, rows: Sequence[int]) -> Iterator[tuple[int, Scene]]:
    """Row number and scene of each of ``rows``."""
    return ((index, scene_at(route, index)) for index in rows)


def roads_of(route: Route) -> RoadMap:
    """The town that a route was driven in.

    Raises:
        InvalidInputError: its map is not in the data set.
    """
    if not route.map_path.is_file():
        raise InvalidInputError(f"the map {route.map_path} of {route.name} is missing; copy the data set whole")
    return _roads(str(route.map_path))


@lru_cache(TOWNS_KEPT)
def _roads(path: str) -> RoadMap:
    from pathlib import Path

    file = Path(path)
    decor_file = file.with_suffix(".decor.json")
    decor: dict[str, Any] | None = json.loads(decor_file.read_text()) if decor_file.is_file() else None
    return RoadMap(file.read_text(encoding="utf-8"), decor)
