"""Where the figures of a run go: CSV files always, TensorBoard and Weights & Biases where asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

from simlingo.contracts import InvalidInputError
from training.trainer.config import TrainConfig
from training.trainer.csv_log import LOSSES, CsvLogger


class Logger(Protocol):
    """Takes rows of figures; each has ``step`` and ``samples``."""

    def log(self, kind: str, row: Mapping[str, float]) -> None:
        """Note a row of one of ``KINDS``."""

    def flush(self) -> None:
        """What has been noted survives a power cut, as far as the logger can see to it."""

    def close(self) -> None:
        """No more rows come."""


def open_loggers(folder: Path, config: TrainConfig, step: int) -> list[Logger]:
    """The loggers of a run that goes on after ``step``; rows of later steps, of a start that was killed, are dropped.

    Raises:
        InvalidInputError: a package that the configuration asks for is not installed, or the CSV files lack rows.
    """
    loggers: list[Logger] = [CsvLogger(folder, step)]
    if config.loggers.tensorboard:
        _need("tensorboardX", "tensorboard", "./simlingo setup train installs it")
        loggers.append(EveryFewSteps(TensorBoardLogger(folder / "tensorboard", step), config.loggers.every_steps))
    if config.loggers.wandb:
        _need("wandb", "wandb", "install it (.venv/bin/python -m pip install wandb)")
        loggers.append(EveryFewSteps(WandbLogger(folder, config), config.loggers.every_steps))
    return loggers


def _need(package: str, key: str, cure: str) -> None:
    if find_spec(package) is None:
        raise InvalidInputError(
            f"loggers.{key} is on, but the package {package} is not there: {cure}, or give --set loggers.{key}=false"
        )


class TensorBoardLogger:
    """Event files for TensorBoard, over samples."""

    def __init__(self, folder: Path, step: int) -> None:
        from tensorboardX import SummaryWriter

        # What was written after the checkpoint is hidden by the rows that come again.
        self._writer = SummaryWriter(logdir=str(folder), purge_step=step + 1 if step else None)

    def log(self, kind: str, row: Mapping[str, float]) -> None:
        """A curve a figure."""
        for name, value in row.items():
            if name not in ("step", "samples"):
                self._writer.add_scalar(f"{kind}/{name}", value, int(row["step"]))

    def flush(self) -> None:
        """To the file."""
        self._writer.flush()

    def close(self) -> None:
        """Close the file."""
        self._writer.close()


class WandbLogger:
    """Weights & Biases; the run there has the folder's name and goes on with it."""

    def __init__(self, folder: Path, config: TrainConfig) -> None:
        import wandb

        name = folder.resolve().name
        self._run: Any = wandb.init(
            project=config.loggers.wandb_project,
            id=name,
            name=name,
            dir=str(folder),
            resume="allow",
            config=config.resolved(),
        )

    def log(self, kind: str, row: Mapping[str, float]) -> None:
        """A row under the name of its kind."""
        self._run.log({f"{kind}/{name}": value for name, value in row.items()}, step=int(row["step"]))

    def flush(self) -> None:
        """It sends by itself."""

    def close(self) -> None:
        """Send the rest."""
        self._run.finish()


class EveryFewSteps:
    """Passes every ``every``-th row of losses on, and all of the others."""

    def __init__(self, logger: Logger, every: int) -> None:
        self._logger, self._every = logger, every

    def log(self, kind: str, row: Mapping[str, float]) -> None:
        """See :class:`Logger`."""
        if kind != LOSSES or int(row["step"]) % self._every == 0:
            self._logger.log(kind, row)

    def flush(self) -> None:
        """See :class:`Logger`."""
        self._logger.flush()

    def close(self) -> None:
        """See :class:`Logger`."""
        self._logger.close()


def log_all(loggers: Sequence[Logger], kind: str, row: Mapping[str, float]) -> None:
    """The same row to each."""
    for logger in loggers:
        logger.log(kind, row)
