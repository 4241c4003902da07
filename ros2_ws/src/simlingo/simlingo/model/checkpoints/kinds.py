"""The layouts of checkpoints that are read."""

from __future__ import annotations

from enum import Enum


class Kind(Enum):
    """Layout of a checkpoint."""

    PUBLISHED = "published"  # pytorch_model.pt of a run, with .hydra/config.yaml three levels up
    ZERO = "zero2"  # DeepSpeed ZeRO-2 directory of a run
    PAIR = "pair"  # config.json and pytorch_model.pt
    INTERNVL = "internvl"  # plain InternVL2: config.json and safetensors, no heads
    OURS = "simlingo"  # config.json, safetensors and tokenizer of this project
