"""Reads any checkpoint: its configuration, its tensors by our names, its tokenizer and where it comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from torch import Tensor

from simlingo.contracts import InvalidInputError
from simlingo.model.checkpoints.expected import (
    check_aliases,
    check_tensors,
    foreign_shapes,
    own_shapes,
    with_head_widths,
)
from simlingo.model.checkpoints.foreign_config import hydra_config, internvl_config, read_json
from simlingo.model.checkpoints.head_initialisation import fresh_heads
from simlingo.model.checkpoints.keymap import INTERNVL, PUBLISHED, entries, to_ours
from simlingo.model.checkpoints.provenance import Kind, Provenance, provenance_of
from simlingo.model.checkpoints.shards import read_shards, weight_files
from simlingo.model.checkpoints.source import FLAT_FILE, Source, find_source
from simlingo.model.checkpoints.torch_file import read_flat
from simlingo.model.checkpoints.zero import MODEL_FILE, read_zero2, zero_files, zero_folder
from simlingo.model.config import ModelConfig


@dataclass(frozen=True)
class Checkpoint:
    """A checked checkpoint; every key of its files is accounted for.

    Tensors are views of mapped files where that is possible: do not change the files while it is used.
    """

    config: ModelConfig
    tensors: Mapping[str, Tensor]  # by our names, LoRA factors apart, each of the stored type
    source: Source
    provenance: Provenance
    stored_keys: int  # keys in the files, aliases counted
    aliases: int = 0  # keys in the files that hold a tensor a second time

    @property
    def weights(self) -> int:
        """Weights in all tensors, aliases counted once."""
        return sum(tensor.numel() for tensor in self.tensors.values())

    @property
    def bytes(self) -> int:
        """Size of all tensors in bytes."""
        return sum(tensor.nbytes for tensor in self.tensors.values())

    @property
    def files(self) -> list[Path]:
        """The files that hold the weights."""
        if self.source.kind in (Kind.PUBLISHED, Kind.PAIR):
            return [self.source.folder / FLAT_FILE]
        if self.source.kind is Kind.ZERO:
            folder = _zero(self.source)
            return [folder / MODEL_FILE, *zero_files(folder)]
        return weight_files(self.source.folder)


def open_checkpoint(path: Path, origin: str = "") -> Checkpoint:
    """Open and check what lies at ``path``; executes nothing that is in it.

    Args:
        path: a checkpoint's folder or weight file, or the folder of a run with one checkpoint.
        origin: the hub id that it was fetched by, which names it in place of the path.

    Raises:
        InvalidInputError: no checkpoint, no or wrong configuration, damaged or unsafe files, keys that are missing,
            unexpected or misshapen, aliases that differ. The text names all of it.
    """
    source = find_source(path)
    provenance = provenance_of(source.kind, origin or str(path), source.folder)
    name = Path(origin or source.folder.resolve()).name
    if source.kind is Kind.OURS:
        return _open_ours(source, provenance)
    if source.kind is Kind.INTERNVL:
        return _open_internvl(source, provenance, name)
    return _open_published(source, provenance, name)


def provenance_at(path: Path) -> Provenance:
    """Where the checkpoint at ``path`` comes from, without opening it.

    Raises:
        InvalidInputError: there is none, or its provenance is damaged.
    """
    source = find_source(path)
    return provenance_of(source.kind, str(path), source.folder)


def _open_ours(source: Source, provenance: Provenance) -> Checkpoint:
    config = ModelConfig.load(source.config)
    tensors = read_shards(source.folder)
    check_tensors(tensors, own_shapes(config), str(source.folder), str(source.config))
    return Checkpoint(config, tensors, source, provenance, len(tensors))


def _open_published(source: Source, provenance: Provenance, name: str) -> Checkpoint:
    if source.kind is Kind.PAIR:
        config = internvl_config(source.config, name, driving=True)
    else:
        config = hydra_config(source.config)
    found = read_zero2(_zero(source)) if source.kind is Kind.ZERO else read_flat(source.folder / FLAT_FILE)
    config = with_head_widths(config, found)
    table = entries(config, PUBLISHED)
    check_tensors(found, foreign_shapes(config, table), str(source.folder), str(source.config))
    check_aliases(found, table, str(source.folder))
    aliases = sum(entry.alias for entry in table)
    return Checkpoint(config, to_ours(found, table), source, provenance, len(found), aliases)


def _open_internvl(source: Source, provenance: Provenance, name: str) -> Checkpoint:
    config = internvl_config(source.config, name, driving=False)
    table = entries(config, INTERNVL)
    found = read_shards(source.folder)
    stored = len(found)
    tied = read_json(source.config).get("llm_config", {}).get("tie_word_embeddings") is True
    if tied and "language_model.lm_head.weight" not in found:
        found["language_model.lm_head.weight"] = found["language_model.model.embed_tokens.weight"]
    check_tensors(found, foreign_shapes(config, table), str(source.folder), str(source.config))
    tensors = {**to_ours(found, table), **fresh_heads(config)}
    note = "heads, queries and target-point encoder are fresh and untrained: train before driving"
    return Checkpoint(config, tensors, source, provenance.with_note(note), stored)


def _zero(source: Source) -> Path:
    folder = zero_folder(source.folder)
    if folder is None:
        raise InvalidInputError(f"{source.folder} has lost its DeepSpeed files; copy the checkpoint again")
    return folder


def renamed(checkpoint: Checkpoint, name: str) -> Checkpoint:
    """The same checkpoint under another model name."""
    return replace(checkpoint, config=replace(checkpoint.config, name=name))
