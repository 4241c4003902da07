"""Weights of a model folder, to and from a torch network."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import save_file

from simlingo.contracts import InvalidInputError
from simlingo.model.checkpoints.build import network_of
from simlingo.model.checkpoints.integrity import check_before_use
from simlingo.model.checkpoints.reader import open_checkpoint
from simlingo.model.checkpoints.tokenizers_of import open_tokenizer
from simlingo.model.config import ModelConfig
from simlingo.model.folder import WEIGHTS_FILE
from simlingo.model.network import SimLingoNetwork
from simlingo.model.tokenizer import PromptTokenizer


def build_network(config: ModelConfig, tokenizer: PromptTokenizer) -> SimLingoNetwork:
    """A network of this size with fresh weights.

    Raises:
        InvalidInputError: the tokenizer has more tokens than the configuration's vocabulary.
    """
    known = config.language.vocab_size + config.added_tokens
    if tokenizer.vocab_size > known:
        raise InvalidInputError(
            f"the tokenizer has {tokenizer.vocab_size} tokens, the model only {known}; take both from the same folder"
        )
    return SimLingoNetwork(config, tokenizer.image_context_id, tokenizer.target_point_id)


def save_weights(network: SimLingoNetwork, folder: Path) -> None:
    """Write the weights as fp16 safetensors, whole or not at all."""
    weights = {
        name: tensor.detach().cpu().to(torch.float16).contiguous() for name, tensor in network.state_dict().items()
    }
    temporary = folder / f"{WEIGHTS_FILE}.tmp"
    save_file(weights, str(temporary), metadata={"format": "pt"})
    temporary.replace(folder / WEIGHTS_FILE)


def load_network(folder: Path) -> tuple[SimLingoNetwork, PromptTokenizer]:
    """Read a model folder, or any other checkpoint with a tokenizer, as an fp32 torch network with LoRA merged.

    Raises:
        InvalidInputError: a file is missing or damaged, or tensors do not fit the configuration; all are named.
    """
    checkpoint = open_checkpoint(folder)
    check_before_use(checkpoint)
    tokenizer = PromptTokenizer(open_tokenizer(checkpoint.source.tokenizer or folder, checkpoint.config))
    return network_of(checkpoint), tokenizer
