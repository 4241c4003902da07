"""Driving prompts: a plan alone, with a commentary in one of three places, or after a question (spec A.6, B.9)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

import numpy as np
import numpy.typing as npt

from simlingo.model.language_prompt import InstructionFlag
from simlingo.model.processor import Processor, PromptIds
from simlingo.model.prompt import RouteAs
from training.language.commentary import commentary
from training.language.frame_facts import facts_of, navigation_of
from training.language.questions.ask import ask_words
from training.language.samples.tables import Samples
from training.trainer.augment import ToldSpeeds
from training.trainer.config import MixtureConfig
from training.trainer.sample import Sample

_FLAGS = tuple(InstructionFlag)
#: How the route is told: driving prompts take both in turn.
ROUTES = (RouteAs.TARGET_POINT, RouteAs.COMMAND)


class TextMode(Enum):
    """What text a driving prompt has; the names are those of the configuration's shares."""

    QUESTION = "question"  # asks about the scene, and answers
    COMMENTARY = "commentary"  # asks for a commentary, and says it
    COMMENTARY_GIVEN = "commentary_given"  # tells the commentary
    COMMENTARY_AS_COMMAND = "commentary_as_command"  # tells the commentary in the route's place
    NONE = "none"


@dataclass(frozen=True)
class Frame:
    """A view of a frame with everything that there is to tell of it."""

    labels: Mapping[str, np.ndarray]  # of a batch
    place: int  # in the batch
    row: int  # of the cache
    told: ToldSpeeds  # of the batch


def question_weights(samples: Samples) -> npt.NDArray[np.float64]:
    """How often each of N questions is drawn: rare types and answers more often, by the root of their number; (N,)."""
    table = samples.questions.table
    pairs = list(zip(table["type"].to_pylist(), table["answer"].to_pylist(), strict=True))
    types, answers = Counter(kind for kind, _ in pairs), Counter(pairs)
    return np.array([(types[pair[0]] * answers[pair]) ** -0.5 for pair in pairs])


class DrivingSamples:
    """Makes driving samples.

    Args:
        processor: of the network that learns.
        samples: questions and named causes; None: there is no question, and nothing has a name.
        config: shares of the text modes.
    """

    def __init__(self, processor: Processor, samples: Samples | None, config: MixtureConfig) -> None:
        self._processor, self._samples, self._config = processor, samples, config
        shares = {mode: getattr(config, mode.value) for mode in TextMode if mode is not TextMode.NONE}
        self._rarity = np.zeros(0) if samples is None else question_weights(samples)
        self._modes = [*shares, TextMode.NONE]
        self._shares = [*shares.values(), max(0.0, 1.0 - sum(shares.values()))]

    def sample(self, frame: Frame, number: int, rng: np.random.Generator) -> Sample:
        """Driving prompt ``number`` of a frame: odd and even ones tell another speed, and the route in another way."""
        column, labels, place = number % 2, frame.labels, frame.place
        mode = self._modes[int(rng.choice(len(self._modes), p=self._shares))]
        path, waypoints, cause = (
            labels["path"][place],
            frame.told.waypoints[place, column],
            frame.told.cause[place, column],
        )
        if mode is TextMode.QUESTION:
            asked = self._question(frame, column, rng)
            if asked is not None:
                return Sample(asked, path, labels["speed_waypoints"][place], int(labels["cause"][place]))
        return Sample(self._prompt(frame, column, mode, rng), path, waypoints, int(cause))

    def _prompt(self, frame: Frame, column: int, mode: TextMode, rng: np.random.Generator) -> PromptIds:
        speed = float(frame.told.speed[frame.place, column])
        here = self._here(frame, column, speed)
        if mode in (TextMode.NONE, TextMode.QUESTION):  # a question comes here where there is none to ask
            return self._processor.plan(here)
        words = self.commentary(frame, column)
        if mode is TextMode.COMMENTARY:
            return self._processor.commentary(self._flagged(here, rng), words)
        if mode is TextMode.COMMENTARY_GIVEN:
            return self._processor.commentary_given(here, words)
        return self._processor.commentary_as_command(speed, words)

    def commentary(self, frame: Frame, column: int) -> str:
        """What there is to say at a told speed."""
        place, told = frame.place, frame.told
        speed, waypoints = float(told.speed[place, column]), told.waypoints[place, column]
        facts = facts_of(frame.labels, place, speed, waypoints, int(told.cause[place, column]))
        same = told.cause[place, column] == frame.labels["cause"][place]
        thing = self._samples.causes.get(frame.row) if self._samples is not None and same else None
        return commentary(facts, thing)

    def _here(self, frame: Frame, column: int, speed: float) -> str:
        return self._processor.situation(speed, navigation_of(frame.labels, frame.place), ROUTES[column])

    def _flagged(self, here: str, rng: np.random.Generator) -> str:
        """By chance behind the flag of an instruction, as texts come while one is held."""
        if rng.random() >= self._config.flagged:
            return here
        return f"{_FLAGS[int(rng.integers(len(_FLAGS)))].value} {here}"

    def _question(self, frame: Frame, column: int, rng: np.random.Generator) -> PromptIds | None:
        """A question with its answer, at the speed that the ego has: at no other it would be true. None: none to ask."""
        if self._samples is None or frame.row not in self._samples.questions.of_row:
            return None
        numbers = self._samples.questions.of_row[frame.row]
        weights = self._rarity[numbers]
        question = self._samples.questions[int(rng.choice(numbers, p=weights / weights.sum()))]
        here = self._flagged(self._here(frame, column, float(frame.labels["speed"][frame.place])), rng)
        return self._processor.question(ask_words(question, rng), here, question.answer)
