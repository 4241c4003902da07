"""Runs our network on a stored case of the published modules and compares every tensor (spec A.10).

The case is ``case.npz``: a frame, token ids and target points, and what the published modules made of them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from transformers import DynamicCache

from simlingo.contracts import InvalidInputError
from simlingo.model.checkpoints.build import network_of, token_ids
from simlingo.model.checkpoints.reader import Checkpoint
from simlingo.model.network import SimLingoNetwork
from simlingo.model.preprocess import model_image

CASE_FILE = "case.npz"
_INPUTS = ("frame", "input_ids", "target_points")
_TEXT = "text_ids"
_ANSWERS = (
    "pixel_values", "vision_features", "prompt_embeds", "last_prompt_hidden", "query_hidden", "route", "speed_wps",
)  # fmt: skip

Array = npt.NDArray[np.generic]


@dataclass(frozen=True)
class Report:
    """The outcome of one case."""

    differences: dict[str, float]  # per stored tensor: largest absolute difference / largest magnitude of the reference
    text_equal: bool | None  # None where the case holds no text
    unknown: tuple[str, ...]  # arrays of the case that the network has no counterpart for

    def passed(self, tolerance: float) -> bool:
        """Whether every tensor is within ``tolerance`` and the text is the same."""
        return self.text_equal is not False and all(value <= tolerance for value in self.differences.values())

    def to_dict(self) -> dict[str, float | bool | None]:
        """As written to ``--json``; None stands for an array that nothing was compared with."""
        text = {} if self.text_equal is None else {"text_equal": self.text_equal}
        return {**self.differences, **text, **dict.fromkeys(self.unknown)}


def read_case(path: Path) -> dict[str, Array]:
    """The arrays of a case; pickled objects are refused.

    Raises:
        InvalidInputError: missing, damaged, without one of the inputs, or an array is of another type or shape than its name
            says.
    """
    try:
        with np.load(path, allow_pickle=False) as stored:
            case = {name: stored[name] for name in stored.files}
    except Exception as error:  # numpy and zipfile share no base class
        raise InvalidInputError(
            f"case {path} cannot be read ({error}); verify needs a {CASE_FILE} beside the checkpoint, or --case FILE"
        ) from error
    missing = [name for name in _INPUTS if name not in case]
    if missing:
        raise InvalidInputError(f"case {path} lacks {', '.join(missing)}")
    for name, array in case.items():
        if (wanted := _unmet(name, array)) is not None:
            raise InvalidInputError(
                f"case {path}: {name} is {array.dtype} of shape {array.shape}, it must be {wanted}; store it again"
            )
    return case


def verify(checkpoint: Checkpoint, case: dict[str, Array]) -> Report:
    """Compare the network, adapters merged, in fp32, with a case.

    Raises:
        InvalidInputError: the case holds nothing to compare, its inputs do not fit the model, or the network's answer
            is not finite.
    """
    comparable = {*_ANSWERS, _TEXT}
    unknown = tuple(name for name in case if name not in comparable.union(_INPUTS))
    if comparable.isdisjoint(case):
        found = f"only {', '.join(unknown)}, which the network has not" if unknown else "none"
        raise InvalidInputError(
            f"the case holds no tensor to compare ({found}); store one or more of {', '.join(sorted(comparable))} in it"
        )
    network = network_of(checkpoint)
    with torch.inference_mode():
        answers = run_case(network, case, token_ids(checkpoint).end_of_turn)
    text = None
    if _TEXT in case:
        text = np.array_equal(case[_TEXT].reshape(-1), answers.pop(_TEXT).numpy().reshape(-1))
    differences = {name: _difference(name, answers[name], case[name]) for name in answers if name in case}
    return Report(differences, text, unknown)


def run_case(network: SimLingoNetwork, case: dict[str, Array], end_of_turn: int) -> dict[str, Tensor]:
    """Every tensor that a case may hold, from its frame, token ids and target points.

    The prompt runs once; text and then the queries follow on its cache, which is the same as full passes.
    """
    config = network.config
    ids = torch.from_numpy(np.atleast_2d(case["input_ids"]).astype(np.int64))
    points = torch.from_numpy(case["target_points"].astype(np.float32)).reshape(1, 2, 2)
    _check_ids(network, ids)
    # The case's frame is what the published code reads after its JPEG round trip.
    image = model_image(np.asarray(case["frame"], np.uint8), replace(config.image, jpeg_round_trip=False))
    frames = torch.from_numpy(image.copy())[None]
    features = network.image_embeddings(network.vision_tokens(frames))
    prompt = network.prompt_embeddings(ids, points, features)
    cache = DynamicCache(config=network.vlm.language_model.config)
    last = _extend(network, prompt, cache)[:, -1]
    text = _greedy(network, last, cache, end_of_turn)
    queries = torch.cat((network.route_queries, network.speed_queries), dim=1)
    hidden = _extend(network, queries, cache)
    route, speed = network.heads(hidden)
    tensors = (network.tile_pixels(frames), features, prompt, last, hidden, route, speed)
    return {**dict(zip(_ANSWERS, tensors, strict=True)), _TEXT: text}


def _unmet(name: str, array: Array) -> str | None:
    """What an array of a case must be and is not; None where it is, or where the network has no such array."""
    whole, real = array.dtype.kind in "iu", array.dtype.kind in "iuf"
    if name == "frame":
        return (
            None if array.dtype == np.uint8 and array.ndim == 3 and array.shape[2] == 3 else "uint8 (height, width, 3)"
        )
    if name == "input_ids":
        row = array.ndim == 1 or (array.ndim == 2 and array.shape[0] == 1)
        return None if whole and row and array.size else "whole numbers (tokens,) or (1, tokens)"
    if name == "target_points":
        fits = real and array.shape in ((2, 2), (1, 2, 2)) and bool(np.isfinite(array).all())
        return None if fits else "finite numbers (2, 2) or (1, 2, 2)"
    if name == _TEXT:
        return None if whole or not array.size else "whole numbers"
    if name in _ANSWERS:
        return None if real and array.size else "numbers"
    return None


def _extend(network: SimLingoNetwork, embeddings: Tensor, cache: DynamicCache) -> Tensor:
    """Final hidden states of ``embeddings`` (1, L, D), which follow on what the cache holds."""
    output = network.vlm.language_model(inputs_embeds=embeddings, past_key_values=cache, use_cache=True)
    hidden: Tensor = output.last_hidden_state
    return hidden


def _greedy(network: SimLingoNetwork, last: Tensor, cache: DynamicCache, end_of_turn: int) -> Tensor:
    """The likeliest tokens (1, n) after ``last`` (1, D), up to and with the end of turn; all of them are in the cache."""
    text: list[int] = []
    while len(text) < network.config.max_new_tokens:
        token = int(network.lm_head(last).argmax())
        text.append(token)
        embedding = network.vlm.language_model.embed_tokens(torch.tensor([[token]]))
        last = _extend(network, embedding, cache)[:, -1]
        if token == end_of_turn:
            break
    return torch.tensor([text])


def _check_ids(network: SimLingoNetwork, ids: Tensor) -> None:
    config = network.config
    known = config.language.vocab_size + config.added_tokens
    if ids.shape[0] != 1 or int(ids.min()) < 0 or int(ids.max()) >= known:
        raise InvalidInputError(f"the case's input_ids must be one row of ids below {known}, got {tuple(ids.shape)}")
    for what, token, wanted in (
        ("image", network.image_context_id, config.image_tokens),
        ("target-point", network.target_point_id, 2),
    ):
        found = int((ids == token).sum())
        if found != wanted and not (what == "target-point" and found == 0):
            raise InvalidInputError(
                f"the case's input_ids hold {found} {what} tokens ({token}), the model needs {wanted}"
            )


def _difference(name: str, ours: Tensor, reference: Array) -> float:
    if ours.numel() != reference.size:
        raise InvalidInputError(f"the case's {name} is {reference.shape}, the model gives {tuple(ours.shape)}")
    wanted = reference.astype(np.float64).reshape(-1)
    largest = float(np.abs(ours.numpy().astype(np.float64).reshape(-1) - wanted).max())
    if not math.isfinite(largest):
        raise InvalidInputError(f"{name} is not finite; the weights or the case are damaged")
    return largest / max(float(np.abs(wanted).max()), np.finfo(np.float64).tiny)
