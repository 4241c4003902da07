"""From collected routes to packs: one for training, one for validation, split by route."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Sequence
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from rich.progress import track

from simlingo.contracts import InvalidInputError, SimlingoError
from simlingo.model.config import ModelConfig
from simlingo_drive.expert.causes import Cause
from training.collect.writer import CACHE_FILE
from training.datasets.pack import LABELS, Pack, PackWriter, checked, open_pack, sampling_weight

#: One route in so many validates.
VALIDATION_EVERY = 25
#: The two views of a frame in the cache.
_VIEWS = ("", "_augmented")
#: Labels that the cache holds; the sampling weight follows from them.
_STORED_LABELS = tuple(name for name in LABELS if name != "weight")
#: What a cache must hold.
ARRAYS = tuple(
    name + suffix
    for suffix in _VIEWS
    for name in ("image", "classes", "depth", "target_speed", "hazard", *_STORED_LABELS)
)


def build_packs(data: list[Path], folder: Path, config: ModelConfig) -> tuple[Pack, Pack]:
    """Packs of all routes below ``data``, built where they do not exist for exactly these routes.

    Raises:
        SimlingoError: no routes, or a route's cache is damaged or of another model size.
    """
    routes = routes_of(data)
    listing = "\n".join(f"{path} {path.stat().st_size}" for path in routes)
    key = hashlib.sha256((listing + config.to_json()).encode()).hexdigest()
    note = folder / "routes.sha256"
    if not (note.is_file() and note.read_text(encoding="utf-8") == key):
        note.unlink(missing_ok=True)
        _write(folder, routes, config)
        temporary = note.with_suffix(".tmp")
        temporary.write_text(key, encoding="utf-8")
        temporary.replace(note)
    return open_pack(folder / "train"), open_pack(folder / "validation")


def routes_of(data: list[Path]) -> list[Path]:
    """The caches of all finished routes below ``data``.

    Raises:
        SimlingoError: there are none.
    """
    routes = sorted(
        path for root in data for path in root.rglob(CACHE_FILE) if not path.parent.name.endswith(".partial")
    )
    if not routes:
        raise SimlingoError(f"no collected routes below {', '.join(map(str, data))}; run ./simlingo collect first")
    return routes


def _write(folder: Path, routes: list[Path], config: ModelConfig) -> None:
    validation = [path for path in routes if zlib.crc32(path.parent.name.encode()) % VALIDATION_EVERY == 0] or routes[
        :1
    ]
    train = [path for path in routes if path not in set(validation)] or routes
    for name, chosen in (("train", train), ("validation", validation)):
        capacity = len(_VIEWS) * sum(_frames(path) for path in chosen)
        writer = PackWriter(folder / name, capacity, config)
        for path in track(chosen, f"packing {name}"):
            _add(writer, path, config)
        writer.close()


def read_route(path: Path, names: Sequence[str] = ARRAYS) -> dict[str, np.ndarray]:
    """The arrays ``names`` of a route's cache.

    Raises:
        InvalidInputError: the file cannot be read, or lacks arrays.
    """
    try:
        with np.load(path) as cache:
            missing = [name for name in ARRAYS if name not in cache.files]
            found = {} if missing else {name: cache[name] for name in names}
    except (OSError, ValueError, EOFError, BadZipFile, zlib.error) as error:
        raise InvalidInputError(f"{path} cannot be read ({error}); remove its folder and collect again") from error
    if missing:
        raise InvalidInputError(
            f"{path} lacks {', '.join(missing)}: it was collected by another version; collect this route again"
        )
    return found


def _frames(path: Path) -> int:
    return len(read_route(path, ("speed",))["speed"])


def _add(writer: PackWriter, path: Path, config: ModelConfig) -> None:
    cache = read_route(path)
    size = (config.image.tile, 2 * config.image.tile, 3)
    if cache["image"].shape[1:] != size:
        raise InvalidInputError(
            f"{path} holds pictures of {cache['image'].shape[1:]}, the model needs {size}; collect again"
        )
    for suffix in _VIEWS:
        labels = {name: cache[name + suffix] for name in _STORED_LABELS}
        labels["weight"] = np.array(
            [
                sampling_weight(
                    float(labels["speed"][row]),
                    float(cache["target_speed" + suffix][row]),
                    labels["path"][row],
                    bool(cache["hazard" + suffix][row]),
                    int(labels["light_state"][row]),
                    float(labels["light_distance"][row]),
                    Cause(int(labels["cause"][row])),
                )
                for row in range(len(labels["speed"]))
            ],
            dtype=np.float32,
        )
        writer.add(cache["image" + suffix], cache["classes" + suffix], cache["depth" + suffix], checked(labels, path))
