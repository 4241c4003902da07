"""A small SimLingo with random weights, written in foreign layouts by names spelt out here, apart from the key map."""

from __future__ import annotations

import json
from collections import OrderedDict
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from simlingo.model.config import (
    ImageConfig,
    LanguageConfig,
    LoraConfig,
    ModelConfig,
    TokenIds,
    VisionConfig,
)
from simlingo.model.network import SimLingoNetwork
from simlingo.model.preprocess import model_image

ROOT = Path(__file__).resolve().parents[2]
#: The material that a checkout may have beside it.
REFERENCE = ROOT.parent / "shared" / "reference"

LORA = LoraConfig(rank=4, alpha=6.0)
TINY = ModelConfig(
    name="tiny",
    image=ImageConfig(raw_width=96, raw_height=48, crop_top=0, crop_bottom=34, tile=28),
    vision=VisionConfig(hidden_size=16, layers=2, heads=2, intermediate_size=24, patch=7),
    language=LanguageConfig(hidden_size=24, layers=2, heads=4, key_value_heads=2, intermediate_size=40, vocab_size=60),
    downsample_ratio=0.5,
    route_hidden=(12, 10),
    speed_hidden=14,
    point_hidden=(6, 18),
    added_tokens=8,
    max_new_tokens=5,
    distance_to_first_point=True,
    lora=LORA,
    token_ids=TokenIds(image_context=50, target_point=67, end_of_turn=3),
)
#: What the files of :func:`write_pair` say: SimLingo's weights have seen JPEGs, unless told otherwise, and speak.
PAIR = replace(TINY, image=replace(TINY.image, jpeg_round_trip=True), speaks=True, answers=True)
LINEARS = [f"self_attn.{part}_proj" for part in "qkvo"] + [f"mlp.{part}_proj" for part in ("gate", "up", "down")]
VISION, LANGUAGE = "vision_model.image_encoder.model.", "language_model.model.base_model.model."


def random_network(seed: int = 0, config: ModelConfig = TINY) -> SimLingoNetwork:
    """The small network; every weight is random, biases and norms too."""
    torch.manual_seed(seed)
    ids = config.token_ids
    assert ids is not None
    network = SimLingoNetwork(replace(config, lora=None), ids.image_context, ids.target_point)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.normal_(0.0, 0.3)
    return network.eval()


def published_state(network: SimLingoNetwork, seed: int = 1) -> dict[str, Tensor]:
    """The published state dict whose merged weights are the network's: base = W - scale * B A."""
    ours = {name: tensor.detach().clone() for name, tensor in network.state_dict().items()}
    theirs: dict[str, Tensor] = OrderedDict()
    embeddings = "vlm.vision_tower.embeddings."
    theirs[f"{VISION}vision_model.embeddings.class_embedding"] = ours[f"{embeddings}cls_token"]
    theirs[f"{VISION}vision_model.embeddings.position_embedding"] = ours[f"{embeddings}position_embeddings"]
    for part in ("weight", "bias"):
        patches = ours[f"{embeddings}patch_embeddings.projection.{part}"]
        theirs[f"{VISION}vision_model.embeddings.patch_embedding.{part}"] = patches
    for i in range(TINY.vision.layers):
        here, there = f"vlm.vision_tower.encoder.layer.{i}.", f"{VISION}vision_model.encoder.layers.{i}."
        for number in (1, 2):
            theirs[f"{there}ls{number}"] = ours[f"{here}lambda_{number}"]
        for part in ("weight", "bias"):
            stacked = [ours[f"{here}attention.{letter}_proj.{part}"] for letter in "qkv"]
            theirs[f"{there}attn.qkv.{part}"] = torch.cat(stacked)
            theirs[f"{there}attn.proj.{part}"] = ours[f"{here}attention.projection_layer.{part}"]
            theirs[f"{there}mlp.fc1.{part}"] = ours[f"{here}mlp.fc1.{part}"]
            theirs[f"{there}mlp.fc2.{part}"] = ours[f"{here}mlp.fc2.{part}"]
            theirs[f"{there}norm1.{part}"] = ours[f"{here}layernorm_before.{part}"]
            theirs[f"{there}norm2.{part}"] = ours[f"{here}layernorm_after.{part}"]
    for number, name in ((0, "layer_norm"), (1, "linear_1"), (3, "linear_2")):
        for part in ("weight", "bias"):
            theirs[f"{VISION}mlp1.{number}.{part}"] = ours[f"vlm.multi_modal_projector.{name}.{part}"]
    _add_language(theirs, ours, seed)
    theirs["adaptors.driving.query_embeds_wps"] = ours["route_queries"]
    theirs["adaptors.driving.query_embeds_speed"] = ours["speed_queries"]
    for name, tensor in ours.items():
        for head, there in (("route_head", "adaptors.driving.route_head"), ("point_encoder", "wp_encoder.mlp")):
            if name.startswith(f"{head}."):
                theirs[name.replace(head, there)] = tensor
        if name.startswith("speed_head."):
            theirs[name.replace("speed_head", "adaptors.driving.speed_wps_head")] = tensor
    theirs["adaptors.language.embed_tokens.weight"] = theirs[f"{LANGUAGE}model.embed_tokens.weight"]
    theirs["adaptors.language.lm_head.weight"] = theirs[f"{LANGUAGE}lm_head.weight"]
    return theirs


def _add_language(theirs: dict[str, Tensor], ours: dict[str, Tensor], seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    table = ours["vlm.language_model.embed_tokens.weight"]
    theirs[f"{LANGUAGE}model.embed_tokens.weight"] = theirs[f"{LANGUAGE}embed_tokens.weight"] = table
    for i in range(TINY.language.layers):
        here, there = f"vlm.language_model.layers.{i}.", f"{LANGUAGE}model.layers.{i}."
        for linear in LINEARS:
            weight = ours[f"{here}{linear}.weight"]
            down = torch.randn(LORA.rank, weight.shape[1], generator=generator)
            up = torch.randn(weight.shape[0], LORA.rank, generator=generator)
            theirs[f"{there}{linear}.base_layer.weight"] = weight - LORA.alpha / LORA.rank * (up @ down)
            if f"{here}{linear}.bias" in ours:
                theirs[f"{there}{linear}.base_layer.bias"] = ours[f"{here}{linear}.bias"]
            theirs[f"{there}{linear}.lora_A.default.weight"] = down
            theirs[f"{there}{linear}.lora_B.default.weight"] = up
        for norm in ("input_layernorm", "post_attention_layernorm"):
            theirs[f"{there}{norm}.weight"] = ours[f"{here}{norm}.weight"]
    theirs[f"{LANGUAGE}model.norm.weight"] = ours["vlm.language_model.norm.weight"]
    theirs[f"{LANGUAGE}lm_head.weight"] = ours["lm_head.weight"]


def plain_state(network: SimLingoNetwork) -> dict[str, Tensor]:
    """The state dict of a plain InternVL with the network's base weights."""
    state = published_state(network)
    plain = {}
    for name, tensor in state.items():
        if name.startswith(VISION):
            plain[name.removeprefix(VISION)] = tensor.contiguous()
        elif name.startswith("language_model.model.base_model.model.") and ".lora_" not in name:
            short = name.replace("language_model.model.base_model.model.", "language_model.").replace(".base_layer", "")
            if short != "language_model.embed_tokens.weight":
                plain[short] = tensor.clone()
    return plain


def pair_config() -> dict[str, Any]:
    """``config.json`` of the small network, as the parity case has it."""
    vision, language = TINY.vision, TINY.language
    return {
        "vision_config": {
            "hidden_size": vision.hidden_size, "image_size": TINY.image.tile, "patch_size": vision.patch,
            "intermediate_size": vision.intermediate_size, "num_attention_heads": vision.heads,
            "num_hidden_layers": vision.layers, "qkv_bias": True, "qk_normalization": False, "norm_type": "layer_norm",
        },
        "llm_config": {
            "hidden_size": language.hidden_size, "intermediate_size": language.intermediate_size,
            "num_hidden_layers": language.layers, "num_attention_heads": language.heads,
            "num_key_value_heads": language.key_value_heads, "vocab_size": language.vocab_size,
            "rope_theta": 1e6, "rms_norm_eps": 1e-6, "tie_word_embeddings": False, "use_sliding_window": False,
        },
        "force_image_size": TINY.image.tile, "downsample_ratio": 0.5, "ps_version": "v2", "select_layer": -1,
        "lora": {"r": LORA.rank, "alpha": LORA.alpha, "target": "all-linear"},
        "token_ids": {"img_context": 50, "first_added": 60, "target_point": 67, "eos": 3},
        "max_new_tokens": 5, "image": {"raw": [48, 96], "crop_rows": 34},
    }  # fmt: skip


def write_pair(folder: Path, network: SimLingoNetwork) -> Path:
    """config.json and pytorch_model.pt."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(pair_config()))
    torch.save(published_state(network), folder / "pytorch_model.pt")
    return folder


def case_of(network: SimLingoNetwork, seed: int = 5) -> dict[str, Any]:
    """A case for the small network, worked out with full passes and no cache."""
    random = np.random.default_rng(seed)
    frame = random.integers(0, 256, (48, 96, 3), dtype=np.uint8)
    words = random.integers(5, 45, 9).tolist()
    ids = torch.tensor([[*words[:3], *[50] * TINY.image_tokens, *words[3:6], 67, 67, *words[6:]]])
    points = np.array([[7.5, -1.25], [42.0, 3.5]], dtype=np.float32)
    with torch.no_grad():
        frames = torch.from_numpy(model_image(frame, TINY.image).copy())[None]
        features = network.image_embeddings(network.vision_tokens(frames))
        prompt = network.prompt_embeddings(ids, torch.from_numpy(points)[None], features)
        embeddings, text = prompt, []
        while len(text) < TINY.max_new_tokens and 3 not in text:
            hidden = network.vlm.language_model(inputs_embeds=embeddings, use_cache=False).last_hidden_state
            text.append(int(network.lm_head(hidden[:, -1]).argmax()))
            word = network.vlm.language_model.embed_tokens(torch.tensor([[text[-1]]]))
            embeddings = torch.cat((embeddings, word), dim=1)
        hidden = network.sequence_hidden(embeddings)[:, -30:]
        route, speed = network.heads(hidden)
    return {
        "frame": frame, "input_ids": ids.numpy(), "target_points": points,
        "vision_features": features.numpy().reshape(2, -1, TINY.language.hidden_size), "prompt_embeds": prompt.numpy(),
        "text_ids": np.array([text]), "query_hidden": hidden.numpy(), "route": route.numpy(), "speed_wps": speed.numpy(),
    }  # fmt: skip
