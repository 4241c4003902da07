"""Weights learned with one tokenizer go on with another one, whose words are more."""

from __future__ import annotations

import torch

from simlingo.model.network import SimLingoNetwork
from simlingo.model.tokenizer import PromptTokenizer


@torch.no_grad()
def adopt_vocabulary(network: SimLingoNetwork, before: PromptTokenizer, after: PromptTokenizer) -> None:
    """Move the rows of embedding and text head from the ids of ``before`` to those of ``after``, in place.

    A token that both have keeps its rows, so text that both split alike means the same as before; others begin anew.
    """
    old, new = before.vocabulary, after.vocabulary
    kept = [token for token in new if token in old]
    to_rows, from_rows = [new[token] for token in kept], [old[token] for token in kept]
    embedding, head = network.vlm.language_model.embed_tokens.weight, network.lm_head.weight
    for weight in (embedding, head):
        fresh = torch.randn_like(weight) * weight[from_rows].std()
        fresh[to_rows] = weight[from_rows]
        weight.copy_(fresh)
    network.image_context_id, network.target_point_id = after.image_context_id, after.target_point_id
    network.vlm.config.image_token_id = after.image_context_id
