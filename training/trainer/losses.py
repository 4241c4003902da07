"""Losses: path and speed waypoints as the spec's A.8, and dense helpers that are dropped at inference."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

from simlingo.model.config import ModelConfig
from simlingo.model.network import SimLingoNetwork
from simlingo_drive.expert.causes import Cause
from training.datasets.dense_labels import CELLS, CLASSES

#: Weight of each loss in the sum; path, speed waypoints and text as in the spec (all 1).
WEIGHTS: dict[str, float] = {
    "path": 1.0, "speed_waypoints": 1.0, "text": 1.0, "semantic": 1.0, "depth": 0.3, "light": 1.0, "lead": 0.1, "cause": 0.5,
}  # fmt: skip
#: Lit lenses cover few cells and decide much.
_LIGHT_CELL_WEIGHT = 20.0
_LIGHT_STATES = 3  # none, red or yellow, green


class HelperHeads(nn.Module):
    """Heads that exist during training only."""

    class_weight: Tensor

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        patches = config.image.tile // config.vision.patch
        self.patches = patches
        self.cells = CELLS // patches
        self.dense = nn.Linear(config.vision.hidden_size, self.cells**2 * (len(CLASSES) + 1))
        self.scene = nn.Linear(config.language.hidden_size, _LIGHT_STATES + 2 + len(Cause))
        weight = torch.ones(len(CLASSES))
        weight[[CLASSES.index(f"light_{state}") for state in ("red", "yellow", "green")]] = _LIGHT_CELL_WEIGHT
        weight[[CLASSES.index(name) for name in ("pedestrian", "light_off", "sign")]] = 5.0
        weight[CLASSES.index("vehicle")] = 2.0
        self.register_buffer("class_weight", weight, persistent=False)

    def dense_losses(self, vision: Tensor, classes: Tensor, depth: Tensor) -> dict[str, Tensor]:
        """Cross-entropy of the cells' classes and L1 of the logarithm of depth.

        Args:
            vision: (B, 2, patches, width) patch features.
            classes: (B, CELLS, 2 * CELLS) uint8.
            depth: (B, CELLS, 2 * CELLS) m.
        """
        count, patches, cells = vision.shape[0], self.patches, self.cells
        values = self.dense(vision).view(count, 2, patches, patches, cells, cells, -1)
        values = values.permute(0, 2, 4, 1, 3, 5, 6).reshape(count, CELLS, 2 * CELLS, -1)
        logits, log_depth = values[..., :-1], values[..., -1]
        semantic = functional.cross_entropy(
            logits.reshape(-1, len(CLASSES)), classes.reshape(-1).long(), weight=self.class_weight
        )
        return {"semantic": semantic, "depth": (log_depth - depth.float().clamp_min(0.5).log()).abs().mean()}

    def scene_losses(self, state: Tensor, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Light that governs the ego (0 none, 1 red or yellow, 2 green), its distance, the gap ahead, and what bounds the speed.

        ``state`` (N, D) is the last query's hidden state.
        """
        values = self.scene(state)
        light = batch["light_state"].long()
        result = {"light": functional.cross_entropy(values[:, :_LIGHT_STATES], light)}
        near_light = (light > 0).float()
        light_gap = functional.smooth_l1_loss(
            values[:, _LIGHT_STATES], batch["light_distance"].clamp(0, 50) / 10, reduction="none"
        )
        lead_gap = functional.smooth_l1_loss(values[:, _LIGHT_STATES + 1], batch["lead_distance"].clamp(0, 50) / 10)
        result["cause"] = functional.cross_entropy(values[:, _LIGHT_STATES + 2 :], batch["cause"].long())
        result["lead"] = lead_gap + (light_gap * near_light).sum() / near_light.sum().clamp_min(1)
        return result


def point_loss(predicted: Tensor, label: Tensor) -> Tensor:
    """Smooth L1 (beta 1), summed over x and y, averaged over points and samples (spec A.8); (N, P, 2) m."""
    return functional.smooth_l1_loss(predicted, label, reduction="none").sum(-1).mean()


def batch_losses(
    network: SimLingoNetwork, helpers: HelperHeads, batch: Mapping[str, Tensor], prompts: int
) -> dict[str, Tensor]:
    """All losses of a batch; ``prompts`` prompts share each frame's vision pass.

    ``batch``: frames (B, T, 2T, 3) uint8; classes, depth; and per prompt (N = B * prompts, frame-major):
    input_ids, attention_mask, answer_mask (N, L), target_points (N, 2, 2), path (N, 20, 2),
    speed_waypoints (N, 10, 2), light_state, light_distance, lead_distance, cause (N,).
    """
    vision = network.vision_tokens(batch["frames"])
    losses = helpers.dense_losses(vision, batch["classes"], batch["depth"])
    image = network.image_embeddings(vision).repeat_interleave(prompts, dim=0)
    embeddings = network.prompt_embeddings(batch["input_ids"], batch["target_points"], image)
    hidden = network.sequence_hidden(embeddings, batch["attention_mask"])
    path, speed = network.heads(hidden)
    losses["path"] = point_loss(path, batch["path"])
    losses["speed_waypoints"] = point_loss(speed, batch["speed_waypoints"])
    answers = batch["answer_mask"][:, 1:] > 0
    logits = network.lm_head(hidden[:, : answers.shape[1]][answers])
    losses["text"] = functional.cross_entropy(logits, batch["input_ids"][:, 1:][answers])
    losses.update(helpers.scene_losses(hidden[:, -1], batch))
    return losses


def total(losses: Mapping[str, Tensor]) -> Tensor:
    """The weighted sum that is minimised."""
    return torch.stack([WEIGHTS[name] * value for name, value in losses.items()]).sum()
