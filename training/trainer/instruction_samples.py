"""Instruction prompts: dreams in words, what is dangerous wherever it is said, and nonsense (spec B.9, C.3)."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from simlingo.model.language_prompt import FOLLOWING_ANSWER, InstructionFlag, answer_with_plan
from simlingo.model.processor import Processor
from simlingo.model.prompt import situation
from simlingo.requests import Reason, RequestKind, Verdict
from training.language.asked import Asked
from training.language.dreams.dream import Dream
from training.language.dreams.wording import asked_of
from training.language.frame_facts import navigation_of
from training.language.grammar import compose
from training.language.hold_out import Split
from training.language.languages import language
from training.language.phrase import REASONS_OF, RefusedKind
from training.language.samples.tables import Samples
from training.language.speak import plain_refusal
from training.trainer.config import MixtureConfig
from training.trainer.driving_samples import ROUTES, Frame
from training.trainer.sample import Sample, kind_label, outcome_label


def dream_weights(samples: Samples, kinds: Mapping[str, float], followed: float) -> npt.NDArray[np.float64]:
    """How often each dream is drawn, before the frames that have it: each kind as often as wished, and of it as many followed.

    Of a lane change nearly all dreams are refused, of a stop none: drawn as they come, the words alone would tell the verdict.

    Args:
        samples: the dreams, N of them.
        kinds: weight of each kind, by name.
        followed: share of the followed ones in each kind that has both.

    Returns:
        (N,) weights, that of its kind for the dreams of one in all.
    """
    table = samples.dreams.table
    pairs = list(zip(table["kind"].to_pylist(), table["verdict"].to_pylist(), strict=True))
    counts = Counter(pairs)
    shares: dict[tuple[str, str], float] = {}
    for kind in {kind for kind, _ in counts}:
        refused = [pair for pair in counts if pair[0] == kind and pair[1] != Verdict.FOLLOW.value]
        follow = (kind, Verdict.FOLLOW.value)
        of_followed = 0.0 if follow not in counts else followed if refused else 1.0
        weight = kinds[kind]
        shares |= {pair: weight * (1.0 - of_followed) / len(refused) for pair in refused}
        shares[follow] = weight * of_followed
    return np.array([shares[pair] / counts[pair] for pair in pairs])


class InstructionSamples:
    """Makes samples with an instruction.

    Args:
        processor: of the network that learns.
        samples: the dreams.
        config: how often what is said.
    """

    def __init__(self, processor: Processor, samples: Samples, config: MixtureConfig) -> None:
        self._processor, self._samples, self._config = processor, samples, config
        self._words = language()
        self._weights = dream_weights(samples, dataclasses.asdict(config.kinds), config.followed)

    def sample(self, frame: Frame, rng: np.random.Generator) -> Sample | None:
        """One sample of a frame, at the speed that the ego has; None: the frame has no dream."""
        if rng.random() < self._config.nonsense:
            return self._nonsense(frame, rng)
        numbers = self._samples.dreams.of_row.get(frame.row, ())
        weights = self._weights[list(numbers)]
        if not weights.any():
            return None
        dream = self._samples.dreams[int(rng.choice(numbers, p=weights / weights.sum()))]
        if dream.verdict is Verdict.UNSAFE and rng.random() < self._config.said_as_unsafe:
            return self._unsafe(frame, dream, rng)
        return self._dream(frame, dream, rng)

    def _dream(self, frame: Frame, dream: Dream, rng: np.random.Generator) -> Sample:
        text = compose(self._words, asked_of(dream, self._words, rng), Split.SEEN, rng).text
        safety = rng.random() < self._config.safety
        followed = dream.verdict is Verdict.FOLLOW or (dream.dreamt and not safety)
        if followed:
            sample = self._made(frame, text, safety, dream.kind, None, rng, (dream.path, dream.speed_waypoints))
        else:
            sample = self._made(frame, text, safety, dream.kind, dream.reason, rng)
        speed = dream.slots.speed_mps
        return sample if speed is None else sample._replace(named_speed=speed)

    def _unsafe(self, frame: Frame, dream: Dream, rng: np.random.Generator) -> Sample:
        """What is dangerous for the reason that the dream is, said as such: no words tell how it would be done."""
        asked = Asked(RefusedKind.UNSAFE, reason=dream.reason)
        text = compose(self._words, asked, Split.SEEN, rng).text
        return self._made(frame, text, True, None, dream.reason, rng)

    def _nonsense(self, frame: Frame, rng: np.random.Generator) -> Sample:
        reasons = REASONS_OF[RefusedKind.NONSENSE]
        reason = reasons[int(rng.integers(len(reasons)))]
        text = compose(self._words, Asked(RefusedKind.NONSENSE, reason=reason), Split.SEEN, rng).text
        return self._made(frame, text, rng.random() < self._config.safety, None, reason, rng)

    def _made(
        self,
        frame: Frame,
        text: str,
        safety: bool,
        kind: RequestKind | None,
        reason: Reason | None,
        rng: np.random.Generator,
        dreamt: tuple[np.ndarray, np.ndarray] | None = None,
    ) -> Sample:
        """The sample of a sentence; what is refused (``reason``) has the labels of the drive without instruction.

        A plan never waits for its text, so every plan is asked for behind the answer of one that obeys. By chance a refused
        one has its sentence instead, which is where the model learns to say it; where it has not, the answer is only read.
        """
        flag = InstructionFlag.SAFETY if safety else InstructionFlag.INSTRUCTION_FOLLOWING
        labels, place = frame.labels, frame.place
        speed = float(labels["speed"][place])
        here = situation(speed)
        if rng.random() < self._config.route_told:
            route_as = ROUTES[int(rng.integers(len(ROUTES)))]
            here = self._processor.situation(speed, navigation_of(labels, place), route_as)
        says = reason is None or rng.random() < self._config.refusal_said
        answer = answer_with_plan(plain_refusal(reason)) if says and reason is not None else FOLLOWING_ANSWER
        path, waypoints = dreamt or (labels["path"][place], labels["speed_waypoints"][place])
        return Sample(
            self._processor.instruction(here, text, flag, answer),
            path,
            waypoints,
            kind=kind_label(kind),
            outcome=outcome_label(reason),
            says=says,
        )
