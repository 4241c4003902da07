"""Writes our data sets in the published layout (spec B.1, B.2, K.1): folders of JPEG files and gzipped JSON."""

from __future__ import annotations

import gzip
import json
import math
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from simlingo.contracts import InvalidInputError
from training.datasets.files import plain
from training.datasets.reader import Dataset, Route, read
from training.datasets.schema import BY_NAME, EGO, SECOND

DATA, BOXES, MEASUREMENTS, RESULTS = "data/simlingo", "boxes", "measurements", "results.json.gz"
IMAGES = {EGO: "rgb", SECOND: "rgb_augmented"}
#: What the layout calls the things that reduce the expert's speed.
SPEED_REDUCERS = {
    "road": None, "traffic_light": "traffic.traffic_light", "stop_sign": "traffic.stop", "junction": "junction",
    "walker": "walker", "vehicle": "vehicle", "lead": "vehicle",
}  # fmt: skip
#: Nearer stop signs and pedestrians than this are "close", m.
CLOSE_M = 20.0
#: Columns that the layout has no place for.
_LEFT_OUT = ("semantic", "depth", "actor_states", "light_states")
_READ = tuple(name for name in BY_NAME if name not in _LEFT_OUT)


def write_published(dataset: Dataset, folder: Path, split: str = "training") -> list[Path]:
    """Write all routes of a data set in the published layout below ``folder``; returns the routes' folders.

    A route's folder appears when it is whole; those that are there are left alone. Frames without the ego's view are left
    out. The layout knows a second view only as the camera moved aside, so where a second view shows what is not so, the
    camera's own picture stands in its place, with no shift and no turn.

    Raises:
        InvalidInputError: a route file is damaged.
    """
    return [_write_route(route, folder, split) for route in dataset.routes]


def write_json(path: Path, value: Any) -> None:
    """``value`` as gzipped JSON; equal values give equal bytes."""
    with path.open("wb") as raw, gzip.GzipFile(fileobj=raw, mode="wb", compresslevel=3, mtime=0, filename="") as file:
        file.write(json.dumps(value, default=plain).encode())


def read_json(path: Path) -> Any:
    """The value in a gzipped JSON file.

    Raises:
        InvalidInputError: it cannot be read.
    """
    try:
        with gzip.open(path, "rt", encoding="utf-8") as file:
            return json.load(file)
    except (OSError, EOFError, ValueError) as error:
        raise InvalidInputError(f"{path} cannot be read ({error}); fetch or write this route again") from error


def folder_of(route: Route, split: str) -> Path:
    """Where the layout keeps a route, below its root: route set, weather, route."""
    kind = "expert" if route.meta.get("policy") is None else "on_policy"
    weather = str((route.meta.get("weather") or {}).get("name", "unknown_weather"))
    return Path(DATA) / split / f"{route.meta.get('town', 'unknown_town')}_{kind}" / weather / route.name


def _write_route(route: Route, root: Path, split: str) -> Path:
    folder = root / folder_of(route, split)
    if folder.is_dir():
        return folder
    partial = folder.with_name(folder.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    for name in (MEASUREMENTS, BOXES, *IMAGES.values()):
        (partial / name).mkdir(parents=True)
    for views in _frames(route):
        ego = views[EGO]
        second = views.get(SECOND, ego)
        if second["counterfactual"]:
            second = ego
        number = f"{ego['frame']:04d}"
        write_json(partial / MEASUREMENTS / f"{number}.json.gz", measurement(ego, second))
        write_json(partial / BOXES / f"{number}.json.gz", json.loads(ego["boxes"] or "[]"))
        for name, row in ((IMAGES[EGO], ego), (IMAGES[SECOND], second)):
            (partial / name / f"{number}.jpg").write_bytes(row["image"]["bytes"])
    write_json(partial / RESULTS, {**(route.meta.get("result") or {}), "meta": route.meta})
    partial.rename(folder)
    return folder


def _frames(route: Route) -> Iterator[dict[str, dict[str, Any]]]:
    """The stored rows of each frame that has the ego's view, by view."""
    views: dict[str, dict[str, Any]] = {}
    for batch in read(route, _READ).to_batches(max_chunksize=64):
        for row in batch.to_pylist():
            if views and next(iter(views.values()))["frame"] != row["frame"]:
                yield views
                views = {}
            views[row["view"]] = row
    if views:
        yield views


def measurement(ego: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    """The measurement record (spec B.2) of a frame, from its stored rows."""
    path, points, route = (
        np.asarray(ego[name]).reshape(-1, 2) for name in ("path_m", "target_points_m", "route_m")
    )  # fmt: skip
    cause, actor = ego["cause"], ego["cause_actor_id"]
    nearest: dict[str, float] = {}
    for stop in ego["stops"]:
        nearest[stop["reason"]] = min(stop["distance_m"], nearest.get(stop["reason"], math.inf))
    by_vehicle, by_walker = cause in ("vehicle", "junction", "lead"), cause == "walker"
    return {
        "pos_global": [ego["ego_x_m"], ego["ego_y_m"]],
        "theta": ego["ego_yaw_rad"],
        "speed": ego["ego_speed_mps"],
        "target_speed": ego["target_speed_mps"],
        "speed_limit": ego["speed_limit_mps"],
        "target_point": points[0],
        "target_point_next": points[1],
        "command": ego["command"],
        "next_command": ego["next_command"],
        "distance_to_command": ego["distance_to_command_m"],
        "aim_wp": path[3],
        "route": route,
        "route_original": route,
        "changed_route": False,
        "speed_reduced_by_obj_type": SPEED_REDUCERS[cause],
        "speed_reduced_by_obj_id": actor,
        "speed_reduced_by_obj_distance": ego["cause_distance_m"],
        "steer": ego["steer"],
        "throttle": ego["throttle"],
        "brake": ego["brake"] > 0.0,
        "control_brake": ego["brake"] > 0.0,
        "junction": ego["junction"],
        "vehicle_hazard": by_vehicle,
        "vehicle_affecting_id": actor if by_vehicle else None,
        "light_hazard": "traffic_light" in nearest,
        "walker_hazard": "walker" in nearest,
        "walker_affecting_id": actor if by_walker else None,
        "stop_sign_hazard": "stop_sign" in nearest,
        "stop_sign_close": nearest.get("stop_sign", math.inf) < CLOSE_M,
        "walker_close": nearest.get("walker", math.inf) < CLOSE_M,
        "walker_close_id": actor if by_walker else None,
        "angle": math.atan2(path[3, 1], path[3, 0]) / (math.pi / 2.0),
        "augmentation_translation": second["shift_m"],
        "augmentation_rotation": math.degrees(second["turn_rad"]),
        "ego_matrix": _matrix(ego),
        "light_state": ego["light_state"],
        "light_distance": ego["light_distance_m"],
    }


def _matrix(ego: dict[str, Any]) -> list[list[float]]:
    """The ego's pose in the map (4, 4), upright."""
    cos, sin = math.cos(ego["ego_yaw_rad"]), math.sin(ego["ego_yaw_rad"])
    x, y, z = ego["ego_x_m"], ego["ego_y_m"], ego["ego_z_m"]
    return [[cos, -sin, 0.0, x], [sin, cos, 0.0, y], [0.0, 0.0, 1.0, z], [0.0, 0.0, 0.0, 1.0]]
