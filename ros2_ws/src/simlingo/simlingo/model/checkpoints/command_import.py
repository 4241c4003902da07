"""``./simlingo checkpoint import``: any checkpoint into a model folder of ours."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from simlingo.model.checkpoints.command_common import check_files, declare, open_from, progress

DESCRIPTION = (
    "Read a checkpoint (the published SimLingo, DeepSpeed ZeRO-2, config.json + pytorch_model.pt, InternVL2-1B, or\n"
    "ours) and write a model folder: safetensors, config.json, tokenizer, model card. The weights keep every bit."
)
EXAMPLES = """examples:
  ./simlingo checkpoint import simlingo/checkpoints/epoch=013.ckpt --out models/simlingo-1b --tokenizer InternVL2-1B
  ./simlingo checkpoint import InternVL2-1B --out models/start --name my-model
  ./simlingo checkpoint import owner/name --revision COMMIT --accept-licence --out models/simlingo-1b
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    declare(parser, DESCRIPTION, EXAMPLES)
    parser.add_argument("--out", type=Path, required=True, help="the new model folder")
    parser.add_argument("--name", help="the model's name (default: as the checkpoint says)")
    parser.add_argument(
        "--no-tokenizer", action="store_true", help="write no tokenizer: the folder answers to token ids only"
    )
    parser.add_argument(
        "--merge-lora",
        action="store_true",
        help="add the LoRA factors to the weights; smaller, but not to be trained on or exported",
    )


def run(args: argparse.Namespace) -> int:
    """Import; 0 when the folder is complete."""
    from simlingo.contracts import InvalidInputError
    from simlingo.model.checkpoints.atomic_write import require_free_name
    from simlingo.model.checkpoints.reader import renamed
    from simlingo.model.checkpoints.store import merge_adapters, write_folder

    began = time.monotonic()
    require_free_name(args.out)
    checkpoint = open_from(args)
    tokenizer = None if args.no_tokenizer else checkpoint.source.tokenizer
    if tokenizer is None and not args.no_tokenizer:
        raise InvalidInputError(
            f"{args.path} comes without a tokenizer; name one: --tokenizer PATH (a folder with tokenizer.json, for "
            "SimLingo that of InternVL2-1B), or go without text: --no-tokenizer"
        )
    check_files(checkpoint)
    if args.name:
        checkpoint = renamed(checkpoint, args.name)
    if args.merge_lora:
        checkpoint = merge_adapters(checkpoint)
    with progress(f"writing {args.out}", checkpoint.bytes) as done:
        write_folder(checkpoint, args.out, tokenizer, done)
    print(
        f"{args.out}: {len(checkpoint.tensors)} tensors, {checkpoint.weights:,} weights "
        f"in {time.monotonic() - began:.1f} s. Licence: {checkpoint.provenance.licence}"
    )
    return 0
