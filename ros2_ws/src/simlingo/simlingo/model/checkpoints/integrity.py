"""Whether a checkpoint's weight files are those that were written."""

from __future__ import annotations

import sys
from collections.abc import Callable

from simlingo.model.checkpoints.provenance import Kind
from simlingo.model.checkpoints.reader import Checkpoint
from simlingo.model.checkpoints.shards import SUMS_FILE, check_digests
from simlingo.model.checkpoints.torch_file import check_sums


def check_intact(checkpoint: Checkpoint, done: Callable[[int], None] = lambda _: None) -> None:
    """Read the weight files and compare them with their checksums: those inside torch's files, or the digests beside ours.

    Args:
        checkpoint: plain safetensors without ``SHA256SUMS`` beside them have nothing to compare with.
        done: is told the bytes read.

    Raises:
        InvalidInputError: a file differs from what was written.
    """
    if checkpoint.source.kind in (Kind.OURS, Kind.INTERNVL):
        check_digests(checkpoint.source.folder, done)
        return
    for file in checkpoint.files:
        check_sums(file, done)


def check_before_use(checkpoint: Checkpoint) -> None:
    """:func:`check_intact`, and a line on the error stream first, as it takes seconds for a large one.

    Raises:
        InvalidInputError: a file differs from what was written.
    """
    folder = checkpoint.source.folder
    if checkpoint.source.kind not in (Kind.OURS, Kind.INTERNVL) or (folder / SUMS_FILE).is_file():
        print(f"checking {_size(checkpoint) / 1e6:,.1f} MB of weights in {folder} ...", file=sys.stderr, flush=True)
    check_intact(checkpoint)


def _size(checkpoint: Checkpoint) -> int:
    return sum(file.stat().st_size for file in checkpoint.files)
