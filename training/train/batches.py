"""Batches of frames with tokenised prompts."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from simlingo.contracts import Command, Navigation
from simlingo.model.config import ModelConfig
from simlingo.model.prompt import DRIVING_ANSWER, PAD, RouteAs, chat, driving_prompt
from simlingo.model.tokenizer import PromptTokenizer
from training.train.pack import Pack

#: Standard deviation of the noise on the speed told, m/s: plans must follow the scene, not only the speed.
SPEED_NOISE = 0.25
#: Range of the factor on brightness and of the factor on contrast.
_BRIGHTNESS, _CONTRAST = 0.15, 0.15


class BatchMaker:
    """Draws weighted batches; each frame comes once with target points and once with the command's words.

    In training one of the two, by chance, is told the ego's speed and the other a speed that it did not have, each with
    its own speed waypoints.
    """

    PROMPTS = (RouteAs.TARGET_POINT, RouteAs.COMMAND)

    def __init__(self, pack: Pack, tokenizer: PromptTokenizer, config: ModelConfig, seed: int) -> None:
        self._pack, self._tokenizer, self._config = pack, tokenizer, config
        self._rng = np.random.default_rng(seed)
        weight = pack.labels["weight"].astype(np.float64)
        self._cumulative = np.cumsum(weight / weight.sum())
        self._answer = len(tokenizer.encode(DRIVING_ANSWER)) + 1
        self._pad = tokenizer.encode(PAD)[0]

    def draw(self, frames: int, augment: bool = True) -> dict[str, Tensor]:
        """A batch of ``frames`` frames, see :func:`training.train.losses.batch_losses`."""
        index = np.searchsorted(self._cumulative, self._rng.random(frames)).clip(max=len(self._pack) - 1)
        return self.batch(np.sort(index), augment)

    def batch(self, index: np.ndarray, augment: bool) -> dict[str, Tensor]:
        """The frames ``index`` (B,) as a batch."""
        labels = {name: values[index] for name, values in self._pack.labels.items()}
        pictures = self._pack.frames[index]
        if augment:
            pictures = self._augmented(pictures)
        prompts = len(self.PROMPTS)
        speeds, waypoints = self._speeds(labels, augment)
        ids, mask = self._prompts(labels, speeds)
        batch = {
            "frames": torch.from_numpy(pictures),
            "classes": torch.from_numpy(self._pack.classes[index]),
            "depth": torch.from_numpy(self._pack.depth[index]),
            "input_ids": ids,
            "attention_mask": mask,
            "answer_tokens": torch.tensor(self._answer),
        }
        batch["speed_waypoints"] = torch.from_numpy(waypoints)
        for name in ("target_points", "path", "light_state", "light_distance", "lead_distance"):
            batch[name] = torch.from_numpy(labels[name]).repeat_interleave(prompts, dim=0)
        return batch

    def _speeds(self, labels: dict[str, np.ndarray], augment: bool) -> tuple[np.ndarray, np.ndarray]:
        """The speed told to each prompt (B, 2), m/s, and the speed waypoints (B * 2, 10, 2) that belong to it."""
        speeds = np.stack((labels["speed"], labels["other_speed"]), axis=1)
        waypoints = np.stack((labels["speed_waypoints"], labels["other_speed_waypoints"]), axis=1)
        if augment:
            swapped = self._rng.random(len(speeds)) < 0.5
            speeds[swapped], waypoints[swapped] = speeds[swapped, ::-1], waypoints[swapped, ::-1]
            noise = self._rng.normal(0.0, SPEED_NOISE, speeds.shape)
            speeds = np.where(speeds > 0.5, np.maximum(speeds + noise, 0.0), speeds)
        return speeds, waypoints.reshape(-1, *waypoints.shape[2:])

    def _prompts(self, labels: dict[str, np.ndarray], speeds: np.ndarray) -> tuple[Tensor, Tensor]:
        sequences = []
        for row in range(len(labels["speed"])):
            navigation = Navigation(
                labels["target_points"][row],
                Command(int(labels["command"][row])),
                Command(int(labels["next_command"][row])),
                float(labels["distance_to_command"][row]),
            )
            for route_as, speed in zip(self.PROMPTS, speeds[row], strict=True):
                prompt = driving_prompt(float(speed), navigation, route_as, self._config.distance_to_first_point)
                text = chat(prompt, DRIVING_ANSWER, self._config.image_tokens)
                sequences.append(self._tokenizer.encode(text))
        length = max(map(len, sequences))
        ids = torch.full((len(sequences), length), self._pad)
        mask = torch.zeros(len(sequences), length, dtype=torch.long)
        for row, tokens in enumerate(sequences):
            ids[row, length - len(tokens) :] = torch.tensor(tokens)
            mask[row, length - len(tokens) :] = 1
        return ids, mask

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
