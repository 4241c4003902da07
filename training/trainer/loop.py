"""The training loop: batches by their step, one update each, checkpoints that go on bit for bit."""

from __future__ import annotations

import copy
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from simlingo.contracts import InvalidInputError
from simlingo.model.checkpoint import save_weights
from simlingo.model.folder import CONFIG_FILE, TOKENIZER_FILE
from simlingo.model.tokenizer import PromptTokenizer
from training.trainer.batches import BatchMaker
from training.trainer.checkpoint import RunProgress, load_state, save_state
from training.trainer.config import TrainConfig
from training.trainer.csv_log import EVALUATION, LOSSES, VALIDATION
from training.trainer.data import TrainData
from training.trainer.evaluation import ClosedLoopEvaluation, check_evaluation
from training.trainer.files import EMBEDDINGS, write_whole
from training.trainer.group import ALONE, Group, check_group
from training.trainer.image_embeddings import image_embeddings
from training.trainer.learner import Learner
from training.trainer.loggers import Logger, log_all, open_loggers
from training.trainer.plots import plot_losses
from training.trainer.policies import policy_named
from training.trainer.prefetch import Prefetch
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
        data: frames to learn from and to validate on, with what there is to say about them.
        start_from: a model folder whose weights to begin with; None: fresh ones.
        evaluation: drives the model now and then, as ``config.evaluation`` asks.
        group: the processes that train together; the main one writes the run's files.

    Raises:
        InvalidInputError: a checkpoint or weights that do not fit, or options that cannot be met.
    """

    def __init__(
        self,
        folder: Path,
        config: TrainConfig,
        data: TrainData,
        start_from: Path | None = None,
        evaluation: ClosedLoopEvaluation | None = None,
        group: Group = ALONE,
    ) -> None:
        check_evaluation(config.evaluation, evaluation)
        torch.manual_seed(config.seed)
        check_group(group.size, config.sampler.batch_frames, timed=False)
        self.folder, self.config, self.group = folder, config, group
        self.policy = policy_named(config.model)
        tokenizer = PromptTokenizer.load(folder / TOKENIZER_FILE)
        stored = load_state(folder)
        network = first_network(self.policy, tokenizer, start_from if stored is None else None)
        self.provenance = provenance_in(folder, start_from)
        self.learner = Learner(network, self.policy.build_losses(self.policy.model, config.losses), config, group)
        self.progress = RunProgress()
        self.interrupted = False  # set it, and the run ends with a checkpoint after the update in work
        if stored is not None:
            self.learner.restore(stored[0])
            self.progress = stored[1]
        processor = self.policy.build_processor(self.policy.model, tokenizer)
        train, validation = self._embeddings(data, begins=stored is None and start_from is None)
        self.batches = BatchMaker(data.train, processor, config, data.train_samples, train, group)
        self._validation = BatchMaker(data.validation, processor, config, data.validation_samples, validation)
        count = min(config.data.validation_frames, len(data.validation))
        self._validation_index = np.linspace(0, len(data.validation) - 1, count, dtype=np.int64)
        self._evaluation = evaluation
        self._loggers: list[Logger] = []

    def _embeddings(self, data: TrainData, begins: bool) -> tuple[npt.NDArray[np.float32] | None, ...]:
        """What frozen vision makes of the frames to train and to validate on; None where vision learns."""
        if not self.config.network.freeze_vision:
            return None, None
        if begins:
            raise InvalidInputError(
                "network.freeze_vision keeps vision as it is, and fresh weights see nothing; begin with trained ones: --start-from MODEL"
            )
        parts = (
            ("train", data.train, data.train_fingerprint),
            ("validation", data.validation, data.validation_fingerprint),
        )
        folder, network = (data.cache or self.folder) / EMBEDDINGS, self.learner.network
        return tuple(image_embeddings(network, frames, mark, folder / f"{name}.npy") for name, frames, mark in parts)

    def measured_rate(self, clock: Callable[[], float] = time.perf_counter) -> float:
        """Samples a second of real updates, measured by the middle one; afterwards everything is as it was before.

        Raises:
            InvalidInputError: this is one of several processes, each of which would measure its own.
        """
        check_group(self.group.size, self.config.sampler.batch_frames, timed=True)
        kept, step = copy.deepcopy(self.learner.state()), self.progress.step
        times = []
        with Prefetch(self.batches.training, step, self.config.data.workers) as batches:
            for number in range(_UNTIMED_STEPS + self.config.schedule.measured_steps):
                begin = clock()
                self.learner.update(batches.get(), step + number, 0.0)
                if number >= _UNTIMED_STEPS:
                    times.append(clock() - begin)
        self.learner.restore(kept)
        return self.batches.samples / statistics.median(times)

    def validate(self) -> dict[str, float]:
        """Losses of the averaged weights on the validation frames."""
        index, size = self._validation_index, self.config.sampler.batch_frames
        starts = np.arange(0, len(index), size)
        mine = starts[self.group.share(len(starts))]
        return self.learner.validate(self._validation.plain(index[start : start + size]) for start in mine)

    def run(self, budget: int, report: Callable[[RunProgress], None]) -> None:
        """Train until ``budget`` samples are seen or :attr:`interrupted`; ``report`` is called after each update."""
        progress, group = self.progress, self.group
        if group.main:
            self._loggers = open_loggers(self.folder, self.config, progress.step)
        last_save = time.monotonic()
        try:
            with Prefetch(self.batches.training, progress.step, self.config.data.workers) as batches:
                while progress.samples < budget and not group.any(self.interrupted):
                    self._step(batches, budget)
                    report(progress)
                    due = time.monotonic() - last_save > self.config.checkpoints.every_minutes * 60.0
                    if group.any(group.main and due):
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
        losses = self.learner.update(batches.get(), progress.step, share)
        progress.step += 1
        progress.samples += self.batches.samples
        for name, value in losses.items():
            progress.smooth[name] = (1.0 - _SMOOTHING) * progress.smooth.get(name, value) + _SMOOTHING * value
        progress.elapsed_s += time.monotonic() - begin
        rate = learning_rate(share, self.config.schedule)
        self._log(LOSSES, {"rate": rate, **losses})

    def save(self) -> None:
        """Validate, note the losses, write checkpoint, weights and curves."""
        progress = self.progress
        if not progress.history or progress.history[-1]["samples"] < progress.samples:
            validation = self.validate()
            row = {"samples": float(progress.samples), "minutes": progress.elapsed_s / 60.0}
            progress.history.append(row | progress.smooth | validation)
            self._log(VALIDATION, validation)
        if not self.group.main:
            return
        for logger in self._loggers:
            logger.flush()
        save_state(self.folder, self.learner.state(), progress)
        self.write_weights(self.folder)
        plot_losses(progress.history, self.folder / "losses.png")

    def write_weights(self, folder: Path) -> None:
        """The averaged weights as a model folder's safetensors, with where they come from."""
        self.provenance.write(folder)
        network = self.learner.network
        text = network.config.to_json()
        write_whole(folder / CONFIG_FILE, lambda path: path.write_text(text, encoding="utf-8"))
        with self.learner.average.in_place_of(network):
            save_weights(network, folder)

    def _evaluate_when_due(self) -> None:
        """Drive with the averaged weights at each multiple of the samples that the configuration names."""
        progress, every = self.progress, self.config.evaluation.every_samples
        if not every or self._evaluation is None:
            return
        due = progress.samples // every * every
        if due <= progress.evaluated_samples:
            return
        self.save()
        progress.evaluated_samples = due
        if not self.group.main:
            return
        self.policy.export(self.folder)
        threads = torch.get_num_threads()
        figures = self._evaluation(self.folder, progress.samples)
        torch.set_num_threads(threads)  # a drive may have chosen its own
        self._log(EVALUATION, figures)
        save_state(self.folder, self.learner.state(), progress)

    def _log(self, kind: str, figures: dict[str, float]) -> None:
        log_all(self._loggers, kind, {"step": self.progress.step, "samples": self.progress.samples, **figures})
