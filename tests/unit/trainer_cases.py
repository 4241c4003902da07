"""A network small enough to train in tests, frames for it, and runs of it."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from dataset_cases import write_dataset

from simlingo.model.config import MINI, LanguageConfig, VisionConfig
from training.datasets.cache import Pack
from training.datasets.cells import CELLS, CLASSES
from training.datasets.labels import LABELS
from training.trainer import cli
from training.trainer.commit import COMMIT_VARIABLE
from training.trainer.config import TrainConfig
from training.trainer.config_reading import config_of
from training.trainer.data import TrainData
from training.trainer.loop import Trainer
from training.trainer.policies import TrainablePolicy, register
from training.trainer.run import BudgetRequest, prepare

#: A commit, or an edit, made while a test runs would make its second start another run.
os.environ[COMMIT_VARIABLE] = "tests"
NAME = "tiny-for-tests"
MODEL = replace(
    MINI,
    name=NAME,
    speaks=True,
    image=replace(MINI.image, tile=96),
    vision=VisionConfig(hidden_size=32, layers=1, heads=2, intermediate_size=64),
    language=LanguageConfig(hidden_size=32, layers=1, heads=2, key_value_heads=1, intermediate_size=64, vocab_size=512),
)
POLICY = register(TrainablePolicy(NAME, MODEL))


def tiny_config(**sections: Any) -> TrainConfig:
    """Of the tiny network, with small batches; ``sections`` as in a YAML file."""
    values: dict[str, Any] = {
        "model": NAME, "sampler": {"batch_frames": 2}, "data": {"validation_frames": 4, "workers": 0},
        "loggers": {"tensorboard": False}, "schedule": {"peak_rate": 3e-3, "measured_steps": 2},
    }  # fmt: skip
    for name, section in sections.items():
        values[name] = {**values.get(name, {}), **section} if isinstance(section, dict) else section
    return config_of(values, "test")


def frames(count: int = 8, seed: int = 0) -> Pack:
    """Frames with labels that differ from each other in every number."""
    rng = np.random.default_rng(seed)
    tile = MODEL.image.tile
    labels = {
        name: rng.uniform(1.0, 20.0, (count, *shape)).astype(kind) if np.issubdtype(kind, np.floating)
        else np.zeros((count, *shape), dtype=kind)
        for name, (shape, kind) in LABELS.items()
    }  # fmt: skip
    labels["command"][:], labels["next_command"][:] = 4, 1
    for name, most in (("cause", 7), ("other_cause", 7), ("light_state", 3)):
        labels[name][:] = rng.integers(0, most, count)
    return Pack(
        rng.integers(0, 256, (count, tile, 2 * tile, 3), dtype=np.uint8),
        rng.integers(0, len(CLASSES), (count, CELLS, 2 * CELLS), dtype=np.uint8),
        rng.uniform(1, 50, (count, CELLS, 2 * CELLS)).astype(np.float16),
        labels,
    )


def tiny_data(fingerprint: str = "f" * 64) -> TrainData:
    """Frames to train and to validate on."""
    return TrainData(frames(8, 0), frames(4, 1), fingerprint, "e" * 64)


def tiny_run(
    folder: Path,
    config: TrainConfig | None = None,
    samples: int | None = 16,
    minutes: float | None = None,
    accept: Sequence[str] = (),
    start_from: Path | None = None,
    evaluation: Any = None,
    data: TrainData | None = None,
) -> tuple[Trainer, int]:
    """A run that is ready to train, and its budget."""
    asked = BudgetRequest(samples, minutes)
    return prepare(
        folder, config or tiny_config(), data or tiny_data(), asked, start_from, accept, evaluation, tell=lambda _: None
    )


def train_command(folder: Path, name: str, export: Callable[[Path], float]) -> Callable[..., int]:
    """``./simlingo train`` on a small data set in ``folder``, with further options; the model exports as it is told."""
    data = folder / "data"
    if not data.exists():
        write_dataset(data, {"learn": 2, "check": 2})
    register(replace(POLICY, name=name, export=export))

    def command(*options: str) -> int:
        parser = argparse.ArgumentParser()
        cli.add_arguments(parser)
        fixed = ["--data", str(data), "--run", str(folder / "run"), "--cache", str(folder / "cache")]
        tiny = ["--set", f"model={name}", "sampler.batch_frames=2", "data.validation_frames=2"]
        tiny += [
            "mixture.prompts=2",
            "mixture.instructions=0",
            "mixture.question=0",
        ]  # the data has no log of the world
        return cli.run(parser.parse_args([*fixed, *tiny, *options]))

    return command
