"""``./simlingo train``: pack collected routes, train, export."""

from __future__ import annotations

import argparse
import signal
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from simlingo.arguments import real, whole

if TYPE_CHECKING:
    from training.trainer.loop import Trainer
    from training.trainer.state import Progress

DESCRIPTION = (
    "Train simlingo-mini on collected routes and export it. Goes on where an earlier start of the same run ended."
)
EXAMPLES = """examples:
  ./simlingo train --data data/routes --run runs/train/first --minutes 90
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
        "--minutes",
        type=real(0.0, open_at_least=True),
        default=120.0,
        help="training time in all starts together (default 120)",
    )
    parser.add_argument("--start-from", type=Path, help="model folder or run whose weights to begin with")
    parser.add_argument(
        "--batch", type=whole(1), default=12, help="frames a batch; two prompts share each frame (default 12)"
    )
    parser.add_argument(
        "--rate", type=real(0.0, open_at_least=True), default=1e-3, help="peak learning rate (default 0.001)"
    )
    parser.add_argument("--seed", type=whole(0), default=0, help="seed of weights and batches (default 0)")
    parser.add_argument("--threads", type=whole(0), default=0, help="CPU threads (default: as many as there are cores)")
    parser.add_argument("--pack", type=Path, help="where the packed frames lie (default RUN/pack)")


def run(args: argparse.Namespace) -> int:
    """Pack, train, export; 0 when the model folder is complete."""
    import torch

    from simlingo.contracts import InvalidInputError, SimlingoError
    from simlingo.model.config import MINI
    from simlingo.model.export import export_graphs
    from simlingo.model.folder import TOKENIZER_FILE
    from training.datasets.build_pack import build_packs
    from training.trainer.loop import Trainer, TrainSettings
    from training.trainer.tokenizer import train_tokenizer

    if args.threads:
        torch.set_num_threads(args.threads)
    args.run.mkdir(parents=True, exist_ok=True)
    try:
        if args.start_from and not (args.start_from / TOKENIZER_FILE).is_file():
            raise InvalidInputError(f"--start-from {args.start_from} is no model folder: it has no {TOKENIZER_FILE}")
        config = replace(MINI, speaks=True)
        train, validation = build_packs(args.data, args.pack or args.run / "pack", config)
        if not (args.run / TOKENIZER_FILE).is_file():
            train_tokenizer(args.run / TOKENIZER_FILE, config.language.vocab_size)
        settings = TrainSettings(
            args.run,
            args.minutes * 60.0,
            batch_frames=args.batch,
            peak_rate=args.rate,
            seed=args.seed,
            start_from=args.start_from,
        )
        trainer = Trainer(settings, config, train, validation)
        print(f"{len(train)} frames to train on, {len(validation)} to validate; device {trainer.device}")
        if trainer.progress.step:
            print(f"going on at step {trainer.progress.step}, {trainer.progress.samples} samples seen")
        _train(trainer)
        if trainer.interrupted:
            raise KeyboardInterrupt
        difference = export_graphs(args.run)
    except SimlingoError as error:
        print(f"train: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\ntrain: stopped; the same command goes on from the last checkpoint", file=sys.stderr)
        return 130
    print(f"model in {args.run} (graphs and network differ by {difference:.1e}); curves in {args.run / 'losses.png'}")
    return 0


def _train(trainer: Trainer) -> None:
    """Train to the end behind a progress bar; the first Ctrl-C ends after the step in work, with a checkpoint."""
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
    from rich.progress import Progress as ProgressBar

    columns = (
        TextColumn("training"),
        BarColumn(),
        TextColumn("{task.fields[note]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with ProgressBar(*columns) as bar:
        task = bar.add_task("train", total=trainer.settings.duration_s, note="")

        def report(progress: Progress, losses: dict[str, float]) -> None:
            rate = progress.samples / max(progress.elapsed_s, 1e-9)
            shown = "  ".join(f"{name} {losses[name]:.3f}" for name in ("path", "speed_waypoints", "light", "semantic"))
            note = f"step {progress.step}  {progress.samples} samples  {rate:.0f}/s  {shown}"
            bar.update(task, completed=progress.elapsed_s, note=note)
            if progress.step % 100 == 0 and not bar.console.is_terminal:
                bar.console.print(note)

        def interrupt(number: int, frame: object) -> None:
            trainer.interrupted = True
            bar.console.print("stopping after this step and a checkpoint; Ctrl-C again ends at once")
            signal.signal(signal.SIGINT, signal.default_int_handler)

        earlier = signal.signal(signal.SIGINT, interrupt)
        try:
            trainer.run(report)
        finally:
            signal.signal(signal.SIGINT, earlier)
