"""The environment variables of everything that runs in the virtual environment."""

from __future__ import annotations

from collections.abc import Mapping

from simlingo_bootstrap.layout import Layout
from simlingo_bootstrap.ros import RosInstallation

#: Variables of another Python or ROS that would be found before the environment's own libraries.
_FOREIGN = (
    "PYTHONPATH",
    "PYTHONHOME",
    "LD_LIBRARY_PATH",
    "_ROS_WHEELS_BOOTSTRAP_COMPLETE",
    "COLCON_PREFIX_PATH",
    "RMW_IMPLEMENTATION",
)
_PROFILES = "FASTRTPS_DEFAULT_PROFILES_FILE"


def child_environment(layout: Layout, ros: RosInstallation | None, environ: Mapping[str, str]) -> dict[str, str]:
    """Variables for a process in the environment.

    On a bare machine nothing of another ROS or Python is left. With a sourced ROS its variables stay and the
    environment's prefix comes first.
    """
    env = dict(environ)
    env.pop("SIMLINGO_FIND_PYTHON", None)
    if ros is None:
        for name in _FOREIGN:
            env.pop(name, None)
        env["AMENT_PREFIX_PATH"] = env["CMAKE_PREFIX_PATH"] = str(layout.env)
    else:
        for name, folder in (("AMENT_PREFIX_PATH", ""), ("CMAKE_PREFIX_PATH", ""), ("LD_LIBRARY_PATH", "lib")):
            _put_first(env, name, str(layout.env / folder))
    env["VIRTUAL_ENV"] = str(layout.env)
    _put_first(env, "PATH", str(layout.env / "bin"))
    _choose_profile(env, layout)
    return env


def _put_first(env: dict[str, str], name: str, value: str) -> None:
    parts = [part for part in env.get(name, "").split(":") if part and part != value]
    env[name] = ":".join([value, *parts])


def _choose_profile(env: dict[str, str], layout: Layout) -> None:
    """Our profile, unless the user chose one; never an empty name, which Fast DDS reports as an error."""
    if env.get(_PROFILES):
        return
    env.pop(_PROFILES, None)
    if layout.dds_profile.is_file():
        env[_PROFILES] = str(layout.dds_profile)
