"""One prompt with its answer, and what the plan after it is to be."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from simlingo.model.judgement import KINDS, OUTCOMES
from simlingo.model.processor import PromptIds
from simlingo.requests import Reason, RequestKind

#: Label of what a prompt does not tell: no loss is taken there (torch's cross-entropy leaves it out).
UNTOLD = -100


class Sample(NamedTuple):
    """One prompt of one frame; points in m, in the view's frame."""

    prompt: PromptIds
    path: npt.NDArray[np.floating]  # (20, 2)
    speed_waypoints: npt.NDArray[np.floating]  # (10, 2)
    cause: int = UNTOLD  # simlingo_drive.expert.causes.Cause of the waypoints
    kind: int = UNTOLD  # index into KINDS: what the instruction asks for
    outcome: int = UNTOLD  # index into OUTCOMES: what becomes of it
    says: bool = True  # the answer is what the model shall say; else it is only read
    named_speed: float = np.nan  # m/s, that the instruction names


def kind_label(kind: RequestKind | None) -> int:
    """Index into the scores of kinds."""
    return KINDS.index(kind)


def outcome_label(reason: Reason | None) -> int:
    """Index into the scores of outcomes; None: the instruction is followed."""
    return OUTCOMES.index(reason)


class SampleArrays(NamedTuple):
    """N samples; prompts of at most L tokens, padded behind the tokens that all begin with."""

    ids: npt.NDArray[np.int64]  # (N, L)
    mask: npt.NDArray[np.int64]  # (N, L) 1 where there is a token
    answers: npt.NDArray[np.int64]  # (N, L) 1 where the token belongs to an answer to be learned
    path: npt.NDArray[np.float32]  # (N, 20, 2) m
    speed_waypoints: npt.NDArray[np.float32]  # (N, 10, 2) m
    cause: npt.NDArray[np.int64]  # (N,) or UNTOLD
    kind: npt.NDArray[np.int64]  # (N,) or UNTOLD
    outcome: npt.NDArray[np.int64]  # (N,) or UNTOLD
    asked_at: npt.NDArray[np.int64]  # (N,) place of the last token before the answer
    named_speed: npt.NDArray[np.float32]  # (N,) m/s or NaN


def as_arrays(samples: Sequence[Sample], pad: int) -> SampleArrays:
    """Samples as arrays; ``pad`` fills shorter prompts where they cease to be all the same, so that this part is computed once."""
    length = max(len(sample.prompt.ids) for sample in samples)
    # As far as the tokens before the last one that is asked: an answer and what it answers stand at the end, without a gap.
    columns = zip(*(sample.prompt.ids[: -sample.prompt.answer - 1] for sample in samples), strict=False)
    shared = sum(1 for _ in takewhile(lambda tokens: len(set(tokens)) == 1, columns))
    shape = (len(samples), length)
    ids, mask, answers = np.full(shape, pad, np.int64), np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    for row, sample in enumerate(samples):
        prompt = sample.prompt
        begin = length - len(prompt.ids) + shared
        ids[row, :shared], ids[row, begin:] = prompt.ids[:shared], prompt.ids[shared:]
        mask[row, :shared], mask[row, begin:] = 1, 1
        if sample.says:
            answers[row, length - prompt.answer :] = 1
    return SampleArrays(
        ids,
        mask,
        answers,
        np.stack([sample.path for sample in samples]).astype(np.float32),
        np.stack([sample.speed_waypoints for sample in samples]).astype(np.float32),
        np.array([sample.cause for sample in samples], np.int64),
        np.array([sample.kind for sample in samples], np.int64),
        np.array([sample.outcome for sample in samples], np.int64),
        np.array([length - sample.prompt.answer - 1 for sample in samples], np.int64),
        np.array([sample.named_speed for sample in samples], np.float32),
    )
