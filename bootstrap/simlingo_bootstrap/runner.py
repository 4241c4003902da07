"""Runs the set-up's programs: output to a log, progress to the terminal, several at a time."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from simlingo_bootstrap.errors import SetupError

_POLL_S = 0.2
#: Seconds between two progress lines where the output is no terminal.
_QUIET_PERIOD_S = 15.0
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_LINE_WIDTH = 110


@dataclass
class Job:
    """One program to run; where an attempt fails, the next one is tried."""

    name: str
    attempts: Sequence[Sequence[str]]
    env: Mapping[str, str]
    log: Path
    cure: str
    cwd: Path | None = None
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)
    _next: int = 0
    _lock: int | None = None

    def start(self, lock: int | None = None) -> None:
        """Start the next attempt; it inherits the file descriptor of the environment's lock."""
        self._lock = self._lock if lock is None else lock
        self.log.parent.mkdir(parents=True, exist_ok=True)
        command = self.attempts[self._next]
        self._next += 1
        with self.log.open("ab") as output:
            output.write(f"\n$ {' '.join(command)}\n".encode())
            output.flush()
            try:
                self._process = _spawn(command, self.env, output, self.cwd, self._lock)
            except OSError as error:
                raise SetupError(
                    f"{self.name}: {command[0]} cannot be started: {error.strerror}.", self.cure
                ) from error

    def poll(self) -> bool:
        """Whether the job is finished; starts the next attempt where one failed.

        Raises:
            SetupError: the last attempt failed.
        """
        assert self._process is not None
        status = self._process.poll()
        if status is None:
            return False
        if status == 0:
            return True
        if self._next < len(self.attempts):
            self.start()
            return False
        tail = "\n".join(f"    {line}" for line in tail_lines(self.log, 12))
        raise SetupError(f"{self.name} failed (exit status {status}). The end of {self.log}:\n{tail}", self.cure)

    def stop(self) -> None:
        """End the program and what it started."""
        if self._process is None or self._process.poll() is not None:
            return
        for wanted in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(self._process.pid, wanted)
                self._process.wait(timeout=3.0)
                return
            except ProcessLookupError:
                return
            except subprocess.TimeoutExpired:
                continue


def _spawn(
    command: Sequence[str], env: Mapping[str, str], output: BinaryIO, cwd: Path | None, lock: int | None
) -> subprocess.Popen[bytes]:
    # A group of its own, so that Ctrl-C reaches this process first and the whole group can be ended.
    return subprocess.Popen(
        command,
        env=dict(env),
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        cwd=cwd,
        start_new_session=True,
        pass_fds=() if lock is None else (lock,),
    )


def tail_lines(log: Path, count: int) -> list[str]:
    """The last lines of a log that say something, without terminal control sequences."""
    try:
        with log.open("rb") as stream:
            stream.seek(max(0, log.stat().st_size - 8192))
            text = stream.read().decode(errors="replace")
    except OSError:
        return []
    lines = (_CONTROL.sub("", line).strip() for line in text.replace("\r", "\n").split("\n"))
    return [line for line in lines if line][-count:]


class Progress:
    """Numbered steps on the terminal, with elapsed time and the latest line of each running program."""

    def __init__(self, steps: int, lock: int | None = None) -> None:
        self._steps = steps
        self._lock = lock
        self._step = 0
        self._began = time.monotonic()
        self._terminal = sys.stderr.isatty()

    def say(self, text: str) -> None:
        """One line that stays."""
        print(f"{self._clear()}simlingo: {text}", file=sys.stderr, flush=True)

    def run(self, title: str, jobs: Sequence[Job], on_finished: Callable[[Job], None] = lambda job: None) -> None:
        """Run the jobs at the same time until all are finished; each that ended well is told at once.

        Raises:
            SetupError: one of them failed; the others are ended.
        """
        self._step += 1
        label = f"[{self._step}/{self._steps}] {title}"
        began = shown = time.monotonic()
        self.say(f"{label} ...")
        running = list(jobs)
        try:
            for job in running:
                job.start(self._lock)
            while running:
                for job in list(running):
                    if job.poll():
                        running.remove(job)
                        on_finished(job)
                now = time.monotonic()
                if self._terminal:
                    self._redraw(label, now - began, running)
                elif now - shown > _QUIET_PERIOD_S:
                    shown = now
                    self.say(f"{label} {_latest(running)} ({now - began:.0f} s)")
                if running:
                    time.sleep(_POLL_S)
        finally:
            for job in running:
                job.stop()
        self.say(f"{label} done in {time.monotonic() - began:.0f} s")

    @property
    def elapsed_s(self) -> float:
        """Seconds since the set-up began."""
        return time.monotonic() - self._began

    def _redraw(self, label: str, seconds: float, running: Sequence[Job]) -> None:
        line = f"{label} {seconds:4.0f} s  {_latest(running)}"[:_LINE_WIDTH]
        print(f"{self._clear()}{line}", end="", file=sys.stderr, flush=True)

    def _clear(self) -> str:
        return "\r\x1b[K" if self._terminal else ""


def _latest(running: Sequence[Job]) -> str:
    share = _LINE_WIDTH // max(1, len(running))
    return " | ".join(f"{job.name}: {''.join(tail_lines(job.log, 1))}"[:share] for job in running)
