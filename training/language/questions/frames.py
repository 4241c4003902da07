"""The scenes of a data set's rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from simlingo.contracts import InvalidInputError
from training.datasets.reader import Route, read_row
from training.datasets.schema import EGO
from training.language.questions.build import COLUMNS, EGO_COLUMNS, scene_of
from training.language.questions.scene import Scene
from training.language.surroundings.town import town_of


def scene_at(route: Route, index: int) -> Scene:
    """The scene of row ``index`` of a route, a second view too.

    Raises:
        InvalidInputError: the row's frame has no view of the ego, the route file lacks what scenes need, or its map is missing.
    """
    row = read_row(route, index, sorted({*COLUMNS, *EGO_COLUMNS}))
    ego_row = row
    if row["view"] != EGO:  # it comes behind the ego's
        ego_row = read_row(route, index - 1, EGO_COLUMNS) if index else {}
    if ego_row.get("frame") != row["frame"] or ego_row.get("boxes") is None:
        raise InvalidInputError(
            f"{route.path}: frame {row['frame']} has no boxes, so nothing can be asked about it; collect again with ./simlingo collect"
        )
    for key in ("actors", "lights", "stop_signs", "waypoints"):
        if key not in route.meta:
            raise InvalidInputError(
                f"{route.path} does not hold {key} of its route; collect again with ./simlingo collect"
            )
    return scene_of(row, ego_row, route.meta, town_of(route.map_path))


def scenes(route: Route, rows: Sequence[int]) -> Iterator[tuple[int, Scene]]:
    """Row number and scene of each of ``rows``."""
    return ((index, scene_at(route, index)) for index in rows)
