"""Collect routes in worker processes."""

from __future__ import annotations

import os
import signal
from typing import Any

from training.collect.settings import FRAMES_BEFORE_INFRACTION, CollectSettings, RouteJob

#: A route with fewer frames is not worth a file.
LEAST_FRAMES = 20
#: What a worker process keeps between routes.
_policies: dict[str, Any] = {}
_reports: Any = None
_limit: Any = None


def start(reports: Any, limit: Any) -> None:
    """Begin a worker process.

    Args:
        reports: queue for (route index, frames so far).
        limit: shared array of two numbers: the last route that is wanted, and how many of its frames; -1: no limit yet.
    """
    global _reports, _limit
    _reports, _limit = reports, limit
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def limit_threads(threads: int) -> None:
    """Let the numeric libraries of this process and its children use ``threads`` threads; before their import."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
        os.environ[name] = str(threads)


def certain(frames: int) -> int:
    """With so many frames a route keeps ``frames``, and is worth a file, even where an infraction takes its last ones out."""
    return max(frames, LEAST_FRAMES) + FRAMES_BEFORE_INFRACTION


def collect(settings: CollectSettings, job: RouteJob) -> dict[str, Any]:
    """Collect one route and return its index and frames; its file appears only when it is whole."""
    from simlingo.model.load import load_policy
    from training.collect.episode import Episode
    from training.datasets.writer import RouteFile

    if settings.policy is not None and settings.policy not in _policies:
        _policies[settings.policy] = load_policy(settings.policy, settings.policy_threads)
    policy = _policies.get(settings.policy) if settings.policy is not None else None

    def told(frames: int) -> bool:
        _reports.put((job.index, frames))
        last, wanted = (int(number) for number in _limit)
        if last < 0 or job.index < last:
            return False
        return job.index > last or frames >= certain(wanted)

    file = RouteFile(settings.out, job.name)
    try:
        meta = Episode(settings, job, policy).run(file, told)
        if 0 <= _limit[0] < job.index:
            file.discard()  # nobody wants it any more
            return {"index": job.index, "frames": 0}
        frames = file.frames if file.frames >= LEAST_FRAMES else 0
        if frames:
            file.close({**meta, "driven_frames": frames})
        else:
            file.close_empty(meta)
    except BaseException:
        file.discard()
        raise
    return {"index": job.index, "frames": frames}
