"""How a running stack is found."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from simlingo.contracts import SimlingoError
from simlingo_node.running import Running, announced, find_stack, running_stacks


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.delenv("ROS_DOMAIN_ID", raising=False)
    return tmp_path


def test_the_only_stack_is_found_as_long_as_it_runs(own_folder: Path) -> None:
    with announced(Running(7, "gridtown")):
        assert running_stacks() == [Running(7, "gridtown")]
        assert find_stack(None) == 7
        assert find_stack(3) == 3
    assert running_stacks() == []
    assert list(own_folder.iterdir()) == []


def test_of_several_one_must_be_named_and_the_message_lists_them() -> None:
    with (
        announced(Running(7, "gridtown")),
        announced(Running(9, "harbortown")),
        pytest.raises(SimlingoError, match=r"2 stacks run.*--domain 7: gridtown; --domain 9: harbortown"),
    ):
        find_stack(None)


def test_without_a_stack_the_shells_domain_counts_and_else_the_cure_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SimlingoError, match=r"start one with \./simlingo drive"):
        find_stack(None)
    monkeypatch.setenv("ROS_DOMAIN_ID", "12")
    assert find_stack(None) == 12


def test_the_note_of_a_killed_drive_is_no_stack(own_folder: Path) -> None:
    program = (
        "import tempfile, sys, os, signal; tempfile.tempdir = sys.argv[1]\n"
        "from simlingo_node.running import Running, announced\n"
        "with announced(Running(5, 'gone')): os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", program, str(own_folder)], check=False)
    assert len(list(own_folder.iterdir())) == 1
    assert running_stacks() == []
    assert list(own_folder.iterdir()) == []


def test_a_broken_note_is_no_stack(own_folder: Path) -> None:
    with announced(Running(5, "whole")):
        next(own_folder.glob("*-5.json")).write_text("{")
        assert running_stacks() == []
