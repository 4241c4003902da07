"""Which ROS 2 is used: the one that is sourced, or the wheels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from simlingo_bootstrap.errors import SetupError

#: What a shell without the sourced ROS lacks; the cure of a ROS that does not fit.
UNSOURCED = (
    "env -u ROS_DISTRO -u AMENT_PREFIX_PATH -u CMAKE_PREFIX_PATH -u PYTHONPATH -u LD_LIBRARY_PATH ./simlingo ..."
)


@dataclass(frozen=True)
class RosInstallation:
    """A ROS 2 whose setup file was sourced in this shell."""

    distro: str
    prefixes: tuple[Path, ...]  # AMENT_PREFIX_PATH
    python: tuple[int, int]  # the Python its rclpy is built for

    def has_package(self, name: str) -> bool:
        """Whether a package of that name is installed in one of the prefixes."""
        return any((prefix / "share" / name / "package.xml").is_file() for prefix in self.prefixes)


def find_ros(environ: Mapping[str, str]) -> RosInstallation | None:
    """The sourced ROS, or None where ROS_DISTRO is not set.

    Raises:
        SetupError: ROS_DISTRO is set and no rclpy can be found behind it.
    """
    distro = environ.get("ROS_DISTRO", "")
    if not distro:
        return None
    prefixes = tuple(Path(part) for part in environ.get("AMENT_PREFIX_PATH", "").split(":") if part)
    for prefix in prefixes:
        for pattern in ("lib/python3.*/*-packages/rclpy", "local/lib/python3.*/*-packages/rclpy"):
            for rclpy in sorted(prefix.glob(pattern)):
                minor = int(rclpy.parent.parent.name.removeprefix("python3."))
                return RosInstallation(distro, prefixes, (3, minor))
    raise SetupError(
        f"ROS_DISTRO is {distro}, but no rclpy is installed in AMENT_PREFIX_PATH ({environ.get('AMENT_PREFIX_PATH', '')!r}).",
        f"source /opt/ros/{distro}/setup.sh again, or start without it: {UNSOURCED}",
    )


def check_python_of_ros(ros: RosInstallation, python: tuple[int, int]) -> None:
    """Refuse a ROS of another Python than the running one.

    Raises:
        SetupError: the versions differ.
    """
    if ros.python == python:
        return
    version = f"{ros.python[0]}.{ros.python[1]}"
    if not (3, 11) <= ros.python <= (3, 12):
        raise SetupError(
            f"ROS 2 {ros.distro} is sourced; its Python is {version}, and simlingo needs 3.11 or 3.12.",
            f"start without it, simlingo brings its own ROS 2: {UNSOURCED}",
        )
    raise SetupError(
        f"ROS 2 {ros.distro} is sourced; its Python is {version}, this one is {python[0]}.{python[1]}.",
        f"SIMLINGO_PYTHON=/usr/bin/python{version} ./simlingo ..., or start without that ROS: {UNSOURCED}",
    )
