"""The configuration of a training run; the values here train driving alone, those of simlingo-mini stand in its YAML file.

Reading, ``--set`` and what is refused: :mod:`training.trainer.config_reading`.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass, field
from typing import Any


def number(default: Any, least: float = 0.0, most: float = math.inf, *, above: bool = False) -> Any:
    """A field with a number, or numbers, from ``least`` (``above``: greater than it) to ``most``."""
    return field(default=default, metadata={"least": least, "most": most, "above": above})


@dataclass(frozen=True)
class DataConfig:
    """What is learned from and what validates."""

    validation_share: float = number(0.04, above=True, most=0.5)  # of the frames, by whole routes
    split_seed: int = number(0)
    validation_frames: int = number(256, least=1)
    workers: int = number(1, most=64)  # threads that make batches ahead


@dataclass(frozen=True)
class NetworkConfig:
    """What of the network learns."""

    freeze_vision: bool = False  # vision tower and projector keep their weights, and read each picture once


@dataclass(frozen=True)
class BucketConfig:
    """Share of each bucket of :mod:`training.datasets.sampling` in the draws, relative to their sum."""

    all: float = number(1.0)
    moving: float = number(0.0)
    waiting: float = number(0.0)
    starting: float = number(0.0)
    pulling_away: float = number(0.0)
    braking: float = number(0.0)
    speeding_up: float = number(0.0)
    turning: float = number(0.0)
    red_light: float = number(0.0)
    green_light: float = number(0.0)
    stop_sign: float = number(0.0)
    hazard: float = number(0.0)
    junction: float = number(0.0)
    walker: float = number(0.0)
    vehicle: float = number(0.0)
    lead: float = number(0.0)
    obstacle: float = number(0.0)


@dataclass(frozen=True)
class SamplerConfig:
    """Which frames make a batch."""

    batch_frames: int = number(12, least=1)
    buckets: BucketConfig = field(default_factory=BucketConfig)
    second_views: float = number(1.0, most=1.0)  # how often they are drawn beside the ego's; they have no dreams


@dataclass(frozen=True)
class AugmentationConfig:
    """What differs between a stored frame and what is learned from it; shares are chances."""

    brightness: float = number(0.15, most=0.9)
    contrast: float = number(0.15, most=0.9)
    swap_speed: float = number(0.5, most=1.0)
    speed_noise_mps: float = number(0.25)
    noise_above_mps: float = number(0.5)


@dataclass(frozen=True)
class KindConfig:
    """How often each kind of instruction is drawn, relative to the others of its frame."""

    faster: float = number(1.0)
    slower: float = number(1.0)
    target_speed: float = number(1.0)
    stop: float = number(1.0)
    go: float = number(1.0)
    lane_left: float = number(1.0)
    lane_right: float = number(1.0)
    drive_to: float = number(1.0)
    avoid: float = number(1.0)
    follow: float = number(1.0)
    overtake: float = number(1.0)
    pull_over: float = number(1.0)
    keep_distance: float = number(1.0)
    turn_left: float = number(1.0)
    turn_right: float = number(1.0)
    straight: float = number(1.0)


@dataclass(frozen=True)
class MixtureConfig:
    """What the prompts of a frame ask; shares are chances."""

    prompts: int = number(2, least=1, most=256)  # of each frame; they share its vision pass
    instructions: int = number(0, most=256)  # of them, where the frame has dreams
    question: float = number(0.0, most=1.0)  # of the other prompts; what the five leave is a plan without text
    commentary: float = number(1.0 / 3.0, most=1.0)
    commentary_given: float = number(0.0, most=1.0)
    commentary_as_command: float = number(0.0, most=1.0)
    flagged: float = number(0.0, most=1.0)  # questions and commentaries behind the flag of an instruction
    safety: float = number(0.5, most=1.0)  # of the instructions: unsafe ones are refused
    kinds: KindConfig = field(default_factory=KindConfig)
    followed: float = number(0.5, most=1.0)  # of each kind of instruction, as far as the frames allow
    route_told: float = number(0.8, most=1.0)  # of the instructions: the route is told as well
    nonsense: float = number(0.1, most=1.0)  # of the instructions
    said_as_unsafe: float = number(0.2, most=1.0)  # of the unsafe instructions
    refusal_said: float = number(0.5, most=1.0)  # of the refused instructions; the others only plan
    seed: int = number(0, most=2**32 - 1)  # of dreams and questions

    @property
    def needs_samples(self) -> bool:
        """Whether dreams or questions are learned."""
        return self.instructions > 0 or self.question > 0.0


@dataclass(frozen=True)
class OptimiserConfig:
    """AdamW."""

    weight_decay: float = number(0.05)
    betas: tuple[float, float] = number((0.9, 0.98), most=0.99999)
    gradient_clip: float = number(1.0, above=True)


@dataclass(frozen=True)
class ScheduleConfig:
    """The learning rate over the share of samples seen; shares of the budget or of the peak."""

    peak_rate: float = number(1e-3, above=True)
    warm_up_share: float = number(0.05, most=0.9)
    first_share: float = number(0.02, most=1.0)
    last_share: float = number(0.01, most=1.0)
    measured_steps: int = number(10, least=1)


@dataclass(frozen=True)
class LossWeights:
    """Weight of each loss in the sum."""

    path: float = number(1.0)
    speed_waypoints: float = number(1.0)
    pace: float = number(0.5)
    text: float = number(1.0)
    request: float = number(1.0)
    outcome: float = number(1.0)
    semantic: float = number(1.0)
    depth: float = number(0.3)
    light: float = number(1.0)
    lead: float = number(0.1)
    cause: float = number(0.5)
    words: float = number(1.0)
    named_speed: float = number(1.0)


@dataclass(frozen=True)
class LossConfig:
    """Weights of the losses, and of rare classes within the semantic one."""

    weights: LossWeights = field(default_factory=LossWeights)
    pace_without_words: bool = False  # compare the speeds of plans that no words decide, too
    lit_lens_weight: float = number(20.0)
    small_thing_weight: float = number(5.0)
    vehicle_weight: float = number(2.0)


@dataclass(frozen=True)
class AverageConfig:
    """Moving average of the weights."""

    decay: float = number(0.999, most=0.999999)


@dataclass(frozen=True)
class CheckpointConfig:
    """When the state is written."""

    every_minutes: float = number(2.0, above=True)


@dataclass(frozen=True)
class LoggerConfig:
    """Where figures go beside the CSV files."""

    tensorboard: bool = True
    wandb: bool = False
    wandb_project: str = "simlingo"
    every_steps: int = number(10, least=1)


@dataclass(frozen=True)
class EvaluationConfig:
    """Closed-loop drives during training."""

    every_samples: int = number(0)  # 0: never
    routes: tuple[str, ...] = ()


@dataclass(frozen=True)
class TrainConfig:
    """Everything that fixes a run but data, budget and the weights that it begins with."""

    model: str = "simlingo-mini"
    seed: int = number(0, most=2**32 - 1)
    data: DataConfig = field(default_factory=DataConfig)
    network: NetworkConfig = field(default_factory=NetworkConfig)
    sampler: SamplerConfig = field(default_factory=SamplerConfig)
    augmentation: AugmentationConfig = field(default_factory=AugmentationConfig)
    mixture: MixtureConfig = field(default_factory=MixtureConfig)
    optimiser: OptimiserConfig = field(default_factory=OptimiserConfig)
    schedule: ScheduleConfig = field(default_factory=ScheduleConfig)
    losses: LossConfig = field(default_factory=LossConfig)
    average: AverageConfig = field(default_factory=AverageConfig)
    checkpoints: CheckpointConfig = field(default_factory=CheckpointConfig)
    loggers: LoggerConfig = field(default_factory=LoggerConfig)
    evaluation: EvaluationConfig = field(default_factory=EvaluationConfig)

    def resolved(self) -> dict[str, Any]:
        """Plain values, nested as in the YAML file."""
        plain: dict[str, Any] = _plain(dataclasses.asdict(self))
        return plain


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, tuple) else value
