"""Losses: path, speed waypoints and text as published (A.8), and those of the helper heads."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from simlingo.contracts import SPEED_WAYPOINT_PERIOD_S
from simlingo.model.config import ModelConfig
from simlingo.model.judgement import KINDS, OUTCOMES
from simlingo.model.network import SimLingoNetwork
from training.trainer.config import LossConfig
from training.trainer.heads import HelperHeads, class_weights
from training.trainer.sample import UNTOLD

#: Nearer is as near as this, m: the logarithm of depth would run away.
MIN_DEPTH_M = 0.5
#: Gaps beyond count as this, and are learned in units of ten metres.
MAX_GAP_M, GAP_UNIT_M = 50.0, 10.0
#: Speeds that words name are learned in units of this.
SPEED_UNIT_MPS = 10.0
#: The outcome of what is followed.
FOLLOWED = OUTCOMES.index(None)
#: Errors of a plan's speed below this count by their square, m/s.
PACE_BETA_MPS = 0.25

# The first logarithm of a process is taken here, on one thread: where MKL's first call comes from two threads at once, one of them may take
# another code path, of other last digits (23 of 1500 processes), and a resumed run would not be equal bit for bit.
torch.ones(1).log()


class Mean(NamedTuple):
    """A loss as the sum over what it counts, and how much that is: shares of a batch add up to the batch."""

    total: Tensor
    over: Tensor  # a number as a tensor

    @property
    def value(self) -> Tensor:
        """The mean; 0 where nothing counts."""
        return self.total / self.over.clamp_min(1.0)


def values_of(losses: Mapping[str, tuple[Mean, ...]]) -> dict[str, Tensor]:
    """Each loss as one number."""
    return {name: torch.stack([mean.value for mean in means]).sum() for name, means in losses.items()}


class DrivingLosses(nn.Module):
    """All losses of a batch, and their weighted sum; its parameters are the helper heads, which learn with the network."""

    class_weight: Tensor

    def __init__(self, model: ModelConfig, config: LossConfig) -> None:
        super().__init__()
        self.heads = HelperHeads(model)
        self.weights: dict[str, float] = dataclasses.asdict(config.weights)
        self._pace_without_words = config.pace_without_words
        self.register_buffer("class_weight", class_weights(config), persistent=False)

    def forward(self, network: SimLingoNetwork, batch: Mapping[str, Tensor]) -> dict[str, tuple[Mean, ...]]:
        """Each loss by name, not weighted, as the means that it is the sum of.

        ``batch``: frames (B, T, 2T, 3) uint8 with classes and depth (B, CELLS, 2 CELLS), or, of frozen vision, image
        (B, image_tokens, D) alone, which leaves the dense losses out; and of each prompt, frame by frame
        (N, a multiple of B): input_ids, attention_mask, answer_mask (N, L), target_points (N, 2, 2), path (N, 20, 2),
        speed_waypoints (N, 10, 2), light_state, light_distance, lead_distance, cause, request, outcome (N,), of which the
        last three may be ``UNTOLD``, asked_at (N,), the place of the prompt's last token, and named_speed (N,) m/s, NaN where
        the words name none. The prompts of a frame share its vision pass, and the pass of the tokens that all begin with.
        """
        losses: dict[str, tuple[Mean, ...]] = {}
        if "image" in batch:
            image = batch["image"]
        else:
            vision = network.vision_tokens(batch["frames"])
            scores, log_depth = self.heads.cells_of(vision)
            losses["semantic"] = (semantic_loss(scores, batch["classes"], self.class_weight),)
            losses["depth"] = (depth_loss(log_depth, batch["depth"]),)
            image = network.image_embeddings(vision)
        prompts = batch["input_ids"].shape[0] // image.shape[0]
        image = image.repeat_interleave(prompts, dim=0)
        embeddings = network.prompt_embeddings(batch["input_ids"], batch["target_points"], image)
        shared = shared_tokens(batch["input_ids"], batch["attention_mask"])
        hidden = network.shared_hidden(embeddings, batch["attention_mask"], prompts, shared)
        path, speed = network.heads(hidden)
        losses["path"] = (point_loss(path, batch["path"]),)
        losses["speed_waypoints"] = (point_loss(speed, batch["speed_waypoints"]),)
        decided = batch["outcome"] == FOLLOWED
        if self._pace_without_words:
            decided = decided | (batch["outcome"] == UNTOLD)
        losses["pace"] = (pace_loss(speed, batch["speed_waypoints"], decided),)
        answers = answer_places(batch["answer_mask"])
        said = network.lm_head(hidden[:, : answers.shape[1]][answers])
        losses["text"] = (told_loss(said, batch["input_ids"][:, 1:][answers]),)
        words, named = self.heads.words_of(hidden.gather(1, _at(batch["asked_at"], hidden))[:, 0])
        losses["words"] = (told_loss(words, batch["request"]),)
        losses["named_speed"] = (named_loss(named, batch["named_speed"]),)
        light, light_gap, lead_gap, cause = self.heads.scene_of(hidden[:, -1])
        losses["light"] = (told_loss(light, batch["light_state"]),)
        losses["cause"] = (told_loss(cause, batch["cause"]),)
        losses["lead"] = (
            gap_loss(lead_gap, batch["lead_distance"]),
            gap_loss(light_gap, batch["light_distance"], batch["light_state"] > 0),
        )
        judgement = network.judgement(hidden)
        if judgement is not None:
            losses["request"] = (told_loss(judgement[:, : len(KINDS)], batch["request"]),)
            losses["outcome"] = (told_loss(judgement[:, len(KINDS) :], batch["outcome"]),)
        return losses

    def total(self, losses: Mapping[str, Tensor]) -> Tensor:
        """The weighted sum of the losses' values, which is minimised."""
        return torch.stack([self.weights[name] * value for name, value in losses.items()]).sum()


def shared_tokens(ids: Tensor, mask: Tensor) -> int:
    """How many tokens all prompts (N, L) begin with, the last one left out: the placeholders of the picture among them."""
    same = (ids == ids[:1]).all(0) & (mask == 1).all(0)
    return int(same[:-1].cumprod(0).sum())


def point_loss(predicted: Tensor, label: Tensor) -> Mean:
    """Smooth L1 (beta 1), summed over x and y, averaged over points and samples; (N, P, 2) m."""
    return _mean(functional.smooth_l1_loss(predicted, label, reduction="none").sum(-1))


def pace_loss(predicted: Tensor, label: Tensor, counts: Tensor) -> Mean:
    """Smooth L1 of the velocity from each of the speed waypoints (N, 10, 2) m to the next, the ego at first; summed over x
    and y, averaged over steps and over the samples that ``counts`` (N,); m/s.

    Places alone leave the end's speed loose: a plan that is to stop and creeps on at 0.5 m/s is 0.1 m off at its last
    waypoints, where their loss is nearly flat. It is for plans that words decide. Where the scene alone does, it may go on in several
    ways: the middle one of them, which this loss asks for, stands for ever at a stop sign where most pictures are of standing.
    """
    apart = functional.pad(predicted - label, (0, 0, 1, 0)).diff(dim=1) / SPEED_WAYPOINT_PERIOD_S
    none = torch.zeros_like(apart)
    each = functional.smooth_l1_loss(apart, none, reduction="none", beta=PACE_BETA_MPS).sum(-1).mean(-1)
    weight = counts.to(each)
    return Mean((each * weight).sum(), weight.sum())


def semantic_loss(scores: Tensor, classes: Tensor, class_weight: Tensor) -> Mean:
    """Cross-entropy of ``scores`` (..., classes) with ``classes`` (...), each cell weighing as its class."""
    flat = classes.reshape(-1).long()
    total = functional.cross_entropy(scores.reshape(-1, scores.shape[-1]), flat, weight=class_weight, reduction="sum")
    return Mean(total, class_weight[flat].sum())


def depth_loss(log_depth: Tensor, depth: Tensor) -> Mean:
    """Mean difference of the logarithms; ``depth`` in m."""
    return _mean((log_depth - depth.float().clamp_min(MIN_DEPTH_M).log()).abs())


def told_loss(scores: Tensor, labels: Tensor) -> Mean:
    """Cross-entropy of ``scores`` (N, classes) with ``labels`` (N,), mean over those that are told."""
    total = functional.cross_entropy(scores, labels.long(), ignore_index=UNTOLD, reduction="sum")
    return Mean(total, (labels != UNTOLD).sum().float())


def named_loss(predicted: Tensor, speed: Tensor) -> Mean:
    """Smooth L1 of speeds (N,), mean over those that are named; ``predicted`` in 10 m/s, ``speed`` in m/s or NaN."""
    named = ~speed.isnan()
    each = functional.smooth_l1_loss(predicted, speed.nan_to_num() / SPEED_UNIT_MPS, reduction="none")
    return Mean((each * named).sum(), named.sum().float())


def _mean(each: Tensor) -> Mean:
    """Over all of ``each``."""
    return Mean(each.sum(), each.new_tensor(float(each.numel())))


def _at(places: Tensor, hidden: Tensor) -> Tensor:
    """Index (N, 1, D) of one place in each sequence."""
    return places.long()[:, None, None].expand(-1, 1, hidden.shape[-1])


def answer_places(answer_mask: Tensor) -> Tensor:
    """(N, L - 1), true where the token that follows belongs to the answer: the hidden state there has to tell it."""
    return answer_mask[:, 1:] > 0


def gap_loss(predicted: Tensor, distance: Tensor, counts: Tensor | None = None) -> Mean:
    """Smooth L1 of gaps (N,), mean over all or over those that ``counts``; ``predicted`` in 10 m, ``distance`` in m."""
    wanted = distance.clamp(0.0, MAX_GAP_M) / GAP_UNIT_M
    each = functional.smooth_l1_loss(predicted, wanted, reduction="none")
    if counts is None:
        return _mean(each)
    weight = counts.float()
    return Mean((each * weight).sum(), weight.sum())
