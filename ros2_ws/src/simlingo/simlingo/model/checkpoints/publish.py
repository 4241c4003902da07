"""Writes a checkpoint in the published layout, every tensor with the bits it was imported with (spec A.9)."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from simlingo.contracts import InvalidInputError
from simlingo.model.checkpoints.atomic_write import whole_folder, writing
from simlingo.model.checkpoints.foreign_config import hydra_config, internvl_config, read_json
from simlingo.model.checkpoints.keymap import PUBLISHED, entries, to_theirs
from simlingo.model.checkpoints.provenance import SOURCE_FOLDER, Kind
from simlingo.model.checkpoints.reader import Checkpoint
from simlingo.model.checkpoints.source import FLAT_FILE, HYDRA_FILE
from simlingo.model.config import ModelConfig
from simlingo.model.folder import CONFIG_FILE, TOKENIZER_FILE

#: Where the published file lies below its run.
RUN_CHECKPOINT = "checkpoints/epoch=013.ckpt"


def write_published(checkpoint: Checkpoint, target: Path) -> Path:
    """Write the published layout, whole or not at all.

    A checkpoint that came with a Hydra configuration becomes a run's folder again; every other one becomes
    ``config.json`` beside ``pytorch_model.pt``.

    Returns:
        The weight file.

    Raises:
        InvalidInputError: LoRA was merged or never there, it was never trained to drive, it judges instructions, the target is taken,
            or the disk is full.
    """
    if not checkpoint.config.drives:
        raise InvalidInputError(
            f"{checkpoint.source.folder} is no driver: its heads are fresh; the published layout has no word for that: train "
            "it first"
        )
    if checkpoint.config.lora is None:
        raise InvalidInputError(
            f"{checkpoint.source.folder} holds no LoRA factors, which the published layout keeps apart; "
            "import the original again without --merge-lora"
        )
    if checkpoint.config.judgement_hidden:
        raise InvalidInputError(
            f"{checkpoint.source.folder} judges instructions by a head that the published layout has no place for; without it "
            "the model would say nothing of a refusal. Keep the folder as it is"
        )
    hydra = _hydra_file(checkpoint)
    inside = Path(RUN_CHECKPOINT if hydra else ".")
    with whole_folder(target, checkpoint.bytes) as folder:
        (folder / inside).mkdir(parents=True, exist_ok=True)
        weights = folder / inside / FLAT_FILE
        with writing(weights, checkpoint.bytes):
            state = to_theirs(checkpoint.tensors, entries(checkpoint.config, PUBLISHED))
            torch.save(_own_storages(state), weights)
            if hydra is not None:
                (folder / HYDRA_FILE).parent.mkdir()
                shutil.copyfile(hydra, folder / HYDRA_FILE)
            else:
                (folder / CONFIG_FILE).write_text(_pair_config(checkpoint), encoding="utf-8")
            tokenizer = checkpoint.source.folder / TOKENIZER_FILE
            if tokenizer.is_file():
                shutil.copyfile(tokenizer, folder / inside / TOKENIZER_FILE)
    return target / inside / FLAT_FILE


def _own_storages(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Views of mapped files as tensors with storages of their own extent: torch.save writes storages as a whole.

    Nothing is copied but tensors that are not contiguous; aliases stay one tensor.
    """
    made: dict[int, Tensor] = {}
    for tensor in state.values():
        if id(tensor) not in made:
            whole = tensor.detach().contiguous()
            begin = whole.storage_offset() * whole.element_size()
            storage = whole.untyped_storage()[begin : begin + whole.nbytes]
            made[id(tensor)] = torch.empty(0, dtype=whole.dtype).set_(storage, 0, whole.shape, whole.stride())
    return {name: made[id(tensor)] for name, tensor in state.items()}


def _hydra_file(checkpoint: Checkpoint) -> Path | None:
    """The run's configuration that it came with, where that still says what the weights are."""
    kept = checkpoint.source.folder / SOURCE_FOLDER / Path(HYDRA_FILE).name
    if checkpoint.source.kind in (Kind.PUBLISHED, Kind.ZERO):
        kept = checkpoint.source.config
    elif checkpoint.source.kind is not Kind.OURS or not kept.is_file():
        return None
    return kept if _says(hydra_config(kept), checkpoint.config) else None


def _pair_config(checkpoint: Checkpoint) -> str:
    """The configuration it came with, as it was, where that still says what the weights are; else one made anew."""
    kept = checkpoint.source.folder / SOURCE_FOLDER / CONFIG_FILE
    if checkpoint.source.kind is Kind.PAIR:
        kept = checkpoint.source.config
    foreign = kept.is_file() and "lora" in read_json(kept)
    if foreign and _says(internvl_config(kept, checkpoint.config.name, driving=True), checkpoint.config):
        return kept.read_text(encoding="utf-8")
    return json.dumps(_pair_fields(checkpoint.config), indent=1) + "\n"


def _says(kept: ModelConfig, config: ModelConfig) -> bool:
    """Whether two configurations are the same but for the name and what only the tensors tell.

    They differ where adapters of another rank or scale were trained since, or a setting was changed.
    """

    def told(one: ModelConfig) -> ModelConfig:
        return replace(one, name="", route_hidden=(1, 1), speed_hidden=1, point_hidden=(1, 1))

    return told(kept) == told(config)


def _pair_fields(config: ModelConfig) -> dict[str, Any]:
    if config.image.crop_top:
        raise InvalidInputError(
            f"{config.name} cuts {config.image.crop_top} rows off the top of its picture, which the published layout "
            "cannot say; it is written for pictures cut at the bottom only"
        )
    fields: dict[str, Any] = {
        "vision_config": {
            "architectures": ["InternVisionModel"],
            "hidden_size": config.vision.hidden_size,
            "image_size": config.image.tile,
            "patch_size": config.vision.patch,
            "intermediate_size": config.vision.intermediate_size,
            "num_attention_heads": config.vision.heads,
            "num_hidden_layers": config.vision.layers,
            "qkv_bias": True,
            "qk_normalization": False,
            "norm_type": "layer_norm",
        },
        "llm_config": {
            "architectures": ["Qwen2ForCausalLM"],
            "hidden_size": config.language.hidden_size,
            "intermediate_size": config.language.intermediate_size,
            "num_hidden_layers": config.language.layers,
            "num_attention_heads": config.language.heads,
            "num_key_value_heads": config.language.key_value_heads,
            "vocab_size": config.language.vocab_size,
            "rope_theta": config.language.rope_theta,
            "rms_norm_eps": config.language.rms_norm_eps,
            "tie_word_embeddings": False,
            "use_sliding_window": False,
        },
        "force_image_size": config.image.tile,
        "downsample_ratio": config.downsample_ratio,
        "ps_version": "v2",
        "select_layer": -1,
        "max_new_tokens": config.max_new_tokens,
        "distance_to_first_point": config.distance_to_first_point,
        "image": {
            "raw": [config.image.raw_height, config.image.raw_width],
            "crop_rows": config.image.crop_bottom,
            "jpeg_round_trip": config.image.jpeg_round_trip,
        },
    }
    if config.lora is not None:
        fields["lora"] = {"r": config.lora.rank, "alpha": config.lora.alpha, "target": "all-linear"}
    if config.token_ids is not None:
        fields["token_ids"] = {
            "img_context": config.token_ids.image_context,
            "first_added": config.language.vocab_size,
            "target_point": config.token_ids.target_point,
            "eos": config.token_ids.end_of_turn,
        }
    return fields
