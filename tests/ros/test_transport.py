"""Which transport a node takes that nobody has chosen one for, as under ``ros2 run`` and ``ros2 launch``."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from simlingo_node import dds
from simlingo_node.resources import config_file
from simlingo_node.stack import WITH_PICTURES, NodeSpec, StackOptions, Value, stack

START_S = 60.0
MIB = 2**20
NODES = stack(StackOptions(record_dir="bag"))
CONTROLLER = next(node for node in NODES if node.name == "controller")


@pytest.fixture
def environment() -> Iterator[dict[str, str]]:
    """A domain of its own, and none of our choices."""
    domain = dds.take_domain()
    chosen = ("ROS_AUTOMATIC_DISCOVERY_RANGE", *dds.PROFILES)
    kept = {name: value for name, value in os.environ.items() if name not in chosen}
    yield kept | {"ROS_DOMAIN_ID": str(domain.number), "RMW_IMPLEMENTATION": "rmw_fastrtps_cpp"}
    domain.release()


def segments(node: NodeSpec, environment: dict[str, str], folder: Path) -> list[int]:
    """Sizes of the shared-memory segments that a node's process has mapped once it speaks, bytes."""
    parameters: dict[str, Value] = {
        name: value for name, value in node.parameters.items() if name in ("configure_order", "activate_order")
    }
    if node.name == "recorder":
        parameters["directory"] = str(folder)
    if node.name == "page":
        parameters["port"] = free_port()
    given = [word for name, value in parameters.items() for word in ("-p", f"{name}:={json.dumps(value)}")]
    command = [sys.executable, "-m", node.module, "--ros-args", *given]
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL) as process:
        try:
            port = f":{dds.ports_of(int(environment['ROS_DOMAIN_ID']))[10]:04X} "
            deadline = time.monotonic() + START_S
            while port not in Path("/proc/net/udp").read_text() and time.monotonic() < deadline:
                time.sleep(0.05)
            time.sleep(0.5)
            maps = Path(f"/proc/{process.pid}/maps").read_text().splitlines()
            assert process.poll() is None, f"{node.name} has ended"
            return [Path(name).stat().st_size for name in {line.split()[-1] for line in maps if "/fastrtps_" in line}]
        finally:
            process.kill()


def free_port() -> int:
    """A TCP port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.parametrize("node", NODES, ids=lambda node: node.name)
def test_only_nodes_with_pictures_share_memory(node: NodeSpec, environment: dict[str, str], tmp_path: Path) -> None:
    sizes = segments(node, environment, tmp_path)
    if node.name in WITH_PICTURES:
        assert max(sizes) > 32 * MIB, "an image of 2 MiB does not fit into a default segment"
    else:
        assert sizes == []


def test_what_somebody_chose_stays(environment: dict[str, str], tmp_path: Path) -> None:
    chosen = environment | {dds.PROFILES[0]: str(config_file("fastdds_shm.xml"))}
    assert max(segments(CONTROLLER, chosen, tmp_path)) > 32 * MIB
