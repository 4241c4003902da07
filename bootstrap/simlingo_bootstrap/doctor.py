"""``./simlingo doctor``: everything that the stack needs of this machine, each with the command that cures its absence."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping

from simlingo_bootstrap.checks import Finding, check_shared_memory, preflight
from simlingo_bootstrap.environment import child_environment
from simlingo_bootstrap.errors import SetupError
from simlingo_bootstrap.installer import has_nvidia_gpu
from simlingo_bootstrap.layout import Layout
from simlingo_bootstrap.ros import RosInstallation, check_python_of_ros, find_ros
from simlingo_bootstrap.setup import GROUPS, Setup

#: Port of the live page (simlingo_node.drive).
PAGE_PORT = 8090
_MODEL_FILES = ("config.json", "tokenizer.json", "*.onnx", "*.safetensors")
_BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def run(layout: Layout, environ: Mapping[str, str]) -> int:
    """Print all findings; 0 where everything that is needed is there."""
    findings = list(examine(layout, environ))
    width = max(len(finding.name) for finding in findings)
    for finding in findings:
        mark = "ok     " if finding.ok else ("MISSING" if finding.needed else "without")
        print(f"{mark}  {finding.name:<{width}}  {finding.detail}")
        if not finding.ok:
            print(f"{'':<{width + 11}}cure: {finding.cure}")
    missing = [finding.name for finding in findings if finding.needed and not finding.ok]
    print(f"\nNeeded and missing: {', '.join(missing)}" if missing else "\nThis machine can drive: ./simlingo drive")
    return 1 if missing else 0


def examine(layout: Layout, environ: Mapping[str, str]) -> Iterator[Finding]:
    """Look at everything, cheapest first."""
    yield from preflight(layout.env, 0.2 if layout.python.exists() else 2.0)
    yield check_shared_memory()
    ros: RosInstallation | None = None
    try:
        ros = find_ros(environ)
        if ros is not None:
            check_python_of_ros(ros, sys.version_info[:2])
        detail = (
            f"{ros.distro}, sourced ({', '.join(map(str, ros.prefixes))})"
            if ros
            else "Jazzy from PyPI (no ROS is sourced)"
        )
        yield Finding("ROS 2", True, detail)
    except SetupError as error:
        yield Finding("ROS 2", False, error.cause, error.cure)
    yield from _environment(layout, ros, environ)
    yield _model(layout)
    yield _port(PAGE_PORT)
    gpu = has_nvidia_gpu()
    yield Finding(
        "GPU",
        gpu,
        "NVIDIA" if gpu else "none: driving needs none, training takes hours instead of minutes",
        "train on a machine with an NVIDIA GPU",
        needed=False,
    )
    yield _program(
        "browser", _BROWSERS, "no Chromium: its test is skipped", "sudo apt-get install chromium chromium-driver"
    )
    yield _program("docker", ("docker",), "not installed: needed only for the image", "see Docker's documentation")


def _environment(layout: Layout, ros: RosInstallation | None, environ: Mapping[str, str]) -> Iterator[Finding]:
    setup = Setup(layout, ros, environ)
    for group in GROUPS:
        missing = setup.missing([group])
        cure = (
            "./simlingo setup" + ("" if group == "drive" else f" {group}") + " (every command does it when it needs it)"
        )
        detail = f"{layout.env} is complete" if not missing else f"{layout.env}: to do: {', '.join(missing)}"
        yield Finding(f"set up: {group}", not missing, detail, cure, needed=False)
    if not setup.missing(["drive"]):
        yield _imports(layout, child_environment(layout, ros, environ))


def _imports(layout: Layout, env: Mapping[str, str]) -> Finding:
    """The things that a broken installation breaks first, in a process as the commands have it."""
    modules = "rclpy, simlingo_msgs.msg, carla_msgs.msg, tf2_msgs.msg, carla, numba, onnxruntime"
    result = subprocess.run([str(layout.python), "-c", f"import {modules}"], env=env, capture_output=True, text=True)
    last = (result.stderr.strip().splitlines() or ["failed without a word"])[-1]
    cure = f"rm -r {layout.env} && ./simlingo setup"
    return Finding("imports", result.returncode == 0, modules if result.returncode == 0 else last, cure)


def _model(layout: Layout) -> Finding:
    folders = sorted((layout.root / "ros2_ws/src/simlingo").glob("**/simlingo-mini"))
    missing = [pattern for pattern in _MODEL_FILES if not any(list(folder.glob(pattern)) for folder in folders)]
    size = sum(file.stat().st_size for folder in folders for file in folder.iterdir() if file.is_file()) / 2**20
    detail = f"simlingo-mini, {size:.0f} MiB" if not missing else f"simlingo-mini lacks {', '.join(missing)}"
    return Finding("weights", not missing, detail, "git checkout -- ros2_ws/src/simlingo/simlingo/weights")


def _port(port: int) -> Finding:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            detail = f"{port} on localhost: {error.strerror}"
            return Finding("page port", False, detail, "./simlingo drive takes another port by itself", needed=False)
    return Finding("page port", True, f"{port} on localhost is free")


def _program(name: str, programs: tuple[str, ...], absent: str, cure: str) -> Finding:
    found = next((path for program in programs if (path := shutil.which(program))), None)
    return Finding(name, found is not None, found or absent, cure, needed=False)
