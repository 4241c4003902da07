"""Processes for the tests of the watching nodes: a node under test, and a stand-in for the rest of the stack."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from simlingo_node import dds

HERE = Path(__file__).parent
REPOSITORY = HERE.parents[1]
TOWN = REPOSITORY / "ros2_ws/src/simlingo_sim/simlingo_sim/towns/gridtown/gridtown.xodr"


def wait_for(condition: Callable[[], Any], timeout_s: float, what: str | Callable[[], str]) -> Any:
    """The first true value of ``condition``; fails naming ``what`` (asked at the end) after ``timeout_s``."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError(f"waited {timeout_s} s in vain for {what if isinstance(what, str) else what()}")


class Process:
    """A running process and the lines that it has said."""

    def __init__(self, command: list[str], domain: dds.Domain) -> None:
        self.popen = subprocess.Popen(
            command,
            env=dds.environment(domain.number, pictures=True),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.lines: list[str] = []
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.popen.stdout is not None
        for line in self.popen.stdout:
            self.lines.append(line.rstrip())

    def said(self, key: str) -> list[Any]:
        """Values of ``key`` in the JSON lines said so far."""
        found = []
        for line in list(self.lines):
            if line.startswith("{") and key in (value := json.loads(line)):
                found.append(value[key])
        return found

    def end(self) -> int:
        """SIGTERM; the exit code: 0 unless the node came to its own deadline (``process.GRACE_S``)."""
        self.popen.terminate()
        return self.popen.wait(20.0)

    def kill_if_alive(self) -> None:
        """Wait two seconds for the end that was asked for, then SIGKILL."""
        try:
            self.popen.wait(2.0)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """SIGKILL."""
        self.popen.kill()
        self.popen.wait()


@contextmanager
def watcher(name: str, *parameters: str) -> Iterator[tuple[Process, Process]]:
    """The node ``name``, active, and the stand-in; both are gone afterwards."""
    domain = dds.take_domain()
    arguments = [part for parameter in parameters for part in ("-p", parameter)]
    node = Process([sys.executable, "-m", f"simlingo_node.{name}.node", "--ros-args", *arguments], domain)
    fake = Process([sys.executable, str(HERE / "fake_stack.py"), "--town", str(TOWN)], domain)
    try:
        wait_for(
            lambda: "active" in fake.said(name) or node.popen.poll() is not None,
            40.0,
            lambda: f"{name}: {node.lines}; stand-in: {fake.lines}",
        )
        if node.popen.poll() is not None:
            raise AssertionError(f"{name} ended: {node.lines}")
        yield node, fake
    finally:
        for process in (node, fake):
            process.popen.terminate()
        for process in (node, fake):
            process.kill_if_alive()
        domain.release()
