"""Ctrl-C while collecting and training: real processes end with a message, and leave whole files or none."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from training.collect.writer import RESULTS_FILE, RouteWriter

from simlingo.model.config import MINI
from training.datasets.dense_labels import CELLS
from training.datasets.pack import LABELS

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


def route(folder: Path, frames: int = 24) -> None:
    """A finished route with a cache of the right shapes."""
    rng = np.random.default_rng(0)
    tile = MINI.image.tile
    writer = RouteWriter(folder, rgb=False)
    for number in range(frames):
        entry = {"frame": np.int32(number)}
        for suffix in ("", "_augmented"):
            labels = {name: np.zeros(shape, dtype=kind) for name, (shape, kind) in LABELS.items() if name != "weight"}
            labels |= {
                "command": np.uint8(4), "next_command": np.uint8(4),
                "target_speed": np.float32(3.0), "hazard": np.uint8(0),
                "image": rng.integers(0, 256, (tile, 2 * tile, 3), dtype=np.uint8),
                "classes": rng.integers(0, 9, (CELLS, 2 * CELLS), dtype=np.uint8),
                "depth": np.full((CELLS, 2 * CELLS), 9.0, dtype=np.float16),
            }  # fmt: skip
            entry |= {name + suffix: value for name, value in labels.items()}
        writer.add_cache(entry)
    writer.close({"frames": frames})


def test_a_collection_leaves_finished_routes_only(tmp_path: Path) -> None:
    out = tmp_path / "data"
    options = ("collect", "--out", str(out), "--routes", "3", "--no-rgb", "--workers", "1", "--towns", "gridtown")
    said = Command(tmp_path / "log", *options).interrupt(lambda: any(out.rglob("*.partial")))
    assert "the same command goes on after the last finished route" in said
    assert list(out.rglob("*.partial")) == []
    assert all((file.parent / RESULTS_FILE).is_file() for file in out.rglob("cache.npz"))


def test_training_ends_with_a_checkpoint_and_goes_on_from_it(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="torch is not installed; ./simlingo test installs it")
    data, run = tmp_path / "data", tmp_path / "run"
    for number in range(2):
        route(data / f"route{number}")
    options = (
        "train",
        "--data",
        str(data),
        "--run",
        str(run),
        "--set",
        "sampler.batch_frames=2",
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
