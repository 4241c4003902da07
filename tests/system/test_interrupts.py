"""Ctrl-C while collecting and training: real processes end with a message, and leave whole files or none."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from dataset_cases import write_dataset

from training.datasets.files import verify

STARTING_S = 120.0


class Command:
    """``./simlingo`` with ``arguments``, in a process group of its own as a terminal gives it."""

    def __init__(self, log: Path, *arguments: str) -> None:
        code = "import sys; from simlingo_cli.main import main; sys.exit(main(sys.argv[1:]))"
        self._log = log
        with log.open("w") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-c", code, *arguments],
                stdout=out, stderr=subprocess.STDOUT, start_new_session=True,
                env=os.environ | {"PYTHONUNBUFFERED": "1"},
            )  # fmt: skip

    @property
    def said(self) -> str:
        """All output so far."""
        return self._log.read_text(errors="replace")

    def _alone(self, within_s: float) -> bool:
        """Whether nobody of the group is left (the helper processes of Python end a moment after it)."""
        end = time.monotonic() + within_s
        while time.monotonic() < end:
            try:
                os.killpg(self.process.pid, 0)
            except ProcessLookupError:
                return True
            time.sleep(0.1)
        return False

    def interrupt(self, when: Callable[[], bool]) -> str:
        """Press Ctrl-C once ``when()`` holds; what was said up to the end."""
        end = time.monotonic() + STARTING_S
        try:
            while not when():
                assert self.process.poll() is None, self.said
                assert time.monotonic() < end, self.said
                time.sleep(0.1)
            os.killpg(self.process.pid, signal.SIGINT)
            self.process.wait(timeout=60.0)
        finally:
            if self.process.poll() is None:
                os.killpg(self.process.pid, signal.SIGKILL)
        assert self._alone(within_s=5.0), "processes are left"
        assert self.process.returncode == 130, self.said
        assert "Traceback" not in self.said
        return self.said


def test_a_collection_leaves_finished_routes_only(tmp_path: Path) -> None:
    out = tmp_path / "data"
    options = ("collect", "--out", str(out), "--routes", "3", "--workers", "1", "--towns", "gridtown")

    def drives() -> bool:
        if not (out / "dataset.json").is_file():
            return False
        time.sleep(15.0)  # the worker is on its first route, or still loading its town
        return True

    said = Command(tmp_path / "log", *options).interrupt(drives)
    assert "the same command goes on after the last finished route" in said
    left = [path for path in out.rglob("*") if path.is_file() and path.suffix not in (".json", ".xodr", ".parquet")]
    assert left == []
    for file in out.glob("routes/*.parquet"):
        verify(file)


def test_training_ends_with_a_checkpoint_and_goes_on_from_it(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="torch is not installed; ./simlingo test installs it")
    data, run = tmp_path / "data", tmp_path / "run"
    write_dataset(data, {"first": 12, "second": 12})
    options = (
        "train",
        "--data",
        str(data),
        "--run",
        str(run),
        "--set",
        "sampler.batch_frames=2",
        "mixture.instructions=0",  # the data has no log of the world
        "mixture.question=0",
        "--samples",
        "1000000",
        "--threads",
        "1",
    )
    first = Command(tmp_path / "first", *options)

    def trains(command: Command) -> bool:
        time.sleep(2.0)  # a step takes a fraction of a second
        return "frames to train on" in command.said

    said = first.interrupt(lambda: trains(first))
    assert "the same command goes on from the last checkpoint" in said
    assert {"state.pt", "model.safetensors", "config.json"} <= {file.name for file in run.iterdir()}
    assert list(run.glob("*.tmp")) == []
    second = Command(tmp_path / "second", *options)
    assert "going on at step" in second.interrupt(lambda: trains(second))
