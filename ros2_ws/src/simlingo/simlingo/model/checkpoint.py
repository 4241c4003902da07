"""Weights of a model folder, to and from a torch network."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from simlingo.contracts import InvalidInputError
from simlingo.model.config import ModelConfig
from simlingo.model.folder import CONFIG_FILE, TOKENIZER_FILE, WEIGHTS_FILE
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
            f"the tokenizer has {tokenizer.vocab_size} tokens, the model only {known}; "
            "take both from the same folder"
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
    """Read a model folder as an fp32 torch network.

    Raises:
        InvalidInputError: a file is missing or damaged, or tensors do not fit the configuration; all are named.
    """
    config = ModelConfig.load(folder / CONFIG_FILE)
    tokenizer = PromptTokenizer.load(folder / TOKENIZER_FILE)
    network = build_network(config, tokenizer)
    path = folder / WEIGHTS_FILE
    try:
        weights = load_file(str(path))
    except (OSError, SafetensorError) as error:
        raise InvalidInputError(
            f"weights {path} cannot be read ({error}); copy the whole model folder again"
        ) from error
    expected = network.state_dict()
    problems = [f"missing {name}" for name in expected.keys() - weights.keys()]
    problems += [f"unexpected {name}" for name in weights.keys() - expected.keys()]
    problems += [
        f"{name}: {tuple(weights[name].shape)} instead of {tuple(expected[name].shape)}"
        for name in expected.keys() & weights.keys()
        if weights[name].shape != expected[name].shape
    ]
    if problems:
        raise InvalidInputError(f"weights {path} do not fit {CONFIG_FILE}: " + "; ".join(sorted(problems)))
    network.load_state_dict(weights)
    return network.eval(), tokenizer
