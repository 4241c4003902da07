"""Untrained heads for a plain backbone."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from simlingo.model.config import ImageConfig, ModelConfig, VisionConfig
from simlingo.model.network import SimLingoNetwork

_BACKBONE = ("vlm.", "lm_head.")


def fresh_heads(config: ModelConfig, seed: int = 0) -> dict[str, Tensor]:
    """Queries, heads and target-point encoder as the network begins with them, by our names; equal for equal seeds."""
    # The heads depend on nothing of the backbone but its width, so the smallest one of that width makes them.
    small = replace(
        config,
        image=ImageConfig(tile=4),
        vision=VisionConfig(hidden_size=4, layers=1, heads=1, intermediate_size=4, patch=1),
        language=replace(config.language, layers=1, heads=1, key_value_heads=1, intermediate_size=4, vocab_size=4),
        lora=None,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        state = SimLingoNetwork(small, 0, 0).state_dict()
    return {name: tensor for name, tensor in state.items() if not name.startswith(_BACKBONE)}
