"""The set-up as a whole, with stand-ins for the programs that take long: what runs, what is skipped, what an end in between leaves."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from simlingo_bootstrap import setup as steps_module
from simlingo_bootstrap.errors import SetupError
from simlingo_bootstrap.layout import Layout
from simlingo_bootstrap.runner import Job, Progress, tail_lines
from simlingo_bootstrap.setup import Setup
from simlingo_bootstrap.state import State, hash_files, only_one

ROOT = Path(__file__).resolve().parents[2]
STEPS = ["venv", "installer", "ros", "interfaces", "sources", "drive"]


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    """A checkout that has what the set-up reads, and a place for its environment."""
    root = tmp_path / "checkout"
    for folder in ("requirements", "bootstrap/cmake", "ros2_ws/src/simlingo_msgs", "ros2_ws/underlay"):
        shutil.copytree(ROOT / folder, root / folder)
    return Layout(root=root, env=tmp_path / "env")


@pytest.fixture
def calls(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Stand-ins for pip, uv and colcon that note what they were asked for."""
    done: list[str] = []

    def install(_: Layout, files: Sequence[str], *, again: bool) -> list[list[str]]:
        done.append(f"{files[0]}{' again' if again else ''}")
        return [["true"]]

    def build(*_: object) -> list[str]:
        done.append("build")
        return ["true"]

    def make_venv(self: Setup) -> Job:
        done.append("venv")
        self._state.begin("venv")
        layout.python.parent.mkdir(parents=True, exist_ok=True)
        layout.python.symlink_to(sys.executable)
        layout.site_packages.mkdir(parents=True, exist_ok=True)
        return Job("venv", [["true"]], {}, layout.own / "log/venv.log", "")

    monkeypatch.setattr(steps_module, "install_attempts", install)
    monkeypatch.setattr(
        steps_module, "torch_attempts", lambda layout, again, gpu: install(layout, ["torch.txt"], again=again)
    )
    monkeypatch.setattr(steps_module, "build_command", build)
    monkeypatch.setattr(steps_module, "with_pip_settings", lambda layout, env: dict(env))
    monkeypatch.setattr(steps_module.signal, "signal", lambda *_: None)
    monkeypatch.setattr(Setup, "_make_venv", make_venv)
    return done


def new(layout: Layout) -> Setup:
    """A set-up as a fresh process has it."""
    return Setup(layout, None, {"PATH": os.environ["PATH"]})


def test_a_fresh_environment_is_made_once(layout: Layout, calls: list[str]) -> None:
    assert new(layout).missing([]) == STEPS
    new(layout).ensure([])
    assert calls == ["venv", "bootstrap.txt", "ros-jazzy.txt", "build", "drive.txt"]
    assert new(layout).missing([]) == []
    new(layout).ensure([])
    assert len(calls) == 5


def test_source_trees_are_on_the_module_path(layout: Layout, calls: list[str]) -> None:
    new(layout).ensure([])
    lines = (layout.site_packages / "simlingo_source_trees.pth").read_text().splitlines()
    assert lines[0] == str(layout.root)
    assert str(layout.root / "ros2_ws/src/simlingo_node") in lines


def test_groups_are_added_on_demand(layout: Layout, calls: list[str]) -> None:
    new(layout).ensure([])
    calls.clear()
    new(layout).ensure(["dev", "train"])
    assert calls == ["torch.txt", "train.txt", "data.txt", "plots.txt", "words.txt", "dev.txt"]


def test_a_changed_message_rebuilds_the_messages_only(layout: Layout, calls: list[str]) -> None:
    new(layout).ensure([])
    calls.clear()
    message = layout.root / "ros2_ws/src/simlingo_msgs/msg/Score.msg"
    message.write_text(message.read_text() + "float32 more  # m\n")
    assert new(layout).missing([]) == ["interfaces"]
    new(layout).ensure([])
    assert calls == ["build"]


def test_changed_requirements_are_installed(layout: Layout, calls: list[str]) -> None:
    new(layout).ensure([])
    drive = layout.requirements / "drive.txt"
    drive.write_text(drive.read_text() + "another==1\n")
    assert new(layout).missing([]) == ["drive"]


def test_a_deleted_interpreter_means_everything_again(layout: Layout, calls: list[str]) -> None:
    new(layout).ensure([])
    layout.python.unlink()
    assert new(layout).missing([]) == STEPS


def test_a_failed_step_is_repeated_thoroughly_and_the_finished_ones_are_kept(
    layout: Layout, calls: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(steps_module, "build_command", lambda *_: ["sh", "-c", "echo the reason; exit 3"])
        with pytest.raises(SetupError, match="the reason") as caught:
            new(layout).ensure([])
    assert "exit status 3" in caught.value.cause
    missing = new(layout).missing([])
    assert missing[0] == "interfaces"
    assert set(missing) <= {"interfaces", "drive"}
    calls.clear()
    new(layout).ensure([])
    assert "build" in calls


def test_nothing_is_reinstalled_under_a_running_build(layout: Layout, calls: list[str]) -> None:
    """An interrupted "drive" writes numpy anew, which the messages are compiled against: one after the other then."""
    new(layout).ensure([])
    state = State(layout)
    state.begin("drive")
    state.begin("interfaces")
    assert new(layout)._stages(["interfaces", "drive"]) == [
        ("packages to drive", ["drive"]),
        ("message packages", ["interfaces"]),
    ]
    calls.clear()
    new(layout).ensure([])
    assert calls == ["drive.txt again", "build"]


def test_a_step_counts_when_its_own_program_is_done(
    layout: Layout, calls: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(steps_module, "build_command", lambda *_: ["sh", "-c", "sleep 1; exit 3"])
        with pytest.raises(SetupError):
            new(layout).ensure([])
    assert new(layout).missing([]) == ["interfaces"]


def test_a_foreign_folder_is_never_cleared(layout: Layout, calls: list[str]) -> None:
    layout.env.mkdir()
    (layout.env / "thesis.txt").write_text("years of work")
    with pytest.raises(SetupError, match="not made by") as caught:
        new(layout).ensure([])
    assert "SIMLINGO_ENV" in caught.value.cure
    assert (layout.env / "thesis.txt").read_text() == "years of work"
    assert calls == []


def test_an_environment_that_cannot_be_written_names_the_cure(layout: Layout, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SetupError, match="cannot be written"):
        new(Layout(root=layout.root, env=tmp_path / "file/env")).ensure([])


def test_an_interrupted_venv_starts_clean(layout: Layout) -> None:
    """The real step: leftovers of an earlier one go, the set-up's own folder stays."""
    layout.own.mkdir(parents=True)
    (layout.env / "lib/half-written").mkdir(parents=True)
    (layout.env / "pyvenv.cfg").write_text("half")
    job = new(layout)._make_venv()
    assert sorted(entry.name for entry in layout.env.iterdir()) == [".simlingo"]
    assert job.attempts[0][1:] == ["-m", "venv", str(layout.env)]


def test_damaged_state_counts_as_nothing_done(layout: Layout, calls: list[str]) -> None:
    new(layout).ensure([])
    (layout.own / "state.json").write_text('{"done": ["half')
    assert new(layout).missing([]) == STEPS


# --- state, lock, programs


def test_state_survives_the_process(layout: Layout) -> None:
    state = State(layout)
    state.begin("ros")
    assert State(layout).was_interrupted("ros")
    state.finish("ros", "abc")
    assert State(layout).is_done("ros", "abc")
    assert not State(layout).is_done("ros", "abd")
    assert json.loads((layout.own / "state.json").read_text()) == {"done": {"ros": "abc"}, "begun": []}


def test_the_hash_sees_names_contents_and_words(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text("one")
    first = hash_files([file], "x")
    assert hash_files([file], "x") == first
    assert hash_files([file], "y") != first
    file.write_text("two")
    assert hash_files([file], "x") != first


@pytest.mark.medium
def test_a_second_set_up_waits_even_for_what_a_killed_one_left(layout: Layout) -> None:
    """The lock goes to the programs that a set-up starts: after kill -9 of the set-up it is held until they end."""
    script = f"""
import sys; sys.path.insert(0, {str(ROOT / "bootstrap")!r})
from pathlib import Path
from simlingo_bootstrap.layout import Layout
from simlingo_bootstrap.runner import Job, Progress
from simlingo_bootstrap.state import only_one
layout = Layout(Path({str(layout.root)!r}), Path({str(layout.env)!r}))
with only_one(layout, print) as lock:
    Progress(1, lock).run("sleep", [Job("sleep", [["sleep", "2"]], {{"PATH": {os.environ["PATH"]!r}}}, layout.own / "log/s.log", "")])
"""
    first = subprocess.Popen([sys.executable, "-S", "-c", script], stderr=subprocess.PIPE)
    assert first.stderr is not None
    first.stderr.readline()
    time.sleep(0.5)
    first.kill()
    first.wait()
    waited_for: list[str] = []
    with only_one(layout, waited_for.append):
        assert waited_for == [str(first.pid)]


def job(tmp_path: Path, *attempts: str) -> Job:
    """A job of shell commands."""
    env = {"PATH": os.environ["PATH"]}
    return Job("work", [["sh", "-c", attempt] for attempt in attempts], env, tmp_path / "log/work.log", "do this")


def test_the_next_attempt_follows_a_failed_one(tmp_path: Path) -> None:
    Progress(1).run("title", [job(tmp_path, "echo first; exit 1", "echo second")])
    assert tail_lines(tmp_path / "log/work.log", 2)[-1] == "second"


def test_a_program_that_is_not_there_is_named(tmp_path: Path) -> None:
    missing = Job("messages", [["/no/such/colcon"]], {}, tmp_path / "log", "install it")
    with pytest.raises(SetupError, match="/no/such/colcon cannot be started"):
        Progress(1).run("title", [missing])


@pytest.mark.medium
def test_when_one_of_two_fails_the_other_is_ended(tmp_path: Path) -> None:
    marker = tmp_path / "late"
    slow = Job(
        "slow", [["sh", "-c", f"sleep 3; touch {marker}"]], {"PATH": os.environ["PATH"]}, tmp_path / "slow.log", ""
    )
    began = time.monotonic()
    with pytest.raises(SetupError) as caught:
        Progress(1).run("both", [slow, job(tmp_path, "exit 7")])
    assert caught.value.cure == "do this"
    time.sleep(max(0.0, 3.3 - (time.monotonic() - began)))
    assert not marker.exists()


@pytest.mark.medium
def test_ctrl_c_ends_the_programs_too(tmp_path: Path) -> None:
    marker = tmp_path / "late"
    script = f"""
import sys; sys.path.insert(0, {str(ROOT / "bootstrap")!r})
from pathlib import Path
from simlingo_bootstrap.runner import Job, Progress
Progress(1).run("s", [Job("s", [["sh", "-c", "sleep 2; touch {marker}"]], {{"PATH": {os.environ["PATH"]!r}}}, Path({str(tmp_path / "l")!r}), "")])
"""
    process = subprocess.Popen([sys.executable, "-S", "-c", script], stderr=subprocess.PIPE)
    assert process.stderr is not None
    process.stderr.readline()
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=5) != 0
    time.sleep(2.0)
    assert not marker.exists()


def test_the_tail_of_a_log_is_readable(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_bytes(b"one\n\x1b[2Ktwo\r\x1b[1mthree\x1b[0m\n\n")
    assert tail_lines(log, 2) == ["two", "three"]
    assert tail_lines(tmp_path / "none", 2) == []


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_the_real_set_up_survives_a_kill_in_every_step(tmp_path: Path) -> None:
    """kill -9 in the middle of each step, then to the end; the messages can be imported."""
    env = {"PATH": "/usr/bin:/bin", "HOME": os.environ["HOME"], "SIMLINGO_ENV": str(tmp_path / "env")}
    env["SIMLINGO_PYTHON"] = os.path.realpath(sys.executable)
    for sign in ("Python environment", "ROS 2 Jazzy ...", "packages to drive ..."):
        process = subprocess.Popen([str(ROOT / "simlingo"), "setup"], env=env, stderr=subprocess.PIPE, text=True)
        assert process.stderr is not None
        assert any(sign in line for line in process.stderr)
        time.sleep(2.0)
        process.kill()
        process.wait()
    subprocess.run([str(ROOT / "simlingo"), "setup"], env=env, check=True)
    python = str(tmp_path / "env/bin/python")
    subprocess.run(
        [python, "-c", "import rclpy, simlingo_msgs.srv, carla_msgs.srv, simlingo_node"], env=env, check=True
    )
