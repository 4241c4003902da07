"""Ctrl-C and its kin in the middle of a stage end in good order, and the same call goes on; the module finds its sources."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from recipe_cases import ran, road, write_recipe

from training.recipe.record import read_record

CASES = Path(__file__).with_name("recipe_cases.py")
WAITS = "time.sleep(600)"


class Command:
    """The recipe command with the stages of the tests."""

    def __init__(self, folder: Path, does: str) -> None:
        self.run = folder / "run"
        file = write_recipe(folder / "test.yaml", road(river={"does": does}))
        self.process = subprocess.Popen(
            [sys.executable, str(CASES), "run", str(file), "--run", str(self.run)],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
        )  # fmt: skip

    def wait_for(self, stage: str, times: int = 1) -> None:
        """Until the stage's command is at work, for the so-many-th time."""
        end = time.monotonic() + 60.0
        while time.monotonic() < end and self.process.poll() is None:
            if any(log.read_text().count("working on") >= times for log in self.run.glob(f"{stage}-*/log.txt")):
                return
            time.sleep(0.05)
        self.process.kill()
        raise AssertionError(self.process.communicate()[0])

    def end(self) -> str:
        """What it said, once it has ended."""
        try:
            return self.process.communicate(timeout=60.0)[0]
        finally:
            self.process.kill()


@pytest.mark.medium
def test_an_interrupted_stage_ends_in_good_order_and_goes_on(tmp_path: Path) -> None:
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    for count, number in enumerate(numbers, 1):
        command = Command(tmp_path, WAITS)
        command.wait_for("river", count)
        command.process.send_signal(number)
        said = command.end()
        assert command.process.returncode == 130, said
        assert "stopped in good order" in said
        assert "recipe run: stopped; the same command goes on from here" in said
        assert "Traceback" not in said
    last = Command(tmp_path, "pass")
    assert "whole: sea in" in last.end()
    assert last.process.returncode == 0
    assert ran(tmp_path / "run") == ["spring", *["river"] * 4, "rain", "sea"]
    (river,) = (tmp_path / "run").glob("river-*")
    record = read_record(river)
    assert record is not None
    assert len(record.starts) == 4
    assert all("seconds" in start for start in record.starts)


@pytest.mark.medium
def test_a_second_ctrl_c_ends_a_command_that_hears_none(tmp_path: Path) -> None:
    command = Command(tmp_path, "import signal; signal.signal(2, signal.SIG_IGN); print('deaf'); time.sleep(600)")
    command.wait_for("river")
    end = time.monotonic() + 30.0
    while not any("deaf" in log.read_text() for log in command.run.glob("river-*/log.txt")):
        assert time.monotonic() < end
        time.sleep(0.05)
    command.process.send_signal(signal.SIGINT)
    time.sleep(1.0)
    assert command.process.poll() is None
    command.process.send_signal(signal.SIGINT)
    command.end()
    assert command.process.returncode == 130


@pytest.mark.medium
def test_a_killed_run_goes_on_once_its_command_has_ended(tmp_path: Path) -> None:
    file = tmp_path / "go"
    first = Command(
        tmp_path,
        f"print(__import__('os').getpid(), flush=True)\nwhile not pathlib.Path({str(file)!r}).exists(): time.sleep(0.1)",
    )
    first.wait_for("river")
    first.process.send_signal(signal.SIGKILL)
    first.process.wait()
    (log,) = (tmp_path / "run").glob("river-*/log.txt")
    second = Command(tmp_path, "pass")
    assert "at work in" in second.end(), "its command is left over and holds the folder"
    file.touch()
    pid = int(log.read_text().split()[-1])
    end = time.monotonic() + 30.0
    while time.monotonic() < end:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            break
        time.sleep(0.1)
    third = Command(tmp_path, "pass")
    assert "whole: sea in" in third.end()


@pytest.mark.medium
def test_the_module_imports_its_own_sources_whatever_else_is_installed(tmp_path: Path) -> None:
    (tmp_path / "simlingo").mkdir()
    (tmp_path / "simlingo/__init__.py").write_text("raise SystemExit('another installation')")
    root = Path(__file__).resolve().parents[2]
    command = [sys.executable, "-m", "training.recipe", "show", "mini", "--run", str(tmp_path / "run")]
    done = subprocess.run(
        command, cwd=root, env=os.environ | {"PYTHONPATH": str(tmp_path)}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "together about" in done.stdout
