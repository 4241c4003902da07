"""A model that is asked offline: plans in batches, and texts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from simlingo.contracts import FloatArray, ImageArray, InvalidInputError
from simlingo.model.config import ModelConfig
from simlingo.model.engine import Engine, Reading
from simlingo.model.engine.instruction_answer import answer_to_instruction
from simlingo.model.engine.onnx_backend import OnnxBackend
from simlingo.model.folder import CONFIG_FILE, GRAPH_WEIGHTS_FILE, GRAPHS, TOKENIZER_FILE, digest, find_model
from simlingo.model.judgement import Judgement
from simlingo.model.processor import Processor, PromptIds
from simlingo.model.tokenizer import PromptTokenizer
from training.evaluation.language.suite import Subject

_GREY = 128


@dataclass(frozen=True)
class Request:
    """One prompt about one picture."""

    picture: ImageArray  # (tile, 2 * tile, 3) uint8
    prompt: PromptIds
    target_points: FloatArray  # (2, 2) m, ego frame


@dataclass(frozen=True)
class Planned:
    """A plan, ego frame, with what the model makes of the instruction."""

    path: FloatArray  # (20, 2) m
    speed_waypoints: FloatArray  # (10, 2) m
    judgement: Judgement | None


class Listener:
    """The model of a subject; its pictures are grey where the subject's are. A context manager."""

    def __init__(self, subject: Subject, threads: int) -> None:
        """Load it.

        Raises:
            InvalidInputError: no such model, it has no exported graphs, or a file is damaged.
        """
        folder = find_model(subject.weights)
        if not all((folder / file).is_file() for file in GRAPHS.values()):
            raise InvalidInputError(f"{folder} has no exported graphs; name a model folder that ./simlingo train made")
        self.subject = subject
        self.config = ModelConfig.load(folder / CONFIG_FILE)
        self.processor = Processor(self.config, PromptTokenizer.load(folder / TOKENIZER_FILE))
        self._engine = Engine(OnnxBackend(folder, threads), self.processor.end_of_turn)
        self._stamp = 0

    def __enter__(self) -> Listener:
        return self

    def __exit__(self, *_: object) -> None:
        self._engine.close()

    def require_speech(self) -> None:
        """Refuse a model that was not trained to speak.

        Raises:
            InvalidInputError: it was not.
        """
        if not self.config.speaks:
            raise InvalidInputError(f"{self.subject.weights} was not trained to speak; leave this suite out")

    def picture(self, frame: ImageArray) -> ImageArray:
        """What the model sees of a camera frame (H, W, 3) uint8."""
        return self.processor.picture(np.full_like(frame, _GREY) if self.subject.grey else frame)

    def plans(self, requests: Sequence[Request]) -> list[Planned]:
        """A plan for each; prompts hold their answers."""
        pictures, ids = [each.picture for each in requests], [each.prompt.ids for each in requests]
        found = self._engine.plan_batch(pictures, ids, np.stack([each.target_points for each in requests]))
        return [Planned(*each) for each in zip(found.path, found.speed_waypoints, found.judgements, strict=True)]

    def read(self, request: Request) -> Planned:
        """The plan of one prompt, as when driving; texts of ``say`` are about its picture from then on."""
        outcome = self._engine.plan(self._reading(request))
        return Planned(outcome.path, outcome.speed_waypoints, outcome.judgement)

    def _reading(self, request: Request) -> Reading:
        self._stamp += 1
        prompt = request.prompt
        return Reading(self._stamp, request.picture, request.target_points, prompt.ids, prompt.shared)

    def say(self, prompt: PromptIds) -> str:
        """The text that ``prompt`` asks for, which goes on from the situation that was read last; without the plan's word."""
        return self.processor.commentary_text(self._engine.say(prompt.request).result()[0])

    def answer(self, prompt: PromptIds, judged: Judgement | None) -> str:
        """What it says to the instruction of ``prompt``, of which the plan that was read last decided ``judged``."""
        speech = answer_to_instruction(self._engine, self.processor, prompt, judged, self._stamp)
        return self.processor.commentary_text(speech.result()[0])

    def plan_after_words(self, request: Request) -> Planned:
        """The plan after the model's own words, for which it waits: the published order."""
        outcome, _ = self._engine.plan_after_text(self._reading(request))
        return Planned(outcome.path, outcome.speed_waypoints, outcome.judgement)


def identity(subject: Subject) -> str:
    """Name of the model's folder and the begin of its graphs' SHA-256: figures belong to one set of weights."""
    folder = find_model(subject.weights)
    return f"{folder.resolve().name} {digest(folder / GRAPH_WEIGHTS_FILE)[:12]}"
