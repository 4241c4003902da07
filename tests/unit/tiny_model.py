"""A model folder of random weights, small enough for tests, with everything that the shipped one has."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch

from simlingo.model.checkpoint import build_network, save_weights
from simlingo.model.checkpoints.provenance import own
from simlingo.model.config import MINI, LanguageConfig, ModelConfig, VisionConfig
from simlingo.model.export import export_graphs
from simlingo.model.tokenizer import PromptTokenizer
from training.trainer.tokenizer import train_tokenizer

TINY = replace(
    MINI,
    name="tiny",
    vision=VisionConfig(hidden_size=32, layers=1, heads=2, intermediate_size=64),
    language=LanguageConfig(hidden_size=32, layers=2, heads=2, key_value_heads=1, intermediate_size=64, vocab_size=512),
)


def write_tiny_model(folder: Path, config: ModelConfig = TINY) -> Path:
    """``folder`` with configuration, tokenizer, weights and graphs."""
    torch.manual_seed(0)
    (folder / "config.json").write_text(config.to_json())
    train_tokenizer(folder / "tokenizer.json", config.language.vocab_size)
    network = build_network(config, PromptTokenizer.load(folder / "tokenizer.json"))
    save_weights(network, folder)
    own("a test").write(folder)
    export_graphs(folder)
    return folder
