"""How ``./simlingo train`` ends when it is interrupted, and what it takes and refuses."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed; ./simlingo test installs it")

from trainer_cases import tiny_config, tiny_run, train_command  # noqa: E402

from training.trainer import cli  # noqa: E402
from training.trainer.checkpoint import RunProgress  # noqa: E402


@pytest.fixture
def train(tmp_path: Path) -> Callable[..., int]:
    """``./simlingo train`` on a small data set, with further options."""
    return train_command(tmp_path, "not-exported-for-tests", lambda folder: 0.0)


@pytest.mark.medium
def test_an_interrupted_run_says_how_to_go_on(
    train: Callable[..., int], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(trainer: Any, budget: int) -> None:
        trainer.interrupted = True

    monkeypatch.setattr(cli, "_train", interrupted)
    assert train("--samples", "4") == 130
    assert "stopped; the same command goes on from the last checkpoint" in capsys.readouterr().err


def test_no_time_at_all_is_refused(train: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        train("--minutes", "0")
    assert "--minutes" in capsys.readouterr().err


@pytest.mark.medium
def test_a_run_that_may_drive_does_so_only_when_it_is_asked_to(tmp_path: Path) -> None:
    driven: list[int] = []

    def drive(folder: Path, samples: int) -> dict[str, float]:
        driven.append(samples)
        return {}

    trainer, budget = tiny_run(tmp_path, tiny_config(), samples=8, evaluation=drive)
    trainer.run(budget, lambda progress: None)
    assert driven == []
    assert trainer.progress.elapsed_s > 0.0


class Reports:
    """A trainer that says it has come to the steps 99 to 101 of as many thousand samples."""

    def __init__(self) -> None:
        self.progress = RunProgress(smooth={"path": 0.125})
        self.interrupted = False

    def run(self, budget: int, report: Callable[[RunProgress], None]) -> None:
        for step in (99, 100, 101):
            self.progress.step, self.progress.samples, self.progress.elapsed_s = step, 1000 * step, 10.0 * step
            report(self.progress)


def test_without_a_terminal_every_hundredth_step_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    cli._train(Reports(), 200_000)  # type: ignore[arg-type]
    said = capsys.readouterr().out
    told = [line for line in said.splitlines() if line.startswith("step ")]
    assert told == ["step 100  100000 samples  100/s  path 0.125"]
    assert "step 101" in said, "the bar shows the last"
