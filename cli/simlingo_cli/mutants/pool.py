"""Work in forked processes, a few at a time; each tells its results through a pipe, one JSON object a line."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

Message = dict[str, Any]
Emit = Callable[[Message], None]
Task = TypeVar("Task")


class WorkerError(Exception):
    """A worker process ended in an error of its own; the text is its traceback."""


@dataclass
class _Worker:
    pid: int
    pipe: int
    rest: bytes = b""
    lines: list[Message] = field(default_factory=list)


def run(tasks: Iterable[Task], jobs: int, work: Callable[[Task, Emit], None]) -> Iterator[Message]:
    """Yield what the workers tell, as it comes; a worker is forked for each task.

    When the caller stops early, or an exception passes (Ctrl-C too), the groups of all workers get SIGTERM, and they are waited for.

    Args:
        tasks: taken one by one when a worker is free, so a generator may end the run.
        jobs: workers at a time.
        work: runs in the worker, in a process group of its own.

    Raises:
        WorkerError: a worker broke down.
    """
    todo = iter(tasks)
    workers: dict[int, _Worker] = {}
    selector = selectors.DefaultSelector()
    try:
        while True:
            while len(workers) < jobs and (task := next(todo, None)) is not None:
                worker = _start(task, work, [other.pipe for other in workers.values()])
                workers[worker.pipe] = worker
                selector.register(worker.pipe, selectors.EVENT_READ)
            if not workers:
                return
            for key, _ in selector.select():
                yield from _read(workers, selector, key.fd)
    finally:
        for worker in workers.values():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(worker.pid, signal.SIGTERM)
        for worker in workers.values():
            os.waitpid(worker.pid, 0)
            os.close(worker.pipe)
        selector.close()


def _read(workers: dict[int, _Worker], selector: selectors.BaseSelector, pipe: int) -> Iterator[Message]:
    worker = workers[pipe]
    data = os.read(pipe, 1 << 16)
    if not data:
        selector.unregister(pipe)
        os.close(pipe)
        del workers[pipe]
        os.waitpid(worker.pid, 0)
        return
    *lines, worker.rest = (worker.rest + data).split(b"\n")
    for line in lines:
        message = json.loads(line)
        if "traceback" in message:
            raise WorkerError(message["traceback"])
        yield message


def _start(task: Task, work: Callable[[Task, Emit], None], foreign: list[int]) -> _Worker:
    sys.stdout.flush()
    sys.stderr.flush()
    pipe, end = os.pipe()
    pid = os.fork()
    if pid:
        with contextlib.suppress(PermissionError, ProcessLookupError):
            os.setpgid(pid, pid)  # here too: the group has to be there when it is ended at once
        os.close(end)
        return _Worker(pid, pipe)
    status = 1
    try:
        os.setpgid(0, 0)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        for fd in (pipe, *foreign):
            os.close(fd)
        work(task, lambda message: write_message(end, message))
        status = 0
    except BaseException:
        write_message(end, {"traceback": traceback.format_exc()})
    finally:
        os._exit(status)


def write_message(pipe: int, message: Message) -> None:
    """One message, whole."""
    data = json.dumps(message).encode() + b"\n"
    while data:
        data = data[os.write(pipe, data) :]
