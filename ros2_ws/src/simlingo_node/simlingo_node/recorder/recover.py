"""Make what a killed run left readable: ``python -m simlingo_node.recorder.recover DIRECTORY``."""

from __future__ import annotations

import argparse
import io
import mmap
import struct
import sys
from collections.abc import Iterator
from pathlib import Path

from mcap.data_stream import ReadDataStream
from mcap.records import Channel, Chunk, McapRecord, Message, Schema
from mcap.stream_reader import breakup_chunk
from mcap.writer import Writer

from simlingo_node.recorder.bag import CHUNK_BYTES, TEMPORARY_SUFFIX

#: Of a chunk record: one byte of opcode, eight of length, then times, size and checksum, and the name of the compression, by
#: which chunks are found again behind damage (MCAP specification, "Chunk").
_OPCODE, _HEAD_BYTES = 6, 9
_COMPRESSION = struct.pack("<I", 4) + b"zstd"
_COMPRESSION_AT = _HEAD_BYTES + 8 + 8 + 8 + 4
#: Records between two readable chunks that show a loss: zeros of a disk, a message outside a chunk, and a chunk.
_LOST = (0, 5, _OPCODE)
#: What a bag begins and a finished one ends with.
_MAGIC = b"\x89MCAP0\r\n"


def _chunks(data: mmap.mmap) -> Iterator[list[McapRecord] | None]:
    """The records of each chunk of a bag, in order; None for each stretch between two that is not whole, the torn end too."""
    at = sought = len(_MAGIC)
    while (found := data.find(_COMPRESSION, sought + _COMPRESSION_AT)) >= 0:
        begin = found - _COMPRESSION_AT
        end = _end_of_record(data, begin)
        records = _records(data[begin + _HEAD_BYTES : end]) if data[begin] == _OPCODE and end <= len(data) else None
        if records is None:
            sought = begin + 1
            continue
        if not _whole(data, at, begin):
            yield None
        yield records
        at = sought = end
    if not _whole(data, at, len(data) - len(_MAGIC) * (data[-len(_MAGIC) :] == _MAGIC)):
        yield None


def _end_of_record(data: mmap.mmap, begin: int) -> int:
    (length,) = struct.unpack_from("<Q", data, begin + 1)
    return begin + _HEAD_BYTES + int(length)


def _whole(data: mmap.mmap, begin: int, end: int) -> bool:
    """Whether records that hold no message fill the stretch."""
    while begin + _HEAD_BYTES <= end and data[begin] not in _LOST:
        begin = _end_of_record(data, begin)
    return begin == end


def _records(content: bytes) -> list[McapRecord] | None:
    """The records of a chunk; None where its checksum or anything else is wrong."""
    try:
        return breakup_chunk(Chunk.read(ReadDataStream(io.BytesIO(content))), validate_crc=True)
    except Exception:  # bytes can be wrong in as many ways as the parsers of MCAP, Zstandard and struct can fail
        return None


def recover_bag(broken: Path, whole: Path) -> tuple[int, int]:
    """Copy the messages of all undamaged chunks of ``broken`` into ``whole``, which appears where there are any.

    Returns:
        Number of messages copied, and of damaged places passed over, a torn end among them.
    """
    unfinished = whole.with_name(whole.name + ".recovering")
    count = lost = 0
    schemas: dict[int, int] = {}
    channels: dict[int, int] = {}
    with broken.open("rb") as source, unfinished.open("wb") as target:
        writer = Writer(target, chunk_size=CHUNK_BYTES)
        writer.start(profile="ros2", library="simlingo recover")
        if broken.stat().st_size:
            with mmap.mmap(source.fileno(), 0, access=mmap.ACCESS_READ) as data:
                for records in _chunks(data):
                    lost += records is None
                    for record in records or ():
                        if isinstance(record, Schema):
                            schemas[record.id] = writer.register_schema(record.name, record.encoding, record.data)
                        elif isinstance(record, Channel) and record.schema_id in schemas:
                            channels[record.id] = writer.register_channel(
                                record.topic, record.message_encoding, schemas[record.schema_id], record.metadata
                            )
                        elif isinstance(record, Message) and record.channel_id in channels:
                            writer.add_message(
                                channels[record.channel_id],
                                record.log_time,
                                record.data,
                                record.publish_time,
                                record.sequence,
                            )
                            count += 1
        writer.finish()
    if count:
        unfinished.replace(whole)
    else:
        unfinished.unlink()
    return count, lost


def recover(directory: Path) -> list[str]:
    """Recover all leftovers of ``directory``, which stay there; returns one sentence for each."""
    said = []
    for broken in sorted(directory.glob(f"drive.*{TEMPORARY_SUFFIX}")):
        whole = broken.with_name(broken.name.removesuffix(TEMPORARY_SUFFIX))
        if whole.suffix != ".mcap":
            broken.replace(whole)  # written in fragments: it plays as it is, up to its last second
            said.append(f"{whole}: plays up to the last whole second")
            continue
        count, lost = recover_bag(broken, whole)
        kept = broken.with_name(f"{whole.name}.torn")
        broken.replace(kept)
        damage = f", {lost} damaged places passed over" if lost else ""
        said.append(f"{whole if count else kept}: {count} messages{damage}; the original is {kept.name}")
    return said


def main() -> int:
    """Command line; 1 where nothing was left over."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("directory", type=Path, help="directory of the run, for example runs/2026-01-31_12-00-00")
    said = recover(parser.parse_args().directory)
    print("\n".join(said) if said else "nothing unfinished in this directory")
    return 0 if said else 1


if __name__ == "__main__":
    sys.exit(main())
