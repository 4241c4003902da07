"""TensorBoard and Weights & Biases: what they are told, and how their runs go on and end."""

from __future__ import annotations

import importlib.machinery
import struct
import sys
import types
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed; ./simlingo test installs it")

from trainer_cases import tiny_config  # noqa: E402

from training.trainer.csv_log import LOSSES  # noqa: E402
from training.trainer.loggers import TensorBoardLogger, open_loggers  # noqa: E402


def rows(first: int, last: int) -> list[dict[str, float]]:
    return [{"step": step, "samples": 4 * step, "path": step / 3.0} for step in range(first, last + 1)]


def events(file: Path) -> list[Any]:
    """The events of a file: records of length, checksum, event, checksum."""
    from tensorboardX.proto.event_pb2 import Event

    found, data = [], file.read_bytes()
    while data:
        (length,) = struct.unpack("<Q", data[:8])
        found.append(Event.FromString(data[12 : 12 + length]))
        data = data[16 + length :]
    return found


def test_tensorboard_hides_what_was_written_after_the_checkpoint(tmp_path: Path) -> None:
    pytest.importorskip("tensorboardX", reason="tensorboardX is not installed; ./simlingo test installs it")
    from tensorboardX.proto.event_pb2 import SessionLog

    for step, hidden in ((0, []), (7, [8])):
        folder = tmp_path / str(step)
        TensorBoardLogger(folder, step).close()
        (file,) = folder.iterdir()
        starts = [event.step for event in events(file) if event.session_log.status == SessionLog.START]
        assert starts == hidden


class FakeRun:
    """A run of Weights & Biases that keeps what it is told."""

    def __init__(self) -> None:
        self.rows: list[tuple[dict[str, float], int]] = []
        self.finished = False

    def log(self, row: dict[str, float], step: int) -> None:
        self.rows.append((row, step))

    def finish(self) -> None:
        self.finished = True


def test_weights_and_biases_hears_every_few_updates_and_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, asked = FakeRun(), {}
    module = types.ModuleType("wandb")
    module.__spec__ = importlib.machinery.ModuleSpec("wandb", None)
    module.init = lambda **options: (asked.update(options), run)[1]  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "wandb", module)
    config = tiny_config(loggers={"tensorboard": False, "wandb": True, "wandb_project": "mine", "every_steps": 4})
    (tmp_path / "first").mkdir()
    loggers = open_loggers(tmp_path / "first", config, 0)
    for logger in loggers:
        for row in rows(1, 9):
            logger.log(LOSSES, row)
        logger.flush()
    assert not run.finished
    for logger in loggers:
        logger.close()
    assert run.finished
    assert [step for _, step in run.rows] == [4, 8]
    assert run.rows[0][0]["losses/path"] == rows(4, 4)[0]["path"]
    assert (asked["project"], asked["id"], asked["name"], asked["resume"]) == ("mine", "first", "first", "allow")
    assert asked["config"] == config.resolved()
