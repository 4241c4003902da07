"""Run the linter, the formatter, the type checker and the tests; pytest's summary is the last thing printed.

Without further arguments the tests run in two processes, and those that start ROS 2 stacks or interrupt programs one
after the other at the end. Arguments that are not listed here go to pytest, for example a folder, -k, -x or -n 2.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
#: Packages that mypy checks strictly.
STRICT = (
    "ros2_ws/src/simlingo/simlingo",
    "ros2_ws/src/simlingo_sim/simlingo_sim",
    "ros2_ws/src/simlingo_drive/simlingo_drive",
    "ros2_ws/src/simlingo_node/simlingo_node",
    "cli/simlingo_cli",
    "bootstrap/simlingo_bootstrap",
    "training",
)
SECTIONS = ("lint", "format", "types", "tests")
#: What --fast leaves out: mypy, tests that take more than a second, and the folders beside tests/unit.
FAST_SECTIONS = ("lint", "format", "tests")
FAST_MARKS = "not slow and not medium"
FAST_TESTS = "tests/unit"
#: What takes longest is named: of the quick part all that should be marked medium.
_SLOWEST = ("--durations=10", "--durations-min=2")
_SLOWEST_OF_ALL = ("--durations=40", "--durations-min=5")
_OPTIONS = ("--slow", "--fast", "-h", "--help")
#: Two processes that share out files; tests/quiet_last.py keeps what needs a quiet machine to the end.
_PARALLEL = ("-n", "2", "--dist", "loadfile", "--no-loadscope-reorder")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``./simlingo test``."""
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--slow", action="store_true", help="also the tests that take minutes")
    which.add_argument("--fast", action="store_true", help="linter and quick tests: two minutes at most")
    parser.add_argument("--only", choices=SECTIONS, help="one section instead of all")
    parser.add_argument(
        "--mutants",
        nargs="...",
        metavar="...",
        help="plant faults and list those that no test notices; see --mutants --help",
    )
    parser.add_argument("pytest_args", nargs="*", metavar="...", help="all that follows goes to pytest")


def split_arguments(argv: Sequence[str]) -> tuple[list[str], list[str]]:
    """Our own options, which stand first, and what goes to pytest as it is; all behind --mutants is our own."""
    count = 0
    while count < len(argv) and (argv[count] in (*_OPTIONS, "--only") or argv[count].startswith("--only=")):
        count += 2 if argv[count] == "--only" else 1
    if count < len(argv) and argv[count] == "--mutants":
        return list(argv), []
    return list(argv[:count]), list(argv[count:])


def run(args: argparse.Namespace) -> int:
    """Run the sections in order, all of them whatever fails; 0 where all passed."""
    if args.mutants is not None:
        from simlingo_cli.mutants import command

        return command.main(args.mutants)
    failed: list[str] = []
    for name in FAST_SECTIONS if args.fast else SECTIONS:
        if args.only not in (None, name):
            continue
        if name == "tests" and failed:
            print(f"\n=== failed before the tests: {', '.join(failed)}", flush=True)
        command_line = command_of(name, slow=args.slow, fast=args.fast, pytest_args=args.pytest_args)
        if _run_section(name, command_line) != 0:
            failed.append(name)
    return 1 if failed else 0


def command_of(section: str, *, slow: bool = False, fast: bool = False, pytest_args: Sequence[str] = ()) -> list[str]:
    """The command line of a section."""
    if section == "lint":
        return [sys.executable, "-m", "ruff", "check", "."]
    if section == "format":
        return [sys.executable, "-m", "ruff", "format", "--check", "."]
    if section == "types":
        return [sys.executable, "-m", "mypy", *STRICT]
    marks = [] if slow else ["-m", FAST_MARKS if fast else "not slow"]
    parallel = _PARALLEL if not pytest_args and (os.cpu_count() or 1) > 1 else ()
    where: list[str] = []
    if not pytest_args:
        where = [*_SLOWEST, FAST_TESTS] if fast else [*_SLOWEST_OF_ALL]
    return [sys.executable, "-m", "pytest", *marks, *parallel, *where, *pytest_args]


def _run_section(name: str, command: Sequence[str]) -> int:
    print(f"\n=== {name}: {' '.join(command[1:])}", flush=True)
    began = time.monotonic()
    status = subprocess.run(command, cwd=ROOT).returncode
    if name != "tests":
        word = "passed" if status == 0 else "FAILED"
        print(f"=== {name} {word} in {time.monotonic() - began:.1f} s", flush=True)
    return status
