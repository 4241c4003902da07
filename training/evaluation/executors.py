"""Where routes are driven: one process a route, as many at a time as there are jobs; one that dies takes no other with it."""

from __future__ import annotations

import multiprocessing
import signal
import time
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, Protocol

from simlingo_drive.routes import RouteSpec
from training.evaluation.closed_loop import DriveRecord, DriveSettings, drive_route
from training.evaluation.instructed import drive_trial

#: A job is killed after this time of wall clock, s: far more than the longest route takes.
WALL_LIMIT_S = 5400.0
#: A fresh interpreter a route, so that routes share nothing.
START_METHOD = "spawn"
#: How often waiting looks at clocks, s.
POLL_S = 0.5


@dataclass
class _Job:
    spec: RouteSpec
    process: BaseProcess
    pipe: Connection
    begun: float  # s, monotonic


class Listener(Protocol):
    """Hears how the drives go."""

    def tell(self, spec: RouteSpec, done: float, score: float) -> None:
        """A route is ``done`` % complete with a driving score so far."""

    def finish(self, spec: RouteSpec, outcome: DriveRecord | str) -> None:
        """A route has ended, with its record or the reason of its failure."""


class Executor(Protocol):
    """Drives many routes, somewhere."""

    def run(
        self, specs: Sequence[RouteSpec], settings: DriveSettings, instructed: bool, listener: Listener
    ) -> dict[RouteSpec, DriveRecord | str]:
        """Drive all routes; a route that failed has the reason in place of its record.

        On KeyboardInterrupt all of them are ended before it is raised on.
        """


class ProcessExecutor:
    """A fresh process of this machine for each route, ``jobs`` at a time."""

    def __init__(self, jobs: int) -> None:
        self._jobs = jobs

    def run(
        self, specs: Sequence[RouteSpec], settings: DriveSettings, instructed: bool, listener: Listener
    ) -> dict[RouteSpec, DriveRecord | str]:
        """See :class:`Executor`."""
        context = multiprocessing.get_context(START_METHOD)
        waiting, running = list(specs), list[_Job]()
        results: dict[RouteSpec, DriveRecord | str] = {}
        try:
            while waiting or running:
                while waiting and len(running) < self._jobs:
                    running.append(_begin(context, waiting.pop(0), settings, instructed))
                wait([job.pipe for job in running], timeout=POLL_S)
                for job in list(running):
                    outcome = _listen(job, listener)
                    if outcome is not None:
                        results[job.spec] = outcome
                        listener.finish(job.spec, outcome)
                        _end(job)
                        running.remove(job)
        finally:
            for job in running:
                _end(job)
        return results


def _begin(context: Any, spec: RouteSpec, settings: DriveSettings, instructed: bool) -> _Job:
    receiving, sending = context.Pipe(duplex=False)
    process = context.Process(target=_drive, args=(sending, spec, settings, instructed), daemon=True)
    process.start()
    sending.close()
    return _Job(spec, process, receiving, time.monotonic())


def _listen(job: _Job, listener: Listener) -> DriveRecord | str | None:
    """What the job has to say: a record, the reason of a failure, or None while it drives."""
    try:
        while job.pipe.poll():
            message = job.pipe.recv()
            if isinstance(message, tuple):
                listener.tell(job.spec, *message)
            elif isinstance(message, DriveRecord | str):
                return message
    except EOFError:
        job.process.join(timeout=5.0)
        return f"its process ended with code {job.process.exitcode}"
    if time.monotonic() - job.begun > WALL_LIMIT_S:
        return f"it took more than {WALL_LIMIT_S:.0f} s of wall time"
    return None


def _end(job: _Job) -> None:
    """Let the job end, or make it."""
    job.process.join(timeout=1.0)
    if job.process.is_alive():
        job.process.kill()
        job.process.join()
    job.pipe.close()


def _drive(pipe: Connection, spec: RouteSpec, settings: DriveSettings, instructed: bool) -> None:
    """Body of a job: drive, and send the record or the reason why there is none."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's business
    drive = drive_trial if instructed else drive_route
    try:
        pipe.send(drive(spec, settings, lambda done, score: pipe.send((done, score))))
    except Exception as error:  # whatever it was, the route is named and counts as zero
        place = traceback.extract_tb(error.__traceback__)[-1]
        pipe.send(f"{type(error).__name__}: {error} ({Path(place.filename).name}:{place.lineno})")
    finally:
        pipe.close()
