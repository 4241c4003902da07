"""``./simlingo train``: make the model's pictures of the data, train, export."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from simlingo.arguments import real, whole

if TYPE_CHECKING:
    from training.trainer.checkpoint import RunProgress
    from training.trainer.config import TrainConfig
    from training.trainer.loop import Trainer

DESCRIPTION = (
    "Train a model on collected routes and export it. The same command goes on where an earlier start of the run ended, "
    "bit for bit on the same machine."
)
EXAMPLES = """examples:
  ./simlingo train --data data/routes --run runs/train/first --minutes 90
  ./simlingo train --data data/routes --run runs/train/quick --samples 2400 --set schedule.peak_rate=5e-4
  ./simlingo train --data data/routes data/on_policy --run runs/train/second --start-from runs/train/first --minutes 30
  ./simlingo drive --model runs/train/first
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.description = DESCRIPTION
    parser.epilog = EXAMPLES
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--data", nargs="+", type=Path, required=True, help="folders written by ./simlingo collect")
    parser.add_argument("--run", type=Path, required=True, help="folder of this run: checkpoints, curves, model")
    parser.add_argument(
        "--config",
        default="simlingo-mini",
        metavar="NAME|FILE",
        help="of training/configs, or a YAML file (default simlingo-mini)",
    )
    parser.add_argument(
        "--set", nargs="+", action="extend", default=[], metavar="KEY=VALUE", help="values in its place"
    )
    budget = parser.add_mutually_exclusive_group()
    budget.add_argument("--samples", type=whole(1), help="how much to learn: prompts, two a frame")
    budget.add_argument(
        "--minutes",
        type=real(0.0, open_at_least=True),
        help="the same as training time, which becomes samples by a measurement at the first start (default 120)",
    )
    parser.add_argument("--start-from", type=Path, help="model folder or run whose weights to begin with")
    parser.add_argument(
        "--validation", nargs="+", type=Path, default=[], help="data folders that validate (default: routes of --data)"
    )
    parser.add_argument("--seed", type=whole(0), help="the same as --set seed=N (default 0)")
    parser.add_argument(
        "--processes",
        type=whole(1),
        default=1,
        help="share each batch among so many processes of this machine (default 1); on a CPU one a core is a third faster",
    )
    parser.add_argument(
        "--threads", type=whole(0), default=0, help="CPU threads of a process (default: its part of the cores)"
    )
    parser.add_argument("--cache", type=Path, help="where the model's pictures of the data lie (default RUN/cache)")
    parser.add_argument(
        "--accept",
        nargs="+",
        default=[],
        metavar="KEY",
        help="go on although commit, versions.python, versions.torch or versions.numpy differ; run.yaml notes it",
    )


def run(args: argparse.Namespace) -> int:
    """Make pictures, train, export; 0 when the model folder is complete."""
    from simlingo.contracts import SimlingoError
    from training.trainer.files import RECORD_FILE
    from training.trainer.group import RANK, SIZE, check_group
    from training.trainer.processes import ended_badly, others

    try:
        size = args.processes if args.processes > 1 else int(os.environ.get(SIZE, "1"))
        first = not (args.run / RECORD_FILE).is_file()  # later starts know the budget
        check_group(size, _config(args).sampler.batch_frames, first and args.minutes is not None)  # before any picture
        with others(args.processes) as started:
            try:
                return _run(args)
            except RuntimeError as error:  # of torch.distributed where another process is gone
                if (rank := os.environ.get(RANK, "0")) != "0":
                    print(f"train: process {rank}: {error}", file=sys.stderr)
                elif fault := ended_badly(started):
                    print(f"train: {fault}; the same command goes on from the last checkpoint", file=sys.stderr)
                else:
                    raise
                return 1
    except SimlingoError as error:
        print(f"train: {error}", file=sys.stderr)
        return 1


def _config(args: argparse.Namespace) -> TrainConfig:
    from training.trainer.config_reading import read_config

    return read_config(args.config, args.set if args.seed is None else [*args.set, f"seed={args.seed}"])


def _run(args: argparse.Namespace) -> int:
    """In one process of the run's group."""
    import torch

    from training.trainer.data import open_data
    from training.trainer.group import joined, left
    from training.trainer.policies import policy_named
    from training.trainer.processes import cores_of
    from training.trainer.run import BudgetRequest, prepare

    group = joined()
    if not group.main:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the main process tells when to end
    torch.set_num_threads(args.threads or cores_of(1))  # the main process prepares alone
    try:
        config = _config(args)
        policy = policy_named(config.model)
        cache = args.cache or args.run / "cache"
        asked = BudgetRequest(args.samples, args.minutes)
        evaluation = None
        if config.evaluation.every_samples:
            from training.evaluation.during_training import DriveEvaluation

            evaluation = DriveEvaluation(config.evaluation.routes, torch.get_num_threads())
        with group.first():
            data = open_data(args.data, args.validation, cache, policy.model, config.data, config.mixture)
            trainer, budget = prepare(
                args.run, config, data, asked, args.start_from, args.accept, evaluation, group=group
            )
        group.wait()
        torch.set_num_threads(args.threads or cores_of(group.size))
        if not group.main:
            trainer.run(budget, lambda progress: None)
            return 0
        together = f", {group.size} processes" if group.size > 1 else ""
        print(
            f"{len(data.train)} frames to train on, {len(data.validation)} to validate; device {trainer.learner.device}{together}"
        )
        if trainer.progress.step:
            print(f"going on at step {trainer.progress.step}, {trainer.progress.samples} of {budget} samples seen")
        _train(trainer, budget)
        if trainer.interrupted:
            raise KeyboardInterrupt
        difference = policy.export(args.run)
    except KeyboardInterrupt:
        print("\ntrain: stopped; the same command goes on from the last checkpoint", file=sys.stderr)
        return 130
    finally:
        left(group)
    print(f"model in {args.run} (graphs and network differ by {difference:.1e}); curves in {args.run / 'losses.png'}")
    return 0


def _train(trainer: Trainer, budget: int) -> None:
    """Train to the end behind a progress bar; the first Ctrl-C ends after the step in work, with a checkpoint."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    columns = (
        TextColumn("training"),
        BarColumn(),
        TextColumn("{task.fields[note]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns) as bar:
        task = bar.add_task("train", total=budget, completed=trainer.progress.samples, note="")

        def report(progress: RunProgress) -> None:
            rate = progress.samples / max(progress.elapsed_s, 1e-9)
            shown = [f"{name} {progress.smooth[name]:.3f}" for name in list(progress.smooth)[:4]]
            note = "  ".join((f"step {progress.step}  {progress.samples} samples  {rate:.0f}/s", *shown))
            bar.update(task, completed=progress.samples, note=note)
            if progress.step % 100 == 0 and not bar.console.is_terminal:
                bar.console.print(note)

        def interrupt(number: int, frame: object) -> None:
            trainer.interrupted = True
            bar.console.print("stopping after this step and a checkpoint; Ctrl-C again ends at once")
            signal.signal(signal.SIGINT, signal.default_int_handler)

        earlier = signal.signal(signal.SIGINT, interrupt)
        try:
            trainer.run(budget, report)
        finally:
            signal.signal(signal.SIGINT, earlier)
