"""``./simlingo checkpoint verify``: our network against a stored case."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from simlingo.arguments import output_file, real, whole
from simlingo.model.checkpoints.command_common import check_files, declare, open_from

DESCRIPTION = (
    "Run the network on the frame and token ids of case.npz beside the checkpoint, and report for every stored tensor\n"
    "the largest absolute difference divided by the reference's largest magnitude. Exit status 1 above the tolerance\n"
    "or where the text differs."
)
EXAMPLES = """examples:
  ./simlingo checkpoint verify parity --json report.json
  ./simlingo checkpoint verify models/simlingo-1b --case parity/case.npz --tolerance 5e-5
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    declare(parser, DESCRIPTION, EXAMPLES)
    parser.add_argument("--json", type=output_file, metavar="FILE", help="also write the report there")
    parser.add_argument("--case", type=Path, help="the case (default: case.npz beside the weights)")
    parser.add_argument(
        "--tolerance",
        type=real(0.0, open_at_least=True),
        default=1e-4,
        help="largest difference that passes (default 1e-4)",
    )
    parser.add_argument("--threads", type=whole(0), default=0, help="CPU threads (default: as many as there are cores)")


def run(args: argparse.Namespace) -> int:
    """Verify; 0 within the tolerance."""
    import torch

    from simlingo.model.checkpoints.atomic_write import writing
    from simlingo.model.checkpoints.verify import CASE_FILE, read_case, verify

    if args.threads:
        torch.set_num_threads(args.threads)
    checkpoint = open_from(args)
    case = read_case(args.case or checkpoint.source.folder / CASE_FILE)
    check_files(checkpoint)
    print("running the case ...", file=sys.stderr, flush=True)
    report = verify(checkpoint, case)
    text = json.dumps(report.to_dict(), indent=2) + "\n"
    if args.json is not None:
        with writing(args.json):
            args.json.parent.mkdir(parents=True, exist_ok=True)
            temporary = args.json.with_name(f"{args.json.name}.tmp")
            temporary.write_text(text, encoding="utf-8")
            temporary.replace(args.json)
    print(text, end="")
    if report.unknown:
        print(f"not compared, since the network has no such tensor: {', '.join(report.unknown)}", file=sys.stderr)
    passed = report.passed(args.tolerance)
    print(f"{'passed' if passed else 'FAILED'} at tolerance {args.tolerance:g}", file=sys.stderr)
    return 0 if passed else 1
