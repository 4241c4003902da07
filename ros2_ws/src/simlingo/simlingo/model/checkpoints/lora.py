"""LoRA: factors added to the weights for inference, or kept apart for training (spec A.4).

In a checkpoint ``X.lora_A.weight`` (rank, in) and ``X.lora_B.weight`` (out, rank) stand beside ``X.weight`` (out, in).
In a network that trains, PEFT's modules hold the three as ``X.base_layer``, ``X.lora_A.default``, ``X.lora_B.default``.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from simlingo.model.checkpoints.keymap import LINEARS
from simlingo.model.config import LoraConfig
from simlingo.model.network import SimLingoNetwork

_FACTORS = (".lora_A.weight", ".lora_B.weight")


def merged(tensors: Mapping[str, Tensor], lora: LoraConfig | None) -> dict[str, Tensor]:
    """Weights with their factors added, W + (alpha / rank) * B A, in fp32; others as they are."""
    result = {name: tensor for name, tensor in tensors.items() if not name.endswith(_FACTORS)}
    if lora is None:
        return result
    for name in result:
        stem = name.removesuffix(".weight")
        if f"{stem}.lora_A.weight" in tensors:
            down, up = (tensors[f"{stem}{factor}"].float() for factor in _FACTORS)
            result[name] = torch.addmm(result[name].float(), up, down, alpha=lora.scale)
    return result


def add_adapters(network: SimLingoNetwork, lora: LoraConfig, dropout: float = 0.1) -> None:
    """Give every linear layer of the language model LoRA factors, and freeze what the published training froze.

    What stays trainable: vision tower, projector, factors, heads, queries and target-point encoder (spec A.1).
    """
    from peft import LoraConfig as PeftConfig
    from peft import inject_adapter_in_model

    targets = [linear.rpartition(".")[2] for linear in LINEARS]
    settings = PeftConfig(r=lora.rank, lora_alpha=lora.alpha, lora_dropout=dropout, target_modules=targets)  # type: ignore[arg-type]
    inject_adapter_in_model(settings, network.vlm.language_model)
    network.lm_head.requires_grad_(False)


def to_peft_names(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Names of a checkpoint with factors apart, as a network with adapters has them."""
    adapted = {name.removesuffix(".lora_A.weight") for name in tensors if name.endswith(".lora_A.weight")}
    return {_peft_name(name, adapted): tensor for name, tensor in tensors.items()}


def from_peft_names(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The other direction; names of a network without adapters stay as they are."""
    return {
        name.replace(".base_layer.", ".")
        .replace(".lora_A.default.", ".lora_A.")
        .replace(".lora_B.default.", ".lora_B."): tensor
        for name, tensor in tensors.items()
    }


def _peft_name(name: str, adapted: set[str]) -> str:
    if name.endswith(_FACTORS):
        return f"{name.removesuffix('.weight')}.default.weight"
    stem, _, part = name.rpartition(".")
    return f"{stem}.base_layer.{part}" if stem in adapted else name
