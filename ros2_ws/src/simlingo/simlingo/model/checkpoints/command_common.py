"""What the commands of ``./simlingo checkpoint`` share: arguments, hub ids, progress. Imports the rest late."""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from simlingo.model.checkpoints.reader import Checkpoint


def declare(parser: argparse.ArgumentParser, description: str, examples: str) -> None:
    """Description, examples and the arguments that say which checkpoint."""
    parser.description = description
    parser.epilog = examples
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument(
        "path",
        metavar="PATH",
        help="folder or weight file of a checkpoint, a shipped model's name, or a hub id (owner/name)",
    )
    parser.add_argument("--tokenizer", type=Path, help="folder with tokenizer.json, where the checkpoint has none")
    parser.add_argument("--revision", default="", help="for a hub id: the commit, 40 hexadecimal digits")
    parser.add_argument(
        "--accept-licence",
        action="store_true",
        help="for a hub id: you have read and accept the licence of the weights",
    )


def open_from(args: argparse.Namespace) -> Checkpoint:
    """The checkpoint that the arguments name, with their tokenizer.

    Raises:
        InvalidInputError: see ``open_checkpoint`` and ``fetch``.
    """
    from dataclasses import replace

    from simlingo.contracts import InvalidInputError
    from simlingo.model.checkpoints.hub import fetch, looks_like_hub_id
    from simlingo.model.checkpoints.reader import open_checkpoint
    from simlingo.model.folder import SHIPPED

    if looks_like_hub_id(args.path):
        checkpoint = open_checkpoint(fetch(args.path, args.revision, args.accept_licence), origin=args.path)
        checkpoint = replace(checkpoint, provenance=replace(checkpoint.provenance, revision=args.revision))
    else:
        path = Path(args.path)
        if not path.exists() and (SHIPPED / path).is_dir():
            path = SHIPPED / path
        checkpoint = open_checkpoint(path)
    if args.tokenizer is not None:
        if not args.tokenizer.exists():
            raise InvalidInputError(f"no tokenizer {args.tokenizer}: there is no such file or folder")
        checkpoint = replace(checkpoint, source=replace(checkpoint.source, tokenizer=args.tokenizer))
    return checkpoint


@contextlib.contextmanager
def progress(title: str, total: int) -> Iterator[Callable[[int], None]]:
    """A bar over ``total`` bytes on the error stream while the block works; the block is given what counts them."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task(title, total=total)
        if not console.is_terminal:
            print(f"{title} ({total / 1e6:,.1f} MB) ...", file=sys.stderr, flush=True)
        yield lambda count: bar.advance(task, count)


def check_files(checkpoint: Checkpoint) -> None:
    """:func:`simlingo.model.checkpoints.integrity.check_intact` behind a bar.

    Raises:
        InvalidInputError: a file differs from what was written.
    """
    from simlingo.model.checkpoints.integrity import check_intact

    total = sum(file.stat().st_size for file in checkpoint.files)
    with progress("checking files", total) as done:
        check_intact(checkpoint, done)
