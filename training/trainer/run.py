"""From a configuration and data to a trainer with its budget: a new run, or one that goes on unchanged."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from simlingo.contracts import InvalidInputError
from simlingo.model.folder import TOKENIZER_FILE
from training.trainer.config import TrainConfig
from training.trainer.data import TrainData
from training.trainer.evaluation import ClosedLoopEvaluation
from training.trainer.group import ALONE, Group
from training.trainer.loop import Trainer
from training.trainer.policies import policy_named
from training.trainer.run_record import RunRecord, check_same_run, load_record, record_of
from training.trainer.schedule import budget_of

#: Training time of a run that is told neither samples nor minutes.
DEFAULT_MINUTES = 120.0


@dataclass(frozen=True)
class BudgetRequest:
    """How much a run shall learn, as it was asked for: at most one of both."""

    samples: int | None = None
    minutes: float | None = None  # becomes samples once, by a measurement


def prepare(
    folder: Path,
    config: TrainConfig,
    data: TrainData,
    asked: BudgetRequest,
    start_from: Path | None = None,
    accept: Collection[str] = (),
    evaluation: ClosedLoopEvaluation | None = None,
    tell: Callable[[str], None] = print,
    group: Group = ALONE,
) -> tuple[Trainer, int]:
    """The trainer of the run in ``folder`` and its budget in samples; ``run.yaml`` is written before the first update.

    Args:
        folder: of the run, made where it is not there.
        config, data: of the run.
        asked: the budget; a run that goes on keeps its own, and only an equal one may be asked for.
        start_from: a model folder whose weights to begin with.
        accept: keys that may differ from an earlier start, see :mod:`training.trainer.run_record`.
        evaluation: for closed-loop drives.
        tell: takes what happens, in a line.
        group: the processes that train together; the main one comes here first.

    Raises:
        InvalidInputError: the run was begun under other conditions, or something does not fit; names what and the cure.
    """
    folder.mkdir(parents=True, exist_ok=True)
    policy = policy_named(config.model)
    stored, now = load_record(folder), record_of(config, data, start_from)
    if stored is not None:
        changes = check_same_run(stored, now, folder, accept)
        budget = _kept_budget(stored, asked, folder)
    if not (folder / TOKENIZER_FILE).is_file():
        policy.write_tokenizer(folder / TOKENIZER_FILE, policy.model.language.vocab_size)
    trainer = Trainer(folder, config, data, start_from, evaluation, group)
    if stored is not None:
        noted = [{"samples": trainer.progress.samples, **change} for change in changes]
        now = replace(now, budget=stored.budget, changes=[*stored.changes, *noted])
    else:
        budget, note = _new_budget(trainer, asked, tell)
        now = replace(now, budget=note)
    if group.main:
        now.write(folder)
    return trainer, budget


def _new_budget(trainer: Trainer, asked: BudgetRequest, tell: Callable[[str], None]) -> tuple[int, dict[str, Any]]:
    if asked.samples is not None:
        return asked.samples, {"samples": asked.samples}
    minutes = DEFAULT_MINUTES if asked.minutes is None else asked.minutes
    tell("measuring the speed of training")
    rate = trainer.measured_rate()
    samples = budget_of(minutes, rate, trainer.batches.samples)
    tell(f"{rate:.1f} samples a second: {minutes:g} minutes are {samples} samples")
    return samples, {"samples": samples, "minutes": minutes, "measured_samples_per_s": round(rate, 2)}


def _kept_budget(stored: RunRecord, asked: BudgetRequest, folder: Path) -> int:
    """The budget of an earlier start."""
    budget = stored.budget
    for name, wanted in (("samples", asked.samples), ("minutes", asked.minutes)):
        if wanted is not None and wanted != budget.get(name):
            begun = f"--minutes {budget['minutes']:g}, which are" if "minutes" in budget else "--samples"
            raise InvalidInputError(
                f"{folder} was begun with {begun} {budget['samples']}, now --{name} {wanted:g}: the learning rate follows "
                f"the samples, so leave --{name} out, or choose another --run (--start-from {folder} takes its weights along)"
            )
    return int(budget["samples"])
