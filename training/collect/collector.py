"""Hands routes to worker processes until exactly so many frames are there.

The routes of a data set are those of number 0, 1, 2, ... up to the one that brings the frame asked for last, which is cut
there. So a data set follows from its options alone, however many workers there are and however often it was interrupted.
"""

from __future__ import annotations

import json
import multiprocessing
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from simlingo.contracts import InvalidInputError
from training.collect.settings import CollectSettings, RouteJob, route_job
from training.collect.worker import certain, collect, start
from training.datasets.files import meta_of, open_file
from training.datasets.writer import CARD_FILE, empty_path, read_card, route_path, trim, write_dataset_card

#: Seconds between two looks at the workers' reports.
POLL_S = 0.5


@dataclass
class Tally:
    """What is there so far."""

    finished: dict[int, int] = field(default_factory=dict)  # route -> its frames
    begun: dict[int, int] = field(default_factory=dict)  # route -> frames so far

    @property
    def frames(self) -> int:
        """Frames of finished and begun routes."""
        return sum(self.finished.values()) + sum(self.begun.values())

    def first_open(self) -> int:
        """The lowest route that is not finished."""
        index = 0
        while index in self.finished:
            index += 1
        return index

    def frames_before(self, index: int) -> int:
        """Frames of the routes before ``index``."""
        return sum(frames for number, frames in self.finished.items() if number < index)

    def last_wanted(self, frames: int) -> int | None:
        """The finished route that brings frame number ``frames``, where all before it are finished too."""
        count = 0
        for index in range(self.first_open()):
            count += self.finished[index]
            if count >= frames:
                return index
        return None


class Collector:
    """One run of ``./simlingo collect``."""

    def __init__(self, settings: CollectSettings, routes: int | None, frames: int | None, workers: int) -> None:
        """``routes`` and ``frames``: where to end, whichever comes first; None: no such end."""
        self._settings, self._routes, self._wanted, self._workers = settings, routes, frames, workers
        self._tally = Tally()

    def run(self, shown: Callable[[Tally], None]) -> int:
        """Collect and return the number of frames; ``shown`` hears now and then how far it is.

        Raises:
            InvalidInputError: the folder holds another collection, or more frames than are asked for.
        """
        self._begin_card()
        self._keep_what_is_there()
        context = multiprocessing.get_context("spawn")
        reports, limit = context.Queue(), context.Array("q", [-1, 0])
        pool = ProcessPoolExecutor(self._workers, mp_context=context, initializer=start, initargs=(reports, limit))
        try:
            self._loop(pool, reports, limit, shown)
        except BaseException:
            for process in list((pool._processes or {}).values()):
                process.terminate()
            pool.shutdown(wait=True, cancel_futures=True)
            raise
        pool.shutdown()
        self._cut_last()
        return sum(self._tally.finished.values())

    def _begin_card(self) -> None:
        """Say in the folder what is collected there, or see that it is the same as before."""
        path, ours = self._settings.out / CARD_FILE, json.loads(json.dumps(self._settings.card()))
        if path.is_file():
            theirs = read_card(path).get("collection", {})
            different = [
                f"{key} {theirs.get(key)!r}, now {ours[key]!r}" for key in ours if theirs.get(key) != ours[key]
            ]
            if different:
                raise InvalidInputError(
                    f"{self._settings.out} was collected with {'; '.join(different)}: give the same options or another --out"
                )
        out = self._settings.out
        write_dataset_card(out, self._settings.dataset_card(out.name, "./simlingo collect"))

    def _keep_what_is_there(self) -> None:
        """Refuse to cut an earlier collection down to fewer frames."""
        there = sum(_frames_in(path)[0] for path in route_path(self._settings.out, "any").parent.glob("*.parquet"))
        if self._wanted is not None and there > self._wanted:
            raise InvalidInputError(
                f"{self._settings.out} holds {there} frames, more than --frames {self._wanted}: nothing is cut; "
                "choose another --out, or ask for more"
            )

    def _loop(self, pool: ProcessPoolExecutor, reports: Any, limit: Any, shown: Callable[[Tally], None]) -> None:
        tally, pending, index = self._tally, set[Future[dict[str, Any]]](), 0
        while True:
            while len(pending) < self._workers and self._wants(index):
                frames = self._frames_there(route_job(self._settings, index))
                if frames is None:
                    pending.add(pool.submit(collect, self._settings, route_job(self._settings, index)))
                else:
                    tally.finished[index] = frames
                index += 1
            shown(tally)
            if not pending:
                return
            finished, pending = wait(pending, timeout=POLL_S, return_when=FIRST_COMPLETED)
            while not reports.empty():
                number, frames = reports.get()
                if number not in tally.finished:
                    tally.begun[number] = frames
            for future in finished:
                result = future.result()
                tally.begun.pop(result["index"], None)
                tally.finished[result["index"]] = result["frames"]
            self._set_limit(limit)

    def _wants(self, index: int) -> bool:
        """Whether route ``index`` is to be begun."""
        if self._routes is not None and index >= self._routes:
            return False
        return self._wanted is None or self._tally.frames < self._wanted

    def _set_limit(self, limit: Any) -> None:
        """Tell the workers the last route that is wanted, once all before it are finished and it is sure to give its frames."""
        if self._wanted is None:
            return
        last = self._tally.last_wanted(self._wanted)
        if last is None:
            last = self._tally.first_open()
            if self._tally.begun.get(last, 0) < certain(self._wanted - self._tally.frames_before(last)):
                return
        limit[1] = self._wanted - self._tally.frames_before(last)
        limit[0] = last

    def _frames_there(self, job: RouteJob) -> int | None:
        """Frames of a route that an earlier run has finished; None: it is to be driven."""
        path = route_path(self._settings.out, job.name)
        if path.is_file():
            frames, whole = _frames_in(path)
            needed = None if self._wanted is None else self._wanted - self._tally.frames_before(job.index)
            if whole or (needed is not None and frames >= needed):
                return frames
            path.unlink()  # it was cut for fewer frames than are wanted now
            return None
        return 0 if empty_path(self._settings.out, job.name).is_file() else None

    def _cut_last(self) -> None:
        """Cut the route that brings the last frame, and take out what comes after it."""
        if self._wanted is None:
            return
        last = self._tally.last_wanted(self._wanted)
        if last is None:
            return
        kept = self._wanted - self._tally.frames_before(last)
        if self._tally.finished[last] > kept:
            trim(route_path(self._settings.out, route_job(self._settings, last).name), kept)
            self._tally.finished[last] = kept
        for index in [number for number in self._tally.finished if number > last]:
            route_path(self._settings.out, route_job(self._settings, index).name).unlink(missing_ok=True)
            del self._tally.finished[index]


def _frames_in(path: Path) -> tuple[int, bool]:
    """Frames of a route's file, and whether they are all that its drive gives."""
    with open_file(path) as file:
        meta = meta_of(file, path)
    frames = int(meta["frames"])
    return frames, not meta["ended_early"] and frames == meta["driven_frames"]
