"""A ROS 2 network of one's own on one machine: domain, discovery, shared memory."""

from __future__ import annotations

import os
import re
import shutil
import socket
import time
from pathlib import Path

from simlingo.contracts import SimlingoError
from simlingo_node.leases import Lease, take
from simlingo_node.resources import config_file

#: Domains whose UDP ports lie below Linux's ephemeral ports; 0 is everybody's default and left alone.
DOMAINS = range(1, 100)
#: Names the profile: Jazzy's variable, and Kilted's.
PROFILES = ("FASTRTPS_DEFAULT_PROFILES_FILE", "FASTDDS_DEFAULT_PROFILES_FILE")
#: Shared memory that one participant takes with our profile, bytes.
SEGMENT_BYTES = 36 * 2**20
SHARED_MEMORY = Path("/dev/shm")
#: A segment that is younger may not be mapped yet by who has made it, s.
YOUNG_S = 10.0
_PREFIXES = ("fastrtps_", "sem.fastrtps_")
#: Left by the wheels in the environment; they belong to this interpreter only.
_WHEEL_VARIABLES = ("_ROS_WHEELS_BOOTSTRAP_COMPLETE",)


def take_domain(wanted: int | None = None) -> Lease:
    """A free domain, or the one that is ``wanted``.

    Raises:
        SimlingoError: it is in use, or all are.
    """
    lease = take("domain", DOMAINS if wanted is None else (wanted,), lambda number: not _is_spoken_on(number))
    if lease is None and wanted is not None:
        raise SimlingoError(f"ROS domain {wanted} is in use by another stack; choose another --domain, or leave it out")
    if lease is None:
        raise SimlingoError(f"all ROS domains from {DOMAINS[0]} to {DOMAINS[-1]} are in use; end another stack first")
    return lease


def _is_spoken_on(domain: int) -> bool:
    """True when some participant's unicast port of the domain is taken (RTPS: 7410 + 250 d + 2 p)."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind(("0.0.0.0", ports_of(domain)[10]))
        except OSError:
            return True
    return False


def environment(domain: int, pictures: bool) -> dict[str, str]:
    """Environment of a stack's process on this machine's own network, with or without camera :func:`pictures <transport>`."""
    variables = {name: value for name, value in os.environ.items() if name not in _WHEEL_VARIABLES}
    variables.update(
        transport(pictures),
        ROS_DOMAIN_ID=str(domain),
        RMW_IMPLEMENTATION="rmw_fastrtps_cpp",
        PYTHONUNBUFFERED="1",
        OMP_NUM_THREADS="1",  # the network has its own threads; everybody else's would only get in their way
        OPENBLAS_NUM_THREADS="1",
        # Pictures are megabytes: keep freed memory instead of asking the kernel for fresh pages at every frame.
        MALLOC_MMAP_THRESHOLD_="67108864",
        MALLOC_TRIM_THRESHOLD_="134217728",
    )
    return variables


def transport(pictures: bool, local: bool = True) -> dict[str, str]:
    """Variables that choose our Fast DDS profile: shared memory for processes with ``pictures``, UDP alone for others.

    Who shares memory may wait for ever for a process that was killed, see ``config/fastdds_udp.xml``. ``local``: nothing leaves
    this machine.
    """
    if local:
        profile = str(config_file("local_pictures.xml" if pictures else "local_plain.xml"))
        # The profile says all; for any other range rmw_fastrtps adds transports, shared memory among them.
        return {"ROS_AUTOMATIC_DISCOVERY_RANGE": "SYSTEM_DEFAULT", **dict.fromkeys(PROFILES, profile)}
    return dict.fromkeys(PROFILES, str(config_file("fastdds_shm.xml" if pictures else "fastdds_udp.xml")))


def choose_transport(pictures: bool) -> None:
    """Choose our profile for this process, unless whoever started it chose one; to be called before ``rclpy.init``."""
    if not any(os.environ.get(name) for name in PROFILES):
        os.environ.update(transport(pictures, local=False))


def check_shared_memory(participants: int) -> None:
    """Fail where the pictures of so many participants would not fit into shared memory.

    Raises:
        SimlingoError: too little space in /dev/shm, or no such folder.
    """
    needed = participants * SEGMENT_BYTES
    try:
        free = shutil.disk_usage(SHARED_MEMORY).free
    except FileNotFoundError as error:
        raise SimlingoError(
            f"{SHARED_MEMORY} is missing, through which the nodes share pictures: sudo mkdir {SHARED_MEMORY} &&"
            f" sudo mount -t tmpfs -o size=1G tmpfs {SHARED_MEMORY}; in Docker start without --ipc=none"
        ) from error
    if free < needed:
        raise SimlingoError(
            f"{SHARED_MEMORY} has {free // 2**20} MiB left, but {participants} nodes need {needed // 2**20} MiB;"
            f" in Docker start with --shm-size=512m, else: sudo mount -o remount,size=1G {SHARED_MEMORY}"
        )


def remove_stale_segments(domain: int) -> list[Path]:
    """Delete Fast DDS segments of this user that no process maps any more (left by ``kill -9``); returns them.

    A segment is named by a port, and whoever starts on that port opens it again: of those only the ones of ``domain``
    go, which must be the caller's and have no process yet. Any other belongs to one participant, which may be about to
    map it while it is young.
    """
    candidates = [
        path
        for prefix in _PREFIXES
        for path in SHARED_MEMORY.glob(f"{prefix}*")
        if _is_ours(path) and _may_go(path, domain)
    ]
    if not candidates:
        return []
    in_use = _files_in_use()
    stale = [path for path in candidates if _owner(path) not in in_use and str(path) not in in_use]
    for path in stale:
        path.unlink(missing_ok=True)
    return stale


def _may_go(path: Path, domain: int) -> bool:
    port = re.fullmatch(r"fastrtps_port(\d+)", Path(_owner(path)).name)
    if port is not None:
        return int(port[1]) in ports_of(domain)
    try:
        return time.time() - path.stat().st_mtime > YOUNG_S
    except FileNotFoundError:
        return False


def ports_of(domain: int) -> range:
    """Ports of a domain's participants (RTPS 9.6.1.1)."""
    return range(7400 + 250 * domain, 7400 + 250 * (domain + 1))


def _is_ours(path: Path) -> bool:
    try:
        return path.stat().st_uid == os.getuid()
    except FileNotFoundError:
        return False  # another stack has tidied up meanwhile


def _owner(path: Path) -> str:
    """The segment that a lock file or a semaphore belongs to."""
    name = path.name.removeprefix("sem.")
    for suffix in ("_el", "_sl", "_mutex"):
        name = name.removesuffix(suffix)
    return str(path.with_name(name))


def _files_in_use() -> set[str]:
    """Files below /dev/shm that a process of this machine has mapped or open."""
    found: set[str] = set()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            maps = (process / "maps").read_text(encoding="utf-8", errors="replace")
            found.update(line[line.index("/dev/shm/") :] for line in maps.splitlines() if "/dev/shm/" in line)
            for descriptor in (process / "fd").iterdir():
                target = os.readlink(descriptor)
                if target.startswith("/dev/shm/"):
                    found.add(target)
        except OSError:
            continue  # ended meanwhile, or another user's
    return found
