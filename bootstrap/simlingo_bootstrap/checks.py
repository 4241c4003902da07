"""What a machine must have before the set-up can begin, each with the command that cures its absence."""

from __future__ import annotations

import importlib.util
import os
import platform
import shutil
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

#: Free disk space in GiB that the groups of requirements need (measured: 1.2, 1.7 with the CPU build of torch, 0.2), with some room.
DISK_GIB = {"drive": 2.0, "train": 3.0, "dev": 0.5}
#: Shared memory in MiB: the stack's participants take about 35 each (docs/dependencies.md), and old segments stay after a kill.
SHM_MIB = 400


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    name: str
    ok: bool
    detail: str
    cure: str = ""
    needed: bool = True  # False: the stack works without it


def version() -> str:
    """The running Python as "3.12"."""
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def check_python() -> Finding:
    """Python 3.11 or 3.12, 64 bit."""
    ok = (3, 11) <= sys.version_info[:2] <= (3, 12) and sys.maxsize > 2**32
    return Finding(
        "Python",
        ok,
        f"{platform.python_version()} ({sys.executable})",
        "sudo apt-get install python3.12 python3.12-venv python3.12-dev, or SIMLINGO_PYTHON=/path/to/python3.12",
    )


def check_machine() -> Finding:
    """Linux on x86-64: the wheels of ROS 2 and of CARLA's types exist for nothing else."""
    ok = sys.platform == "linux" and platform.machine() == "x86_64"
    return Finding(
        "machine", ok, f"{platform.system()} {platform.machine()}", "use Linux on x86-64, or the Docker image"
    )


def check_venv() -> Finding:
    """The venv module with pip, or uv instead."""
    ok = importlib.util.find_spec("ensurepip") is not None or shutil.which("uv") is not None
    detail = "venv and pip" if ok else f"Python {version()} comes without its venv module"
    return Finding("venv", ok, detail, f"sudo apt-get install python{version()}-venv")


def check_compiler() -> Finding:
    """A C and a C++ compiler: the message packages are built on this machine."""
    missing = [
        name
        for name, found in (
            ("C", _compiler("CC", "cc", "gcc", "clang")),
            ("C++", _compiler("CXX", "c++", "g++", "clang++")),
        )
        if not found
    ]
    detail = f"no {' and no '.join(missing)} compiler" if missing else str(_compiler("CXX", "c++", "g++", "clang++"))
    return Finding("compiler", not missing, detail, "sudo apt-get install build-essential")


def _compiler(variable: str, *names: str) -> str | None:
    chosen = os.environ.get(variable, "").split()
    return next((path for name in ([chosen[0]] if chosen else names) if (path := shutil.which(name))), None)


def check_headers() -> Finding:
    """Python's C headers: the messages' Python bindings are compiled."""
    header = Path(sysconfig.get_paths()["include"]) / "Python.h"
    return Finding("headers", header.is_file(), str(header), f"sudo apt-get install python{version()}-dev")


def check_disk(env: Path, needed_gib: float) -> Finding:
    """Free space where the environment will be."""
    folder = next(parent for parent in (env, *env.parents) if parent.is_dir())
    free = shutil.disk_usage(folder).free / 2**30
    detail = f"{free:.1f} GiB free in {folder}, {needed_gib:.1f} needed"
    return Finding(
        "disk", free >= needed_gib, detail, "free some space, or SIMLINGO_ENV=/path/on/another/disk ./simlingo ..."
    )


def check_shared_memory(folder: Path = Path("/dev/shm")) -> Finding:
    """Shared memory for the messages between the nodes; a drive refuses to start with less."""
    cure = "sudo mount -o remount,size=1g /dev/shm; in Docker: --shm-size 512m (docker-compose.yml sets it)"
    if not folder.is_dir():
        return Finding("shared memory", False, f"{folder} is missing", cure)
    free = shutil.disk_usage(folder).free / 2**20
    return Finding("shared memory", free >= SHM_MIB, f"{free:.0f} MiB free in {folder}, {SHM_MIB} needed", cure)


def preflight(env: Path, needed_gib: float) -> list[Finding]:
    """All that a set-up needs of the machine."""
    return [
        check_machine(),
        check_python(),
        check_venv(),
        check_compiler(),
        check_headers(),
        check_disk(env, needed_gib),
    ]
