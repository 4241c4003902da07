"""Plans of many frames in one pass, for evaluation offline."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from simlingo.contracts import PATH_POINTS, SPEED_WAYPOINTS, FloatArray, ImageArray, InvalidInputError
from simlingo.model.engine.backend import BatchPlans, check_batch, checked_judgement
from simlingo.model.engine.memory import inferring
from simlingo.model.network import SimLingoNetwork


@inferring
def plan_batch(
    network: SimLingoNetwork, pictures: Sequence[ImageArray], ids: Sequence[list[int]], target_points: FloatArray
) -> BatchPlans:
    """Plans without text of B frames; each is what the frame alone would give, but for rounding.

    Prompts are padded on the left and the padding is masked, so that the queries follow each prompt directly (spec A.4).

    Args:
        network: in evaluation mode, on its device and of its precision.
        pictures: B of (tile, 2 * tile, 3) uint8.
        ids: B prompts with their answers, of any lengths.
        target_points: (B, 2, 2) m, ego frame.

    Raises:
        InvalidInputError: the counts differ, or a plan is not finite.
        SimlingoError: memory ran out.
    """
    count = check_batch(pictures, ids, target_points)
    device = network.route_queries.device
    longest = max(len(prompt) for prompt in ids)
    placeholders = (network.image_context_id, network.target_point_id)
    padding = next(number for number in range(3) if number not in placeholders)  # its embedding is masked
    padded = torch.tensor([[padding] * (longest - len(prompt)) + prompt for prompt in ids], device=device)
    mask = torch.tensor([[0] * (longest - len(prompt)) + [1] * len(prompt) for prompt in ids], device=device)
    image = network.image_embeddings(network.vision_tokens(torch.from_numpy(np.stack(pictures)).to(device)))
    points = torch.from_numpy(target_points).to(device, torch.float32)
    prompt = network.prompt_embeddings(padded, points, image)
    hidden = network.sequence_hidden(prompt, mask)
    found = [values.float().cpu().numpy().astype(np.float64) for values in network.heads(hidden)]
    for values, wanted in zip(found, (PATH_POINTS, SPEED_WAYPOINTS), strict=True):
        if values.shape != (count, wanted, 2) or not np.isfinite(values).all():
            raise InvalidInputError("a plan of the batch is not finite; the weights or the target points are damaged")
    scores = network.judgement(hidden)
    rows = [None] * count if scores is None else list(scores.float().cpu().numpy()[:, None])
    return BatchPlans(found[0], found[1], [checked_judgement(row) for row in rows])
