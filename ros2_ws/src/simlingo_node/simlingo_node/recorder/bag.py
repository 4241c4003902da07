"""An MCAP bag of messages as they came over the wire, readable by Foxglove, Lichtblick and rosbag2."""

from __future__ import annotations

from pathlib import Path

from mcap.writer import CompressionType, Writer

from simlingo_node.recorder.schema import message_definition

#: Uncompressed bytes after which a chunk is written out: what a killed run can lose.
CHUNK_BYTES = 512 * 1024
TEMPORARY_SUFFIX = ".tmp"
#: What rosbag2 wants to know about a topic (its own YAML; durability 1 = transient local, 2 = volatile).
_QOS = (
    "- history: 1\n  depth: 10\n  reliability: 1\n  durability: {durability}\n  deadline:\n    sec: 0\n    nsec: 0\n"
    "  lifespan:\n    sec: 0\n    nsec: 0\n  liveliness: 1\n  liveliness_lease_duration:\n    sec: 0\n    nsec: 0\n"
    "  avoid_ros_namespace_conventions: false"
)


def temporary_name(path: Path) -> Path:
    """Where ``path`` is written until it is whole."""
    return path.with_name(path.name + TEMPORARY_SUFFIX)


class BagWriter:
    """Writes ``path``; it appears under this name when ``close`` has made it whole."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = temporary_name(path).open("wb")
        self._writer = Writer(self._file, chunk_size=CHUNK_BYTES, compression=CompressionType.ZSTD)
        self._writer.start(profile="ros2", library="simlingo recorder")
        self._schemas: dict[str, int] = {}
        self._channels: dict[str, int] = {}
        self._counts: dict[str, int] = {}

    def add_topic(self, topic: str, type_name: str, latched: bool = False) -> None:
        """Announce ``topic`` of ``type_name`` ("package/msg/Name")."""
        if type_name not in self._schemas:
            self._schemas[type_name] = self._writer.register_schema(
                name=type_name, encoding="ros2msg", data=message_definition(type_name).encode()
            )
        self._channels[topic] = self._writer.register_channel(
            topic=topic,
            message_encoding="cdr",
            schema_id=self._schemas[type_name],
            metadata={"offered_qos_profiles": _QOS.format(durability=1 if latched else 2)},
        )
        self._counts[topic] = 0

    def write(self, topic: str, serialized: bytes, stamp: int) -> None:
        """Append one serialized (CDR) message of simulation time ``stamp`` (ns)."""
        self._counts[topic] += 1
        self._writer.add_message(
            channel_id=self._channels[topic],
            log_time=stamp,
            publish_time=stamp,
            sequence=self._counts[topic],
            data=serialized,
        )

    def close(self) -> None:
        """Finish the file and give it its name."""
        self._writer.finish()
        self._file.close()
        temporary_name(self._path).replace(self._path)
