"""The training loop: weighted batches, one-cycle schedule over the time given, checkpoints that resume."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from simlingo.contracts import InvalidInputError
from simlingo.model.checkpoint import build_network, load_network, save_weights
from simlingo.model.checkpoints.provenance import PROVENANCE_FILE, Kind, Provenance, own, provenance_of
from simlingo.model.checkpoints.reader import provenance_at
from simlingo.model.config import ModelConfig
from simlingo.model.folder import CONFIG_FILE, TOKENIZER_FILE
from simlingo.model.tokenizer import PromptTokenizer
from training.datasets.pack import Pack
from training.trainer.batches import BatchMaker
from training.trainer.losses import HelperHeads, batch_losses, total
from training.trainer.plots import plot_losses
from training.trainer.state import Average, Progress, learning_rate, load_state, save_state
from training.trainer.vocabulary import adopt_vocabulary


@dataclass(frozen=True)
class TrainSettings:
    """What a run is made of; times in seconds."""

    folder: Path
    duration_s: float
    batch_frames: int = 12
    peak_rate: float = 1e-3
    weight_decay: float = 0.05
    gradient_clip: float = 1.0
    seed: int = 0
    start_from: Path | None = None  # a model folder
    checkpoint_every_s: float = 120.0
    validation_frames: int = 256


class Trainer:
    """One run; :meth:`run` goes on where the last checkpoint of ``settings.folder`` ended."""

    def __init__(self, settings: TrainSettings, config: ModelConfig, train: Pack, validation: Pack) -> None:
        torch.manual_seed(settings.seed)
        self.settings = settings
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        tokenizer = PromptTokenizer.load(settings.folder / TOKENIZER_FILE)
        if settings.start_from is not None:
            self.network, earlier = load_network(settings.start_from)
            if replace(self.network.config, speaks=config.speaks, drives=config.drives) != config:
                raise InvalidInputError(
                    f"--start-from {settings.start_from} is of another configuration than {config.name}"
                )
            adopt_vocabulary(self.network, earlier, tokenizer)
            self.network.config = config
        else:
            self.network = build_network(config, tokenizer)
        self.provenance = _provenance(settings)
        self.network.to(self.device).train()
        self.helpers = HelperHeads(config).to(self.device)
        self.average = Average(self.network)
        parameters = [*self.network.parameters(), *self.helpers.parameters()]
        self.optimizer = torch.optim.AdamW(
            parameters, lr=1.0, weight_decay=settings.weight_decay, betas=(0.9, 0.98), fused=True
        )
        self.progress = Progress()
        self.interrupted = False  # set it, and the run ends with a checkpoint after the step in hand
        self._resume()
        self.train_batches = BatchMaker(train, tokenizer, config, settings.seed + self.progress.step)
        self._validation = BatchMaker(validation, tokenizer, config, settings.seed)
        self._validation_index = np.linspace(
            0, len(validation) - 1, min(settings.validation_frames, len(validation)), dtype=np.int64
        )

    def _modules(self) -> dict[str, object]:
        return {
            "network": self.network.state_dict(),
            "helpers": self.helpers.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "average": self.average.weights,
        }

    def _resume(self) -> None:
        stored = load_state(self.settings.folder)
        if stored is None:
            return
        modules, self.progress = stored
        try:
            self.network.load_state_dict(modules["network"])
            self.helpers.load_state_dict(modules["helpers"])
            self.optimizer.load_state_dict(modules["optimizer"])
        except (RuntimeError, ValueError) as error:
            raise InvalidInputError(
                f"the checkpoint in {self.settings.folder} is of another configuration; choose another --run ({error})"
            ) from error
        self.average.weights = {name: value.to(self.device) for name, value in modules["average"].items()}

    def step(self) -> dict[str, float]:
        """One update of the weights; the losses it saw."""
        share = self.progress.elapsed_s / self.settings.duration_s
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(share, self.settings.peak_rate)
        batch = self._on_device(self.train_batches.draw(self.settings.batch_frames))
        losses = batch_losses(self.network, self.helpers, batch, len(BatchMaker.PROMPTS))
        self.optimizer.zero_grad(set_to_none=True)
        total(losses).backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.settings.gradient_clip)
        self.optimizer.step()
        self.progress.step += 1
        self.progress.samples += self.settings.batch_frames * len(BatchMaker.PROMPTS)
        self.average.update(self.network, self.progress.step)
        return {name: float(value.detach()) for name, value in losses.items()}

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        """Losses of the averaged weights on the validation frames."""
        kept = {name: value.clone() for name, value in self.network.state_dict().items()}
        self.network.load_state_dict(self.average.weights)
        self.network.eval()
        sums: dict[str, float] = {}
        size = self.settings.batch_frames
        for start in range(0, len(self._validation_index), size):
            index = self._validation_index[start : start + size]
            batch = self._on_device(self._validation.batch(index, augment=False))
            for name, value in batch_losses(self.network, self.helpers, batch, len(BatchMaker.PROMPTS)).items():
                sums[name] = sums.get(name, 0.0) + float(value) * len(index)
        self.network.load_state_dict(kept)
        self.network.train()
        return {f"val_{name}": value / len(self._validation_index) for name, value in sums.items()}

    def run(self, report: Callable[[Progress, dict[str, float]], None]) -> None:
        """Train until the time is up or :attr:`interrupted`; ``report`` is called after each step with smoothed losses."""
        smooth: dict[str, float] = {}
        last_save = time.monotonic()
        while self.progress.elapsed_s < self.settings.duration_s and not self.interrupted:
            begin = time.monotonic()
            for name, value in self.step().items():
                smooth[name] = 0.95 * smooth.get(name, value) + 0.05 * value
            self.progress.elapsed_s += time.monotonic() - begin
            report(self.progress, smooth)
            if time.monotonic() - last_save > self.settings.checkpoint_every_s:
                self.save(smooth)
                last_save = time.monotonic()
        self.save(smooth)

    def save(self, smooth: dict[str, float]) -> None:
        """Validate, note the losses, write checkpoint, weights and curves."""
        row = {"samples": float(self.progress.samples), "minutes": self.progress.elapsed_s / 60.0}
        self.progress.history.append(row | smooth | self.validate())
        save_state(self.settings.folder, self._modules(), self.progress)
        self.write_weights(self.settings.folder)
        plot_losses(self.progress.history, self.settings.folder / "losses.png")

    def write_weights(self, folder: Path) -> None:
        """The averaged weights as a model folder's safetensors, with where they come from."""
        self.provenance.write(folder)
        temporary = folder / f"{CONFIG_FILE}.tmp"
        temporary.write_text(self.network.config.to_json(), encoding="utf-8")
        temporary.replace(folder / CONFIG_FILE)
        kept = {name: value.clone() for name, value in self.network.state_dict().items()}
        self.network.load_state_dict(self.average.weights)
        save_weights(self.network, folder)
        self.network.load_state_dict(kept)

    def _on_device(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        return {name: tensor.to(self.device, non_blocking=True) for name, tensor in batch.items()}


def _provenance(settings: TrainSettings) -> Provenance:
    """Where a run's weights come from: what they began with keeps its licence, and so does a run that goes on."""
    if (settings.folder / PROVENANCE_FILE).is_file():
        return provenance_of(Kind.OURS, str(settings.folder), settings.folder)
    if settings.start_from is None:
        return own("trained by ./simlingo train")
    return provenance_at(settings.start_from).with_note("trained further by ./simlingo train")
