"""The published way of running (spec A.10): a full pass for each token of text and one more for the queries.

The yardstick for the engine's speed and the plain check of its answers.
"""

from __future__ import annotations

import time

import torch

from simlingo.contracts import FloatArray, ImageArray
from simlingo.model.engine.backend import Outcome, checked_judgement, checked_points
from simlingo.model.graph_modules import queries_of
from simlingo.model.network import SimLingoNetwork


@torch.inference_mode()
def published_plan(
    network: SimLingoNetwork,
    picture: ImageArray,
    ids: list[int],
    target_points: FloatArray,
    longest: int,
    end_of_turn: int,
) -> tuple[Outcome, list[int]]:
    """Text first, then the plan, without any cache.

    Args:
        network: adapters merged or apart.
        picture: (tile, 2 * tile, 3) uint8.
        ids: the prompt, up to where the answer begins.
        target_points: (2, 2) m, ego frame.
        longest: most tokens of text.
        end_of_turn: id of the token that ends it.

    Returns:
        The plan (its context is None) and the text's ids without the end of turn.
    """
    device = network.route_queries.device
    language = network.vlm.language_model
    start = time.perf_counter()
    frames = torch.tensor(picture)[None].to(device)
    image = network.image_embeddings(network.vision_tokens(frames))
    _wait(device)
    seen = time.perf_counter()
    points = torch.from_numpy(target_points[None]).to(device, torch.float32)
    embeddings = network.prompt_embeddings(torch.tensor([ids], device=device), points, image)
    text: list[int] = []
    while len(text) < longest:
        hidden = language(inputs_embeds=embeddings, use_cache=False).last_hidden_state
        text.append(int(network.lm_head(hidden[:, -1]).argmax()))
        word = language.embed_tokens(torch.tensor([text[-1:]], device=device))
        embeddings = torch.cat((embeddings, word), dim=1)
        if text[-1] == end_of_turn:
            break
    said = time.perf_counter()
    hidden = language(inputs_embeds=torch.cat((embeddings, queries_of(network)), dim=1), use_cache=False)
    _wait(device)
    asked = time.perf_counter()
    path, speed = network.heads(hidden.last_hidden_state)
    points_found = checked_points(path.float().cpu(), speed.float().cpu())
    timing = {"vision": seen - start, "text": said - seen, "queries": asked - said}
    scores = network.judgement(hidden.last_hidden_state)
    judgement = checked_judgement(None if scores is None else scores.float().cpu())
    timing["heads"] = time.perf_counter() - asked
    outcome = Outcome(*points_found, None, timing, judgement)
    return outcome, [token for token in text if token != end_of_turn]


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
