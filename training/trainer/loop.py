"""The training loop: batches by their step, one update each, checkpoints that go on bit for bit."""

from __future__ import annotations

import copy
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from simlingo.contracts import InvalidInputError
from simlingo.model.checkpoint import save_weights
from simlingo.model.folder import CONFIG_FILE, TOKENIZER_FILE
from simlingo.model.tokenizer import PromptTokenizer
from training.trainer.average import WeightAverage
from training.trainer.batches import BatchMaker, Frames
from training.trainer.checkpoint import RunProgress, load_state, save_state
from training.trainer.config import TrainConfig
from training.trainer.evaluation import ClosedLoopEvaluation, check_evaluation
from training.trainer.files import write_whole
from training.trainer.loggers import EVALUATION, LOSSES, VALIDATION, Logger, log_all, open_loggers
from training.trainer.plots import plot_losses
from training.trainer.policies import policy_named
from training.trainer.prefetch import Prefetch
from training.trainer.sampler import Draw, generator
from training.trainer.schedule import learning_rate
from training.trainer.start import first_network, provenance_in

#: Updates before a measurement counts: the first ones allocate.
_UNTIMED_STEPS = 3
#: Share of a new value in the smoothed losses.
_SMOOTHING = 0.05


class Trainer:
    """One run; :meth:`run` goes on where the last checkpoint of ``folder`` ended.

    Args:
        folder: of the run, with a tokenizer.
        config: of the run.
        train: frames to learn from.
        validation: frames to validate on.
        start_from: a model folder whose weights to begin with; None: fresh ones.
        evaluation: drives the model now and then, as ``config.evaluation`` asks.

    Raises:
        InvalidInputError: a checkpoint or weights that do not fit, or options that cannot be met.
    """

    def __init__(
        self,
        folder: Path,
        config: TrainConfig,
        train: Frames,
        validation: Frames,
        start_from: Path | None = None,
        evaluation: ClosedLoopEvaluation | None = None,
    ) -> None:
        check_evaluation(config.evaluation, evaluation)
        torch.manual_seed(config.seed)
        self.folder, self.config = folder, config
        self.policy = policy_named(config.model)
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        tokenizer = PromptTokenizer.load(folder / TOKENIZER_FILE)
        stored = load_state(folder)
        self.network = first_network(self.policy, tokenizer, start_from if stored is None else None)
        self.provenance = provenance_in(folder, start_from)
        self.network.to(self.device).train()
        self.losses = self.policy.build_losses(self.policy.model, config.losses).to(self.device)
        self.average = WeightAverage(self.network, config.average.decay)
        self.optimizer = torch.optim.AdamW(
            [*self.network.parameters(), *self.losses.parameters()],
            lr=1.0,  # each update sets it
            weight_decay=config.optimiser.weight_decay,
            betas=config.optimiser.betas,
            fused=True,
        )
        self.progress = RunProgress()
        self.interrupted = False  # set it, and the run ends with a checkpoint after the update in work
        if stored is not None:
            self._restore(stored[0])
            self.progress = stored[1]
        processor = self.policy.build_processor(self.policy.model, tokenizer)
        self.batches = BatchMaker(train, processor, config)
        self._validation = BatchMaker(validation, processor, config)
        self._validation_index = np.linspace(
            0, len(validation) - 1, min(config.data.validation_frames, len(validation)), dtype=np.int64
        )
        self._evaluation = evaluation
        self._loggers: list[Logger] = []

    def _modules(self) -> dict[str, Any]:
        return {
            "network": self.network.state_dict(),
            "losses": self.losses.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "average": self.average.weights,
        }

    def _restore(self, modules: dict[str, Any]) -> None:
        try:
            self.network.load_state_dict(modules["network"])
            self.losses.load_state_dict(modules["losses"])
            self.optimizer.load_state_dict(modules["optimizer"])
        except (KeyError, RuntimeError, ValueError) as error:
            raise InvalidInputError(
                f"the checkpoint in {self.folder} is of another configuration; choose another --run ({error})"
            ) from error
        self.average.weights = {name: value.to(self.device) for name, value in modules["average"].items()}

    def measured_rate(self) -> float:
        """Samples a second of real updates, measured by the middle one; afterwards everything is as it was before."""
        kept, step = copy.deepcopy(self._modules()), self.progress.step
        times = []
        with Prefetch(self.batches.training, step, self.config.data.workers) as batches:
            for number in range(_UNTIMED_STEPS + self.config.schedule.measured_steps):
                begin = time.perf_counter()
                self._update(batches.get(), step + number, 0.0)
                if number >= _UNTIMED_STEPS:
                    times.append(time.perf_counter() - begin)
        self._restore(kept)
        return self.batches.samples / statistics.median(times)

    def _update(self, batch: dict[str, Tensor], step: int, share: float) -> dict[str, float]:
        """Change the weights by one batch; the losses it saw."""
        torch.manual_seed(int(generator(self.config.seed, step, Draw.NETWORK).integers(2**63)))
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(share, self.config.schedule)
        losses = self.losses(self.network, self._on_device(batch))
        self.optimizer.zero_grad(set_to_none=True)
        self.losses.total(losses).backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.config.optimiser.gradient_clip)
        self.optimizer.step()
        self.average.update(self.network, step + 1)
        return {name: float(value.detach()) for name, value in losses.items()}

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        """Losses of the averaged weights on the validation frames."""
        sums: dict[str, float] = {}
        size = self.config.sampler.batch_frames
        with self.average.in_place_of(self.network):
            self.network.eval()
            for start in range(0, len(self._validation_index), size):
                index = self._validation_index[start : start + size]
                batch = self._on_device(self._validation.plain(index))
                for name, value in self.losses(self.network, batch).items():
                    sums[name] = sums.get(name, 0.0) + float(value) * len(index)
        self.network.train()
        return {f"val_{name}": value / len(self._validation_index) for name, value in sums.items()}

    def run(self, budget: int, report: Callable[[RunProgress], None]) -> None:
        """Train until ``budget`` samples are seen or :attr:`interrupted`; ``report`` is called after each update."""
        progress = self.progress
        self._loggers = open_loggers(self.folder, self.config, progress.step)
        last_save = time.monotonic()
        try:
            with Prefetch(self.batches.training, progress.step, self.config.data.workers) as batches:
                while progress.samples < budget and not self.interrupted:
                    self._step(batches, budget)
                    report(progress)
                    if time.monotonic() - last_save > self.config.checkpoints.every_minutes * 60.0:
                        self.save()
                        last_save = time.monotonic()
                    self._evaluate_when_due()
            self.save()
        finally:
            for logger in self._loggers:
                logger.close()

    def _step(self, batches: Prefetch, budget: int) -> None:
        """One update, with its row in the logs."""
        progress, begin = self.progress, time.monotonic()
        share = progress.samples / budget
        losses = self._update(batches.get(), progress.step, share)
        progress.step += 1
        progress.samples += self.batches.samples
        for name, value in losses.items():
            progress.smooth[name] = (1.0 - _SMOOTHING) * progress.smooth.get(name, value) + _SMOOTHING * value
        progress.elapsed_s += time.monotonic() - begin
        rate = learning_rate(share, self.config.schedule)
        log_all(self._loggers, LOSSES, {"step": progress.step, "samples": progress.samples, "rate": rate, **losses})

    def save(self) -> None:
        """Validate, note the losses, write checkpoint, weights and curves."""
        progress = self.progress
        if not progress.history or progress.history[-1]["samples"] < progress.samples:
            row = {"samples": float(progress.samples), "minutes": progress.elapsed_s / 60.0}
            progress.history.append(row | progress.smooth | (validation := self.validate()))
            log_all(self._loggers, VALIDATION, {"step": progress.step, "samples": progress.samples, **validation})
        for logger in self._loggers:
            logger.flush()
        save_state(self.folder, self._modules(), progress)
        self.write_weights(self.folder)
        plot_losses(progress.history, self.folder / "losses.png")

    def write_weights(self, folder: Path) -> None:
        """The averaged weights as a model folder's safetensors, with where they come from."""
        self.provenance.write(folder)
        text = self.network.config.to_json()
        write_whole(folder / CONFIG_FILE, lambda path: path.write_text(text, encoding="utf-8"))
        with self.average.in_place_of(self.network):
            save_weights(self.network, folder)

    def _evaluate_when_due(self) -> None:
        """Drive with the averaged weights at each multiple of the samples that the configuration names."""
        progress, every = self.progress, self.config.evaluation.every_samples
        if not every or self._evaluation is None:
            return
        due = progress.samples // every * every
        if due <= progress.evaluated_samples:
            return
        self.save()
        self.policy.export(self.folder)
        threads = torch.get_num_threads()
        figures = self._evaluation(self.folder, progress.samples)
        torch.set_num_threads(threads)  # a drive may have chosen its own
        progress.evaluated_samples = due
        log_all(self._loggers, EVALUATION, {"step": progress.step, "samples": progress.samples, **figures})
        save_state(self.folder, self._modules(), progress)

    def _on_device(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        return {name: tensor.to(self.device, non_blocking=True) for name, tensor in batch.items()}
