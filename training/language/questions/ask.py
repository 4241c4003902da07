"""The questions of a scene, balanced, and in words."""

from __future__ import annotations

import numpy as np

from training.language.hold_out import Split
from training.language.questions import (
    about_crossing,
    about_lane,
    about_objects,
    about_plan,
    about_scene,
    about_signals,
    about_watching,
)
from training.language.questions.question import FAMILIES, Question
from training.language.questions.scene import Scene
from training.language.questions.wordings import wordings

#: Share of the questions with answers of low information that are kept (spec B.9).
LOW_INFORMATION_SHARE = 0.2
#: Questions of one type about different things, at most.
MOST_OF_A_TYPE = 2
_FAMILIES = (
    about_scene.ASKED, about_lane.ASKED, about_signals.ASKED, about_plan.ASKED, about_watching.ASKED,
    about_objects.ASKED, about_crossing.ASKED,
)  # fmt: skip


def every_question(scene: Scene) -> list[Question]:
    """All that may be asked about a scene, in a fixed order."""
    return [question for family in _FAMILIES for ask in family for question in ask(scene)]


def questions_of(scene: Scene, rng: np.random.Generator) -> list[Question]:
    """The questions to train on: in random order, at most two of a type, few of those whose answer says little."""
    every = every_question(scene)
    chosen: list[Question] = []
    for index in rng.permutation(len(every)):
        question = every[int(index)]
        if question.low_information and rng.random() >= LOW_INFORMATION_SHARE:
            continue
        if sum(other.type == question.type for other in chosen) < MOST_OF_A_TYPE:
            chosen.append(question)
    return chosen


def ask_words(question: Question, rng: np.random.Generator, split: Split = Split.SEEN) -> str:
    """The question in one of its wordings.

    Args:
        question: what to ask.
        rng: draws the wording.
        split: which phrases to draw from.
    """
    phrases = wordings().phrases(question.type, split)
    phrase = phrases[int(rng.integers(len(phrases)))]
    return phrase.format(**question.slots)


def family_of(kind: str) -> str:
    """The family that a question type belongs to."""
    return next(name for name, kinds in FAMILIES.items() if kind in kinds)
