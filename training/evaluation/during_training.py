"""Drives a few fixed routes with a run's weights while it trains."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from simlingo_drive.routes import RouteSpec
from training.evaluation.closed_loop import DriveRecord, DriveSettings, drive_route

#: A frame and a plan every so many ticks: half the time of a drive, and hardly another one.
PLAN_EVERY = 2


class DriveEvaluation:
    """Means over the routes; see :class:`training.trainer.evaluation.ClosedLoopEvaluation`."""

    def __init__(
        self,
        routes: Sequence[str],
        threads: int,
        drive: Callable[[RouteSpec, DriveSettings], DriveRecord] = drive_route,
    ) -> None:
        """Make ready.

        Args:
            routes: names such as ``gridtown-s1-r00``.
            threads: of the network that drives.
            drive: drives one route.

        Raises:
            InvalidInputError: a name is none of a route.
        """
        self._specs = [RouteSpec.named(name) for name in routes]
        self._threads, self._drive = threads, drive

    def __call__(self, run_folder: Path, samples: int) -> dict[str, float]:
        """Driving score (0 to 100), completion (%) and infractions a route of the model in ``run_folder``."""
        del samples
        settings = DriveSettings(weights=str(run_folder), plan_every=PLAN_EVERY, threads=self._threads)
        results = [self._drive(spec, settings).result for spec in self._specs]
        return {
            "driving_score": float(np.mean([result["driving_score"] for result in results])),
            "route_completion": float(np.mean([result["route_completion"] for result in results])),
            "infractions": float(np.mean([len(result["infractions"]) for result in results])),
        }
