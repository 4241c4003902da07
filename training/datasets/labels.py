"""From the columns of a route to the arrays that training reads."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from simlingo.contracts import PATH_POINTS, SPEED_WAYPOINTS
from simlingo_drive.expert.causes import Cause
from training.datasets.schema import BY_NAME, VIEWS

#: Per-view labels: name -> (shape, type). Points in metres in the view frame.
LABELS: dict[str, tuple[tuple[int, ...], type[np.generic]]] = {
    "speed": ((), np.float32),  # m/s
    "target_points": ((2, 2), np.float32),
    "command": ((), np.uint8),
    "next_command": ((), np.uint8),
    "distance_to_command": ((), np.float32),  # m
    "path": ((PATH_POINTS, 2), np.float32),
    "speed_waypoints": ((SPEED_WAYPOINTS, 2), np.float32),
    "other_speed": ((), np.float32),  # m/s
    "other_speed_waypoints": ((SPEED_WAYPOINTS, 2), np.float32),  # what the expert would mean at that speed
    "light_state": ((), np.uint8),  # 0 none, 1 red or yellow, 2 green
    "light_distance": ((), np.float32),  # m, 50 without
    "lead_distance": ((), np.float32),  # m, 50 without
    "cause": ((), np.uint8),  # simlingo_drive.expert.causes.Cause, of the expert's speed
    "other_cause": ((), np.uint8),  # the same at the other speed
    "target_speed": ((), np.float32),  # m/s, what the expert wants in half a second
    "hazard": ((), np.uint8),  # a vehicle or pedestrian makes the expert slow down
    "view": ((), np.uint8),  # index into schema.VIEWS
    "frame": ((), np.int32),  # number of the frame in its route
    "route": ((), np.int32),  # number of the route in the cache
}
#: Light states of the labels.
LIGHT_STATES = {"none": 0, "red": 1, "yellow": 1, "green": 2}
#: Farther lights and leading vehicles count as none, m.
FARTHEST_M = 50.0
#: A light counts until the ego is so far past its line, m.
PAST_LINE_M = 1.0
#: Labels that are a column's numbers.
_NUMBERS = {
    "speed": "speed_mps", "target_speed": "target_speed_mps", "target_points": "target_points_m", "command": "command", "next_command": "next_command",
    "distance_to_command": "distance_to_command_m", "path": "path_m", "speed_waypoints": "speed_waypoints_m",
    "other_speed": "other_speed_mps", "other_speed_waypoints": "other_speed_waypoints_m", "frame": "frame",
}  # fmt: skip


def labels_of(table: pa.Table, route: int) -> dict[str, np.ndarray]:
    """The labels of all rows of a route.

    Args:
        table: of the schema; pictures are not read.
        route: its number.

    Returns:
        name -> array (rows, ...), as ``LABELS`` says.
    """
    found = {label: _numbers(table, column) for label, column in _NUMBERS.items()}
    states = np.array([LIGHT_STATES[state] for state in table.column("light_state").to_pylist()])
    light, lead = _numbers(table, "light_distance_m", np.inf), _numbers(table, "lead_distance_m", np.inf)
    near = (states > 0) & (light >= -PAST_LINE_M) & (light + PAST_LINE_M <= FARTHEST_M)
    found["light_state"] = np.where(near, states, 0)
    found["light_distance"] = np.where(near, np.maximum(light, 0.0), FARTHEST_M)
    found["lead_distance"] = np.clip(lead, 0.0, FARTHEST_M)
    for label in ("cause", "other_cause"):
        found[label] = np.array([Cause[name.upper()] for name in table.column(label).to_pylist()])
    found["view"] = np.array([VIEWS.index(view) for view in table.column("view").to_pylist()])
    found["route"] = np.full(len(table), route)
    found["hazard"] = np.array(table.column("hazard").to_pylist())
    return {name: found[name].astype(kind).reshape(len(table), *shape) for name, (shape, kind) in LABELS.items()}


def _numbers(table: pa.Table, column: str, missing: float = 0.0) -> np.ndarray:
    """A column's numbers, of lists of points (rows, points, 2); ``missing`` stands where it is null."""
    values = table.column(column).combine_chunks()
    shape = BY_NAME[column].shape
    if shape:
        return np.asarray(values.flatten().to_numpy(zero_copy_only=False)).reshape(len(table), *shape)
    return np.asarray(values.fill_null(missing).to_numpy(zero_copy_only=False))
