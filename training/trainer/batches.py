"""Batches of frames with tokenised prompts; each is a function of the run's seed and its step alone."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from simlingo.model.processor import Processor
from training.trainer.augment import ToldSpeeds, changed_light, changed_speeds, told_speeds
from training.trainer.config import TrainConfig
from training.trainer.prompts import PROMPTS, PromptArrays, frame_prompts
from training.trainer.sampler import Draw, WeightedSampler, generator

#: Labels that both prompts of a frame have in common.
_SHARED = ("target_points", "path", "light_state", "light_distance", "lead_distance")


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
    """Makes batches; each frame comes once with target points and once with the command's words.

    In training one of the two, by chance, is told the ego's speed and the other a speed that it did not have, each with
    its own speed waypoints; and by chance a prompt asks for a commentary before its plan.
    """

    def __init__(self, frames: Frames, processor: Processor, config: TrainConfig) -> None:
        self._frames, self._processor, self._config = frames, processor, config
        weights = frames.labels["weight"] if config.sampler.weighted else np.ones(len(frames))
        self._sampler = WeightedSampler(weights, config.seed)

    @property
    def samples(self) -> int:
        """Samples of a training batch: every prompt counts."""
        return self._config.sampler.batch_frames * len(PROMPTS)

    def training(self, step: int) -> dict[str, Tensor]:
        """The batch of ``step``, drawn and augmented; see :class:`training.trainer.losses.DrivingLosses`."""
        seed, augmentation = self._config.seed, self._config.augmentation
        index = self._sampler.draw(step, self._config.sampler.batch_frames)
        labels = self._labels(index)
        pictures = changed_light(self._frames.frames[index], augmentation, generator(seed, step, Draw.PICTURES))
        told = changed_speeds(told_speeds(labels), augmentation, generator(seed, step, Draw.SPEEDS))
        chances = generator(seed, step, Draw.WORDS).random((len(index), len(PROMPTS)))
        prompts = frame_prompts(self._processor, labels, told, chances < augmentation.commentary_share)
        return self._batch(index, pictures, labels, told, prompts)

    def plain(self, index: npt.NDArray[np.int64]) -> dict[str, Tensor]:
        """The frames ``index`` (B,) as they are; every third prompt asks for words."""
        labels = self._labels(index)
        told = told_speeds(labels)
        speaks = np.arange(len(index) * len(PROMPTS)).reshape(-1, len(PROMPTS)) % 3 == 0
        prompts = frame_prompts(self._processor, labels, told, speaks)
        return self._batch(index, self._frames.frames[index], labels, told, prompts)

    def _labels(self, index: npt.NDArray[np.int64]) -> dict[str, np.ndarray]:
        return {name: values[index] for name, values in self._frames.labels.items()}

    def _batch(
        self,
        index: npt.NDArray[np.int64],
        pictures: npt.NDArray[np.uint8],
        labels: dict[str, np.ndarray],
        told: ToldSpeeds,
        prompts: PromptArrays,
    ) -> dict[str, Tensor]:
        arrays = {
            "frames": np.ascontiguousarray(pictures),
            "classes": np.ascontiguousarray(self._frames.classes[index]),
            "depth": np.ascontiguousarray(self._frames.depth[index]),
            "input_ids": prompts.ids,
            "attention_mask": prompts.mask,
            "answer_mask": prompts.answers,
            "cause": told.cause.reshape(-1),
            "speed_waypoints": told.waypoints.reshape(-1, *told.waypoints.shape[2:]),
            **{name: np.repeat(labels[name], len(PROMPTS), axis=0) for name in _SHARED},
        }
        return {name: torch.from_numpy(values) for name, values in arrays.items()}
