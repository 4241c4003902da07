"""When a checkpoint is due, by the clock; and what is told of a run as it goes."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed; ./simlingo test installs it")

from trainer_cases import tiny_config, tiny_run  # noqa: E402

import training.trainer.loop as loop  # noqa: E402
from training.trainer.checkpoint import RunProgress  # noqa: E402
from training.trainer.csv_log import LOSSES, CsvLogger, read_rows  # noqa: E402


@pytest.mark.medium
def test_a_checkpoint_is_due_after_its_minutes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(loop, "time", SimpleNamespace(monotonic=lambda: now[0]))
    trainer, budget = tiny_run(tmp_path, tiny_config(checkpoints={"every_minutes": 2.0}), samples=24)
    saved = []
    monkeypatch.setattr(trainer, "save", lambda: saved.append(trainer.progress.step))

    def report(progress: RunProgress) -> None:
        now[0] = {1: 119.0, 2: 121.0, 3: 200.0, 4: 242.0}.get(progress.step, 250.0)

    trainer.run(budget, report)
    assert saved == [2, 4, 6], "after two minutes, after two more, and at the end"


def test_rows_are_cut_by_their_step_wherever_its_column_stands(tmp_path: Path) -> None:
    (tmp_path / "losses.csv").write_text("path,step\n0.5,1\n0.25,2\n0.125,3\n")
    logger = CsvLogger(tmp_path, 2)
    logger.log(LOSSES, {"path": 0.0625, "step": 3})
    logger.close()
    assert [row["path"] for row in read_rows(tmp_path / "losses.csv")] == [0.5, 0.25, 0.0625]


def test_time_spent_counts_from_nothing() -> None:
    assert vars(RunProgress()) == {
        "step": 0, "samples": 0, "elapsed_s": 0.0, "evaluated_samples": 0, "smooth": {}, "history": [],
    }  # fmt: skip
