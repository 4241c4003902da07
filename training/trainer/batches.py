"""Batches of frames with tokenised prompts."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from simlingo.model.config import ModelConfig
from simlingo.model.language_prompt import answer_with_plan, commentary_prompt
from simlingo.model.prompt import (
    DRIVING_ANSWER,
    PAD,
    TURN_END,
    RouteAs,
    navigation_text,
    open_chat,
    planning_prompt,
    situation,
)
from simlingo.model.tokenizer import PromptTokenizer
from training.datasets.pack import Pack
from training.language.commentary import commentary
from training.language.moments import moment_of, navigation_of

#: Standard deviation of the noise on the speed told, m/s: plans must follow the scene, not only the speed.
SPEED_NOISE = 0.25
#: Share of the prompts that ask for words before the plan; one in three of the published draws is (spec B.9).
COMMENTARY_SHARE = 1.0 / 3.0
#: Range of the factor on brightness and of the factor on contrast.
_BRIGHTNESS, _CONTRAST = 0.15, 0.15


class _Told(NamedTuple):
    """What differs between a frame's two prompts; leading axes frame, prompt."""

    speed: np.ndarray  # (B, 2) m/s
    waypoints: np.ndarray  # (B, 2, 10, 2) m
    cause: np.ndarray  # (B, 2)


class BatchMaker:
    """Draws weighted batches; each frame comes once with target points and once with the command's words.

    In training one of the two, by chance, is told the ego's speed and the other a speed that it did not have, each with
    its own speed waypoints; and by chance a prompt asks for a commentary before its plan.
    """

    PROMPTS = (RouteAs.TARGET_POINT, RouteAs.COMMAND)

    def __init__(self, pack: Pack, tokenizer: PromptTokenizer, config: ModelConfig, seed: int) -> None:
        self._pack, self._tokenizer, self._config = pack, tokenizer, config
        self._rng = np.random.default_rng(seed)
        weight = pack.labels["weight"].astype(np.float64)
        self._cumulative = np.cumsum(weight / weight.sum())
        self._pad = tokenizer.encode(PAD)[0]

    def draw(self, frames: int, augment: bool = True) -> dict[str, Tensor]:
        """A batch of ``frames`` frames, see :func:`training.trainer.losses.batch_losses`."""
        index = np.searchsorted(self._cumulative, self._rng.random(frames)).clip(max=len(self._pack) - 1)
        return self.batch(np.sort(index), augment)

    def batch(self, index: np.ndarray, augment: bool) -> dict[str, Tensor]:
        """The frames ``index`` (B,) as a batch."""
        labels = {name: values[index] for name, values in self._pack.labels.items()}
        pictures = self._pack.frames[index]
        if augment:
            pictures = self._augmented(pictures)
        prompts = len(self.PROMPTS)
        told = self._told(labels, augment)
        if augment:
            speaks = self._rng.random((len(index), prompts)) < COMMENTARY_SHARE
        else:
            speaks = np.arange(len(index) * prompts).reshape(-1, prompts) % round(1.0 / COMMENTARY_SHARE) == 0
        ids, mask, answers = self._prompts(labels, told, speaks)
        batch = {
            "frames": torch.from_numpy(pictures),
            "classes": torch.from_numpy(self._pack.classes[index]),
            "depth": torch.from_numpy(self._pack.depth[index]),
            "input_ids": ids,
            "attention_mask": mask,
            "answer_mask": answers,
            "cause": torch.from_numpy(told.cause.reshape(-1)),
            "speed_waypoints": torch.from_numpy(told.waypoints.reshape(-1, *told.waypoints.shape[2:])),
        }
        for name in ("target_points", "path", "light_state", "light_distance", "lead_distance"):
            batch[name] = torch.from_numpy(labels[name]).repeat_interleave(prompts, dim=0)
        return batch

    def _told(self, labels: dict[str, np.ndarray], augment: bool) -> _Told:
        """The ego's speed and another one, for a prompt each."""
        told = _Told(
            *(
                np.stack((labels[name], labels[f"other_{name}"]), axis=1)
                for name in ("speed", "speed_waypoints", "cause")
            )
        )
        if augment:
            swapped = self._rng.random(len(told.speed)) < 0.5
            for values in (told.speed, told.waypoints, told.cause):
                values[swapped] = values[swapped, ::-1]
            noise = self._rng.normal(0.0, SPEED_NOISE, told.speed.shape)
            moving = told.speed > 0.5
            told.speed[moving] = np.maximum(told.speed + noise, 0.0)[moving]
        return told

    def _prompts(self, labels: dict[str, np.ndarray], told: _Told, speaks: np.ndarray) -> tuple[Tensor, Tensor, Tensor]:
        """Ids (N, L) with their answers, padded on the left; 1 where there is a token, and where it is of the answer."""
        sequences, answers = [], []
        for row, column in np.ndindex(speaks.shape):
            speed = float(told.speed[row, column])
            navigation, to_first = navigation_of(labels, row), self._config.distance_to_first_point
            here = situation(speed, navigation_text(navigation, self.PROMPTS[column], to_first))
            prompt, answer = planning_prompt(here), DRIVING_ANSWER
            if speaks[row, column]:
                prompt = commentary_prompt(here)
                moment = moment_of(labels, row, speed, told.waypoints[row, column], int(told.cause[row, column]))
                answer = answer_with_plan(commentary(moment))
            answered = self._tokenizer.encode(answer + TURN_END)  # begins at a border between tokens
            sequences.append(self._tokenizer.encode(open_chat(prompt, self._config.image_tokens)) + answered)
            answers.append(len(answered))
        length = max(map(len, sequences))
        ids = torch.full((len(sequences), length), self._pad)
        mask, answer_mask = (torch.zeros(len(sequences), length, dtype=torch.long) for _ in range(2))
        for row, (tokens, told_tokens) in enumerate(zip(sequences, answers, strict=True)):
            ids[row, length - len(tokens) :] = torch.tensor(tokens)
            mask[row, length - len(tokens) :] = 1
            answer_mask[row, length - told_tokens :] = 1
        return ids, mask, answer_mask

    def _augmented(self, pictures: np.ndarray) -> np.ndarray:
        """Brightness and contrast of each picture changed a little, by one table a picture."""
        result = np.empty_like(pictures)
        levels = np.arange(256, dtype=np.float32)
        for row, picture in enumerate(pictures):
            gain = 1.0 + self._rng.uniform(-_BRIGHTNESS, _BRIGHTNESS)
            contrast = 1.0 + self._rng.uniform(-_CONTRAST, _CONTRAST)
            table = np.clip((levels * gain - 128.0) * contrast + 128.0, 0, 255).astype(np.uint8)
            result[row] = table[picture]
        return result
