"""Files that come with the package: configuration, layouts."""

from __future__ import annotations

from pathlib import Path

from ament_index_python.packages import PackageNotFoundError, get_package_share_directory

from simlingo.contracts import SimlingoError

_IN_TREE = Path(__file__).resolve().parents[1] / "config"


def config_file(name: str) -> Path:
    """Path of ``config/<name>``, in the source tree or in the installed share folder.

    Raises:
        SimlingoError: it is in neither.
    """
    if (_IN_TREE / name).is_file():
        return _IN_TREE / name
    try:
        installed = Path(get_package_share_directory("simlingo_node")) / "config" / name
    except (PackageNotFoundError, OSError):
        installed = None
    if installed is None or not installed.is_file():
        raise SimlingoError(f"the file config/{name} of simlingo_node is missing; build or install the package again")
    return installed
