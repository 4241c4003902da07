"""The questions of ``ask-val``: as many of each type, its answers in turn."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from training.datasets.reader import Route
from training.evaluation.language.dream_choice import in_turn
from training.evaluation.language.picture import Frame, frames_of
from training.language.hold_out import Split
from training.language.questions.ask import ask_words, every_question
from training.language.questions.frames import scene_at
from training.language.questions.question import TYPES, Question

#: Questions of each type: the whole list, and the quick one.
OF_A_TYPE, OF_A_TYPE_QUICK = 24, 4
#: Every so many frames are asked about, whole and quick: those between are nearly the same.
EVERY, EVERY_QUICK = 3, 6


@dataclass(frozen=True)
class Asking:
    """A question about a frame."""

    frame: Frame
    question: Question

    @property
    def key(self) -> str:
        """Names it."""
        slots = ",".join(f"{name}={value}" for name, value in sorted(self.question.slots.items()))
        return f"{self.frame.key}:{self.question.type}:{slots}"

    @property
    def rank(self) -> str:
        """A number as good as drawn by lot, the same on every machine."""
        return hashlib.sha256(self.key.encode()).hexdigest()

    def words(self, split: Split) -> str:
        """The question in a wording of ``split``; the same at each call."""
        number = hashlib.sha256(f"{self.key}:{split.value}".encode()).digest()[:8]
        return ask_words(self.question, np.random.default_rng(int.from_bytes(number, "big")), split)


def askings_of(route: Route, every: int, advance: Callable[[int], None]) -> Iterator[Asking]:
    """All that can be asked about every so many frames of a route."""
    for frame in frames_of(route)[::every]:
        for question in every_question(scene_at(route, frame.row)):
            yield Asking(frame, question)
        advance(1)


def choose(askings: Iterable[Asking], of_a_type: int) -> list[Asking]:
    """At most ``of_a_type`` of each type: the rarest answers as often as the commonest, as far as there are frames."""
    found: dict[str, dict[str, list[Asking]]] = {name: defaultdict(list) for name in TYPES}
    for asking in askings:
        found[asking.question.type][asking.question.answer].append(asking)
    chosen: list[Asking] = []
    for answers in found.values():
        lists: Sequence[Sequence[Asking]] = [
            sorted(answers[answer], key=lambda asking: asking.rank) for answer in sorted(answers)
        ]
        chosen += in_turn(lists)[:of_a_type]
    return chosen
