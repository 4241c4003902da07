"""Make what a killed run left readable: ``python -m simlingo_node.recorder.recover DIRECTORY``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from mcap.exceptions import McapError
from mcap.reader import NonSeekingReader
from mcap.writer import Writer

from simlingo_node.recorder.bag import CHUNK_BYTES, TEMPORARY_SUFFIX


def recover_bag(broken: Path, whole: Path) -> int:
    """Copy the messages of ``broken`` up to its torn end into ``whole``.

    Returns:
        Number of messages copied.
    """
    unfinished = whole.with_name(whole.name + ".recovering")
    count = 0
    with broken.open("rb") as source, unfinished.open("wb") as target:
        writer = Writer(target, chunk_size=CHUNK_BYTES)
        writer.start(profile="ros2", library="simlingo recover")
        schemas: dict[int, int] = {}
        channels: dict[int, int] = {}
        try:
            for schema, channel, message in NonSeekingReader(source).iter_messages(log_time_order=False):
                if schema is None:
                    continue
                if schema.id not in schemas:
                    schemas[schema.id] = writer.register_schema(schema.name, schema.encoding, schema.data)
                if channel.id not in channels:
                    channels[channel.id] = writer.register_channel(
                        channel.topic, channel.message_encoding, schemas[schema.id], channel.metadata
                    )
                writer.add_message(
                    channels[channel.id], message.log_time, message.data, message.publish_time, message.sequence
                )
                count += 1
        except (McapError, EOFError, ValueError):
            pass  # the torn end: everything before it has been copied
        writer.finish()
    unfinished.replace(whole)
    return count


def recover(directory: Path) -> list[str]:
    """Recover all leftovers of ``directory``; returns one sentence for each."""
    said = []
    for broken in sorted(directory.glob(f"drive.*{TEMPORARY_SUFFIX}")):
        whole = broken.with_name(broken.name.removesuffix(TEMPORARY_SUFFIX))
        if whole.suffix == ".mcap":
            said.append(f"{whole}: {recover_bag(broken, whole)} messages")
            broken.unlink()
        else:
            broken.replace(whole)  # written in fragments: it plays as it is, up to its last second
            said.append(f"{whole}: plays up to the last whole second")
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
