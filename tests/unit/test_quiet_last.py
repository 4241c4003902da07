"""The parallel run: files side by side, then what needs a quiet machine, one after the other in one process."""

from __future__ import annotations

import itertools
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]
#: A test that writes when it ran, and in which process.
TIMED = """
import os, time
from pathlib import Path
import pytest

@pytest.mark.parametrize("number", range(4))
def test_it(number):
    began = time.monotonic()
    time.sleep({seconds})
    with open(os.environ["TIMES"], "a") as out:
        out.write(f"{name} {{os.getpid()}} {{began}} {{time.monotonic()}}\\n")
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    sizes = {"unit/test_a": 0.05, "unit/test_b": 0.05, "unit/test_c": 0.05, "ros/test_d": 0.15, "ros/test_e": 0.15}
    for name, seconds in sizes.items():
        file = tmp_path / "tests" / f"{name}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(TIMED.format(name=name, seconds=seconds))
    (tmp_path / "pytest.ini").write_text("[pytest]\ntimeout = 300\n")
    for name in ("conftest.py", "quiet_last.py"):
        shutil.copy(TESTS / name, tmp_path / "tests" / name)
    return tmp_path


def run(project: Path, *words: str) -> tuple[str, list[tuple[str, str, float, float]]]:
    """The last line, and (file, process, began, ended) of each test in the order of their ends."""
    times = project / "times.txt"
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")} | {"TIMES": str(times)}
    command = [sys.executable, "-m", "pytest", "-n", "2", "--dist", "loadfile", "--no-loadscope-reorder", *words]
    done = subprocess.run(command, cwd=project, env=env, capture_output=True, text=True, timeout=120)
    rows = [line.split() for line in times.read_text().splitlines()]
    return done.stdout.splitlines()[-1], [(name, pid, float(began), float(ended)) for name, pid, began, ended in rows]


@pytest.mark.medium
def test_quiet_tests_run_alone_at_the_end(project: Path) -> None:
    last, rows = run(project)
    assert re.search(r"\b20 passed in ", last)
    quiet = [row for row in rows if row[0].startswith("ros/")]
    others = [row for row in rows if not row[0].startswith("ros/")]
    assert len({pid for _, pid, _, _ in others}) == 2
    assert len({pid for _, pid, _, _ in quiet}) == 1
    # Two tests of the other process may still run when the first quiet one begins.
    overlapping = [row for row in others if row[3] > quiet[0][2]]
    assert len(overlapping) <= 2
    for earlier, later in itertools.pairwise(quiet):
        assert earlier[3] <= later[2]


@pytest.mark.medium
def test_quiet_tests_only_are_one_after_the_other_too(project: Path) -> None:
    last, rows = run(project, "tests/ros")
    assert re.search(r"\b8 passed in ", last)
    assert len({pid for _, pid, _, _ in rows}) == 1


#: Waits where no signal handler of Python runs, as for a lock in a middleware's library.
STUCK = """
import ctypes

def test_before(): ...

def test_that_waits_for_ever():
    mutex = ctypes.create_string_buffer(64)
    for _ in range(2):
        ctypes.CDLL(None).pthread_mutex_lock(mutex)

def test_after(): ...
"""


@pytest.mark.medium
def test_a_test_that_no_signal_ends_is_named_and_the_rest_goes_on(project: Path) -> None:
    (project / "tests/ros/test_cc.py").write_text(STUCK)
    (project / "pytest.ini").write_text("[pytest]\ntimeout = 2\n")
    conftest = project / "tests/conftest.py"
    conftest.write_text(conftest.read_text().replace("GRACE_S = 60.0", "GRACE_S = 1.0"))
    last, rows = run(project)
    assert re.search(r"\b1 failed, 22 passed in ", last), last
    assert len(rows) == 20
