"""Writes a data set: one file a route, whole or absent, with the maps that were driven on beside them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from simlingo.contracts import InvalidInputError
from training.datasets.files import (
    check_version,
    damaged,
    meta_of,
    open_file,
    plain,
    temporary_of,
    verify,
    write_file,
    write_whole,
)
from training.datasets.rows import stored
from training.datasets.schema import SCHEMA, SCHEMA_VERSION

CARD_FILE = "dataset.json"
ROUTES, EMPTY, MAPS = "routes", "empty", "maps"


class RouteFile:
    """The frames of one route, in memory until ``close`` writes them as one file."""

    def __init__(self, folder: Path, name: str) -> None:
        """A route ``name`` of the data set in ``folder``; remains of a killed run are removed.

        Raises:
            InvalidInputError: the route is there already.
        """
        self._path, self._empty = route_path(folder, name), empty_path(folder, name)
        for path in (self._path, self._empty):
            if path.exists():
                raise InvalidInputError(f"{path} is there already; remove it to collect this route again")
            temporary_of(path).unlink(missing_ok=True)
        self._name = name
        self._frames: list[tuple[int, pa.Table]] = []

    @property
    def frames(self) -> int:
        """Number of frames so far."""
        return len(self._frames)

    def add(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Append the row, or the rows of both views, of one frame, see :func:`training.datasets.rows.stored`.

        Raises:
            InvalidInputError: a value does not fit the schema, the rows are of several frames or of one view twice, or the
                frame does not come after those that are there.
        """
        records = [stored(row) for row in rows]
        numbers, views = {record["frame"] for record in records}, [record["view"] for record in records]
        if len(numbers) != 1 or len(set(views)) != len(views):
            raise InvalidInputError(f"add takes the views of one frame, got frames {sorted(numbers)} and views {views}")
        number = numbers.pop()
        if self._frames and number <= self._frames[-1][0]:
            raise InvalidInputError(f"frame {number} does not come after frame {self._frames[-1][0]}")
        try:
            table = pa.Table.from_pylist(records, SCHEMA)
        except (pa.ArrowException, TypeError) as error:
            raise InvalidInputError(f"frame {number} does not fit the schema: {error}") from error
        self._frames.append((number, table))

    def cut(self, first_dropped_frame: int) -> None:
        """Forget the frames from number ``first_dropped_frame`` on."""
        self._frames = [entry for entry in self._frames if entry[0] < first_dropped_frame]

    def keep(self, count: int) -> None:
        """Keep only the first ``count`` frames."""
        self._frames = self._frames[: max(count, 0)]

    def close(self, meta: Mapping[str, Any]) -> Path:
        """Write the file and return its path; ``meta`` is what its metadata say of the route.

        Raises:
            InvalidInputError: there are no frames.
        """
        if not self._frames:
            raise InvalidInputError(f"route {self._name} has no frames; end it with close_empty")
        table = pa.concat_tables([rows for _, rows in self._frames]).combine_chunks()
        return write_file(self._path, table, {**meta, "route": self._name, "frames": self.frames})

    def close_empty(self, meta: Mapping[str, Any]) -> Path:
        """Note that the route gave no frame, so that a resumed run does not drive it again."""
        note = {**meta, "schema_version": SCHEMA_VERSION, "route": self._name, "frames": 0}
        write_whole(self._empty, json.dumps(note, default=plain, indent=1).encode())
        return self._empty

    def discard(self) -> None:
        """Forget everything; nothing is on disk."""
        self._frames = []


def route_path(folder: Path, name: str) -> Path:
    """The file of route ``name``."""
    return folder / ROUTES / f"{name}.parquet"


def empty_path(folder: Path, name: str) -> Path:
    """The note that route ``name`` gave no frame."""
    return folder / EMPTY / f"{name}.json"


def trim(path: Path, frames: int) -> None:
    """Rewrite a finished route file with its first ``frames`` frames only; a file with no more than those is left alone.

    Raises:
        InvalidInputError: no frame would be left, or the file is damaged.
    """
    if frames < 1:
        raise InvalidInputError(f"{path} cannot be cut to {frames} frames; remove the file instead")
    verify(path)
    with open_file(path) as file:
        meta = meta_of(file, path)
        try:
            table = file.read()
        except (pa.ArrowException, OSError) as error:
            raise damaged(path, error) from error
    numbers = table.column("frame").to_pylist()
    kept = sorted(set(numbers))[:frames]
    if len(kept) < meta["frames"]:
        rows = sum(number <= kept[-1] for number in numbers)
        write_file(path, table.slice(0, rows), {**meta, "frames": len(kept)})


def write_dataset_card(folder: Path, card: Mapping[str, Any]) -> None:
    """Write what holds for all routes of a data set: its name, camera, settings and who made it.

    Raises:
        InvalidInputError: the folder holds a data set of another schema version.
    """
    path = folder / CARD_FILE
    if path.is_file():
        check_version(read_card(path).get("schema_version"), path)
    write_whole(path, json.dumps({"schema_version": SCHEMA_VERSION, **card}, default=plain, indent=1).encode())


def read_card(path: Path) -> dict[str, Any]:
    """The values in a ``dataset.json``.

    Raises:
        InvalidInputError: it cannot be read.
    """
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InvalidInputError(
            f"{path} cannot be read ({error}); start ./simlingo collect into its folder again"
        ) from error
    if not isinstance(card, dict):
        raise InvalidInputError(f"{path} holds no object; start ./simlingo collect into its folder again")
    return card


def store_map(folder: Path, opendrive: str, decor: Mapping[str, Any] | None = None) -> str:
    """Keep a map's OpenDRIVE text, once however often it is driven on; returns its name in ``maps``, without ending.

    Args:
        folder: of the data set.
        opendrive: the map.
        decor: what the world has beside it, where it has one.
    """
    name = hashlib.sha256(opendrive.encode()).hexdigest()[:16]
    contents = {f"{name}.xodr": opendrive.encode()}
    if decor is not None:
        contents[f"{name}.decor.json"] = json.dumps(decor, default=plain).encode()
    for file, data in contents.items():
        if not (folder / MAPS / file).is_file():
            write_whole(folder / MAPS / file, data)
    return name
