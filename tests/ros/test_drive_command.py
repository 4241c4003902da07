"""``./simlingo drive`` as a process: its result, its end on Ctrl-C, and on the death of a node."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest

HERE = Path(__file__).parent
START_S = 90.0
#: What a machine that does other work at the same time adds to an end within two seconds, s.
BUSY_S = 0.5 * max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


class Drive:
    """One ``./simlingo drive``."""

    started: ClassVar[list[Drive]] = []  # of the test that runs

    def __init__(self, runs: Path, *words: str) -> None:
        self.runs = runs
        self.output = runs.parent / f"{runs.name}.txt"
        runs.parent.mkdir(exist_ok=True)
        command = [sys.executable, str(HERE / "geometric_drive.py"), "--runs", str(runs), "--traffic", "none", *words]
        with self.output.open("w") as output:
            self.process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, start_new_session=True)
        self.started.append(self)

    def until(self, condition: Callable[[], Any], seconds: float, what: str) -> Any:
        """Wait; fails naming ``what``."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            value = condition()
            if value:
                return value
            time.sleep(0.02)
        raise AssertionError(f"waited {seconds:g} s in vain for {what}; the drive said:\n{self.output.read_text()}")

    def driving(self) -> None:
        """Wait until the car is on its way."""
        self.until(lambda: "km/h" in self.output.read_text(), START_S, "the first progress line")

    def nodes(self) -> dict[str, int]:
        """Process id of every node."""
        found = {}
        for pid in children(self.process.pid):
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            name = next((word for word in words if word.startswith(b"__node:=")), b"")
            found[name.removeprefix(b"__node:=").decode()] = pid
        return found

    def ends(self, after: Callable[[], None]) -> int:
        """Exit status; all nodes are gone two seconds after the call of ``after`` (and what a busy machine adds)."""
        nodes = self.nodes()
        after()
        self.until(lambda: not any(is_alive(pid) for pid in nodes.values()), 2.0 + BUSY_S, "the end of the nodes")
        self.until(lambda: self.process.poll() is not None, 5.0 + BUSY_S, "the end of the command")
        return int(self.process.returncode)

    def result(self) -> dict[str, Any]:
        """What result.json says."""
        (path,) = self.runs.glob("*/result.json")
        return dict(json.loads(path.read_text()))


def is_alive(pid: int) -> bool:
    """False for processes that have ended, also where nobody has asked for their status yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def children(pid: int) -> list[int]:
    """Process ids of the direct children of ``pid``."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@pytest.fixture
def runs(tmp_path: Path) -> Iterator[Path]:
    """A folder for drives; those that a failed test leaves behind end with it."""
    yield tmp_path / "runs"
    while Drive.started:
        process = Drive.started.pop().process
        if process.poll() is None:
            process.terminate()
            process.wait(10.0)


def test_a_drive_leaves_a_whole_result(runs: Path) -> None:
    drive = Drive(runs, "--lockstep", "--headless", "--no-record", "--seconds", "2", "--instruction", "0.5:sing a song")
    drive.until(lambda: drive.process.poll() is not None, START_S, "the end")
    assert drive.process.returncode == 0, drive.output.read_text()
    result = drive.result()
    assert (result["status"], result["mode"], result["town"]) == ("stopped", "lockstep", "gridtown")
    assert result["simulated_s"] == pytest.approx(2.0, abs=0.11)
    assert result["score"]["driven_m"] > 1.0
    assert result["plans"] == pytest.approx(40, abs=2)
    assert 0.0 < result["planner_ms"]["p50"] <= result["planner_ms"]["p99"]
    assert result["camera_to_control_ms"]["p50"] > result["planner_ms"]["p50"] * 0.5
    assert [(each["text"], each["status"]) for each in result["instructions"]] == [("sing a song", "not understood")]
    assert "driving score" in drive.output.read_text()
    assert list(runs.glob("*/*.tmp")) == []


def test_ctrl_c_ends_all_within_two_seconds_and_keeps_a_result(runs: Path) -> None:
    drive = Drive(runs, "--headless")
    drive.driving()
    assert drive.ends(lambda: os.kill(drive.process.pid, signal.SIGINT)) == 130
    assert drive.result()["status"] == "interrupted"
    assert list(runs.glob("*/drive.mcap"))
    assert list(runs.glob("*/*.tmp")) == []


def test_ctrl_c_while_starting_ends_all(runs: Path) -> None:
    drive = Drive(runs, "--headless", "--no-record")
    drive.until(lambda: len(drive.nodes()) == 5, START_S, "five nodes")
    assert drive.ends(lambda: os.kill(drive.process.pid, signal.SIGINT)) == 130
    assert drive.result()["status"] == "interrupted"


def test_who_must_outlive_the_others_shares_no_memory_with_them(runs: Path) -> None:
    """Fast DDS may wait for ever for the lock of a process that was killed, so neither the brake nor the end may need one."""
    drive = Drive(runs, "--headless")
    drive.driving()
    processes = {**drive.nodes(), "drive": drive.process.pid}
    sharing = {name for name, pid in processes.items() if "/dev/shm/fastrtps_" in Path(f"/proc/{pid}/maps").read_text()}
    assert sharing == {"carla_bridge", "planner", "recorder"}
    assert {"controller", "route", "lifecycle_manager"} < processes.keys()
    assert drive.ends(lambda: os.kill(drive.process.pid, signal.SIGHUP)) == 130  # the terminal was closed
    assert drive.result()["status"] == "interrupted"


@pytest.mark.parametrize("victim", ["carla_bridge", "lifecycle_manager", "planner"])
def test_the_death_of_a_node_ends_all_and_is_named(runs: Path, victim: str) -> None:
    drive = Drive(runs, "--headless", "--no-record")
    drive.driving()
    assert drive.ends(lambda: os.kill(drive.nodes()[victim], signal.SIGKILL)) == 1
    words = f"node '{victim}' was killed by signal 9 (SIGKILL)"
    assert words in drive.output.read_text()
    assert words in drive.result()["reason"]


def test_a_taken_port_is_said_before_anything_starts(runs: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        drive = Drive(runs, "--port", str(taken.getsockname()[1]))
        drive.until(lambda: drive.process.poll() is not None, START_S, "the end")
    assert drive.process.returncode == 1
    assert "is taken by another program; choose another with --port" in drive.output.read_text()
    assert not runs.exists()


def test_two_stacks_on_one_machine_do_not_meet(runs: Path) -> None:
    words = ("--lockstep", "--no-record", "--seconds", "1")
    drives = [Drive(runs / str(number), *words, "--seed", str(number)) for number in range(2)]
    for drive in drives:
        drive.until(lambda drive=drive: drive.process.poll() is not None, 2 * START_S, "the end")
        assert drive.process.returncode == 0, drive.output.read_text()
    results = [drive.result() for drive in drives]
    assert [result["seed"] for result in results] == [0, 1]
    assert all(result["plans"] == pytest.approx(20, abs=2) for result in results)
    domains = {drive.output.read_text().split("ROS_DOMAIN_ID=")[1].split(";")[0] for drive in drives}
    assert len(domains) == 2
