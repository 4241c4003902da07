"""Grow a trained network to a larger one that gives the same answers, so that what it learned is not learned again.

The idea of function-preserving growth is Net2Net's (arXiv 1511.05641). New values of the hidden state begin as zeros that
nothing writes and that the new weights read; new attention heads and new values inside the MLPs are read by nobody; new layers
write nothing. Of each such pair one side is random, so that both learn from the first update on.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from simlingo.contracts import InvalidInputError
from simlingo.model.config import ModelConfig
from simlingo.model.network import SimLingoNetwork

#: Standard deviation of new weights; what the published queries begin with (spec A.7) and BERT-like models use.
_SPREAD = 0.02


@torch.no_grad()
def grow(small: SimLingoNetwork, config: ModelConfig) -> SimLingoNetwork:
    """A network of ``config`` that plans and speaks as ``small`` does; what is new in it follows torch's random state.

    The language model may be wider, deeper and know more tokens, and there may be a head that judges instructions. New
    layers lie behind the old ones, evenly spread; new tokens score nothing. Where nothing grows it is ``small`` itself.

    Raises:
        InvalidInputError: another part differs, or one is smaller than before; names it.
    """
    _check(small.config, config)
    if (small.config.language, small.config.judgement_hidden) == (config.language, config.judgement_hidden):
        small.config = config
        return small
    large = SimLingoNetwork(config, small.image_context_id, small.target_point_id)
    places = _places(small.config.language.layers, config.language.layers)
    heads = _head_values(small.config, config)
    old = small.state_dict()
    scale = (small.config.language.hidden_size / config.language.hidden_size) ** 0.5
    for name, target in large.named_parameters():
        source = old.get(_old_name(name, places))
        if source is None:  # of a new layer, or of a head that was not there
            if name.endswith(_LAYER_WRITES):
                target.zero_()
            continue
        _place(target, source, name, heads)
        if name.startswith("vlm.language_model.") and name.endswith("norm.weight"):
            # It divides by the root of the mean of squares, which zeros beside the old values make smaller.
            target.mul_(scale)
    return large


def _check(before: ModelConfig, after: ModelConfig) -> None:
    old, new = before.language, after.language
    for name in ("hidden_size", "layers", "heads", "intermediate_size", "vocab_size"):
        if getattr(new, name) < getattr(old, name):
            raise InvalidInputError(
                f"a network cannot shrink: language.{name} is {getattr(old, name)} and cannot become {getattr(new, name)}"
            )
    if new.hidden_size // new.heads != old.hidden_size // old.heads or new.key_value_heads != old.key_value_heads:
        raise InvalidInputError(
            "the width of an attention head and language.key_value_heads must stay as they are; choose language.heads so"
        )
    may_differ = {
        "name": after.name, "speaks": after.speaks, "answers": after.answers, "instructions": after.instructions,
        "judgement_hidden": before.judgement_hidden or after.judgement_hidden, "max_new_tokens": after.max_new_tokens,
        "vision_graph": after.vision_graph, "plain_words": after.plain_words,
        "language": replace(new, rope_theta=old.rope_theta, rms_norm_eps=old.rms_norm_eps),
    }  # fmt: skip
    if replace(before, **may_differ) != after:  # type: ignore[arg-type]
        raise InvalidInputError(
            "only the language model can grow; picture, vision tower and heads must stay as they are"
        )


def _places(before: int, after: int) -> list[int]:
    """Where the old layers come to lie, each with an even share of the new ones behind it."""
    return [index * after // before for index in range(before)]


def _old_name(name: str, places: list[int]) -> str:
    """What a parameter of the large network is called in the small one; a name of nothing where it is new."""
    if not name.startswith(_LAYERS):
        return name
    index, rest = name.removeprefix(_LAYERS).split(".", 1)
    return f"{_LAYERS}{places.index(int(index))}.{rest}" if int(index) in places else ""


def _head_values(before: ModelConfig, after: ModelConfig) -> Tensor:
    """Where the values of the old attention heads come to lie: each group that shares keys gets its part of the new ones."""
    width = before.language.hidden_size // before.language.heads
    groups = before.language.key_value_heads
    old, new = before.language.heads // groups, after.language.heads // groups
    heads = [group * new + head for group in range(groups) for head in range(old)]
    return torch.cat([torch.arange(head * width, (head + 1) * width) for head in heads])


def _place(target: Tensor, source: Tensor, name: str, heads: Tensor) -> None:
    """Put ``source`` where it belongs in ``target``: beside it what reads new values is random, what writes them zero."""
    if target.shape == source.shape:
        target.copy_(source)
        return
    if name.endswith(_READS):
        target.normal_(0.0, _SPREAD)
    else:
        target.fill_(1.0 if name.endswith("norm.weight") else 0.0)
    places = [torch.arange(size) for size in source.shape]
    if "q_proj" in name:
        places[0] = heads
    if "o_proj" in name:
        places[1] = heads
    target[torch.meshgrid(places, indexing="ij")] = source
    if name == "lm_head.weight":
        target[len(source) :] = 0.0  # no token that nobody has learned is ever said


_LAYERS = "vlm.language_model.layers."
#: What writes the hidden state in a layer: zero there, and the layer passes on what it gets.
_LAYER_WRITES = ("o_proj.weight", "down_proj.weight")
#: What reads the hidden state, or what such a weight has made of it. All others write it.
_READS = (
    "q_proj.weight", "k_proj.weight", "v_proj.weight", "gate_proj.weight", "up_proj.weight", "linear_1.weight",
    "lm_head.weight", "route_head.0.weight", "speed_head.0.weight", "judgement_head.0.weight",
)  # fmt: skip
