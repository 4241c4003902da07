"""``./simlingo checkpoint export``: back to the published layout."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from simlingo.model.checkpoints.command_common import check_files, declare, open_from

DESCRIPTION = (
    "Write a checkpoint in the published layout, with the bits it was imported with: a run's folder where it came\n"
    "from one, else config.json beside pytorch_model.pt. LoRA factors stay apart, aliases are written again."
)
EXAMPLES = """examples:
  ./simlingo checkpoint export models/simlingo-1b --out exported
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    declare(parser, DESCRIPTION, EXAMPLES)
    parser.add_argument("--out", type=Path, required=True, help="the new folder")


def run(args: argparse.Namespace) -> int:
    """Export; 0 when the folder is complete."""
    from simlingo.model.checkpoints.atomic_write import require_free_name
    from simlingo.model.checkpoints.publish import write_published

    require_free_name(args.out)
    checkpoint = open_from(args)
    check_files(checkpoint)
    print(f"writing {args.out} ({checkpoint.bytes / 1e6:,.1f} MB) ...", file=sys.stderr, flush=True)
    weights = write_published(checkpoint, args.out)
    print(f"{weights}: {checkpoint.weights:,} weights. Licence: {checkpoint.provenance.licence}")
    return 0
