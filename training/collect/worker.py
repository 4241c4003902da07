"""Collect routes in worker processes."""

from __future__ import annotations

import os
import signal
from typing import Any

from training.collect.settings import CollectSettings, Job

#: What a worker process keeps between routes.
_policies: dict[str, Any] = {}
_reports: Any = None


def start(reports: Any) -> None:
    """Begin a worker process: ``reports`` is a queue for (route index, frames so far)."""
    global _reports
    _reports = reports
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def limit_threads(threads: int) -> None:
    """Let the numeric libraries of this process and its children use ``threads`` threads; before their import."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
        os.environ[name] = str(threads)


def collect(settings: CollectSettings, job: Job) -> dict[str, Any]:
    """Collect one route and return its results; its folder appears only when it is whole."""
    from simlingo.model.load import load_policy
    from training.collect.episode import LEAST_FRAMES, Episode
    from training.collect.writer import RouteWriter

    if settings.policy is not None and settings.policy not in _policies:
        _policies[settings.policy] = load_policy(settings.policy, settings.policy_threads)
    policy = _policies.get(settings.policy) if settings.policy is not None else None
    writer = RouteWriter(job.folder(settings.out, settings.policy is not None), settings.rgb)
    try:
        results = Episode(settings, job, policy).run(writer, lambda frames: _reports.put((job.index, frames)))
        if len(writer) < LEAST_FRAMES:
            results["frames"] = 0
            writer.close_empty(results)
        else:
            writer.close(results)
    except BaseException:
        writer.discard()
        raise
    return results
