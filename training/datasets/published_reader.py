"""Reads the published layout (spec B.1 to B.5, K.1) as rows of our schema, as far as it holds them."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from simlingo.contracts import PATH_POINTS, SPEED_WAYPOINTS, EgoState, FloatArray, InvalidInputError
from simlingo.geometry import map_to_ego, resample_equal_spacing
from training.datasets.pictures import decode_image
from training.datasets.published import BOXES, IMAGES, MEASUREMENTS, read_json
from training.datasets.schema import EGO, LIGHT_STATES, ROUTE_POINTS, SECOND

#: Ticks (20 Hz) from frame to frame (spec B.1).
FRAME_TICKS = 5
#: What reduces the expert's speed, by the beginning of the layout's name for it; other things stand ahead.
_CAUSES = {
    "traffic.traffic_light": "traffic_light",
    "traffic.stop": "stop_sign",
    "walker": "walker",
    "junction": "junction",
}


def published_routes(root: Path) -> list[Path]:
    """The folders of all routes in the published layout below ``root``.

    Raises:
        InvalidInputError: there are none.
    """
    found = sorted(path.parent for path in root.rglob(MEASUREMENTS) if not path.parent.name.endswith(".partial"))
    if not found:
        raise InvalidInputError(
            f"{root} holds no route in the published layout; name the folder that holds data/simlingo"
        )
    return found


def read_published(folder: Path) -> Iterator[dict[str, Any]]:
    """The rows of a route's folder, frame by frame: the ego's view, then the camera moved aside where there is one.

    Pictures are arrays, points float32 arrays (N, 2) in m. What the layout does not hold is missing: semantic, depth, states of
    actors and lights, the other speed, and of frames without the key ``distance_to_command`` that column.

    Raises:
        InvalidInputError: a file cannot be read or lacks a key.
    """
    files = sorted((folder / MEASUREMENTS).glob("*.json.gz"))
    told = [read_json(file) for file in files]
    for index, (file, record) in enumerate(zip(files, told, strict=True)):
        name = file.name.removesuffix(".json.gz")
        try:
            ego = _ego_row(int(name), record)
            ego["speed_waypoints_m"] = _waypoints(told, index)
            moved = _moved(ego, record)
        except KeyError as error:
            raise InvalidInputError(f"{file} lacks {error}; it is no measurement of the published layout") from error
        boxes = folder / BOXES / f"{name}.json.gz"
        ego["boxes"] = json.dumps(read_json(boxes)) if boxes.is_file() else None
        yield ego | {"image": _image(folder / IMAGES[EGO] / f"{name}.jpg")}
        picture = folder / IMAGES[SECOND] / f"{name}.jpg"
        if moved is not None and picture.is_file():
            yield moved | {"image": _image(picture)}


def _image(path: Path) -> np.ndarray:
    try:
        return decode_image(path.read_bytes())
    except (OSError, InvalidInputError) as error:
        raise InvalidInputError(f"{path} cannot be read ({error}); fetch or write this route again") from error


def _ego_row(frame: int, record: dict[str, Any]) -> dict[str, Any]:
    matrix, (x, y) = np.asarray(record["ego_matrix"]), record["pos_global"]
    yaw = math.atan2(matrix[1, 0], matrix[0, 0])
    route = np.asarray(record["route"], dtype=np.float64).reshape(-1, 2)
    state = record.get("light_state", "none")
    row = {
        "frame": frame, "tick": FRAME_TICKS * frame, "view": EGO,
        "view_x_m": x, "view_y_m": y, "view_yaw_rad": yaw,
        "ego_x_m": x, "ego_y_m": y, "ego_z_m": float(matrix[2, 3]), "ego_yaw_rad": yaw, "ego_speed_mps": record["speed"],
        "ahead_m": 0.0, "shift_m": 0.0, "turn_rad": 0.0, "counterfactual": "", "counterfactual_detail": "",
        "speed_mps": record["speed"],
        "target_points_m": np.array([record["target_point"], record["target_point_next"]], dtype=np.float32),
        "command": record["command"], "next_command": record["next_command"],
        "path_m": resample_equal_spacing(route, 1.0, PATH_POINTS).astype(np.float32),
        "target_speed_mps": record["target_speed"],
        "cause": _cause(record["speed_reduced_by_obj_type"]),
        "hazard": bool(record["vehicle_hazard"] or record["walker_hazard"]),
        "light_state": state if state in LIGHT_STATES else "none", "light_distance_m": record.get("light_distance"),
        "speed_limit_mps": record["speed_limit"], "junction": record["junction"],
        "cause_actor_id": record["speed_reduced_by_obj_id"],
        "cause_distance_m": record["speed_reduced_by_obj_distance"],
        "steer": record["steer"], "throttle": record["throttle"], "brake": float(record["brake"]),
    }  # fmt: skip
    if len(route) == ROUTE_POINTS:
        row["route_m"] = route.astype(np.float32)
    if "distance_to_command" in record:
        row["distance_to_command_m"] = record["distance_to_command"]
    return row


def _cause(name: str | None) -> str:
    if name is None:
        return "road"
    return next((cause for beginning, cause in _CAUSES.items() if name.startswith(beginning)), "lead")


def _waypoints(told: list[dict[str, Any]], index: int) -> np.ndarray:
    """Where the ego is in the following frames, (10, 2) m in its frame now; at the end the last place repeats (spec B.3)."""
    matrix = np.asarray(told[index]["ego_matrix"])
    now = EgoState(0, matrix[0, 3], matrix[1, 3], math.atan2(matrix[1, 0], matrix[0, 0]), 0.0)
    ahead = [min(index + step, len(told) - 1) for step in range(1, SPEED_WAYPOINTS + 1)]
    places = np.array([[told[frame]["ego_matrix"][axis][3] for axis in (0, 1)] for frame in ahead])
    return map_to_ego(places, now).astype(np.float32)


def _moved(ego: dict[str, Any], record: dict[str, Any]) -> dict[str, Any] | None:
    """The row of the camera moved aside (spec B.5); None where it was not moved."""
    shift, turn = record["augmentation_translation"], math.radians(record["augmentation_rotation"])
    if shift == 0.0 and turn == 0.0:
        return None
    view = EgoState(0, 0.0, shift, turn, 0.0)  # in the ego's frame

    def seen(points: FloatArray) -> np.ndarray:
        return map_to_ego(np.asarray(points, dtype=np.float64), view).astype(np.float32)

    yaw = ego["ego_yaw_rad"]
    route = np.asarray(record["route"], dtype=np.float64).reshape(-1, 2)
    return {name: value for name, value in ego.items() if name not in ("route_m", "boxes")} | {
        "view": SECOND,
        "view_x_m": ego["ego_x_m"] - shift * math.sin(yaw),
        "view_y_m": ego["ego_y_m"] + shift * math.cos(yaw),
        "view_yaw_rad": yaw + turn,
        "shift_m": shift,
        "turn_rad": turn,
        "target_points_m": seen(ego["target_points_m"]),
        "path_m": resample_equal_spacing(map_to_ego(route, view), 1.0, PATH_POINTS).astype(np.float32),
        "speed_waypoints_m": seen(ego["speed_waypoints_m"]),
    }
