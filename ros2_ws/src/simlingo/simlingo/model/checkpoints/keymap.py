"""The key map between foreign state dicts and SimLingoNetwork: one table, read in both directions (spec A.9).

A foreign tensor is ours under another name, or several of ours stacked along dimension 0 (fused q, k, v). A name of
ours that the table reaches a second time is an alias: the foreign file holds the same tensor twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from simlingo.model.config import ModelConfig

#: Parts of the published vision tower and projector, below the prefix of their layout.
_VISION_HEAD = (
    ("vision_model.embeddings.class_embedding", "vlm.vision_tower.embeddings.cls_token"),
    ("vision_model.embeddings.position_embedding", "vlm.vision_tower.embeddings.position_embeddings"),
    (
        "vision_model.embeddings.patch_embedding.weight",
        "vlm.vision_tower.embeddings.patch_embeddings.projection.weight",
    ),
    ("vision_model.embeddings.patch_embedding.bias", "vlm.vision_tower.embeddings.patch_embeddings.projection.bias"),
)
_VISION_LAYER = (
    ("ls1", "lambda_1"),
    ("ls2", "lambda_2"),
    ("attn.qkv.weight", "attention.q_proj.weight attention.k_proj.weight attention.v_proj.weight"),
    ("attn.qkv.bias", "attention.q_proj.bias attention.k_proj.bias attention.v_proj.bias"),
    ("attn.proj.weight", "attention.projection_layer.weight"),
    ("attn.proj.bias", "attention.projection_layer.bias"),
    ("mlp.fc1.weight", "mlp.fc1.weight"),
    ("mlp.fc1.bias", "mlp.fc1.bias"),
    ("mlp.fc2.weight", "mlp.fc2.weight"),
    ("mlp.fc2.bias", "mlp.fc2.bias"),
    ("norm1.weight", "layernorm_before.weight"),
    ("norm1.bias", "layernorm_before.bias"),
    ("norm2.weight", "layernorm_after.weight"),
    ("norm2.bias", "layernorm_after.bias"),
)
_PROJECTOR = (
    ("mlp1.0.weight", "vlm.multi_modal_projector.layer_norm.weight"),
    ("mlp1.0.bias", "vlm.multi_modal_projector.layer_norm.bias"),
    ("mlp1.1.weight", "vlm.multi_modal_projector.linear_1.weight"),
    ("mlp1.1.bias", "vlm.multi_modal_projector.linear_1.bias"),
    ("mlp1.3.weight", "vlm.multi_modal_projector.linear_2.weight"),
    ("mlp1.3.bias", "vlm.multi_modal_projector.linear_2.bias"),
)
#: Linear layers of a Qwen2 layer in the published order, and whether they have a bias. LoRA adapts all of them.
LINEARS = {
    "self_attn.q_proj": True,
    "self_attn.k_proj": True,
    "self_attn.v_proj": True,
    "self_attn.o_proj": False,
    "mlp.gate_proj": False,
    "mlp.up_proj": False,
    "mlp.down_proj": False,
}
_LANGUAGE_NORMS = ("input_layernorm.weight", "post_attention_layernorm.weight")
_EMBEDDING, _OUTPUT = "vlm.language_model.embed_tokens.weight", "lm_head.weight"
_HEADS = (
    ("adaptors.driving.query_embeds_wps", "route_queries"),
    ("adaptors.driving.query_embeds_speed", "speed_queries"),
    ("adaptors.driving.route_head.0.weight", "route_head.0.weight"),
    ("adaptors.driving.route_head.0.bias", "route_head.0.bias"),
    ("adaptors.driving.route_head.2.weight", "route_head.2.weight"),
    ("adaptors.driving.route_head.2.bias", "route_head.2.bias"),
    ("adaptors.driving.route_head.4.weight", "route_head.4.weight"),
    ("adaptors.driving.speed_wps_head.0.weight", "speed_head.0.weight"),
    ("adaptors.driving.speed_wps_head.0.bias", "speed_head.0.bias"),
    ("adaptors.driving.speed_wps_head.2.weight", "speed_head.2.weight"),
    ("adaptors.language.embed_tokens.weight", _EMBEDDING),
    ("adaptors.language.lm_head.weight", _OUTPUT),
    ("wp_encoder.mlp.0.weight", "point_encoder.0.weight"),
    ("wp_encoder.mlp.0.bias", "point_encoder.0.bias"),
    ("wp_encoder.mlp.2.weight", "point_encoder.2.weight"),
    ("wp_encoder.mlp.2.bias", "point_encoder.2.bias"),
    ("wp_encoder.mlp.4.weight", "point_encoder.4.weight"),
    ("wp_encoder.mlp.4.bias", "point_encoder.4.bias"),
)


@dataclass(frozen=True)
class Layout:
    """Where a foreign state dict keeps the parts."""

    vision: str  # prefix of vision tower and projector
    language: str  # prefix of the language model
    driving: bool  # whether LoRA, heads and aliases are there


#: SimLingo's Lightning module with PEFT around the language model.
PUBLISHED = Layout("vision_model.image_encoder.model.", "language_model.model.base_model.model.", True)
#: OpenGVLab's remote-code model.
INTERNVL = Layout("", "language_model.", False)


@dataclass(frozen=True)
class Entry:
    """One foreign tensor."""

    theirs: str
    ours: tuple[str, ...]  # in the order in which they are stacked along dimension 0
    alias: bool  # the same tensor stands under an earlier name


def entries(config: ModelConfig, layout: Layout) -> list[Entry]:
    """Every key of a foreign state dict of this size, in the order in which it is written."""
    seen: set[tuple[str, ...]] = set()
    result = []
    for theirs, joined in _pairs(config, layout):
        ours = tuple(joined.split())
        result.append(Entry(theirs, ours, ours in seen))
        seen.add(ours)
    return result


def _pairs(config: ModelConfig, layout: Layout) -> Iterator[tuple[str, str]]:
    for theirs, ours in _VISION_HEAD:
        yield layout.vision + theirs, ours
    for i in range(config.vision.layers):
        for theirs, ours in _VISION_LAYER:
            stacked = " ".join(f"vlm.vision_tower.encoder.layer.{i}.{name}" for name in ours.split())
            yield f"{layout.vision}vision_model.encoder.layers.{i}.{theirs}", stacked
    for theirs, ours in _PROJECTOR:
        yield layout.vision + theirs, ours
    yield f"{layout.language}model.embed_tokens.weight", _EMBEDDING
    for i in range(config.language.layers):
        yield from _language_layer(layout, i)
    yield f"{layout.language}model.norm.weight", "vlm.language_model.norm.weight"
    yield f"{layout.language}lm_head.weight", _OUTPUT
    if layout.driving:
        yield f"{layout.language}embed_tokens.weight", _EMBEDDING
        yield from _HEADS


def _language_layer(layout: Layout, i: int) -> Iterator[tuple[str, str]]:
    theirs, ours = f"{layout.language}model.layers.{i}", f"vlm.language_model.layers.{i}"
    for linear, biased in LINEARS.items():
        base = f"{theirs}.{linear}.base_layer" if layout.driving else f"{theirs}.{linear}"
        for part in ("weight", "bias") if biased else ("weight",):
            yield f"{base}.{part}", f"{ours}.{linear}.{part}"
        if layout.driving:
            for factor in ("lora_A", "lora_B"):
                yield f"{theirs}.{linear}.{factor}.default.weight", f"{ours}.{linear}.{factor}.weight"
    for norm in _LANGUAGE_NORMS:
        yield f"{theirs}.{norm}", f"{ours}.{norm}"


def stacked_shape(entry: Entry, shapes: Mapping[str, tuple[int, ...]]) -> tuple[int, ...]:
    """The shape of a foreign tensor, from the shapes of ours."""
    first = shapes[entry.ours[0]]
    if len(entry.ours) == 1:
        return first
    return (sum(shapes[name][0] for name in entry.ours), *first[1:])


def to_ours(theirs: Mapping[str, Tensor], table: list[Entry]) -> dict[str, Tensor]:
    """Our names for foreign tensors of the right shapes; views, nothing is copied. Aliases are left out."""
    ours: dict[str, Tensor] = {}
    for entry in table:
        if not entry.alias:
            ours.update(zip(entry.ours, theirs[entry.theirs].chunk(len(entry.ours)), strict=True))
    return ours


def to_theirs(ours: Mapping[str, Tensor], table: list[Entry]) -> dict[str, Tensor]:
    """Foreign names for our tensors, in the table's order; aliases are one and the same tensor."""
    made: dict[tuple[str, ...], Tensor] = {}
    theirs: dict[str, Tensor] = {}
    for entry in table:
        if entry.ours not in made:
            parts = [ours[name] for name in entry.ours]
            made[entry.ours] = parts[0] if len(parts) == 1 else torch.cat(parts)
        theirs[entry.theirs] = made[entry.ours]
    return theirs
