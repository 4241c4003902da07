"""A model's own pictures of a data set, with its dense labels: flat arrays on disk, mapped into memory.

Derived from the route files on first use, in worker processes, and made again when the data, the processor or this format
change. A cache is whole or absent; a killed build goes on after the last whole route.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from simlingo.contracts import ImageArray, InvalidInputError
from simlingo.model.config import ImageConfig
from training.datasets.cells import CELLS, cell_labels
from training.datasets.files import verify, write_whole
from training.datasets.labels import LABELS, labels_of
from training.datasets.pictures import decode_depth, decode_image, decode_semantic
from training.datasets.reader import Route, fingerprint, read
from training.datasets.route_jobs import do_jobs

#: Changes when arrays or labels change their meaning.
FORMAT = 2
Picture = Callable[[ImageArray], ImageArray]
_ARRAYS = ("frames", "classes", "depth")
_KEY, _LABELS = "key", "labels.npz"
#: Rows decoded at once.
_ROWS = 64


@dataclass(frozen=True)
class Pack:
    """N views: ``frames`` (N, h, w, 3) uint8, ``classes`` and ``depth`` (N, CELLS, 2 CELLS), ``labels`` by name.

    ``routes`` are the names that ``labels["route"]`` counts.
    """

    frames: npt.NDArray[np.uint8]
    classes: npt.NDArray[np.uint8]
    depth: npt.NDArray[np.float16]
    labels: dict[str, np.ndarray]
    routes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.labels["speed"])


@dataclass(frozen=True)
class _Job:
    """One route's share of the cache."""

    route: Route
    number: int  # of the route
    start: int  # first row
    folder: Path
    picture: Picture
    image: ImageConfig

    @property
    def labels_path(self) -> Path:
        """There once the route is whole."""
        return self.folder / f"labels-{self.number:06d}.npz"


def build_cache(
    routes: Sequence[Route],
    folder: Path,
    processor_key: str,
    picture: Picture,
    image: ImageConfig,
    workers: int | None = None,
) -> Pack:
    """The cache of ``routes`` in ``folder``, built where it is not there for exactly these routes and this processor.

    Args:
        routes: of one or several data sets; rows keep their order.
        folder: of the cache; what else is in it is removed when the cache is built.
        processor_key: stands for what ``picture`` does.
        picture: a camera picture (H, W, 3) -> the model's (h, w, 3) uint8; a function of a module, it goes to other processes.
        image: the crop that the dense labels follow.
        workers: processes; without: one a core.

    Raises:
        InvalidInputError: no routes, a route file is damaged, or of another picture size.
    """
    if not routes:
        raise InvalidInputError("there are no routes to make a cache of; collect some with ./simlingo collect")
    key = cache_key(routes, processor_key, image)
    if not (folder / _KEY).is_file() or (folder / _KEY).read_text(encoding="utf-8") != key:
        _build(routes, folder, key, picture, image, workers or os.cpu_count() or 1)
    return open_cache(folder)


def cache_key(routes: Sequence[Route], processor_key: str, image: ImageConfig) -> str:
    """Stands for everything that a cache follows from."""
    told = (FORMAT, fingerprint(routes), [route.name for route in routes], processor_key, asdict(image))
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()


def open_cache(folder: Path) -> Pack:
    """Map a whole cache into memory.

    Raises:
        InvalidInputError: there is none.
    """
    if not (folder / _KEY).is_file():
        raise InvalidInputError(f"{folder} holds no finished cache; it is made by ./simlingo train --data")
    with np.load(folder / _LABELS) as stored:
        labels = {name: stored[name] for name in LABELS}
        names = tuple(str(name) for name in stored["routes"])
    frames, classes, depth = (np.load(folder / f"{name}.npy", mmap_mode="r") for name in _ARRAYS)
    return Pack(frames, classes, depth, labels, names)


def _build(routes: Sequence[Route], folder: Path, key: str, picture: Picture, image: ImageConfig, workers: int) -> None:
    partial = folder.with_name(folder.name + ".partial")
    starts = np.cumsum([0, *(route.rows for route in routes)]).tolist()
    jobs = [_Job(route, number, starts[number], partial, picture, image) for number, route in enumerate(routes)]
    _begin(partial, key, starts[-1], picture, image)
    todo = [job for job in jobs if not job.labels_path.is_file()]
    do_jobs(_fill, todo, workers, "making the picture cache")
    parts = []
    for job in jobs:
        with np.load(job.labels_path) as stored:
            parts.append({name: stored[name] for name in LABELS})
    labels = {name: np.concatenate([part[name] for part in parts]) for name in LABELS}
    np.savez(partial / _LABELS, routes=np.array([route.name for route in routes]), **labels)  # type: ignore[arg-type]
    for job in jobs:
        job.labels_path.unlink()
    shutil.rmtree(folder, ignore_errors=True)
    partial.rename(folder)


def _begin(partial: Path, key: str, rows: int, picture: Picture, image: ImageConfig) -> None:
    """Make room for all rows, unless an earlier build of the same cache has."""
    if (partial / _KEY).is_file() and (partial / _KEY).read_text(encoding="utf-8") == key:
        return
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    shape = picture(np.zeros((image.raw_height, image.raw_width, 3), np.uint8)).shape
    cells = (CELLS, 2 * CELLS)
    for name, kind, row in zip(_ARRAYS, (np.uint8, np.uint8, np.float16), (shape, cells, cells), strict=True):
        np.lib.format.open_memmap(partial / f"{name}.npy", mode="w+", dtype=kind, shape=(rows, *row)).flush()
    write_whole(partial / _KEY, key.encode())


def _fill(job: _Job) -> None:
    """Write one route's rows; its labels come last and make it whole."""
    verify(job.route.path)
    table = read(job.route)
    frames, classes, depth = (np.load(job.folder / f"{name}.npy", mmap_mode="r+") for name in _ARRAYS)
    for first in range(0, len(table), _ROWS):
        columns = table.slice(first, _ROWS).select(["image", "semantic", "depth"]).to_pydict().values()
        for offset, (rgb, semantic, distance) in enumerate(zip(*columns, strict=True)):
            row = job.start + first + offset
            try:
                frames[row] = job.picture(decode_image(rgb["bytes"]))
                tags, metres = decode_semantic(semantic["bytes"]), decode_depth(distance["bytes"])
                classes[row], depth[row] = cell_labels(tags, metres, job.image)
            except InvalidInputError as error:
                raise InvalidInputError(f"{job.route.path}, row {first + offset}: {error}") from error
    for array in (frames, classes, depth):
        array.flush()
    labels = labels_of(table, job.number)
    temporary = job.labels_path.with_suffix(".tmp.npz")
    np.savez(temporary, **labels)  # type: ignore[arg-type]
    temporary.replace(job.labels_path)
