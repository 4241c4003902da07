"""The house stands: imports run only downwards, and who drives sees no simulator."""

from __future__ import annotations

import ast
import functools
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = {
    "simlingo": ROOT / "ros2_ws/src/simlingo/simlingo",
    "simlingo_sim": ROOT / "ros2_ws/src/simlingo_sim/simlingo_sim",
    "simlingo_drive": ROOT / "ros2_ws/src/simlingo_drive/simlingo_drive",
    "simlingo_node": ROOT / "ros2_ws/src/simlingo_node/simlingo_node",
    "training": ROOT / "training",
    "simlingo_cli": ROOT / "cli/simlingo_cli",
    "simlingo_bootstrap": ROOT / "bootstrap/simlingo_bootstrap",
}
#: Which of our packages each package may import beside itself.
BELOW = {
    "simlingo": set(),
    "simlingo_sim": set(),
    "simlingo_drive": {"simlingo", "simlingo_sim"},
    "simlingo_node": {"simlingo", "simlingo_sim", "simlingo_drive", "simlingo_msgs"},
    "training": {"simlingo", "simlingo_sim", "simlingo_drive"},
    "simlingo_cli": {"simlingo_node", "training", "simlingo_drive", "simlingo_sim"},
    "simlingo_bootstrap": set(),
}
OURS = {*PACKAGES, "simlingo_msgs"}
ROS = {
    "rclpy",
    "ament_index_python",
    "std_msgs",
    "sensor_msgs",
    "nav_msgs",
    "geometry_msgs",
    "carla_msgs",
    "launch",
    "tf2_ros",
}


@functools.cache
def tree_of(file: Path) -> ast.Module:
    """A file's syntax tree, parsed once for all tests; do not change it."""
    return ast.parse(file.read_text())


@functools.cache
def imports_of(file: Path, *, in_functions: bool = True, for_type_checkers: bool = True) -> frozenset[str]:
    """Dotted names of all modules that a file imports, or of those that it imports in fewer places."""
    found: set[str] = set()
    for node in _statements(tree_of(file), in_functions, for_type_checkers):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found.add(node.module)
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return frozenset(found)


def _statements(node: ast.AST, in_functions: bool, for_type_checkers: bool) -> Iterator[ast.stmt]:
    for name in ("body", "orelse", "handlers", "finalbody", "cases"):
        for inner in getattr(node, name, ()):
            if not in_functions and isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            if not for_type_checkers and isinstance(inner, ast.If) and "TYPE_CHECKING" in ast.unparse(inner.test):
                continue
            yield inner
            yield from _statements(inner, in_functions, for_type_checkers)


def reachable(start: str, *, at_import_only: bool) -> set[str]:
    """Everything that importing a module of ours imports, through our own modules."""
    seen: set[str] = set()
    todo = [start]
    while todo:
        name = todo.pop()
        if name in seen:
            continue
        seen.add(name)
        file = file_of(name)
        if file is not None:
            todo.extend(imports_of(file, in_functions=not at_import_only, for_type_checkers=not at_import_only))
            # Importing a.b runs a's __init__ too.
            todo.extend(name.rsplit(".", cut)[0] for cut in range(1, name.count(".") + 1))
    return seen


def file_of(module: str) -> Path | None:
    """The file of one of our modules, None for others and for names inside a module."""
    top, *rest = module.split(".")
    if top not in PACKAGES:
        return None
    base = PACKAGES[top].joinpath(*rest)
    return next((file for file in (base.with_suffix(".py"), base / "__init__.py") if file.is_file()), None)


@pytest.mark.parametrize("package", sorted(PACKAGES))
def test_imports_run_only_downwards(package: str) -> None:
    files = list(PACKAGES[package].rglob("*.py"))
    assert files
    for file in files:
        upwards = {name.split(".")[0] for name in imports_of(file)} & OURS - BELOW[package] - {package}
        assert not upwards, f"{file.relative_to(ROOT)} imports {sorted(upwards)}"


@pytest.mark.parametrize("package", ["simlingo", "simlingo_sim", "simlingo_drive", "training"])
def test_no_ros_below_the_nodes(package: str) -> None:
    for file in PACKAGES[package].rglob("*.py"):
        ros = {name.split(".")[0] for name in imports_of(file)} & ROS
        assert not ros, f"{file.relative_to(ROOT)} imports {sorted(ros)}"


@pytest.mark.parametrize("node", ["planner", "controller", "route"])
def test_what_drives_knows_no_simulator(node: str) -> None:
    modules = reachable(f"simlingo_node.{node}", at_import_only=False)
    assert "simlingo_node.node_base" in modules
    assert not [name for name in modules if name.split(".")[0] in ("simlingo_sim", "simlingo_drive")]


@pytest.mark.parametrize("module", ["simlingo_node.planner", "simlingo_node.controller", "simlingo.model.driver"])
def test_driving_loads_no_torch(module: str) -> None:
    modules = {name.split(".")[0] for name in reachable(module, at_import_only=True)}
    assert "simlingo" in modules
    assert not modules & {"torch", "transformers", "peft"}


@pytest.mark.parametrize("package", ["simlingo_bootstrap", "simlingo_cli"])
def test_what_runs_before_the_environment_needs_the_standard_library_only(package: str) -> None:
    for file in PACKAGES[package].rglob("*.py"):
        tops = {name.split(".")[0] for name in imports_of(file, in_functions=False, for_type_checkers=False)}
        foreign = tops - set(sys.stdlib_module_names) - {package}
        assert not foreign, f"{file.relative_to(ROOT)} imports {sorted(foreign)}"


def test_frames_are_flipped_in_one_file_only() -> None:
    """Core code speaks CARLA's frames: the messages' types appear in simlingo_node alone."""
    for package in ("simlingo", "simlingo_sim", "simlingo_drive"):
        for file in PACKAGES[package].rglob("*.py"):
            assert "geometry_msgs" not in file.read_text(), file


def test_the_checks_see_imports_inside_functions_and_classes(tmp_path: Path) -> None:
    file = tmp_path / "module.py"
    file.write_text("def f():\n    import simlingo_sim.client\nclass A:\n    from torch import nn\n")
    assert imports_of(file) == {"simlingo_sim.client", "torch", "torch.nn"}
    assert imports_of(file, in_functions=False) == {"torch", "torch.nn"}


def test_the_checks_see_imports_in_every_block_of_a_statement(tmp_path: Path) -> None:
    file = tmp_path / "module.py"
    file.write_text(
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import a\nelse:\n    import b\n"
        "try:\n    import c\nexcept ImportError:\n    import d\nelse:\n    import e\nfinally:\n    import f\n"
        "for _ in ():\n    import g\nelse:\n    import h\n"
        "match 1:\n    case _:\n        with open('x'):\n            import i\n"
    )
    assert imports_of(file) == {"typing", "typing.TYPE_CHECKING", *"abcdefghi"}
    assert imports_of(file, for_type_checkers=False) == {"typing", "typing.TYPE_CHECKING", *"cdefghi"}


def modules_of(package: str) -> dict[str, Path]:
    """Every module of a package by its dotted name."""
    base = PACKAGES[package]
    found = {}
    for file in base.rglob("*.py"):
        parts = (package, *file.relative_to(base).with_suffix("").parts)
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = file
    return found


def circle_in(graph: dict[str, set[str]]) -> list[str]:
    """Names of one circle, empty where there is none."""
    state: dict[str, int] = {}
    path: list[str] = []

    def visit(name: str) -> list[str]:
        state[name] = 1
        path.append(name)
        for following in sorted(graph.get(name, ())):
            if state.get(following) == 1:
                return [*path[path.index(following) :], following]
            if following not in state and (found := visit(following)):
                return found
        state[name] = 2
        path.pop()
        return []

    for name in sorted(graph):
        if name not in state and (found := visit(name)):
            return found
    return []


@functools.cache
def import_graph(package: str) -> dict[str, set[str]]:
    """Module -> modules of the package that it imports, in functions too, but for what only type checkers read."""
    modules = modules_of(package)
    graph: dict[str, set[str]] = {}
    for name, file in modules.items():
        wanted = {found for found in imports_of(file, for_type_checkers=False) if found in modules}
        # ``from a.b import c`` names a.b and a.b.c: where c is a module, a.b is only its folder.
        folders = {found for found in wanted if any(other.startswith(found + ".") for other in wanted)}
        graph[name] = wanted - folders - {name}
    return graph


@pytest.mark.parametrize("package", sorted(PACKAGES))
def test_no_module_imports_itself_on_a_detour(package: str) -> None:
    assert circle_in(import_graph(package)) == []


@pytest.mark.parametrize("package", ["simlingo_drive", "training"])
def test_no_folder_imports_itself_on_a_detour(package: str) -> None:
    folders: dict[str, set[str]] = {}
    for name, wanted in import_graph(package).items():
        here = name.split(".")[1:2]
        folders.setdefault(*here or [""], set()).update(
            {other.split(".")[1] for other in wanted if "." in other} - set(here)
        )
    assert circle_in(folders) == []


def test_circles_are_seen() -> None:
    assert circle_in({"a": {"b"}, "b": {"c"}, "c": set()}) == []
    assert circle_in({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c", "b"]


@pytest.mark.parametrize("name", ["TICK_S", "TURN_ANGLE"])
def test_the_tick_and_the_turn_are_defined_once(name: str) -> None:
    found = [
        file.relative_to(ROOT)
        for base in PACKAGES.values()
        for file in base.rglob("*.py")
        for node in tree_of(file).body
        if isinstance(node, ast.Assign) and any(isinstance(to, ast.Name) and to.id == name for to in node.targets)
    ]
    assert len(found) == 1, found


def test_one_loop_ticks_the_world() -> None:
    """Whoever drives hangs a hook on ``simlingo_drive.rollout``."""
    found = []
    for base in PACKAGES.values():
        for file in base.rglob("*.py"):
            if ".tick()" not in file.read_text():
                continue
            loops = [node for node in ast.walk(tree_of(file)) if isinstance(node, ast.For | ast.While)]
            if any(call in ast.unparse(loop) for loop in loops for call in ("world.tick()", "session.tick()")):
                found.append(file.relative_to(ROOT).as_posix())
    assert found == ["ros2_ws/src/simlingo_drive/simlingo_drive/rollout.py"]
