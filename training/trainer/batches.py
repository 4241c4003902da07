"""Batches of frames with tokenised prompts; each is a function of the run's seed and its step alone."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from simlingo.model.processor import Processor
from training.datasets.sampling import sampling_weights
from training.datasets.schema import EGO, VIEWS
from training.language.samples.tables import Samples
from training.trainer.augment import changed_light, changed_speeds, told_speeds
from training.trainer.config import TrainConfig
from training.trainer.group import ALONE, Group
from training.trainer.prompts import PromptMixture
from training.trainer.sample import SampleArrays
from training.trainer.sampler import Draw, WeightedSampler, generator, streams

#: Labels that the prompts of a frame have in common.
_SHARED = ("target_points", "light_state", "light_distance", "lead_distance")
_Change = Callable[[npt.NDArray[np.uint8]], npt.NDArray[np.uint8]]


class Frames(Protocol):
    """What is learned from: N views of frames in arrays, as :mod:`training.datasets` gives them."""

    @property
    def frames(self) -> npt.NDArray[np.uint8]:
        """(N, T, 2T, 3), the network's pictures."""

    @property
    def classes(self) -> npt.NDArray[np.uint8]:
        """(N, cells, 2 cells), class of each cell."""

    @property
    def depth(self) -> npt.NDArray[np.float16]:
        """(N, cells, 2 cells) m."""

    @property
    def labels(self) -> dict[str, np.ndarray]:
        """By name, leading axis N."""

    def __len__(self) -> int: ...


class BatchMaker:
    """Makes batches; the prompts of a frame are those of :class:`training.trainer.prompts.PromptMixture`.

    Driving prompts come in pairs, one with target points and one with the command's words. In training one of the two, by
    chance, is told the ego's speed and the other a speed that it did not have, each with its own speed waypoints.

    Args:
        frames: to learn from.
        processor: of the network that learns.
        config: of the run.
        samples: dreams and questions of the frames, where the mixture has any.
        embeddings: (N, image_tokens, D) of the frames, where vision is frozen: they stand in a batch for the pictures, whose
            light is then not changed, and for their dense labels.
        group: of whose training batches this process makes its share.
    """

    def __init__(
        self,
        frames: Frames,
        processor: Processor,
        config: TrainConfig,
        samples: Samples | None = None,
        embeddings: npt.NDArray[np.float32] | None = None,
        group: Group = ALONE,
    ) -> None:
        self._frames, self._config, self._embeddings, self._group = frames, config, embeddings, group
        self._mixture = PromptMixture(processor, samples, config.mixture)
        weights = sampling_weights(frames.labels, dataclasses.asdict(config.sampler.buckets))
        second = frames.labels["view"] != VIEWS.index(EGO)
        self._sampler = WeightedSampler(np.where(second, config.sampler.second_views, 1.0) * weights, config.seed)

    @property
    def samples(self) -> int:
        """Samples of a training batch, all shares together: every prompt counts."""
        return self._config.sampler.batch_frames * self._mixture.prompts

    def training(self, step: int) -> dict[str, Tensor]:
        """This process's share of batch ``step``, drawn and augmented; see :class:`training.trainer.losses.DrivingLosses`."""
        seed, augmentation, count = self._config.seed, self._config.augmentation, self._config.sampler.batch_frames
        index, mine = self._sampler.draw(step, count), self._group.share(count)
        labels = self._labels(index)
        told = changed_speeds(told_speeds(labels), augmentation, generator(seed, step, Draw.SPEEDS))
        samples = self._mixture.arrays(labels, index, told, streams(seed, step, Draw.WORDS, count), mine.tolist())
        every = streams(seed, step, Draw.PICTURES, count)
        light = [every[place] for place in mine]
        seen = self._seen(index[mine], lambda pictures: changed_light(pictures, augmentation, light))
        return self._batch(seen, {name: values[mine] for name, values in labels.items()}, samples)

    def plain(self, index: npt.NDArray[np.int64]) -> dict[str, Tensor]:
        """The frames ``index`` (B,) as they are, with the same prompts whenever they are asked for."""
        labels = self._labels(index)
        rngs = streams(self._config.mixture.seed, int(index[0]), Draw.WORDS, len(index))
        samples = self._mixture.arrays(labels, index, told_speeds(labels), rngs)
        return self._batch(self._seen(index), labels, samples)

    def _labels(self, index: npt.NDArray[np.int64]) -> dict[str, np.ndarray]:
        return {name: values[index] for name, values in self._frames.labels.items()}

    def _seen(
        self, index: npt.NDArray[np.int64], changed: _Change = lambda pictures: pictures
    ) -> dict[str, np.ndarray]:
        """What is seen of the frames: pictures with their dense labels, or what frozen vision makes of them."""
        if self._embeddings is not None:
            return {"image": np.ascontiguousarray(self._embeddings[index])}
        return {
            "frames": np.ascontiguousarray(changed(self._frames.frames[index])),
            "classes": np.ascontiguousarray(self._frames.classes[index]),
            "depth": np.ascontiguousarray(self._frames.depth[index]),
        }

    def _batch(
        self, seen: dict[str, np.ndarray], labels: dict[str, np.ndarray], samples: SampleArrays
    ) -> dict[str, Tensor]:
        arrays = {
            **seen,
            "input_ids": samples.ids,
            "attention_mask": samples.mask,
            "answer_mask": samples.answers,
            "path": samples.path,
            "speed_waypoints": samples.speed_waypoints,
            "cause": samples.cause,
            "request": samples.kind,
            "outcome": samples.outcome,
            "asked_at": samples.asked_at,
            "named_speed": samples.named_speed,
            **{name: np.repeat(labels[name], self._mixture.prompts, axis=0) for name in _SHARED},
        }
        return {name: torch.from_numpy(values) for name, values in arrays.items()}
