"""A torch network of an opened checkpoint, and a checkpoint of a torch network."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Literal

import torch

from simlingo.contracts import InvalidInputError
from simlingo.model.checkpoints.lora import add_adapters, from_peft_names, merged, to_peft_names
from simlingo.model.checkpoints.provenance import Kind, Provenance
from simlingo.model.checkpoints.reader import Checkpoint
from simlingo.model.checkpoints.source import Source
from simlingo.model.config import LoraConfig, ModelConfig, TokenIds
from simlingo.model.folder import CONFIG_FILE, TOKENIZER_FILE
from simlingo.model.network import SimLingoNetwork
from simlingo.model.preprocess import IMAGE_MEAN, IMAGE_STD
from simlingo.model.tokenizer import PromptTokenizer


def network_of(
    checkpoint: Checkpoint,
    adapters: Literal["merged", "apart"] = "merged",
    dtype: torch.dtype = torch.float32,
    dropout: float = 0.1,
) -> SimLingoNetwork:
    """A network with the checkpoint's weights, on the CPU, in evaluation mode.

    Weights that need no change are views of the mapped files, so a network costs memory once.

    Args:
        checkpoint: an opened checkpoint.
        adapters: LoRA factors merged into the weights, for inference, or apart as PEFT modules, for training.
        dtype: type of all weights.
        dropout: of the adapters in training.

    Raises:
        InvalidInputError: neither tokenizer nor configuration say the ids of the image and target-point tokens, or
            there are no factors to keep apart.
    """
    config = checkpoint.config
    ids = token_ids(checkpoint)
    held = config if adapters == "apart" else replace(config, lora=None)
    with torch.device("meta"):
        network = SimLingoNetwork(held, ids.image_context, ids.target_point)
        if adapters == "apart":
            if config.lora is None:
                raise InvalidInputError(
                    f"{checkpoint.source.folder} holds no LoRA factors to keep apart; read it merged and give the network "
                    "fresh ones with add_adapters"
                )
            add_adapters(network, config.lora, dropout)
    tensors = to_peft_names(checkpoint.tensors) if adapters == "apart" else merged(checkpoint.tensors, config.lora)
    network.load_state_dict({name: tensor.to(dtype) for name, tensor in tensors.items()}, assign=True)
    _fill_buffers(network)
    return network.eval()


def checkpoint_of(network: SimLingoNetwork, folder: Path, provenance: Provenance) -> Checkpoint:
    """The weights of a network, trained or not, as a checkpoint that can be written.

    Args:
        network: with adapters apart, merged, or without any.
        folder: where the tokenizer lies.
        provenance: where the weights come from.
    """
    tensors = {name: tensor.detach().cpu() for name, tensor in from_peft_names(network.state_dict()).items()}
    source = Source(Kind.OURS, folder, folder / CONFIG_FILE, folder if (folder / TOKENIZER_FILE).is_file() else None)
    factor = next((tensor for name, tensor in tensors.items() if name.endswith(".lora_A.weight")), None)
    lora = network.config.lora
    if factor is None:
        lora = None
    elif lora is None:
        lora = LoraConfig(rank=factor.shape[0], alpha=_alpha(network, factor.shape[0]))
    return Checkpoint(replace(network.config, lora=lora), tensors, source, provenance, len(tensors))


def token_ids(checkpoint: Checkpoint) -> TokenIds:
    """The ids of the tokens that the network must know, from the configuration or else the tokenizer.

    Raises:
        InvalidInputError: neither says them, or the tokenizer has more tokens than the weights.
    """
    if checkpoint.config.token_ids is not None:
        return checkpoint.config.token_ids
    folder = checkpoint.source.tokenizer
    if folder is None:
        raise InvalidInputError(
            f"{checkpoint.source.folder} comes without a tokenizer, and its configuration names no token ids; "
            "name the tokenizer: --tokenizer PATH (a folder with tokenizer.json)"
        )
    from simlingo.model.checkpoints.tokenizers_of import open_tokenizer

    tokenizer = PromptTokenizer(open_tokenizer(folder, checkpoint.config))
    return TokenIds(tokenizer.image_context_id, tokenizer.target_point_id, tokenizer.encode("<|im_end|>")[0])


def empty_network(config: ModelConfig) -> SimLingoNetwork:
    """A network without values, for counting: the meta device holds it in no memory."""
    with torch.device("meta"):
        network = SimLingoNetwork(replace(config, lora=None), 0, 0)
        if config.lora is not None:
            add_adapters(network, config.lora)
    return network


def _fill_buffers(network: SimLingoNetwork) -> None:
    """Values that no checkpoint holds, since they follow from the sizes."""
    network.image_mean = torch.tensor(IMAGE_MEAN).view(1, 3, 1, 1)
    network.image_std = torch.tensor(IMAGE_STD).view(1, 3, 1, 1)
    language = network.vlm.language_model
    language.rotary_emb = type(language.rotary_emb)(config=language.config)
    left = [name for name, buffer in network.named_buffers() if buffer.is_meta]
    if left:
        raise RuntimeError(f"buffers without values: {left}")


def _alpha(network: SimLingoNetwork, rank: int) -> float:
    scaling = network.vlm.language_model.layers[0].self_attn.q_proj.scaling["default"]
    return float(scaling) * rank
