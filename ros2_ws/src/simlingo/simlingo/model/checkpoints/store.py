"""Writes a checkpoint as a model folder of ours: configuration, safetensors, tokenizer, model card, origin."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from simlingo.contracts import InvalidInputError
from simlingo.model.checkpoints.atomic_write import whole_folder, writing
from simlingo.model.checkpoints.card import model_card
from simlingo.model.checkpoints.kinds import Kind
from simlingo.model.checkpoints.lora import merged
from simlingo.model.checkpoints.provenance import SOURCE_FOLDER
from simlingo.model.checkpoints.reader import Checkpoint
from simlingo.model.checkpoints.shards import write_shards
from simlingo.model.checkpoints.tokenizers_of import open_tokenizer
from simlingo.model.folder import CONFIG_FILE, TOKENIZER_FILE


def merge_adapters(checkpoint: Checkpoint) -> Checkpoint:
    """The checkpoint with its LoRA factors added to the weights; they cannot be taken apart again.

    Raises:
        InvalidInputError: there are no factors.
    """
    lora = checkpoint.config.lora
    if lora is None:
        raise InvalidInputError(f"{checkpoint.source.folder} holds no LoRA factors to merge; leave --merge-lora out")
    return replace(
        checkpoint,
        config=replace(checkpoint.config, lora=None),
        tensors=merged(checkpoint.tensors, lora),
        provenance=checkpoint.provenance.with_note(f"LoRA of rank {lora.rank}, scale {lora.scale:g}, merged"),
    )


def write_folder(
    checkpoint: Checkpoint,
    target: Path,
    tokenizer: Path | None,
    done: Callable[[int], None] = lambda _: None,
) -> None:
    """Write a model folder, whole or not at all; every tensor keeps its bits and type.

    Args:
        checkpoint: what to write.
        target: the new folder.
        tokenizer: folder or file of the tokenizer; None where the folder shall answer to token ids only.
        done: is told the bytes written.

    Raises:
        InvalidInputError: the target is taken, the tokenizer does not fit, or the disk is full.
    """
    opened = open_tokenizer(tokenizer, checkpoint.config) if tokenizer is not None else None
    with whole_folder(target, checkpoint.bytes) as folder:
        write_shards(checkpoint.tensors, folder, done)
        with writing(folder / CONFIG_FILE):
            (folder / CONFIG_FILE).write_text(checkpoint.config.to_json(), encoding="utf-8")
            (folder / "README.md").write_text(model_card(checkpoint, opened is not None), encoding="utf-8")
            _keep_source(checkpoint, folder)
        if opened is not None:
            with writing(folder / TOKENIZER_FILE):
                (folder / TOKENIZER_FILE).write_text(opened.to_str(), encoding="utf-8")


def _keep_source(checkpoint: Checkpoint, folder: Path) -> None:
    """The foreign configuration as it was, so that an export gives it back; of ours, what was kept before."""
    checkpoint.provenance.write(folder)
    if checkpoint.source.kind is not Kind.OURS:
        shutil.copyfile(checkpoint.source.config, folder / SOURCE_FOLDER / checkpoint.source.config.name)
        return
    for name in (CONFIG_FILE, "config.yaml"):
        if (kept := checkpoint.source.folder / SOURCE_FOLDER / name).is_file():
            shutil.copyfile(kept, folder / SOURCE_FOLDER / name)
