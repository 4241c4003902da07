"""Writes a checkpoint as a model folder of ours: configuration, safetensors, tokenizer, model card, origin."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from simlingo.contracts import InvalidInputError
from simlingo.model.checkpoints.atomic_write import whole_folder, writing
from simlingo.model.checkpoints.lora import merged
from simlingo.model.checkpoints.provenance import SOURCE_FOLDER, Kind
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
            (folder / "README.md").write_text(_model_card(checkpoint, opened is not None), encoding="utf-8")
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


def _model_card(checkpoint: Checkpoint, has_tokenizer: bool) -> str:
    """The text of ``README.md``."""
    config, origin = checkpoint.config, checkpoint.provenance
    vision, language = config.vision, config.language
    adapters = (
        f"LoRA of rank {config.lora.rank}, scale {config.lora.scale:g}, kept apart from the weights it adapts"
        if config.lora
        else "no LoRA factors apart"
    )
    restriction = "\nThe planner goes active with these weights in simulation only.\n" if origin.simulation_only else ""
    revision = f", revision {origin.revision}" if origin.revision else ""
    notes = "".join(f"- {note}\n" for note in origin.notes)
    return f"""# {config.name}

Written by `./simlingo checkpoint import`. Research software for simulation, no certified safety function.

## Origin

- read from: {origin.origin}{revision}
- layout there: {origin.layout}
- tensors {len(checkpoint.tensors)}, weights {checkpoint.weights:,}
{notes}
The configuration it came with lies unchanged in `source/`.

## Licence

{origin.licence}
{restriction}
## Sizes

- picture: rows {config.image.crop_top} to {config.image.crop_bottom - 1} of {config.image.raw_width}x{config.image.raw_height}, two tiles of {config.image.tile}, {config.image_tokens} visual tokens{", after a JPEG round trip" if config.image.jpeg_round_trip else ""}
- vision: {vision.layers} layers of {vision.hidden_size}, {vision.heads} heads, patches of {vision.patch}
- language: {language.layers} layers of {language.hidden_size}, {language.heads} heads ({language.key_value_heads} for keys and values), {language.vocab_size} tokens
- {adapters}
- tokenizer: {"tokenizer.json" if has_tokenizer else "none; this folder answers to token ids only"}

## Files

`sha256sum -c SHA256SUMS` checks the weights; `./simlingo checkpoint inspect` lists them.
"""
