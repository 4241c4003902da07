"""A training process that is killed goes on bit for bit; logs hold every update once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed; ./simlingo test installs it")

from trainer_cases import tiny_config  # noqa: E402

from simlingo.contracts import InvalidInputError, SimlingoError  # noqa: E402
from training.trainer.csv_log import LOSSES, VALIDATION, CsvLogger, read_rows  # noqa: E402
from training.trainer.loggers import EveryFewSteps, open_loggers  # noqa: E402

#: Trains to the end; with more arguments it writes a checkpoint after one update and is killed after another.
SCRIPT = """
import os, signal, sys
from pathlib import Path
import torch
from trainer_cases import tiny_config, tiny_run
torch.set_num_threads(2)
folder, samples, *stops = sys.argv[1:]
config = tiny_config(data={"workers": 1}, average={"decay": 0.9})
trainer, budget = tiny_run(Path(folder), config, samples=int(samples))
def report(progress):
    if stops and progress.step == int(stops[0]):
        trainer.save()
    if stops and progress.step == int(stops[1]):
        os.kill(os.getpid(), signal.SIGKILL)
trainer.run(budget, report)
"""


def start(*arguments: str) -> int:
    """Run the script in a process of its own; its exit status."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path])}
    done = subprocess.run([sys.executable, "-c", SCRIPT, *arguments], env=environment, capture_output=True, text=True)
    assert done.returncode in (0, -signal.SIGKILL), done.stderr
    return done.returncode


def test_a_killed_run_goes_on_with_the_same_losses_bit_for_bit(tmp_path: Path) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    assert start(str(whole), "80") == 0
    assert start(str(killed), "80", "6", "9") == -signal.SIGKILL
    assert [row["step"] for row in read_rows(killed / "losses.csv")] == list(range(1, 10)), "rows outlive the process"
    assert start(str(killed), "80") == 0
    rows = read_rows(whole / "losses.csv")
    assert [row["step"] for row in rows] == list(range(1, 21))
    assert len({row["path"] for row in rows}) == 20
    assert (killed / "losses.csv").read_bytes() == (whole / "losses.csv").read_bytes()
    assert [row["step"] for row in read_rows(killed / "validation.csv")] == [6, 20]
    assert read_rows(killed / "validation.csv")[-1] == read_rows(whole / "validation.csv")[-1]
    weights = [(folder / "model.safetensors").read_bytes() for folder in (whole, killed)]
    assert weights[0] == weights[1]


def test_a_run_killed_before_its_first_checkpoint_begins_anew(tmp_path: Path) -> None:
    assert start(str(tmp_path / "killed"), "16", "99", "2") == -signal.SIGKILL
    assert not (tmp_path / "killed/state.pt").exists()
    assert start(str(tmp_path / "killed"), "16") == 0
    assert [row["step"] for row in read_rows(tmp_path / "killed/losses.csv")] == [1, 2, 3, 4]


def rows(first: int, last: int) -> list[dict[str, float]]:
    return [{"step": step, "samples": 4 * step, "path": step / 3.0} for step in range(first, last + 1)]


def logged(folder: Path, step: int, *kinds: str, first: int, last: int) -> None:
    logger = CsvLogger(folder, step)
    for row in rows(first, last):
        for kind in kinds:
            logger.log(kind, row)
    logger.flush()
    logger.close()


def test_rows_after_the_checkpoint_are_written_again_and_not_twice(tmp_path: Path) -> None:
    logged(tmp_path, 0, LOSSES, VALIDATION, first=1, last=5)
    with (tmp_path / "losses.csv").open("a") as file:
        file.write("6,24,0.")  # the process was killed while it wrote
    logged(tmp_path, 3, LOSSES, first=4, last=6)
    assert read_rows(tmp_path / "losses.csv") == rows(1, 6)
    assert read_rows(tmp_path / "validation.csv") == rows(1, 3)
    logged(tmp_path, 0, LOSSES, first=1, last=1)
    assert read_rows(tmp_path / "losses.csv") == rows(1, 1)


def test_floats_are_written_with_all_their_digits(tmp_path: Path) -> None:
    logged(tmp_path, 0, LOSSES, first=1, last=1)
    assert (tmp_path / "losses.csv").read_text() == f"step,samples,path\n1,4,{1 / 3!r}\n"


@pytest.mark.parametrize("left", [2, 0])
def test_rows_that_are_missing_before_the_checkpoint_are_named(tmp_path: Path, left: int) -> None:
    logged(tmp_path, 0, LOSSES, first=1, last=left)
    with pytest.raises(InvalidInputError, match=rf"losses\.csv ends at step {left}, the checkpoint is of step 3"):
        CsvLogger(tmp_path, 3)


def test_rows_of_other_columns_are_refused(tmp_path: Path) -> None:
    logged(tmp_path, 0, LOSSES, first=1, last=1)
    logger = CsvLogger(tmp_path, 1)
    with pytest.raises(SimlingoError, match="has the columns"):
        logger.log(LOSSES, {"step": 2, "samples": 8, "text": 1.0})
    logger.close()


def test_a_file_without_a_whole_line_begins_anew(tmp_path: Path) -> None:
    (tmp_path / "losses.csv").write_text("step,sam")
    logged(tmp_path, 0, LOSSES, first=1, last=2)
    assert read_rows(tmp_path / "losses.csv") == rows(1, 2)


def test_tensorboard_shows_every_tenth_update_and_every_validation(tmp_path: Path) -> None:
    pytest.importorskip("tensorboardX", reason="tensorboardX is not installed; ./simlingo test installs it")
    config = tiny_config(loggers={"tensorboard": True, "every_steps": 10})
    for logger in open_loggers(tmp_path, config, 0):
        for row in rows(1, 25):
            logger.log(LOSSES, row)
        logger.log(VALIDATION, rows(25, 25)[0])
        logger.flush()
        logger.close()
    (file,) = (tmp_path / "tensorboard").iterdir()
    assert tags(file) == [("losses/path", 10), ("losses/path", 20), ("validation/path", 25)]


def tags(file: Path) -> list[tuple[str, int]]:
    """Names and steps of the curves' points in an event file."""
    from tensorboardX.event_file_reader import EventFileReader  # type: ignore[import-not-found,unused-ignore]

    return [(value.tag, event.step) for event in EventFileReader(str(file)) for value in event.summary.value]


def test_a_logger_of_every_few_rows_passes_the_others_on(tmp_path: Path) -> None:
    inner = CsvLogger(tmp_path, 0)
    logger = EveryFewSteps(inner, 2)
    for row in rows(1, 5):
        logger.log(LOSSES, row)
        logger.log(VALIDATION, row)
    logger.flush()
    logger.close()
    assert [row["step"] for row in read_rows(tmp_path / "losses.csv")] == [2, 4]
    assert [row["step"] for row in read_rows(tmp_path / "validation.csv")] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(("package", "key"), [("wandb", "wandb"), ("tensorboardX", "tensorboard")])
def test_a_logger_that_is_not_installed_is_named_with_its_cure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, package: str, key: str
) -> None:
    import training.trainer.loggers as loggers

    find = loggers.find_spec
    monkeypatch.setattr(loggers, "find_spec", lambda name: None if name == package else find(name))
    config = tiny_config(loggers={key: True})
    with pytest.raises(InvalidInputError, match=rf"the package {package} is not there.*--set loggers\.{key}=false"):
        open_loggers(tmp_path, config, 0)
