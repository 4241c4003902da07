"""Run the linter, the formatter, the type checker and the tests; pytest's summary is the last thing printed.

Arguments that are not listed here go to pytest, for example a folder, -k, -x or -n 2.
"""

from __future__ import annotations

import argparse
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


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``./simlingo test``."""
    parser.add_argument("--slow", action="store_true", help="also the tests that take minutes")
    parser.add_argument("--only", choices=SECTIONS, help="one section instead of all")
    parser.add_argument("pytest_args", nargs="*", metavar="...", help="all that follows goes to pytest")


def split_arguments(argv: Sequence[str]) -> tuple[list[str], list[str]]:
    """Our own options, which stand first, and what goes to pytest as it is."""
    count = 0
    while count < len(argv) and (
        argv[count] in ("--slow", "--only", "-h", "--help") or argv[count].startswith("--only=")
    ):
        count += 2 if argv[count] == "--only" else 1
    return list(argv[:count]), list(argv[count:])


def run(args: argparse.Namespace) -> int:
    """Run the sections in order, all of them whatever fails; 0 where all passed."""
    failed: list[str] = []
    for name in SECTIONS:
        if args.only not in (None, name):
            continue
        if name == "tests" and failed:
            print(f"\n=== failed before the tests: {', '.join(failed)}", flush=True)
        if _run_section(name, command_of(name, slow=args.slow, pytest_args=args.pytest_args)) != 0:
            failed.append(name)
    return 1 if failed else 0


def command_of(section: str, *, slow: bool, pytest_args: Sequence[str]) -> list[str]:
    """The command line of a section."""
    if section == "lint":
        return [sys.executable, "-m", "ruff", "check", "."]
    if section == "format":
        return [sys.executable, "-m", "ruff", "format", "--check", "."]
    if section == "types":
        return [sys.executable, "-m", "mypy", *STRICT]
    marks = [] if slow else ["-m", "not slow"]
    return [sys.executable, "-m", "pytest", *marks, *pytest_args]


def _run_section(name: str, command: Sequence[str]) -> int:
    print(f"\n=== {name}: {' '.join(command[1:])}", flush=True)
    began = time.monotonic()
    status = subprocess.run(command, cwd=ROOT).returncode
    if name != "tests":
        word = "passed" if status == 0 else "FAILED"
        print(f"=== {name} {word} in {time.monotonic() - began:.1f} s", flush=True)
    return status
