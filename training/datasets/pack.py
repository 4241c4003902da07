"""A packed data set: all frames in a few flat arrays on disk, mapped into memory."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from simlingo.contracts import PATH_POINTS, SPEED_WAYPOINTS, InvalidInputError, SimlingoError
from simlingo.model.config import ModelConfig
from simlingo_drive.expert.causes import Cause
from training.datasets.dense_labels import CELLS

#: Per-frame labels: name -> (shape, type). Points in metres in the ego frame of the frame's camera view.
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
    "cause": ((), np.uint8),  # training.language.commentary.Cause, of the expert's speed
    "other_cause": ((), np.uint8),  # the same at the other speed
    "weight": ((), np.float32),  # sampling weight
}


@dataclass(frozen=True)
class Pack:
    """N frames: ``frames`` (N, T, 2T, 3) uint8, ``classes`` and ``depth`` (N, CELLS, 2 CELLS), ``labels`` by name."""

    frames: npt.NDArray[np.uint8]
    classes: npt.NDArray[np.uint8]
    depth: npt.NDArray[np.float16]
    labels: dict[str, np.ndarray]

    def __len__(self) -> int:
        return len(self.labels["speed"])


def sampling_weight(
    speed: float,
    target_speed: float,
    path: np.ndarray,
    hazard: bool,
    light_state: int,
    light_distance: float,
    cause: Cause = Cause.ROAD,
) -> float:
    """How often a frame is drawn: rare and decisive moments more often (the idea of spec B.8's buckets).

    Args:
        speed, target_speed: m/s.
        path: (20, 2) m.
        hazard: a vehicle or pedestrian makes the expert slow down.
        light_state: 0 none, 1 red or yellow, 2 green.
        light_distance: m.
        cause: of the expert's speed.
    """
    if speed < 0.3 and target_speed < 0.3:
        return 0.8
    if speed < 0.7 and target_speed > 0.6:  # a start lasts a frame or two; missed, the car stands for ever
        return 4.0
    weight = 1.0
    if abs(path[-1, 1]) > 3.0:
        weight += 1.0
    if speed < 1.5 and target_speed > 1.0:
        weight += 1.5
    if light_state == 1 and light_distance < 40.0 and speed > 0.3:
        weight += 1.5
    if cause is Cause.STOP_SIGN and speed > 0.3:
        weight += 3.0
    if hazard:
        weight += 1.0
    if light_state == 2:
        weight *= 1.5
    return weight


class PackWriter:
    """Writes a pack of at most ``capacity`` frames; :meth:`close` makes it readable."""

    def __init__(self, folder: Path, capacity: int, config: ModelConfig) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "labels.npz").unlink(missing_ok=True)
        tile = config.image.tile
        self._folder = folder
        self._frames = np.lib.format.open_memmap(
            folder / "frames.npy", mode="w+", dtype=np.uint8, shape=(capacity, tile, 2 * tile, 3)
        )
        self._classes = np.lib.format.open_memmap(
            folder / "classes.npy", mode="w+", dtype=np.uint8, shape=(capacity, CELLS, 2 * CELLS)
        )
        self._depth = np.lib.format.open_memmap(
            folder / "depth.npy", mode="w+", dtype=np.float16, shape=(capacity, CELLS, 2 * CELLS)
        )
        self._labels = {name: np.zeros((capacity, *shape), dtype=kind) for name, (shape, kind) in LABELS.items()}
        self._count = 0

    def add(self, frames: np.ndarray, classes: np.ndarray, depth: np.ndarray, labels: dict[str, np.ndarray]) -> None:
        """Append frames with their labels (leading axis: frame)."""
        span = slice(self._count, self._count + len(frames))
        self._frames[span], self._classes[span], self._depth[span] = frames, classes, depth
        for name in LABELS:
            self._labels[name][span] = labels[name]
        self._count += len(frames)

    def close(self) -> None:
        """Flush; the labels come last and make the pack whole."""
        for array in (self._frames, self._classes, self._depth):
            array.flush()
        temporary = self._folder / "labels.tmp.npz"
        labels: dict[str, Any] = {name: values[: self._count] for name, values in self._labels.items()}
        np.savez(temporary, **labels)
        temporary.replace(self._folder / "labels.npz")


def open_pack(folder: Path) -> Pack:
    """Map a pack into memory.

    Raises:
        SimlingoError: it is missing or was never finished.
    """
    if not (folder / "labels.npz").is_file():
        raise SimlingoError(f"{folder} holds no finished pack; run ./simlingo train --data with the collected folder")
    with np.load(folder / "labels.npz") as stored:
        labels = {name: stored[name] for name in LABELS}
    arrays = [np.load(folder / f"{name}.npy", mmap_mode="r") for name in ("frames", "classes", "depth")]
    return Pack(arrays[0], arrays[1], arrays[2], labels)


def checked(labels: dict[str, np.ndarray], origin: Path) -> dict[str, np.ndarray]:
    """``labels`` if all are finite.

    Raises:
        InvalidInputError: names what is not.
    """
    bad: Iterable[str] = [name for name in labels if not np.isfinite(labels[name].astype(np.float64)).all()]
    if bad:
        raise InvalidInputError(f"{origin}: labels {list(bad)} are not finite; collect this route again")
    return labels
