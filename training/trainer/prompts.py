"""The prompts of a batch, as the mixture of the configuration draws them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from simlingo.contracts import InvalidInputError
from simlingo.model.processor import Processor
from training.language.samples.tables import Samples
from training.trainer.augment import ToldSpeeds
from training.trainer.config import MixtureConfig
from training.trainer.driving_samples import DrivingSamples, Frame
from training.trainer.instruction_samples import InstructionSamples
from training.trainer.sample import Sample, SampleArrays, as_arrays


class PromptMixture:
    """Makes the prompts of frames, frame by frame; a frame without dreams has driving prompts alone.

    Args:
        processor: of the network that learns.
        samples: dreams and questions, whose rows are those of the frames' cache; None where the mixture needs none.
        config: the mixture.

    Raises:
        InvalidInputError: the mixture needs samples, and there are none.
    """

    def __init__(self, processor: Processor, samples: Samples | None, config: MixtureConfig) -> None:
        if config.needs_samples and samples is None:
            raise InvalidInputError("the mixture has instructions or questions, and the data has none of either")
        if config.instructions > config.prompts:
            raise InvalidInputError(
                f"mixture.instructions is {config.instructions} of {config.prompts} prompts; set mixture.prompts higher"
            )
        texts = config.question + config.commentary + config.commentary_given + config.commentary_as_command
        if texts > 1.0 + 1e-9:
            raise InvalidInputError(
                f"question, commentary, commentary_given and commentary_as_command of the mixture come to {texts:g}; at most 1"
            )
        self._config, self._pad = config, processor.pad
        self._driving = DrivingSamples(processor, samples, config)
        self._instructions = None
        if config.instructions and samples is not None:
            self._instructions = InstructionSamples(processor, samples, config)

    @property
    def prompts(self) -> int:
        """Of each frame."""
        return self._config.prompts

    def arrays(
        self,
        labels: Mapping[str, np.ndarray],
        rows: npt.NDArray[np.int64],
        told: ToldSpeeds,
        rngs: Sequence[np.random.Generator],
        places: Iterable[int] | None = None,
    ) -> SampleArrays:
        """The prompts of a batch of B frames, frame by frame.

        Args:
            labels: of the frames, leading axis B.
            rows: (B,) of the frames in their cache.
            told: what driving prompts are told of the speed.
            rngs: B, each draws everything of its frame.
            places: of the frames in the batch whose prompts are wanted; None: all.
        """
        wanted = range(len(rows)) if places is None else places
        frames = [Frame(labels, place, int(rows[place]), told) for place in wanted]
        return as_arrays(
            [sample for frame in frames for sample in self._samples_of(frame, rngs[frame.place])], self._pad
        )

    def _samples_of(self, frame: Frame, rng: np.random.Generator) -> Sequence[Sample]:
        found: list[Sample] = []
        if self._instructions is not None:
            drawn = [self._instructions.sample(frame, rng) for _ in range(self._config.instructions)]
            found = [sample for sample in drawn if sample is not None]
        driving = [self._driving.sample(frame, number, rng) for number in range(self.prompts - len(found))]
        return [*driving, *found]
