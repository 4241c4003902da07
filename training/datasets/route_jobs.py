"""Work on routes in worker processes, with a progress bar; each piece leaves a whole file behind, so that a killed run goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from typing import TypeVar

from rich.progress import track

_Job = TypeVar("_Job")


def do_jobs(work: Callable[[_Job], None], jobs: Sequence[_Job], workers: int, title: str) -> None:
    """Do ``work`` on every job, in worker processes where there are several; the first error ends all and is raised.

    Args:
        work: a function of a module, it goes to other processes.
        jobs: what can be pickled.
        workers: processes, at most one a job.
        title: of the progress bar.
    """
    for _ in track(_done(work, jobs, min(workers, len(jobs))), title, len(jobs)):
        pass


def _done(work: Callable[[_Job], None], jobs: Sequence[_Job], workers: int) -> Iterator[None]:
    if workers <= 1:
        yield from map(work, jobs)
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        futures = [pool.submit(work, job) for job in jobs]
        try:
            for future in as_completed(futures):
                yield future.result()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
