"""The prompts of a batch as token ids with their answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from simlingo.model.processor import Processor, PromptIds
from simlingo.model.prompt import RouteAs
from training.language.commentary import commentary
from training.language.frame_facts import facts_of, navigation_of
from training.trainer.augment import ToldSpeeds

#: How the route is told in the two prompts of a frame.
PROMPTS = (RouteAs.TARGET_POINT, RouteAs.COMMAND)


class PromptArrays(NamedTuple):
    """N prompts of at most L tokens, padded on the left."""

    ids: npt.NDArray[np.int64]  # (N, L)
    mask: npt.NDArray[np.int64]  # (N, L) 1 where there is a token
    answers: npt.NDArray[np.int64]  # (N, L) 1 where the token belongs to the answer


def frame_prompts(
    processor: Processor, labels: dict[str, np.ndarray], told: ToldSpeeds, speaks: npt.NDArray[np.bool_]
) -> PromptArrays:
    """The prompts of B frames, frame by frame: ``PROMPTS`` in turn.

    Args:
        processor: of the network that learns.
        labels: of the frames, leading axis B.
        told: what each prompt is told.
        speaks: (B, 2) whether a prompt asks for a commentary before its plan.
    """
    prompts = []
    for row, column in np.ndindex(*speaks.shape):
        speed = float(told.speed[row, column])
        here = processor.situation(speed, navigation_of(labels, row), PROMPTS[column])
        if speaks[row, column]:
            facts = facts_of(labels, row, speed, told.waypoints[row, column], int(told.cause[row, column]))
            prompts.append(processor.commentary(here, commentary(facts)))
        else:
            prompts.append(processor.plan(here))
    return padded(prompts, processor.pad)


def padded(prompts: Sequence[PromptIds], pad: int) -> PromptArrays:
    """Prompts of different lengths as arrays; ``pad`` fills what is before a shorter one."""
    length = max(len(prompt.ids) for prompt in prompts)
    shape = (len(prompts), length)
    ids, mask, answers = np.full(shape, pad, np.int64), np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    for row, prompt in enumerate(prompts):
        begin = length - len(prompt.ids)
        ids[row, begin:] = prompt.ids
        mask[row, begin:] = 1
        answers[row, length - prompt.answer :] = 1
    return PromptArrays(ids, mask, answers)
