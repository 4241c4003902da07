"""Where things are: the repository, the environment and what belongs to the set-up in it."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

#: Folders of the repository that are put on the environment's module path, relative to the root.
SOURCE_TREES = (
    ".",
    "cli",
    "ros2_ws/src/simlingo",
    "ros2_ws/src/simlingo_sim",
    "ros2_ws/src/simlingo_drive",
    "ros2_ws/src/simlingo_node",
)
#: Interface packages every machine builds, and those only a machine builds whose ROS has none, relative to ros2_ws.
OWN_INTERFACES = ("src/simlingo_msgs",)
UNDERLAY_INTERFACES = ("underlay/carla_msgs", "underlay/tf2_msgs")


@dataclass(frozen=True)
class Layout:
    """Paths of one checkout and one environment."""

    root: Path  # the repository
    env: Path  # the virtual environment, which is also the ROS prefix of the interface packages

    @property
    def python(self) -> Path:
        """The environment's interpreter."""
        return self.env / "bin" / "python"

    @property
    def own(self) -> Path:
        """The set-up's own folder in the environment: state, lock, logs, build tree."""
        return self.env / ".simlingo"

    @property
    def site_packages(self) -> Path:
        """Where the environment's packages are."""
        return self.env / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"

    @property
    def requirements(self) -> Path:
        """The folder of requirement files."""
        return self.root / "requirements"

    @property
    def dds_profile(self) -> Path:
        """Fast DDS profile with shared-memory segments that hold a camera image."""
        return self.root / "ros2_ws/src/simlingo_node/config/fastdds_shm.xml"


def find_layout(environ: Mapping[str, str]) -> Layout:
    """The layout of the checkout this file lies in; SIMLINGO_ENV moves the environment."""
    root = Path(__file__).resolve().parents[2]
    distro = environ.get("ROS_DISTRO", "")
    chosen = environ.get("SIMLINGO_ENV", "")
    env = Path(os.path.abspath(chosen)) if chosen else root / (f".venv-{distro}" if distro else ".venv")
    return Layout(root=root, env=env)
