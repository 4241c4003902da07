"""``./simlingo checkpoint inspect``: what a checkpoint holds."""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from typing import TYPE_CHECKING, Any

from simlingo.model.checkpoints.command_common import check_files, declare, open_from

if TYPE_CHECKING:
    from simlingo.model.checkpoints.reader import Checkpoint

DESCRIPTION = (
    "Show a checkpoint's layout, sizes and tensors. Every key is accounted for: a missing, unexpected or misshapen\n"
    "one is an error that lists them all, and so is a file that differs from its checksums. Nothing in it is executed."
)
EXAMPLES = """examples:
  ./simlingo checkpoint inspect simlingo/checkpoints/epoch=013.ckpt
  ./simlingo checkpoint inspect InternVL2-1B --json
"""
#: Parts by the beginning of our names; LoRA factors are told by their ending first.
_PARTS = (
    ("vision tower", "vlm.vision_tower."),
    ("projector", "vlm.multi_modal_projector."),
    ("language model", ("vlm.language_model.", "lm_head.")),
    ("driving heads", ("route_", "speed_")),
    ("target points", "point_encoder."),
    ("judgement", "judgement_head."),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    declare(parser, DESCRIPTION, EXAMPLES)
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    """Print what the checkpoint holds; 0 where it is complete."""
    checkpoint = open_from(args)
    check_files(checkpoint)
    facts = describe(checkpoint)
    if args.json:
        print(json.dumps(facts, indent=2))
        return 0
    config, parts = facts["config"], facts["parts"]
    print(f"{args.path}: {facts['layout']} layout, complete")
    print(
        f"  keys {facts['keys']}, different tensors {facts['tensors']}, weights {facts['weights']:,} ({facts['types']})"
    )
    for name, weights in parts.items():
        print(f"  {name:<15} {weights:>14,}")
    for name in ("image", "vision", "language", "lora"):
        print(f"  {name:<15} {config[name]}")
    print(f"  tokenizer       {facts['tokenizer'] or 'none: name one with --tokenizer'}")
    for note in facts["notes"]:
        print(f"  note: {note}", file=sys.stderr)
    return 0


def describe(checkpoint: Checkpoint) -> dict[str, Any]:
    """The checkpoint as plain values."""
    import dataclasses

    parts: Counter[str] = Counter()
    types: Counter[str] = Counter()
    for name, tensor in checkpoint.tensors.items():
        parts[_part(name)] += tensor.numel()
        types[str(tensor.dtype).removeprefix("torch.")] += 1
    return {
        "layout": checkpoint.source.kind.value,
        "keys": checkpoint.stored_keys,
        "tensors": checkpoint.stored_keys - checkpoint.aliases,
        "weights": checkpoint.weights,
        "parts": dict(parts),
        "types": ", ".join(f"{count} {name}" for name, count in types.items()),
        "config": dataclasses.asdict(checkpoint.config),
        "tokenizer": str(checkpoint.source.tokenizer) if checkpoint.source.tokenizer else None,
        "notes": list(checkpoint.provenance.notes),
    }


def _part(name: str) -> str:
    if ".lora_" in name:
        return "LoRA"
    return next(part for part, beginning in _PARTS if name.startswith(beginning))
