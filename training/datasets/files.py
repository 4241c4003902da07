"""Route files on disk: Parquet, sealed with two checksums so that no damage passes unseen.

Every Parquet reader finds its footer from the end of the file, so what stands right before the footer belongs to nobody: there
lie ``_MARK``, the checksum of all bytes before it, and the checksum of all bytes after it.
"""

from __future__ import annotations

import json
import os
import struct
import zlib
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from simlingo.contracts import InvalidInputError
from training.datasets.schema import COLUMNS, METADATA_KEY, PICTURES, SCHEMA, SCHEMA_VERSION, leaves

#: Rows that are read together; four frames of two views.
ROW_GROUP_ROWS = 8
_MARK, _SEAL = b"SIMLINGO", struct.Struct("<8sII")
_END = struct.Struct("<I4s")  # length of the footer, magic
_CHUNK = 1 << 22
_LEAVES = {path: kind for column in COLUMNS for path, kind in leaves(column.type, column.name)}
#: Texts and numbers with few values; coordinates and pictures gain nothing from a dictionary.
_DICTIONARY = [
    path
    for path, kind in _LEAVES.items()
    if (pa.types.is_string(kind) and path != "boxes" and not path.endswith(".path"))
    or path.rsplit(".", 1)[-1] in ("tick", "id", "state", "command", "next_command")
]
_STATISTICS = [path for path, kind in _LEAVES.items() if "." not in path and not pa.types.is_string(kind)]
_COMPRESSION = {path: "NONE" if path.split(".")[0] in PICTURES else "ZSTD" for path in _LEAVES}


def write_file(path: Path, table: pa.Table, meta: dict[str, Any]) -> Path:
    """Write a route file whole: under a temporary name, sealed, then renamed.

    Args:
        path: of the file.
        table: rows of ``SCHEMA``; every ``ROW_GROUP_ROWS`` become a row group.
        meta: what the file's metadata say of the route.
    """
    told = json.dumps({"schema_version": SCHEMA_VERSION, **meta}, default=plain)
    schema = SCHEMA.with_metadata({**SCHEMA.metadata, METADATA_KEY.encode(): told.encode()})
    temporary = temporary_of(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with pq.ParquetWriter(
            temporary,
            schema,
            compression=_COMPRESSION,
            use_dictionary=_DICTIONARY,
            write_statistics=_STATISTICS,
            write_page_checksum=True,
        ) as writer:
            writer.write_table(table.replace_schema_metadata(schema.metadata), ROW_GROUP_ROWS)
        _seal(temporary)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return path


def open_file(path: Path) -> pq.ParquetFile:
    """A route file; its footer's checksum holds, and pages are checked as they are read.

    Raises:
        InvalidInputError: the file is damaged.
    """
    _read_seal(path)
    try:
        return pq.ParquetFile(path, page_checksum_verification=True)
    except (pa.ArrowException, OSError) as error:
        raise damaged(path, error) from error


def meta_of(file: pq.ParquetFile, path: Path) -> dict[str, Any]:
    """What the file's metadata say of the route.

    Raises:
        InvalidInputError: it is no route file, or of another schema version.
    """
    told = (file.metadata.metadata or {}).get(METADATA_KEY.encode())
    if told is None:
        raise InvalidInputError(f"{path} is no route file of ./simlingo collect; move it out of this folder")
    meta: dict[str, Any] = json.loads(told)
    check_version(meta.get("schema_version"), path)
    return meta


def check_version(version: Any, path: Path) -> None:
    """Refuse what another version of the schema wrote.

    Raises:
        InvalidInputError: names both versions.
    """
    if version != SCHEMA_VERSION:
        raise InvalidInputError(
            f"{path} has schema version {version}, this program reads {SCHEMA_VERSION}; "
            "collect again with this version, or use the version that wrote it"
        )


def digest(path: Path) -> str:
    """Checksums of data and footer, as hexadecimal; read from the end of the file alone.

    Raises:
        InvalidInputError: the file is damaged.
    """
    data, rest = _read_seal(path)
    return f"{data:08x}{rest:08x}"


def verify(path: Path) -> None:
    """Read the whole file and compare its checksum.

    Raises:
        InvalidInputError: a byte has changed.
    """
    wanted, _ = _read_seal(path)
    if _checksum(path, _seal_place(path)) != wanted:
        raise damaged(path, "its checksum differs")


def damaged(path: Path, why: object) -> InvalidInputError:
    """The error for a route file that cannot be used."""
    return InvalidInputError(f"{path} is damaged ({why}); remove it and start the same ./simlingo collect again")


def write_whole(path: Path, data: bytes) -> None:
    """Write a small file under a temporary name, then give it its own."""
    temporary = temporary_of(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary.write_bytes(data)
    os.replace(temporary, path)


def temporary_of(path: Path) -> Path:
    """The name a file has while it is written."""
    return path.with_name(path.name + ".tmp")


def plain(value: Any) -> Any:
    """numpy scalars and arrays as Python values, for JSON."""
    return value.tolist()


def _seal(path: Path) -> None:
    """Put mark and checksums before the footer."""
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(size - _END.size)
        length, _ = _END.unpack(file.read(_END.size))
        start = size - _END.size - length
        file.seek(start)
        tail = file.read()
        seal = _SEAL.pack(_MARK, _checksum(path, start), zlib.crc32(tail))
        file.seek(start)
        file.write(seal + tail)


def _seal_place(path: Path) -> int:
    """Where the seal begins; negative where the file's end makes no sense."""
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(max(size - _END.size, 0))
        end = file.read()
    length = _END.unpack(end)[0] if len(end) == _END.size else size
    return int(size - _END.size - length - _SEAL.size)


def _read_seal(path: Path) -> tuple[int, int]:
    """Checksums of the data and of the rest; the rest's is compared here."""
    try:
        place = _seal_place(path)
        if place < 0:
            raise damaged(path, "its end is missing")
        with path.open("rb") as file:
            file.seek(place)
            mark, data, rest = _SEAL.unpack(file.read(_SEAL.size))
            tail = file.read()
    except OSError as error:
        raise InvalidInputError(f"{path} cannot be read ({error}); check the folder and its permissions") from error
    if mark != _MARK:
        raise damaged(path, "its seal is missing: cut off, or rewritten by another program")
    if zlib.crc32(tail) != rest:
        raise damaged(path, "its footer's checksum differs")
    return data, rest


def _checksum(path: Path, count: int) -> int:
    """Of the first ``count`` bytes."""
    value = 0
    with path.open("rb") as file:
        while count > 0:
            chunk = file.read(min(_CHUNK, count))
            value = zlib.crc32(chunk, value)
            count -= len(chunk)
            if not chunk:
                break
    return value
