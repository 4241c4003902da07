"""Opens data sets: which routes there are, and their rows."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from simlingo.contracts import InvalidInputError
from training.datasets.files import check_version, damaged, digest, meta_of, open_file
from training.datasets.rows import loaded
from training.datasets.schema import BY_NAME
from training.datasets.writer import CARD_FILE, MAPS, ROUTES, read_card

#: Route files that stay open for single rows.
OPEN_FILES = 64
#: What collections held before route files.
_OLD_CACHE = "cache.npz"


@dataclass(frozen=True)
class Route:
    """One route of a data set."""

    name: str
    path: Path
    frames: int
    rows: int  # views of frames
    meta: dict[str, Any] = field(hash=False, compare=False, repr=False)

    @property
    def map_path(self) -> Path:
        """The OpenDRIVE file of the map it was driven on."""
        return self.path.parent.parent / MAPS / f"{self.meta['map']}.xodr"


@dataclass(frozen=True)
class Dataset:
    """Data sets opened together; ``cards`` are their ``dataset.json``, one a folder."""

    folders: tuple[Path, ...]
    routes: tuple[Route, ...]
    cards: tuple[dict[str, Any], ...] = field(hash=False, compare=False, repr=False)

    @property
    def frames(self) -> int:
        """Of all routes."""
        return sum(route.frames for route in self.routes)

    def fingerprint(self) -> str:
        """Stands for all that the routes hold, see :func:`fingerprint`."""
        return fingerprint(self.routes)


def open_dataset(folders: Sequence[Path]) -> Dataset:
    """The data sets in ``folders``.

    Raises:
        InvalidInputError: a folder holds no data set or no finished route, one of another schema version or of the old
            layout, or a route file is damaged; the sentence says which and what to do.
    """
    if not folders:
        raise InvalidInputError("no data folder is named; give the folder that ./simlingo collect wrote")
    cards = tuple(_card(folder) for folder in folders)
    routes = tuple(_route(path) for folder in folders for path in _route_files(folder))
    return Dataset(tuple(folders), routes, cards)


def fingerprint(routes: Sequence[Route]) -> str:
    """64 hexadecimal digits that stand for the routes' names, sizes and content; their folder and order do not matter."""
    listing = sorted((route.name, route.path.stat().st_size, digest(route.path)) for route in routes)
    return hashlib.sha256(json.dumps(listing).encode()).hexdigest()


def read(route: Route, columns: Sequence[str] | None = None) -> pa.Table:
    """All rows of a route, or ``columns`` of them, as stored.

    Raises:
        InvalidInputError: an unknown column, or the file is damaged.
    """
    _check(columns)
    with open_file(route.path) as file:
        try:
            return file.read(None if columns is None else list(columns))
        except (pa.ArrowException, OSError) as error:
            raise damaged(route.path, error) from error


def read_row(route: Route, index: int, columns: Sequence[str] | None = None) -> dict[str, Any]:
    """Row ``index`` (from 0) of a route, with decoded pictures, see :func:`training.datasets.rows.loaded`.

    Touches one row group. The file stays open for the next row.

    Raises:
        InvalidInputError: there is no such row, an unknown column, or the file is damaged.
    """
    _check(columns)
    if not 0 <= index < route.rows:
        raise InvalidInputError(f"{route.path} has rows 0 to {route.rows - 1}, not {index}")
    file = _kept_open(route.path, route.path.stat().st_mtime_ns, threading.get_ident())
    group, place = divmod(index, file.metadata.row_group(0).num_rows)
    try:
        table = file.read_row_group(group, None if columns is None else list(columns))
    except (pa.ArrowException, OSError) as error:
        raise damaged(route.path, error) from error
    record: dict[str, Any] = table.slice(place, 1).to_pylist()[0]
    return loaded(record)


@lru_cache(OPEN_FILES)
def _kept_open(path: Path, written_ns: int, thread: int) -> pq.ParquetFile:
    """An open file; another one where the file has been written anew, and in each thread."""
    del written_ns, thread
    return open_file(path)


def _check(columns: Sequence[str] | None) -> None:
    unknown = sorted(set(columns or ()) - set(BY_NAME))
    if unknown:
        raise InvalidInputError(f"the schema has no column {', '.join(unknown)}; it has {', '.join(BY_NAME)}")


def _card(folder: Path) -> dict[str, Any]:
    path = folder / CARD_FILE
    if not path.is_file():
        if next(folder.rglob(_OLD_CACHE), None):
            raise InvalidInputError(
                f"{folder} holds {_OLD_CACHE} files of an older version, bound to one model; collect again with ./simlingo collect"
            )
        raise InvalidInputError(
            f"{folder} holds no data set (no {CARD_FILE}); name a folder that ./simlingo collect wrote"
        )
    card = read_card(path)
    check_version(card.get("schema_version"), path)
    return card


def _route_files(folder: Path) -> list[Path]:
    files = sorted((folder / ROUTES).glob("*.parquet"))
    if not files:
        raise InvalidInputError(f"{folder} has no finished route yet; let ./simlingo collect finish one")
    return files


def _route(path: Path) -> Route:
    with open_file(path) as file:
        meta, rows = meta_of(file, path), file.metadata.num_rows
    return Route(path.stem, path, int(meta["frames"]), rows, meta)
