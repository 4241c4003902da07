"""A training process that is killed goes on bit for bit; logs hold every update once."""

from __future__ import annotations

import os
import signal
import struct
import subprocess
import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed; ./simlingo test installs it")

from trainer_cases import tiny_config, tiny_run  # noqa: E402

from simlingo.contracts import InvalidInputError, SimlingoError  # noqa: E402
from training.trainer.checkpoint import RunProgress  # noqa: E402
from training.trainer.csv_log import LOSSES, VALIDATION, CsvLogger, read_rows  # noqa: E402
from training.trainer.loggers import EveryFewSteps, open_loggers  # noqa: E402

#: Trains to the end; with more arguments it writes a checkpoint after one update and is killed after another.
SCRIPT = """
import sys
from pathlib import Path
from test_trainer_resume import killable
folder, *stops = sys.argv[1:]
killable(Path(folder), *map(int, stops))
"""


def killable(folder: Path, checkpoint: int = 0, kill: int = 0) -> None:
    """Train 12 updates on two threads; a checkpoint after one of them, the end by a signal after another."""
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    config = tiny_config(data={"workers": 1}, average={"decay": 0.9})
    trainer, budget = tiny_run(folder, config, samples=48)

    def report(progress: RunProgress) -> None:
        if progress.step == checkpoint:
            trainer.save()
        if progress.step == kill:
            os.kill(os.getpid(), signal.SIGKILL)

    trainer.run(budget, report)
    torch.set_num_threads(threads)


def start(*arguments: object) -> int:
    """Run the script in a process of its own; its exit status."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path])}
    command = [sys.executable, "-c", SCRIPT, *map(str, arguments)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode in (0, -signal.SIGKILL), done.stderr
    return done.returncode


@pytest.mark.timeout(900)
@pytest.mark.medium
def test_a_killed_run_goes_on_with_the_same_losses_bit_for_bit(tmp_path: Path) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    killable(whole)
    assert start(killed, 0, 2) == -signal.SIGKILL, "before its first checkpoint"
    assert not (killed / "state.pt").exists()
    assert [row["step"] for row in read_rows(killed / "losses.csv")] == [1, 2], "rows outlive the process"
    assert start(killed, 4, 7) == -signal.SIGKILL
    assert [row["step"] for row in read_rows(killed / "losses.csv")] == list(range(1, 8))
    assert start(killed) == 0
    rows = read_rows(whole / "losses.csv")
    assert [row["step"] for row in rows] == list(range(1, 13))
    assert len({row["path"] for row in rows}) == 12
    assert (killed / "losses.csv").read_bytes() == (whole / "losses.csv").read_bytes()
    assert [row["step"] for row in read_rows(killed / "validation.csv")] == [4, 12]
    assert read_rows(killed / "validation.csv")[-1] == read_rows(whole / "validation.csv")[-1]
    weights = [(folder / "model.safetensors").read_bytes() for folder in (whole, killed)]
    assert weights[0] == weights[1]


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
    """Names and steps of the curves' points in an event file: records of length, checksum, event, checksum."""
    from tensorboardX.proto.event_pb2 import Event

    found, data = [], file.read_bytes()
    while data:
        (length,) = struct.unpack("<Q", data[:8])
        event = Event.FromString(data[12 : 12 + length])
        found += [(value.tag, event.step) for value in event.summary.value]
        data = data[16 + length :]
    return found


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
