"""The launch files say the right things to ``launch``; a stand-in takes them down where none is installed."""

from __future__ import annotations

import runpy
import sys
import types
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).parents[2]
INSTALLED = REPOSITORY / "ros2_ws/src/simlingo_node/launch/drive.launch.py"


class Said:
    """Any class of launch: remembers what it was made with."""

    def __init__(self, *positional: Any, **named: Any) -> None:
        self.positional, self.named = positional, named


class LaunchConfiguration(Said):
    """Performs to the value in the context, which is a dictionary here."""

    def perform(self, context: dict[str, str]) -> str:
        """The argument's value."""
        return context[self.positional[0]]


@pytest.fixture
def launch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand-ins for the modules of launch and launch_ros."""
    kinds = {
        "launch": ("LaunchContext", "LaunchDescription"),
        "launch.actions": (
            "DeclareLaunchArgument",
            "IncludeLaunchDescription",
            "LogInfo",
            "OpaqueFunction",
            "Shutdown",
        ),
        "launch.launch_description_sources": ("PythonLaunchDescriptionSource",),
        "launch.substitutions": ("PathJoinSubstitution",),
        "launch_ros": (),
        "launch_ros.actions": ("Node",),
        "launch_ros.substitutions": ("FindPackageShare",),
    }
    for module, names in kinds.items():
        stand_in = types.ModuleType(module)
        for name in names:
            setattr(stand_in, name, type(name, (Said,), {}))
        monkeypatch.setitem(sys.modules, module, stand_in)
    sys.modules["launch.substitutions"].LaunchConfiguration = LaunchConfiguration  # type: ignore[attr-defined]


def actions_of(path: Path) -> list[Any]:
    return list(runpy.run_path(str(path))["generate_launch_description"]().positional[0])


@pytest.mark.usefixtures("launch")
def test_the_installed_file_starts_the_stack_with_the_given_arguments() -> None:
    *arguments, start = actions_of(INSTALLED)
    assert all(argument.named["description"] for argument in arguments)
    values = {argument.positional[0]: argument.named["default_value"] for argument in arguments}
    nodes = start.named["function"](values | {"town": "ringtown", "page_port": "-1", "simulator": "carla"})
    by_name = {node.named["name"]: node.named for node in nodes}
    assert list(by_name) == ["carla_bridge", "route", "planner", "controller", "lifecycle_manager"]
    assert {named["package"] for named in by_name.values()} == {"simlingo_node"}
    bridge = by_name["carla_bridge"]["parameters"][0]
    assert (bridge["town"], bridge["simulator"]) == ("ringtown", "carla")
    assert all(named["on_exit"] for named in by_name.values())


@pytest.mark.usefixtures("launch")
def test_the_thin_files_include_it() -> None:
    (include,) = actions_of(REPOSITORY / "launch/drive.launch.py")
    path = include.positional[0].positional[0].positional[0]
    assert path[1:] == ["launch", "drive.launch.py"]
    *arguments, server = actions_of(REPOSITORY / "launch/carla.launch.py")
    given = dict(server.named["launch_arguments"])
    assert given["simulator"] == "carla"
    assert {argument.positional[0] for argument in arguments} == set(given) - {"simulator"}
