"""What of the network each exported graph computes. All of them share the network's weights.

Shapes: L tokens of a prompt, P tokens already read, D hidden size, H key-value heads, W their width. A *cache* is
(layers, 2, 1, H, P, W): keys and values of all layers in one tensor, so that cutting it off after a token is a slice.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from transformers import DynamicCache

from simlingo.model.network import SimLingoNetwork

#: Names of what :func:`planned` gives; the last is there only where the network judges.
PLANNED = ("path", "speed_waypoints", "judgement")


class VisionGraph(nn.Module):
    """``frame`` (1, T, 2T, 3) uint8 to image embeddings (1, image_tokens, D)."""

    def __init__(self, network: SimLingoNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, frame: Tensor) -> Tensor:
        return self.network.image_embeddings(self.network.vision_tokens(frame))


class PlanGraph(nn.Module):
    """A prompt with its answer, and the queries after it, in one pass: what :func:`planned` gives, and the cache of all."""

    def __init__(self, network: SimLingoNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Tensor, input_ids: Tensor, target_points: Tensor) -> tuple[Tensor, ...]:
        prompt = self.network.prompt_embeddings(input_ids, target_points, image)
        hidden, cache = read_on(self.network, torch.cat((prompt, queries_of(self.network)), dim=1), None)
        return *planned(self.network, hidden), cache


class TextGraph(nn.Module):
    """``input_ids`` (1, n) read after a cache: scores of the next token (1, vocabulary) and the longer cache."""

    def __init__(self, network: SimLingoNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, input_ids: Tensor, cache: Tensor) -> tuple[Tensor, Tensor]:
        embeddings = self.network.vlm.language_model.embed_tokens(input_ids)
        hidden, longer = read_on(self.network, embeddings, cache)
        return self.network.lm_head(hidden[:, -1]), longer


class QueryGraph(nn.Module):
    """The queries read after a cache: what :func:`planned` gives."""

    def __init__(self, network: SimLingoNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, cache: Tensor) -> tuple[Tensor, ...]:
        hidden, _ = read_on(self.network, queries_of(self.network), cache)
        return planned(self.network, hidden)


def planned(network: SimLingoNetwork, hidden: Tensor) -> tuple[Tensor, ...]:
    """Path, speed waypoints and, where the network has a head for it, the judgement's scores; their names: ``PLANNED``."""
    scores = network.judgement(hidden)
    return (*network.heads(hidden), *(() if scores is None else (scores,)))


def queries_of(network: SimLingoNetwork) -> Tensor:
    """The 20 route and 10 speed queries (1, 30, D)."""
    return torch.cat((network.route_queries, network.speed_queries), dim=1)


def read_on(network: SimLingoNetwork, embeddings: Tensor, cache: Tensor | None) -> tuple[Tensor, Tensor]:
    """Final hidden states of ``embeddings`` (1, n, D), which follow on ``cache``, and the longer cache."""
    language = network.vlm.language_model
    past = DynamicCache(config=language.config)
    if cache is not None:
        for layer in range(cache.shape[0]):
            past.update(cache[layer, 0], cache[layer, 1], layer)
    output = language(inputs_embeds=embeddings, past_key_values=past, use_cache=True)
    longer = torch.stack([torch.stack((layer.keys, layer.values)) for layer in output.past_key_values.layers])
    return output.last_hidden_state, longer
