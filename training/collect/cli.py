"""``./simlingo collect``: drive routes with the expert and write a data set."""

from __future__ import annotations

import argparse
import os
import sys
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simlingo.arguments import real, whole

if TYPE_CHECKING:
    from training.collect.settings import CollectSettings, Job

DESCRIPTION = (
    "Drive routes with the expert and write what the camera sees and the expert means. "
    "Started again with the same options it goes on after the last finished route."
)
EXAMPLES = """examples:
  ./simlingo collect --out data/first --routes 40
  ./simlingo collect --out data/first --frames 20000 --no-rgb --workers 2
  ./simlingo collect --out data/on_policy --frames 10000 --no-rgb --policy runs/train/first
"""
#: Seconds between two looks at the workers' reports.
POLL_S = 0.5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.description = DESCRIPTION
    parser.epilog = EXAMPLES
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--out", type=Path, required=True, help="folder of the data set")
    parser.add_argument("--routes", type=whole(1), help="stop after so many routes (default 20, or as --frames asks)")
    parser.add_argument(
        "--frames", type=whole(1), help="stop when so many frames are there (each has an augmented view)"
    )
    parser.add_argument("--towns", nargs="+", help="towns to drive in (default: all but the held-out one)")
    parser.add_argument("--allow-held-out", action="store_true", help="permit the town that is kept for tests")
    parser.add_argument(
        "--invented",
        type=real(0.0, 1.0),
        default=0.5,
        help="share of the routes in towns of random layout (default 0.5)",
    )
    parser.add_argument("--seed", type=whole(0), default=0, help="other seeds give other routes (default 0)")
    parser.add_argument("--workers", type=whole(1), default=os.cpu_count() or 1, help="processes (default: one a core)")
    parser.add_argument("--no-rgb", action="store_true", help="write no full pictures and boxes, only the cache")
    parser.add_argument("--no-perturb", action="store_true", help="do not disturb the drive")
    parser.add_argument("--policy", help="model (name or folder) that drives part of the time; the expert labels")


def run(args: argparse.Namespace) -> int:
    """Collect; 0 when all that was asked for is there."""
    from training.collect.worker import limit_threads

    limit_threads(1)
    from simlingo.contracts import SimlingoError
    from training.collect.settings import CollectSettings, checked_towns

    try:
        towns = checked_towns(args.towns, args.allow_held_out)
        settings = CollectSettings(
            args.out,
            towns,
            args.seed,
            not args.no_rgb,
            not args.no_perturb,
            args.policy,
            invented=args.invented,
        )
        routes = args.routes or (1_000_000 if args.frames else 20)
        frames = _Collection(settings, routes, args.frames or sys.maxsize, args.workers).run()
    except SimlingoError as error:
        print(f"collect: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\ncollect: stopped; the same command goes on after the last finished route", file=sys.stderr)
        return 130
    print(f"{frames} frames, each with an augmented view, in {args.out}")
    return 0


class _Collection:
    """Hands routes to the workers until enough frames are there."""

    def __init__(self, settings: CollectSettings, routes: int, frames: int, workers: int) -> None:
        self._settings, self._routes, self._wanted, self._workers = settings, routes, frames, workers
        self._done = 0  # frames of finished routes
        self._begun: dict[int, int] = {}  # route -> frames so far
        self._finished = 0  # routes

    def run(self) -> int:
        """Collect and return the number of frames."""
        import multiprocessing

        from training.collect.worker import start

        context = multiprocessing.get_context("spawn")
        reports = context.Queue()
        pool = ProcessPoolExecutor(self._workers, mp_context=context, initializer=start, initargs=(reports,))
        try:
            self._loop(pool, reports)
        except BaseException:
            for process in list((pool._processes or {}).values()):
                process.terminate()
            pool.shutdown(wait=True, cancel_futures=True)
            self._sweep()
            raise
        pool.shutdown()
        return self._done

    def _loop(self, pool: ProcessPoolExecutor, reports: Any) -> None:
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

        columns = (TextColumn("collecting"), BarColumn(), TextColumn("{task.fields[note]}"))
        with Progress(*columns, TimeElapsedColumn(), TimeRemainingColumn()) as bar:
            by_frames = self._wanted < sys.maxsize
            task = bar.add_task("collect", total=self._wanted if by_frames else self._routes, note="")
            pending: set[Future[dict[str, Any]]] = set()
            index = 0
            while True:
                while len(pending) < self._workers and index < self._routes and self._total() < self._wanted:
                    index = self._submit(pool, pending, index)
                if not pending:
                    return
                finished, pending = wait(pending, timeout=POLL_S, return_when=FIRST_COMPLETED)
                while not reports.empty():
                    number, frames = reports.get()
                    self._begun[number] = frames
                for future in finished:
                    self._take(future.result())
                    if not bar.console.is_terminal:
                        bar.console.print(f"{self._finished} routes, {self._done} frames")
                note = f"{self._total()} frames, {self._finished} routes"
                bar.update(task, completed=self._total() if by_frames else self._finished, note=note)

    def _submit(self, pool: ProcessPoolExecutor, pending: set[Future[dict[str, Any]]], index: int) -> int:
        """Start route ``index`` unless it is there already; returns the next index."""
        from training.collect.settings import job
        from training.collect.worker import collect

        wanted = job(self._settings, index)
        results = self._results_of(wanted)
        if results is not None:
            self._take(results)
        else:
            pending.add(pool.submit(collect, self._settings, wanted))
        return index + 1

    def _results_of(self, wanted: Job) -> dict[str, Any] | None:
        """Results of a route that an earlier run has finished."""
        from training.collect.writer import RESULTS_FILE, read_json

        path = wanted.folder(self._settings.out, self._settings.policy is not None) / RESULTS_FILE
        results: dict[str, Any] | None = read_json(path) if path.is_file() else None
        return results

    def _take(self, results: dict[str, Any]) -> None:
        self._begun.pop(results["job"]["index"], None)
        self._done += results["frames"]
        self._finished += 1

    def _total(self) -> int:
        return self._done + sum(self._begun.values())

    def _sweep(self) -> None:
        """Remove what the ended workers left half-written."""
        import shutil

        for folder in self._settings.out.glob("data/simlingo/*/*/*/*.partial"):
            shutil.rmtree(folder, ignore_errors=True)
