"""Tiny data sets for tests: every value of every row is another one, so that no two can be swapped unseen."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from simlingo.contracts import PATH_POINTS, SPEED_WAYPOINTS
from training.datasets.schema import CAUSES, ROUTE_POINTS
from training.datasets.writer import RouteFile, write_dataset_card

CAMERA = {"width": 1024, "height": 512, "fov_deg": 110.0, "position_in_ego_m": [-1.5, 0.0, 2.0]}


@functools.cache
def picture(number: int) -> np.ndarray:
    """A smooth (512, 1024, 3) uint8 picture whose left and right halves have colours of their own; read-only."""
    rows, columns = np.mgrid[0:512, 0:1024]
    red = 40 + (number * 37) % 150 + rows // 16
    green = np.where(columns < 512, 30, 190) + (number * 11) % 40
    blue = 200 - columns // 16 - (number * 7) % 50
    made = np.stack([red, green, blue], axis=2).clip(0, 255).astype(np.uint8)
    made.flags.writeable = False
    return made


def semantic(number: int) -> np.ndarray:
    """Sky above, road below, a vehicle and a light with all three lenses; where they stand depends on ``number``."""
    tags = np.full((512, 1024), 11, np.uint8)
    tags[256:] = 1
    left = 64 * (number % 8)
    tags[260:320, left : left + 48] = 14
    tags[100:160, 600 + left // 4 : 640 + left // 4] = 7
    for place, lens in enumerate((101, 102, 103)):
        tags[104 + 18 * place : 116 + 18 * place, 612 + left // 4 : 624 + left // 4] = lens
    return tags


def depth(number: int) -> np.ndarray:
    """Metres (512, 1024): a wall that comes nearer with ``number``, and road below the horizon."""
    rows = np.arange(512, dtype=np.float32)[:, None] + np.zeros((1, 1024), np.float32)
    road = 2.0 * 358.5 / np.maximum(rows - 256.0, 0.5)
    return np.minimum(road, 60.0 - number % 40).astype(np.float32)


def points(count: int, seed: float) -> np.ndarray:
    """(count, 2) m: x about a metre apart from ``seed`` on, y of another size and the other sign."""
    steps = np.arange(count, dtype=np.float32)
    return np.stack([seed + steps, -0.01 * (seed + 1.0) - 0.13 * steps], axis=1)


def row(frame: int, view: str = "ego", **changed: Any) -> dict[str, Any]:
    """A row as the collector gives it; ``changed`` columns replace its own."""
    second = view == "second"
    seed = 2 * frame + second  # another one for each row
    value = 0.25 + seed
    made: dict[str, Any] = {
        "frame": frame, "tick": 5 * frame, "stamp_ns": 250_000_000 * frame, "view": view,
        "view_x_m": 100.5 + value, "view_y_m": -50.5 - value, "view_yaw_rad": 0.001 * value,
        "ego_x_m": 200.5 + value, "ego_y_m": -70.5 - value, "ego_z_m": 0.3 + value, "ego_yaw_rad": -0.002 * value,
        "ego_speed_mps": 1.0 + value,
        "ahead_m": 0.0, "shift_m": 0.7 if second else 0.0, "turn_rad": -0.2 if second else 0.0,
        "counterfactual": "lead" if second and frame % 2 else "",
        "counterfactual_detail": {"x_m": value} if second and frame % 2 else "",
        "speed_mps": np.float32(2.0 + value),
        "target_points_m": points(2, 20.0 + value),
        "command": 1 + seed % 6, "next_command": 1 + (seed + 2) % 6, "distance_to_command_m": 3.0 + value,
        "path_m": points(PATH_POINTS, 300.0 + value),
        "speed_waypoints_m": points(SPEED_WAYPOINTS, 400.0 + value),
        "target_speed_mps": 4.0 + value,
        "other_speed_mps": 5.0 + value,
        "other_speed_waypoints_m": points(SPEED_WAYPOINTS, 500.0 + value),
        "cause": CAUSES[seed % 7], "other_cause": CAUSES[(seed + 3) % 7],
        "hazard": bool(seed % 3 == 0),
        "light_state": ("none", "red", "yellow", "green")[seed % 4],
        "light_distance_m": None if seed % 4 == 0 else 6.0 + value,
        "lead_distance_m": None if seed % 5 == 0 else 7.0 + value,
        "lead_speed_mps": None if seed % 5 == 0 else 8.0 + value,
        "speed_limit_mps": 9.0 + value, "acceleration_mps2": -0.1 - value, "junction": bool(seed % 2),
        "cause_actor_id": None if seed % 7 == 0 else 1000 + seed,
        "cause_distance_m": None if seed % 7 == 0 else 10.0 + value,
        "stops": [{"reason": "stop_sign", "distance_m": 11.0 + value, "actor_id": 2000 + seed}],
        "steer": 0.001 * value, "throttle": 0.002 * value, "brake": 0.003 * value,
        "model_drives": bool(frame % 2), "disturbed": bool(frame % 3 == 0),
    }  # fmt: skip
    if not second:
        made |= {
            "route_m": points(ROUTE_POINTS, 600.0 + value),
            "boxes": [{"class": "ego_car", "speed": value}, {"class": "car", "id": seed, "position": [value, 1.0, 0.0]}],
            "actor_states": [
                {
                    "tick": 5 * frame - 4 + tick, "id": 70 + actor, "x_m": value, "y_m": -value, "z_m": 0.5,
                    "yaw_rad": 0.1 * actor, "vx_mps": 1.5 + tick, "vy_mps": -2.5, "yaw_rate_rps": 0.05,
                }
                for tick in range(5) for actor in range(2)
            ],
            "light_states": [{"tick": 5 * frame, "id": 9, "state": seed % 3}],
        }  # fmt: skip
    for name, draw in (("image", picture), ("semantic", semantic), ("depth", depth)):
        if name not in changed:
            made[name] = draw(seed)
    return made | changed


def frame_rows(frame: int, **changed: Any) -> list[dict[str, Any]]:
    """Both views of a frame."""
    return [row(frame, "ego", **changed), row(frame, "second", **changed)]


def meta(name: str) -> dict[str, Any]:
    """What a route file says of its route."""
    return {
        "town": "gridtown", "map": "0123456789abcdef", "weather": {"name": "clear_noon", "cloudiness": 5.0},
        "seeds": {"route": 7}, "policy": None, "actors": {"70": {"type_id": "vehicle.tesla.model3"}},
        "result": {"route": name, "status": "completed", "score": 100.0},
    }  # fmt: skip


def write_route(folder: Path, name: str, frames: int, first: int = 0, **changed: Any) -> Path:
    """A finished route of ``frames`` frames, numbered from ``first``; ``changed`` columns replace those of all rows."""
    file = RouteFile(folder, name)
    for number in range(first, first + frames):
        file.add(frame_rows(number, **changed))
    return file.close(meta(name))


def write_dataset(folder: Path, routes: Mapping[str, int]) -> Path:
    """A data set with a route of so many frames for each name; returns ``folder``."""
    write_dataset_card(folder, {"name": folder.name, "camera": CAMERA, "created_by": "tests", "settings": {}})
    for place, (name, frames) in enumerate(routes.items()):
        write_route(folder, name, frames, first=100 * place)
    return folder


def environment() -> dict[str, str]:
    """For a child process that imports what the tests import."""
    return os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}


#: Columns of rows whose pictures are too small for a model, for tests that are not about pictures.
SMALL: dict[str, Any] = {
    "image": picture(3)[::16, ::16],
    "semantic": semantic(3)[::16, ::16],
    "depth": depth(3)[::16, ::16],
}
