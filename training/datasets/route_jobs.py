"""Work on routes in worker processes; each piece leaves a whole file behind, so that a killed run goes on."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from typing import TypeVar

from rich.progress import track

_Job = TypeVar("_Job")


def do_jobs(work: Callable[[_Job], None], jobs: Sequence[_Job], workers: int, title: str) -> None:
    """Do ``work`` on every job behind a progress bar, in this process with one worker, else as :func:`in_processes` does.

    Args:
        work: a function of a module, it goes to other processes.
        jobs: what can be pickled.
        workers: processes, at most one a job.
        title: of the progress bar.
    """
    workers = min(workers, len(jobs))
    done: Iterator[None] = map(work, jobs) if workers <= 1 else in_processes(work, jobs, workers)
    for _ in track(done, title, len(jobs)):
        pass


def in_processes(work: Callable[[_Job], None], jobs: Sequence[_Job], workers: int) -> Iterator[None]:
    """Do ``work`` on every job in worker processes; yields whenever one is done.

    The first error ends all and is raised, and so does Ctrl-C, which the workers do not hear.
    """
    ignore = (signal.SIGINT, signal.SIG_IGN)
    pool = ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=signal.signal, initargs=ignore)
    try:
        for future in as_completed([pool.submit(work, job) for job in jobs]):
            yield future.result()
    except BaseException:
        for process in list((pool._processes or {}).values()):
            process.terminate()
        pool.shutdown(wait=True, cancel_futures=True)
        raise
    pool.shutdown()
