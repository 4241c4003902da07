"""Where the figures of a run go: CSV files always, TensorBoard and Weights & Biases where asked for."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

from simlingo.contracts import InvalidInputError, SimlingoError
from training.trainer.config import TrainConfig
from training.trainer.files import write_whole

#: Kinds of rows, each a CSV file of its own: every update, every checkpoint, every closed-loop evaluation.
LOSSES, VALIDATION, EVALUATION = "losses", "validation", "evaluation"
KINDS = (LOSSES, VALIDATION, EVALUATION)


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


class CsvLogger:
    """``losses.csv``, ``validation.csv`` and ``evaluation.csv``; floats with all digits, so that equal is equal."""

    def __init__(self, folder: Path, step: int) -> None:
        self._paths = {kind: folder / f"{kind}.csv" for kind in KINDS}
        self._columns: dict[str, list[str]] = {}
        self._files: dict[str, io.TextIOWrapper] = {}
        for kind, path in self._paths.items():
            if path.is_file() and (columns := _cut(path, step)):
                self._columns[kind] = columns
        if step and (found := last_step(self._paths[LOSSES])) < step:
            raise InvalidInputError(
                f"{self._paths[LOSSES]} ends at step {found}, the checkpoint is of step {step}; put the file back, or "
                "choose another --run (--start-from goes on from the weights of this one)"
            )

    def log(self, kind: str, row: Mapping[str, float]) -> None:
        """Append a row at once, so that it survives the process."""
        columns = self._columns.setdefault(kind, list(row))
        if columns != list(row):
            raise SimlingoError(f"{self._paths[kind]} has the columns {columns}, the row to write {list(row)}")
        if kind not in self._files:
            begins = not self._paths[kind].is_file()
            self._files[kind] = self._paths[kind].open("a", encoding="utf-8", newline="")
            if begins:
                csv.writer(self._files[kind], lineterminator="\n").writerow(columns)
        csv.writer(self._files[kind], lineterminator="\n").writerow([repr(value) for value in row.values()])
        self._files[kind].flush()

    def flush(self) -> None:
        """To the disk."""
        for file in self._files.values():
            os.fsync(file.fileno())

    def close(self) -> None:
        """Close the files."""
        for file in self._files.values():
            file.close()


def read_rows(path: Path) -> list[dict[str, float]]:
    """The rows of a CSV file of a run; a last line that was cut off in writing is left out."""
    lines = path.read_text(encoding="utf-8").split("\n")[:-1] if path.is_file() else []
    return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(lines)]


def last_step(path: Path) -> int:
    """The step of the last row, 0 without."""
    rows = read_rows(path)
    return int(rows[-1]["step"]) if rows else 0


def _cut(path: Path, step: int) -> list[str]:
    """Drop the rows after ``step``, and a line without an end; the columns of what is left."""
    lines = path.read_text(encoding="utf-8").split("\n")[:-1]
    if not lines:
        path.unlink()
        return []
    columns = lines[0].split(",")
    place = columns.index("step") if "step" in columns else 0
    kept = [line for line in lines[1:] if int(line.split(",")[place]) <= step]
    write_whole(path, lambda to: to.write_text("\n".join([lines[0], *kept, ""]), encoding="utf-8"))
    return columns


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
