"""Drives many trials, some at a time, and keeps each that has ended, so that a killed run goes on where it was."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from typing import Any, Protocol, TypeVar

from simlingo.contracts import SimlingoError
from training.evaluation.language.listener import identity
from training.evaluation.language.suite import Context, Subject
from training.evaluation.language.who_drives import EXPERT

#: A fresh interpreter for each job: a fork would share the state of libraries with threads.
START_METHOD = "spawn"


class Trial(Protocol):
    """One drive, as plain data that says all that is random in it."""

    @property
    def key(self) -> str:
        """Its name among the trials of all driven suites; equal names mean equal drives."""


_Trial = TypeVar("_Trial", bound=Trial)
#: Drives a trial for a subject with so many threads for the network; a function of a module, giving plain data.
Drive = Callable[[_Trial, Subject, int], dict[str, Any]]


def drive_all(
    context: Context, subject: Subject, what: str, trials: Sequence[_Trial], drive: Drive[_Trial]
) -> list[dict[str, Any]]:
    """The records of ``trials`` in their order; those that the journal holds are not driven again.

    With one job everything happens in this process.

    Raises:
        SimlingoError: a trial has failed or its process has died; names it. What has ended is kept.
    """
    kept, records = context.journal.kept, dict[str, dict[str, Any]]()
    advance = context.progress.begin(f"{what}, {subject.label}", len(trials))
    waiting = dict[str, _Trial]()
    weights = _weights(subject)
    names = [f"{trial.key} | {weights}" for trial in trials]
    for name, trial in zip(names, trials, strict=True):
        if name in kept:
            records[name] = kept[name]
            advance(1)
        elif name in waiting:
            advance(1)
        else:
            waiting[name] = trial
    for name, record in _driven(waiting, subject, drive, context.jobs):
        context.journal.keep(name, record)
        records[name] = record
        advance(1)
    return [records[name] for name in names]


def _weights(subject: Subject) -> str:
    """Whose drives they are. Words are part of the trial, so whether they are replaced is not told here."""
    if subject.weights == EXPERT:
        return EXPERT
    return f"{identity(subject)}{' grey' if subject.grey else ''}"


def _driven(
    waiting: dict[str, _Trial], subject: Subject, drive: Drive[_Trial], jobs: int
) -> Iterator[tuple[str, dict[str, Any]]]:
    threads = max((os.cpu_count() or 1) // jobs, 1)
    if jobs == 1 or len(waiting) < 2:
        for name, trial in waiting.items():
            yield name, drive(trial, subject, threads)
        return
    context = multiprocessing.get_context(START_METHOD)
    with ProcessPoolExecutor(min(jobs, len(waiting)), mp_context=context) as pool:
        futures = {pool.submit(drive, trial, subject, threads): name for name, trial in waiting.items()}
        try:
            for future in as_completed(futures):
                name = futures[future]
                try:
                    yield name, future.result()
                except SimlingoError:
                    raise
                except Exception as error:  # whatever it was, the trial is named
                    raise SimlingoError(f"the drive {name} has failed: {type(error).__name__}: {error}") from error
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
