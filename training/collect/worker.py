"""Collect routes in worker processes."""

from __future__ import annotations

import os
import signal
from typing import Any

from training.collect.settings import CollectSettings, RouteJob

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


def collect(settings: CollectSettings, job: RouteJob) -> dict[str, Any]:
    """Collect one route and return its index and frames; its file appears only when it is whole."""
    from simlingo.model.load import load_policy
    from training.collect.episode import FRAMES_BEFORE_INFRACTION, Episode
    from training.datasets.writer import RouteFile

    if settings.policy is not None and settings.policy not in _policies:
        _policies[settings.policy] = load_policy(settings.policy, settings.policy_threads)
    policy = _policies.get(settings.policy) if settings.policy is not None else None

    def told(frames: int) -> bool:
        _reports.put((job.index, frames))
        last, wanted = (int(number) for number in _limit)
        if last < 0 or job.index < last:
            return False
        # Frames that an infraction would take out again must be there too.
        return job.index > last or frames >= wanted + FRAMES_BEFORE_INFRACTION

    file = RouteFile(settings.out, job.name)
    try:
        meta = Episode(settings, job, policy).run(file, told)
        if 0 <= _limit[0] < job.index:
            file.discard()  # nobody wants it any more
            return {"index": job.index, "frames": 0}
        least = min(LEAST_FRAMES, int(_limit[1])) if job.index == _limit[0] else LEAST_FRAMES
        frames = file.frames if file.frames >= least else 0
        if frames:
            file.close({**meta, "driven_frames": frames})
        else:
            file.close_empty(meta)
    except BaseException:
        file.discard()
        raise
    return {"index": job.index, "frames": frames}
