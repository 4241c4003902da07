"""The language model over keys and values that stay where they are: read in place, of any growing or fixed size.

The same numbers as transformers' forward with a cache, which builds the whole cache anew for every token and decides on
the host what a captured graph must not.

Shapes: n tokens read now, D hidden size, H key-value heads, G query heads to each of them, W their width. A *cache* is
(layers, 2, 1, H, rows, W): keys and values; row r belongs to position r.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from simlingo.model.network import SimLingoNetwork


class Decoder:
    """The Qwen2 layers of a network, adapters merged or not, weights of any type.

    Args:
        network: on its device and of its precision; later changes of either are not seen.
    """

    def __init__(self, network: SimLingoNetwork) -> None:
        self._language = network.vlm.language_model
        config = self._language.config
        self._like = network.route_queries  # tells device and type
        self._width: int = self._language.layers[0].self_attn.head_dim
        self._heads: int = config.num_key_value_heads
        self.longest: int = config.max_position_embeddings
        positions = torch.arange(self.longest, device=self._like.device)[None]
        self._cos, self._sin = (values[0] for values in self._language.rotary_emb(self._like, positions))

    def new_cache(self, rows: int) -> Tensor:
        """An empty cache of ``rows``; zeros, since what is masked is still multiplied."""
        return self._like.new_zeros((len(self._language.layers), 2, 1, self._heads, rows, self._width))

    def __call__(
        self, embeddings: Tensor, cache: Tensor, positions: Tensor, seen: int, mask: Tensor | None, causal: bool = False
    ) -> Tensor:
        """Final hidden states (1, n, D) of ``embeddings`` (1, n, D); their keys and values go into ``cache``.

        Args:
            embeddings: of tokens or queries.
            cache: holds the rows before them.
            positions: (n,) rows and positions of the embeddings.
            seen: how many leading rows of the cache attention looks at.
            mask: (n, seen) bool, true where a token sees a row; None: it sees all of them.
            causal: the embeddings are rows 0 to n = ``seen``, and each sees itself and those before it.
        """
        turn = (self._cos[positions], self._sin[positions])
        hidden = embeddings
        for layer, rows in zip(self._language.layers, cache, strict=True):
            attention, normed = layer.self_attn, layer.input_layernorm(hidden)
            query, key, value = (
                project(normed).view(1, normed.shape[1], -1, self._width).transpose(1, 2)
                for project in (attention.q_proj, attention.k_proj, attention.v_proj)
            )
            rows[0].index_copy_(2, positions, _turned(key, *turn))
            rows[1].index_copy_(2, positions, value)
            mixed = _attend(_turned(query, *turn), rows[:, :, :, :seen], mask, causal)
            hidden = hidden + attention.o_proj(mixed.transpose(1, 2).flatten(2))
            hidden = hidden + layer.mlp(layer.post_attention_layernorm(hidden))
        final: Tensor = self._language.norm(hidden)
        return final


def _attend(query: Tensor, rows: Tensor, mask: Tensor | None, causal: bool) -> Tensor:
    """Attention of ``query`` (1, H * G, n, W) on ``rows`` (2, 1, H, seen, W)."""
    if causal:
        return F.scaled_dot_product_attention(query, rows[0], rows[1], is_causal=True, enable_gqa=True)
    # The query heads that share keys become rows of one head: nothing is repeated, and every kernel can do it.
    heads, count = rows.shape[2], query.shape[2]
    folded = query.reshape(1, heads, -1, query.shape[3])
    wide = None if mask is None else mask.repeat(folded.shape[2] // count, 1)
    return F.scaled_dot_product_attention(folded, rows[0], rows[1], attn_mask=wide).reshape(query.shape)


def _turned(states: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotary positions on ``states`` (1, heads, n, W)."""
    first, second = states.chunk(2, dim=-1)
    return states * cos + torch.cat((-second, first), dim=-1) * sin
