"""``./simlingo collect``: drive routes with the expert and write a data set."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from simlingo.arguments import real, whole

if TYPE_CHECKING:
    from training.collect.collector import Collector, Tally

DESCRIPTION = (
    "Drive routes with the expert and write what the camera sees and the expert means, a Parquet file a route. "
    "Started again with the same options it goes on after the last finished route."
)
EXAMPLES = """examples:
  ./simlingo collect --out data/first --routes 40
  ./simlingo collect --out data/first --frames 20000 --workers 2
  ./simlingo collect --out data/on_policy --frames 10000 --policy runs/train/first
  ./simlingo collect --out data/carla --simulator carla --towns Town03 --procedural 0 --obstacles 0 --no-counterfactual --no-repaint --workers 1
  ./simlingo collect --check-dreams data/first
"""
#: Routes where neither --routes nor --frames is given.
DEFAULT_ROUTES = 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.description = DESCRIPTION
    parser.epilog = EXAMPLES
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    task = parser.add_mutually_exclusive_group(required=True)
    task.add_argument("--out", type=Path, help="folder of the data set")
    task.add_argument(
        "--check-dreams",
        type=Path,
        metavar="DATA",
        help="drive nothing: report what the dreams of a data set ask of the vehicle, with a plot; 1 if it could not do one",
    )
    parser.add_argument("--routes", type=whole(1), help="stop after so many routes (default 20, or as --frames asks)")
    parser.add_argument(
        "--frames",
        type=whole(1),
        help="stop at exactly so many frames; each has two views (the last route is cut there)",
    )
    parser.add_argument("--towns", nargs="+", help="towns to drive in (default: all but the held-out one)")
    parser.add_argument("--allow-held-out", action="store_true", help="permit the town that is kept for tests")
    parser.add_argument(
        "--procedural",
        type=real(0.0, 1.0),
        default=0.5,
        help="share of the routes in towns of random layout (default 0.5)",
    )
    parser.add_argument(
        "--obstacles",
        type=real(0.0, 1.0),
        default=0.5,
        help="share of the routes with cones, road works, parked cars and street furniture (default 0.5)",
    )
    parser.add_argument("--seed", type=whole(0), default=0, help="other seeds give other routes (default 0)")
    parser.add_argument("--workers", type=whole(1), default=os.cpu_count() or 1, help="processes (default: one a core)")
    parser.add_argument("--no-perturb", action="store_true", help="do not disturb the drive")
    parser.add_argument("--no-counterfactual", action="store_true", help="second views show only what is there")
    parser.add_argument("--no-repaint", action="store_true", help="towns in their own colours")
    parser.add_argument("--policy", help="model (name or folder) that drives part of the time; the expert labels")
    parser.add_argument(
        "--simulator",
        choices=("embedded", "carla"),
        default="embedded",
        help="which world to drive in (default: embedded)",
    )
    parser.add_argument("--host", default="127.0.0.1", help="of the CARLA server (default: 127.0.0.1)")
    parser.add_argument("--port", type=whole(1), default=2000, help="of the CARLA server (default: 2000)")


def run(args: argparse.Namespace) -> int:
    """Collect; 0 when all that was asked for is there."""
    from training.collect.worker import limit_threads

    limit_threads(1)
    if args.check_dreams is not None:
        from training.language.dreams.check import check

        return check(args.check_dreams)
    from simlingo.contracts import SimlingoError
    from training.collect.collector import Collector
    from training.collect.settings import CollectSettings, checked_towns

    try:
        settings = CollectSettings(
            args.out,
            checked_towns(args.towns, args.allow_held_out, args.simulator),
            args.seed,
            perturb=not args.no_perturb,
            policy=args.policy,
            procedural=args.procedural,
            obstacles=args.obstacles,
            counterfactual=not args.no_counterfactual,
            repaint=not args.no_repaint,
            simulator=args.simulator,
            host=args.host,
            port=args.port,
        )
        routes = args.routes or (None if args.frames else DEFAULT_ROUTES)
        frames = _collect(Collector(settings, routes, args.frames, args.workers), routes, args.frames)
    except SimlingoError as error:
        print(f"collect: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\ncollect: stopped; the same command goes on after the last finished route", file=sys.stderr)
        return 130
    print(f"{frames} frames, each with two views, in {args.out}")
    return 0


def _collect(collector: Collector, routes: int | None, frames: int | None) -> int:
    """Collect behind a progress bar."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    columns = (TextColumn("collecting"), BarColumn(), TextColumn("{task.fields[note]}"))
    with Progress(*columns, TimeElapsedColumn(), TimeRemainingColumn()) as bar:
        task = bar.add_task("collect", total=frames or routes, note="")
        finished = 0

        def show(tally: Tally) -> None:
            nonlocal finished
            note = f"{tally.frames} frames, {len(tally.finished)} routes"
            bar.update(task, completed=tally.frames if frames else len(tally.finished), note=note)
            if len(tally.finished) != finished and not bar.console.is_terminal:
                finished = len(tally.finished)
                bar.console.print(note)

        return collector.run(show)
