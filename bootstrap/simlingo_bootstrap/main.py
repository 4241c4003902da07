"""From ``./simlingo <command>`` to the running command."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import NoReturn

from simlingo_bootstrap import doctor
from simlingo_bootstrap.checks import check_python
from simlingo_bootstrap.environment import child_environment
from simlingo_bootstrap.errors import SetupError
from simlingo_bootstrap.layout import SOURCE_TREES, Layout, find_layout
from simlingo_bootstrap.ros import check_python_of_ros, find_ros
from simlingo_bootstrap.setup import GROUPS, Setup

#: What each command needs beyond driving. A command that is not here needs no environment.
COMMAND_GROUPS: dict[str, tuple[str, ...]] = {
    "drive": (),
    "say": (),
    "ask": (),
    "collect": ("data",),
    "bench": (),
    "train": ("train",),
    "recipe": ("train",),
    "checkpoint": ("train",),
    "test": ("dev", "train"),
}
#: The same for commands of two words that need more than their first word says.
SUBCOMMAND_GROUPS: dict[tuple[str, str], tuple[str, ...]] = {
    ("bench", "model"): ("train",),  # the network in torch, and the published way beside the exported graphs
    ("bench", "runtimes"): ("train",),
    ("bench", "language"): ("data", "words"),
    ("bench", "dataset"): ("data",),
}
#: And for options that need more than their command.
OPTION_GROUPS: dict[tuple[str, str], tuple[str, ...]] = {
    ("bench", "--plots"): ("plots",),
}
_INTERRUPTED = 130


def main(argv: Sequence[str]) -> int:
    """Set up what the command needs and replace this process by it; returns an exit status only where it did not."""
    layout = find_layout(os.environ)
    if not check_python().ok:
        return _search_python(layout, argv)
    command = argv[0] if argv else ""
    try:
        if command == "doctor" and len(argv) == 1:
            return doctor.run(layout, os.environ)
        if command == "setup" and not _asks_help(argv):
            return _set_up(layout, argv[1:])
        if command not in COMMAND_GROUPS:
            return _light(layout, argv).returncode
        return _run_command(layout, argv)
    except SetupError as error:
        print(f"simlingo: {error}\n  All checks: ./simlingo doctor", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nsimlingo: interrupted. The same command goes on from here.", file=sys.stderr)
        return _INTERRUPTED


def groups_of(argv: Sequence[str]) -> tuple[str, ...]:
    """The groups that the command at the front of ``argv`` needs beyond driving."""
    named = (groups for words, groups in SUBCOMMAND_GROUPS.items() if tuple(argv[:2]) == words)
    options = {argument.split("=")[0] for argument in argv}
    extra = [
        group
        for (word, option), groups in OPTION_GROUPS.items()
        if word == argv[0] and option in options
        for group in groups
    ]
    return (*next(named, COMMAND_GROUPS[argv[0]]), *extra)


def _run_command(layout: Layout, argv: Sequence[str]) -> int:
    ros = find_ros(os.environ)
    if ros is not None:
        check_python_of_ros(ros, sys.version_info[:2])
    setup = Setup(layout, ros, os.environ)
    groups = groups_of(argv)
    # Help is for deciding whether to install: it does without the environment where it can.
    if _asks_help(argv) and setup.missing(groups):
        result = _light(layout, argv, quiet=True)
        if result.returncode == 0:
            print(result.stdout, end="")
            return 0
    setup.ensure(groups)
    command_line = [str(layout.python), "-m", "simlingo_cli", *argv]
    return _become(command_line, child_environment(layout, ros, os.environ))


def _set_up(layout: Layout, groups: Sequence[str]) -> int:
    unknown = [group for group in groups if group not in GROUPS]
    if unknown:
        raise SetupError(f"{', '.join(unknown)}: no such group of requirements.", f"one of: {', '.join(GROUPS)}")
    Setup(layout, find_ros(os.environ), os.environ).ensure(groups)
    print(f"simlingo: the environment {layout.env} is complete.", file=sys.stderr)
    return 0


def _light(layout: Layout, argv: Sequence[str], *, quiet: bool = False) -> subprocess.CompletedProcess[str]:
    """The command line without the environment: help, version and unknown commands. ``quiet`` keeps what it prints."""
    path = ":".join(str(layout.root / tree) for tree in SOURCE_TREES)
    command = [sys.executable, "-S", "-s", "-m", "simlingo_cli", *argv]
    return subprocess.run(command, env={**os.environ, "PYTHONPATH": path}, capture_output=quiet, text=True)


def _search_python(layout: Layout, argv: Sequence[str]) -> int:
    """The environment's Python has become another version: let the script look for a suitable one."""
    if os.environ.get("SIMLINGO_FIND_PYTHON"):
        print("simlingo: Python 3.11 or 3.12 is needed.", file=sys.stderr)
        return 2
    script = str(layout.root / "simlingo")
    return _become(["/bin/sh", script, *argv], {**os.environ, "SIMLINGO_FIND_PYTHON": "1"})


def _become(command: list[str], env: Mapping[str, str]) -> NoReturn:
    """Replace this process, so that signals and the exit status are the command's own."""
    sys.stdout.flush()
    os.execve(command[0], command, env)


def _asks_help(argv: Sequence[str]) -> bool:
    return any(word in ("-h", "--help") for word in argv)
