"""A grown network answers as before, and everything that is new in it learns."""

from __future__ import annotations

from dataclasses import replace

import pytest

torch = pytest.importorskip("torch")

from tiny_model import TINY  # noqa: E402
from torch import Tensor  # noqa: E402

from simlingo.contracts import InvalidInputError  # noqa: E402
from simlingo.model.config import LanguageConfig, ModelConfig  # noqa: E402
from simlingo.model.network import SimLingoNetwork  # noqa: E402
from training.trainer.grow import grow  # noqa: E402

SMALL = replace(
    TINY,
    language=LanguageConfig(hidden_size=48, layers=2, heads=6, key_value_heads=2, intermediate_size=64, vocab_size=64),
)
LARGE = replace(
    SMALL,
    name="grown",
    language=replace(SMALL.language, hidden_size=64, layers=5, heads=8, intermediate_size=96, vocab_size=80),
    instructions=True,
    judgement_hidden=16,
)


def small_network() -> SimLingoNetwork:
    """With norms and biases that are not those of a fresh one, as after training."""
    torch.manual_seed(3)
    network = SimLingoNetwork(SMALL, 5, 6)
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if name.endswith(("norm.weight", "bias")):
                parameter.add_(0.3 * torch.randn_like(parameter))
            elif parameter.ndim == 2:
                parameter.mul_(3.0)
    return network.eval()


def answers(network: SimLingoNetwork) -> tuple[Tensor, Tensor, Tensor]:
    """Path, speed waypoints and scores of the next token, of two prompts with pictures and points."""
    torch.manual_seed(4)
    config = network.config
    frames = torch.randint(0, 256, (2, config.image.tile, 2 * config.image.tile, 3), dtype=torch.uint8)
    ids = torch.tensor([[1, *[5] * config.image_tokens, 6, 6, 9, 11]] * 2)
    points = 10.0 * torch.randn(2, 2, 2)
    image = network.image_embeddings(network.vision_tokens(frames))
    hidden = network.sequence_hidden(network.prompt_embeddings(ids, points, image))
    scores = network.lm_head(hidden[:, ids.shape[1] - 1])[:, : SMALL.language.vocab_size]
    return (*network.heads(hidden), scores)


@torch.no_grad()
def test_plans_and_words_stay_as_they_were() -> None:
    small = small_network()
    torch.manual_seed(8)
    grown = grow(small, LARGE).eval()
    for before, after in zip(answers(small), answers(grown), strict=True):
        assert before.abs().max() > 0.1, "an answer of nothing would prove nothing"
        torch.testing.assert_close(after, before, rtol=1e-4, atol=1e-4)


def test_everything_new_learns_from_the_first_two_updates() -> None:
    """Of two weights in a row one begins at zero: its gradient comes first, then the other's."""
    torch.manual_seed(8)
    grown = grow(small_network(), LARGE)
    optimizer = torch.optim.SGD(grown.parameters(), lr=0.05)
    for _ in range(2):
        path, speed, scores = answers(grown)
        torch.manual_seed(4)
        loss = (path - 1.0).pow(2).mean() + (speed - 2.0).pow(2).mean() + scores.pow(2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    language = grown.vlm.language_model
    for index, layer in enumerate(language.layers):
        for name, parameter in layer.named_parameters():
            if name.endswith(("k_proj.bias",)):
                continue  # shifts all scores of a softmax alike, so it hardly learns
            assert parameter.grad is not None, (index, name)
            assert parameter.grad.abs().max() > 0.0, (index, name)
            if parameter.ndim == 2:  # the new columns, or the new rows where the width was the same
                assert parameter.grad[-4:, -4:].abs().max() > 0.0, (index, name)
    assert grown.vlm.multi_modal_projector.linear_2.weight.grad[48:, 48:].abs().max() > 0.0
    assert grown.point_encoder[4].weight.grad[48:].abs().max() > 0.0
    assert grown.route_queries.grad[..., 48:].abs().max() > 0.0
    assert grown.route_head[0].weight.grad[:, 48:].abs().max() > 0.0


def test_where_nothing_grows_it_is_the_network_itself() -> None:
    """A large network is not laid out twice to be trained further; what it is trained for may change."""
    small = small_network()
    speaks = replace(SMALL, speaks=True)
    assert grow(small, speaks) is small
    assert small.config == speaks


def test_tokens_that_are_new_are_not_said() -> None:
    grown = grow(small_network(), LARGE)
    assert not grown.lm_head.weight[64:].any()
    assert grown.lm_head.weight[:64].any()


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        (replace(LARGE, language=replace(LARGE.language, layers=1)), r"language\.layers is 2 and cannot become 1"),
        (replace(LARGE, language=replace(LARGE.language, heads=6, hidden_size=96)), "width of an attention head"),
        (replace(LARGE, language=replace(LARGE.language, key_value_heads=4)), "key_value_heads"),
        (replace(LARGE, speed_hidden=32), "only the language model can grow"),
        (replace(LARGE, vision=replace(LARGE.vision, layers=2)), "only the language model can grow"),
    ],
)
def test_what_cannot_grow_is_named(changed: ModelConfig, named: str) -> None:
    with pytest.raises(InvalidInputError, match=named):
        grow(small_network(), changed)
