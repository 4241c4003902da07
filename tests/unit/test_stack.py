"""The stack as plain data, its launch arguments, and the options of ./simlingo drive."""

from __future__ import annotations

import argparse
import ast
import importlib.util
import socket
from dataclasses import fields
from pathlib import Path

import pytest

from simlingo.contracts import InvalidInputError, SimlingoError
from simlingo_node import drive
from simlingo_node.launch_arguments import launch_default, options_from_launch
from simlingo_node.script import parse_script
from simlingo_node.stack import DESCRIPTIONS, StackOptions, bring_up_order, stack

REPOSITORY = Path(__file__).parents[2]


def arguments(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    drive.add_arguments(parser)
    return parser.parse_args(words)


def test_the_bridge_is_configured_first_and_activated_last() -> None:
    nodes = stack(StackOptions())
    manager = nodes[-1]
    assert manager.name == "lifecycle_manager"
    assert manager.parameters["configure_order"] == ["carla_bridge", "route", "planner", "controller"]
    assert (
        manager.parameters["activate_order"]
        == bring_up_order(nodes)
        == ["route", "planner", "controller", "carla_bridge"]
    )


def test_every_module_of_the_list_exists_and_is_an_installed_executable() -> None:
    setup = (REPOSITORY / "ros2_ws/src/simlingo_node/setup.py").read_text()
    for node in stack(StackOptions(record_dir="somewhere")):
        assert importlib.util.find_spec(node.module) is not None
        assert f"{node.executable} = {node.module}:main" in setup


def test_page_and_recorder_are_left_out_when_not_asked_for() -> None:
    names = [node.name for node in stack(StackOptions(page_port=None))]
    assert names == ["carla_bridge", "route", "planner", "controller", "lifecycle_manager"]


def test_all_but_the_bridge_run_on_its_clock() -> None:
    for node in stack(StackOptions(record_dir="somewhere")):
        if node.name not in ("carla_bridge", "lifecycle_manager"):
            assert node.parameters["use_sim_time"] is True


def test_every_option_is_a_described_launch_argument_with_its_default() -> None:
    assert set(DESCRIPTIONS) == {field.name for field in fields(StackOptions)}
    given = {field.name: launch_default(field.name) for field in fields(StackOptions)}
    assert options_from_launch(given) == StackOptions()


def test_launch_arguments_are_read_by_their_kind() -> None:
    given = {field.name: launch_default(field.name) for field in fields(StackOptions)}
    given |= {
        "lockstep": "True",
        "page_port": "-1",
        "seconds": "12.5",
        "instructions": "1:turn left; 2.5:follow the road",
    }
    options = options_from_launch(given)
    assert (options.lockstep, options.page_port, options.seconds) == (True, None, 12.5)
    assert options.instructions == ("1:turn left", "2.5:follow the road")
    with pytest.raises(InvalidInputError, match=r"lockstep:='maybe' must be true or false"):
        options_from_launch(given | {"lockstep": "maybe"})
    with pytest.raises(InvalidInputError, match="seed"):
        options_from_launch(given | {"seed": "x"})


def test_top_level_launch_files_only_include_installed_ones() -> None:
    files = sorted((REPOSITORY / "launch").glob("*.launch.py"))
    assert [path.name for path in files] == ["carla.launch.py", "drive.launch.py"]
    for path in files:
        tree = ast.parse(path.read_text())
        names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        assert "IncludeLaunchDescription" in names
        assert "Node" not in names


def test_scripts_are_sorted_and_mistakes_named() -> None:
    assert parse_script(["12:turn left", "3.5: go straight: now"]) == [(3.5, "go straight: now"), (12.0, "turn left")]
    for bad in ("turn left", "x:turn left", "-1:turn left", "nan:turn left"):
        with pytest.raises(InvalidInputError, match="seconds:text"):
            parse_script([bad])


def test_drive_options_reach_the_nodes() -> None:
    words = ("--instruction", "2:turn left", "--seconds", "9", "--route-as", "command")
    args = arguments("--town", "ringtown", "--lockstep", "--headless", *words)
    options = drive.options_from(args)
    nodes = {node.name: node for node in stack(options)}
    assert nodes["carla_bridge"].parameters["town"] == "ringtown"
    assert nodes["carla_bridge"].parameters["seconds"] == 9.0
    assert nodes["route"].parameters["instructions"] == ["2:turn left"]
    assert nodes["planner"].parameters["route_as"] == "command"
    assert nodes["controller"].parameters["lockstep"] is True
    assert "page" not in nodes
    drive.check_options(options)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--town", "gridtwon"), "gridtown"),
        (("--weather", "rain_non"), "rain_noon"),
        (("--traffic", "lite"), "light"),
        (("--instruction", "soon:turn left"), "seconds:text"),
    ],
)
def test_wrong_options_are_named_with_the_right_word(words: tuple[str, ...], said: str) -> None:
    with pytest.raises(SimlingoError, match=said):
        drive.check_options(drive.options_from(arguments(*words, "--headless")))


@pytest.mark.parametrize("words", [("--seed", "-1"), ("--threads", "65"), ("--seconds", "nan"), ("--domain", "233")])
def test_numbers_out_of_range_are_refused(words: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        arguments(*words)
    assert f"argument {words[0]}: must be " in capsys.readouterr().err


def test_a_taken_port_is_said_when_asked_for_and_passed_over_when_not() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(SimlingoError, match=f"port {port}.*--port"):
            drive.page_port(port)
    first = drive.page_port(None)
    second = drive.page_port(None)  # of another stack, before the first one's page listens
    assert first.number != second.number
    first.release()
    second.release()


def test_run_folders_never_collide(tmp_path: Path) -> None:
    first, second = drive.make_run_dir(tmp_path / "runs"), drive.make_run_dir(tmp_path / "runs")
    assert first != second
    assert first.is_dir()
    assert second.is_dir()
