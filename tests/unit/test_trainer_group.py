"""Several processes that train one network: what they learn, and how they end together."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed; ./simlingo test installs it")

from safetensors.numpy import load_file  # noqa: E402
from trainer_cases import train_command  # noqa: E402

from training.trainer.checkpoint import load_state  # noqa: E402
from training.trainer.csv_log import read_rows  # noqa: E402
from training.trainer.group import ALONE, Group  # noqa: E402

pytestmark = pytest.mark.medium

HERE = Path(__file__).parent
TWO = ("--processes", "2")
#: Longer than any of these runs.
MANY = ("--samples", "400000")


def command(folder: Path, *options: str) -> list[str]:
    return [str(HERE / "train_tiny.py"), str(folder), "--threads", "1", *options]


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(HERE), *(path for path in sys.path if path)])}


def train(folder: Path, *options: str, launcher: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, *launcher, *command(folder, *options)]
    return subprocess.run(words, env=environment(), capture_output=True, text=True, timeout=240, check=False)


@pytest.fixture
def running(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A run of two processes that has made its first updates."""
    words = [sys.executable, *command(tmp_path, *TWO, *MANY)]
    process = subprocess.Popen(
        words, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    rows, give_up = tmp_path / "run/losses.csv", time.monotonic() + 120.0
    while not (rows.is_file() and len(rows.read_text().splitlines()) > 3):
        assert process.poll() is None, process.stderr and process.stderr.read()
        assert time.monotonic() < give_up
        time.sleep(0.1)
    yield process
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def other_of(process: subprocess.Popen[str]) -> int:
    """The process that it started."""
    (child,) = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    return int(child)


def test_a_share_is_every_so_manieth_thing() -> None:
    assert [Group(rank, 3).share(7).tolist() for rank in range(3)] == [[0, 3, 6], [1, 4], [2, 5]]
    assert ALONE.share(2).tolist() == [0, 1]


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of one process, whole."""
    folder = tmp_path_factory.mktemp("alone")
    done = train(folder, "--samples", "48")
    assert done.returncode == 0, done.stderr
    return folder / "run"


def test_two_processes_learn_what_one_learns(tmp_path: Path, alone: Path) -> None:
    """Losses within rounding, in training and in validation; started here, or by torchrun."""
    torchrun = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")
    runs = {"one": alone, "two": tmp_path / "two/run", "torchrun": tmp_path / "torchrun/run"}
    for name, options, launcher in (("two", TWO, ()), ("torchrun", (), torchrun)):
        done = train(tmp_path / name, "--samples", "48", *options, launcher=launcher)
        assert done.returncode == 0, done.stderr
    found = {
        name: {file: read_rows(run / f"{file}.csv") for file in ("losses", "validation")} for name, run in runs.items()
    }
    assert len(found["one"]["losses"]) == 12
    for name in ("two", "torchrun"):
        for file, rows in found["one"].items():
            assert len(found[name][file]) == len(rows), "only one of the processes writes"
            for one, many in zip(rows, found[name][file], strict=True):
                assert many == pytest.approx(one, rel=2e-5, abs=1e-6)
    one, two = (load_file(runs[name] / "model.safetensors") for name in ("one", "two"))
    assert max(float(np.abs(one[name].astype(float) - two[name].astype(float)).max()) for name in one) < 2e-3


def test_a_run_of_two_goes_on_with_one(tmp_path: Path, alone: Path) -> None:
    """A checkpoint is the run's, not that of a number of processes."""
    begun = tmp_path / "parts"
    process = subprocess.Popen(
        [sys.executable, *command(begun, *TWO, *MANY)], env=environment(), stdout=subprocess.DEVNULL
    )
    rows = begun / "run/losses.csv"
    while not (rows.is_file() and len(rows.read_text().splitlines()) > 6):
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 130
    stored = load_state(begun / "run")
    assert stored is not None
    step = stored[1].step
    assert step >= 6
    going = subprocess.Popen([sys.executable, *command(begun, *MANY)], env=environment(), stdout=subprocess.DEVNULL)
    while len(rows.read_text().splitlines()) < step + 4:
        assert going.poll() is None
        time.sleep(0.05)
    going.send_signal(signal.SIGINT)
    assert going.wait(60) == 130
    told, whole = read_rows(rows), read_rows(alone / "losses.csv")
    assert [row["step"] for row in told] == list(range(1, len(told) + 1))
    # The rates follow the budget, so only the first losses are those of the other run.
    assert told[0] == pytest.approx({**whole[0], "rate": told[0]["rate"]}, rel=2e-5, abs=1e-6)


def test_a_process_that_dies_ends_the_run_with_its_reason(running: subprocess.Popen[str]) -> None:
    os.kill(other_of(running), signal.SIGKILL)
    _, said = running.communicate(timeout=60)
    assert running.returncode == 1
    assert "process 1 of 2 was ended by signal 9; the same command goes on from the last checkpoint" in said
    assert "Traceback" not in said


def test_the_others_end_with_the_main_process(running: subprocess.Popen[str]) -> None:
    other = other_of(running)
    running.kill()
    running.wait(10)
    give_up = time.monotonic() + 60.0
    while Path(f"/proc/{other}").exists() and "Z" not in Path(f"/proc/{other}/stat").read_text().split()[2]:
        assert time.monotonic() < give_up
        time.sleep(0.1)


@pytest.mark.parametrize(
    ("options", "group", "words"),
    [
        (("--processes", "3", "--samples", "8"), {}, "3 processes cannot share a batch of 2 frames; set sampler.batch"),
        (("--processes", "2", "--minutes", "1"), {}, "name --samples instead of minutes"),
        (("--processes", "2"), {"RANK": "0", "WORLD_SIZE": "4"}, "--processes 2 in a group of 4; leave it out under torchrun"),
    ],
)  # fmt: skip
def test_what_a_group_cannot_do_is_said(
    tmp_path: Path,
    options: tuple[str, ...],
    group: dict[str, str],
    words: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, value in group.items():
        monkeypatch.setenv(name, value)
    assert train_command(tmp_path, "tiny-command", lambda folder: 0.0)("--threads", "1", *options) == 1
    assert words in capsys.readouterr().err
