"""Heads that exist during training only: what is where and how far in the picture, what the ego heeds, what words ask for."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from simlingo.model.config import ModelConfig
from simlingo.model.judgement import KINDS
from simlingo_drive.expert.causes import Cause
from training.datasets.cells import CELLS, CLASSES
from training.trainer.config import LossConfig

#: None, red or yellow, green.
LIGHT_STATES = 3


class HelperHeads(nn.Module):
    """Linear heads on the vision tower's patches and on the last query's hidden state."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        patches = config.image.tile // config.vision.patch
        self.patches = patches
        self.cells = CELLS // patches
        self.dense = nn.Linear(config.vision.hidden_size, self.cells**2 * (len(CLASSES) + 1))
        self.scene = nn.Linear(config.language.hidden_size, LIGHT_STATES + 2 + len(Cause))
        self.words = nn.Linear(config.language.hidden_size, len(KINDS) + 1)

    def cells_of(self, vision: Tensor) -> tuple[Tensor, Tensor]:
        """Class scores (B, CELLS, 2 CELLS, classes) and log of metres (B, CELLS, 2 CELLS) of each cell.

        ``vision``: (B, 2, patches, width) patch features, left tile first.
        """
        count, patches, cells = vision.shape[0], self.patches, self.cells
        values = self.dense(vision).view(count, 2, patches, patches, cells, cells, -1)
        values = values.permute(0, 2, 4, 1, 3, 5, 6).reshape(count, CELLS, 2 * CELLS, -1)
        return values[..., :-1], values[..., -1]

    def words_of(self, state: Tensor) -> tuple[Tensor, Tensor]:
        """Scores (N, KINDS) of what an instruction asks for, and the speed (N,) in 10 m/s that it names.

        ``state``: (N, D), the hidden state of the prompt's last token, which has read the instruction and seen no query: what
        words mean is learned sooner there than through the queries.
        """
        values = self.words(state)
        return values[:, :-1], values[:, -1]

    def scene_of(self, state: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Scores (N, 3) of the light's state, its and the leading vehicle's gap (N,) in 10 m, scores (N, causes).

        ``state``: (N, D), the last query's hidden state.
        """
        values = self.scene(state)
        light, gaps, cause = values.split((LIGHT_STATES, 2, len(Cause)), dim=1)
        return light, gaps[:, 0], gaps[:, 1], cause


def class_weights(config: LossConfig) -> Tensor:
    """Weight of each cell class: few cells of a small thing decide much."""
    weight = torch.ones(len(CLASSES))
    weight[[CLASSES.index(f"light_{state}") for state in ("red", "yellow", "green")]] = config.lit_lens_weight
    weight[[CLASSES.index(name) for name in ("pedestrian", "light_off", "sign")]] = config.small_thing_weight
    weight[CLASSES.index("vehicle")] = config.vehicle_weight
    return weight
