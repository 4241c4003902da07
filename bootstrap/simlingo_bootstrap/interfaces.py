"""Builds the interface packages into the environment, which is their ROS prefix."""

from __future__ import annotations

import shutil
from pathlib import Path

from simlingo_bootstrap.layout import OWN_INTERFACES, UNDERLAY_INTERFACES, Layout
from simlingo_bootstrap.ros import RosInstallation


def interface_packages(layout: Layout, ros: RosInstallation | None) -> list[Path]:
    """Folders of the packages to build: ours, and of the underlay those that the sourced ROS lacks."""
    names = list(OWN_INTERFACES)
    names += [name for name in UNDERLAY_INTERFACES if ros is None or not ros.has_package(Path(name).name)]
    return [layout.root / "ros2_ws" / name for name in names]


def interface_files(packages: list[Path]) -> list[Path]:
    """All files that the build reads."""
    patterns = ("package.xml", "CMakeLists.txt", "msg/*.msg", "srv/*.srv")
    return [file for package in packages for pattern in patterns for file in package.glob(pattern)]


def build_command(layout: Layout, packages: list[Path], ros: RosInstallation | None) -> list[str]:
    """The colcon command; a plain one on a sourced ROS, with the bare machine's corrections else."""
    colcon = layout.env / "bin" / "colcon"
    own = layout.own
    command = [str(colcon) if colcon.is_file() else (shutil.which("colcon") or "colcon")]
    command += ["--log-base", str(own / "log/colcon"), "build", "--base-paths", *map(str, packages)]
    command += ["--build-base", str(own / "build"), "--install-base", str(layout.env), "--merge-install"]
    # Progress of the single compilations goes to the log, and from there to the terminal.
    command += ["--event-handlers", "console_direct+", "--cmake-args"]
    command += ["-DBUILD_TESTING=OFF", "-DCMAKE_BUILD_TYPE=Release", f"-DPython3_EXECUTABLE={layout.python}"]
    if ros is None:
        command += ["-G", "Ninja", "-DPython3_FIND_STRATEGY=LOCATION"]
        command += [f"-DCMAKE_PROJECT_INCLUDE={layout.root / 'bootstrap/cmake/bare_machine.cmake'}"]
    return command
