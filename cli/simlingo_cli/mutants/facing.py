"""A worker: one process for each mutant of a module, with limits on its time."""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import resource
import select
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from simlingo_cli.mutants import choosing, hook
from simlingo_cli.mutants.mutant import Mutant
from simlingo_cli.mutants.pool import Emit, write_message
from simlingo_cli.mutants.project import Project

#: Bytes of memory of a process: a fault may ask for any number.
_MEMORY = 16 << 30
#: Wall time that a test gets: on a busy machine its CPU seconds take several times as long.
_WALL_FACTOR, _WALL_S = 5.0, 30.0


@dataclass(frozen=True)
class Batch:
    """Tests of one file that a mutant faces, in their order, and the CPU seconds that each may take."""

    file: str
    tests: tuple[str, ...]
    limits: tuple[float, ...]


@dataclass(frozen=True)
class Trial:
    """A mutant and what it faces, in that order."""

    mutant: Mutant
    batches: tuple[Batch, ...]


@dataclass(frozen=True)
class Chunk:
    """Trials of one module for one worker, and the modules of ours that it may import before."""

    trials: tuple[Trial, ...]
    modules: tuple[str, ...]
    deadline: float  # monotonic time, s, when no other trial begins


def work(project: Project, chunk: Chunk, emit: Emit) -> None:
    """Try every mutant of the chunk; each tells ``{"key", "status", "by", "seconds"}``."""
    target = project.module(chunk.trials[0].mutant.file)
    with open(os.devnull, "r+b") as nothing:
        for stream in (0, 1, 2):
            os.dup2(nothing.fileno(), stream)
    _import_first(chunk.modules, target)
    parent = os.getppid()
    for trial in chunk.trials:
        if os.getppid() != parent or time.monotonic() > chunk.deadline:  # the run was killed, or its time is over
            return
        began = time.monotonic()
        status, by = _try(project, trial)
        emit({"key": trial.mutant.key, "status": status, "by": by, "seconds": round(time.monotonic() - began, 2)})


def _import_first(modules: Sequence[str], target: str) -> None:
    for name in modules:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    gc.freeze()
    assert target not in sys.modules, f"{target} came with the modules that do not import it: {modules}"


def _try(project: Project, trial: Trial) -> tuple[str, str]:
    scratch = Path(tempfile.mkdtemp(prefix="simlingo-mutant-"))
    pipe, end = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(pipe)
        _child(project, trial, scratch, end)
    os.close(end)
    with contextlib.suppress(PermissionError, ProcessLookupError):
        os.setpgid(pid, pid)

    def stop(*_: object) -> None:
        _end(pid)
        shutil.rmtree(scratch, ignore_errors=True)
        os._exit(1)

    before = signal.signal(signal.SIGTERM, stop)
    try:
        return _watch(pid, pipe)
    finally:
        signal.signal(signal.SIGTERM, before)
        _end(pid)
        os.close(pipe)
        shutil.rmtree(scratch, ignore_errors=True)


def _end(pid: int) -> None:
    """End a child and all processes of its group."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, 0)


def _watch(pid: int, pipe: int) -> tuple[str, str]:
    """Wait for a child's verdict: (status, by whom)."""
    deadline, text, running = time.monotonic() + _WALL_S, b"", ""
    while time.monotonic() < deadline:
        ready, _, _ = select.select([pipe], [], [], 0.5)
        if ready and (data := os.read(pipe, 4096)):
            *lines, text = (text + data).split(b"\n")
            for line in lines:
                message = json.loads(line)
                if "status" in message:
                    return message["status"], message["by"]
                deadline = time.monotonic() + _WALL_FACTOR * message["limit"] + _WALL_S
                running = message["file"]
            continue
        gone, status = os.waitpid(pid, os.WNOHANG)
        if gone:
            ended = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
            return ("timeout" if ended == signal.SIGPROF else "killed"), f"{running} (signal {ended})"
    return "timeout", running


def _child(project: Project, trial: Trial, scratch: Path, end: int) -> None:
    """The child: plant the fault and face the tests; never returns."""
    try:
        os.setpgid(0, 0)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        resource.setrlimit(resource.RLIMIT_DATA, (_MEMORY, _MEMORY))
        os.chdir(project.root)
        file = project.root / trial.mutant.file
        faulty = scratch / "faulty.py"
        faulty.write_bytes(trial.mutant.apply(file.read_bytes()))
        module = project.module(trial.mutant.file)
        hook.plant(module, file, faulty.read_bytes())
        hook.plant_in_children(module, file, faulty)
        status, by = "survived", ""
        for number, batch in enumerate(trial.batches):
            by = _face(project, batch, scratch / f"tests{number}", end) or ""
            if by:
                status = "killed"
                break
        write_message(end, {"status": status, "by": by})
    except BaseException:  # pytest keeps to itself what a fault raises: this is an error of the run
        write_message(end, {"status": "broken", "by": traceback.format_exc()})
    finally:
        os._exit(0)


def _face(project: Project, batch: Batch, scratch: Path, end: int) -> str | None:
    def tell(limit: float) -> None:
        write_message(end, {"limit": limit, "file": batch.file})

    return choosing.face(
        project.root, batch.file, batch.tests, dict(zip(batch.tests, batch.limits, strict=True)), scratch, tell
    )
