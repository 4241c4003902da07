"""Runs the processes of a stack: starts them, watches them, restarts none, and ends all when one dies."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from simlingo_node import dds
from simlingo_node.process import SUPERVISOR_VARIABLE
from simlingo_node.stack import NodeSpec

#: After SIGTERM a process has this long, s; then it is killed. All ends within two seconds.
END_S = 1.7
#: Log lines of a dead node that are shown.
SHOWN_LINES = 8


@dataclass(frozen=True)
class Death:
    """How a node's process ended although nobody asked it to."""

    node: str
    why: str  # "was killed by signal 9 (SIGKILL)" or "ended with exit code 1"
    log: list[str]  # its last lines, and the errors that others logged

    def __str__(self) -> str:
        lines = "".join(f"\n    {line}" for line in self.log)
        return f"node '{self.node}' {self.why}" + (f"; its last words:{lines}" if lines else "")


class Supervisor:
    """The processes of one stack; each writes ``<log_dir>/<node>.log``."""

    def __init__(self, nodes: Sequence[NodeSpec], environment: Mapping[str, str], log_dir: Path) -> None:
        self.nodes = list(nodes)
        self._environment = {**environment, SUPERVISOR_VARIABLE: str(os.getpid())}
        self._log_dir = log_dir
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Supervisor:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def pids(self) -> dict[str, int]:
        """Process id by node name."""
        return {name: process.pid for name, process in self._processes.items()}

    @property
    def exit_codes(self) -> dict[str, int]:
        """Exit code by node name of those that have ended; minus the signal's number where one ended it."""
        ended = {name: process.poll() for name, process in self._processes.items()}
        return {name: code for name, code in ended.items() if code is not None}

    def start(self) -> None:
        """Start all at once, or none; the lifecycle manager gives the order in which they work."""
        self._log_dir.mkdir(parents=True, exist_ok=True)
        try:
            for node in self.nodes:
                self._processes[node.name] = self._launch(node)
        except BaseException:
            self.stop()
            raise

    def death(self) -> Death | None:
        """The first node that is dead; ``None`` while all live."""
        for name, process in self._processes.items():
            code = process.poll()
            if code is not None:
                return Death(name, _why(code), [*self.last_lines(name), *self._errors_of_others(name)])
        return None

    def last_lines(self, name: str) -> list[str]:
        """The last lines of a node's log."""
        path = self._log_dir / f"{name}.log"
        if not path.is_file():
            return []
        with path.open(encoding="utf-8", errors="replace") as log:
            return [line.rstrip() for line in deque(log, SHOWN_LINES)]

    def _errors_of_others(self, name: str) -> list[str]:
        """Newest error line of every other node: one that could not start is often another's fault."""
        found = []
        for other in self._processes:
            errors = [line for line in self.last_lines(other) if "[ERROR]" in line or line.startswith("error:")]
            found += errors[-1:] if other != name else []
        return found

    def stop(self) -> list[str]:
        """End all within two seconds; returns the names of those that had to be killed."""
        for process in self._processes.values():
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + END_S
        while time.monotonic() < deadline and any(process.poll() is None for process in self._processes.values()):
            time.sleep(0.01)
        killed = [name for name, process in self._processes.items() if process.poll() is None]
        for name in killed:
            self._processes[name].kill()
            self._processes[name].wait()
        return killed

    def _launch(self, node: NodeSpec) -> subprocess.Popen[bytes]:
        parameters = self._log_dir / f"{node.name}.params.json"  # JSON is YAML, which rcl reads
        parameters.write_text(
            json.dumps({"/**": {"ros__parameters": dict(node.parameters)}}, indent=1), encoding="utf-8"
        )
        command = [sys.executable, "-m", node.module, "--ros-args", "-r", f"__node:={node.name}"]
        command += [word for topic, other in node.remaps.items() for word in ("-r", f"{topic}:={other}")]
        command += ["--params-file", str(parameters)]
        with (self._log_dir / f"{node.name}.log").open("wb") as log:
            return subprocess.Popen(
                command,
                env={**self._environment, **dds.transport(node.pictures)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C reaches the supervisor alone, which ends the others in order
            )


def _why(code: int) -> str:
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = "unknown"
    return f"was killed by signal {-code} ({name})"
