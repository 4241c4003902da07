"""``./simlingo say`` and ``ask`` as a person calls them, beside a running stack."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from simlingo_msgs.msg import Score
from stack_harness import START_S, geometric, running

from simlingo_node.running import Running, announced
from simlingo_node.stack import StackOptions, stack

Command = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def command(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Command]:
    """Calls the command line while a stack drives that it can find, and none other."""
    folder = tmp_path_factory.mktemp("notes")
    with (
        pytest.MonkeyPatch.context() as patch,
        running(
            geometric(stack(StackOptions(page_port=None, traffic="none", lockstep=True))),
            tmp_path_factory.mktemp("stack"),
        ) as (network, _),
    ):
        scores = network.listen(Score, "/simlingo/score")
        network.until(lambda: scores, START_S, "a stack that drives")
        patch.setenv("TMPDIR", str(folder))
        patch.setattr("tempfile.tempdir", str(folder))
        with announced(Running(network.domain.number, "gridtown, route 0, seed 0")):
            yield call


def call(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """One call of the command line."""
    return subprocess.run(
        [sys.executable, "-m", "simlingo_cli", *words],
        env={name: value for name, value in os.environ.items() if name != "ROS_DOMAIN_ID"} | environment,
        capture_output=True,
        text=True,
        timeout=120.0,
        check=False,
    )


def test_words_that_the_driver_cannot_read_are_told_step_by_step(command: Command) -> None:
    done = command("say", "hello there")
    lines = done.stdout.splitlines()
    assert lines[0] == "accepted"
    assert re.match(r"not understood: .+", lines[1])
    assert (len(lines), done.returncode, done.stderr) == (2, 1, "")


def test_a_turn_is_accepted_and_taken_back(command: Command) -> None:
    done = command("say", "--no-wait", "follow", "the", "road")
    assert (done.stdout, done.returncode) == ("accepted\n", 0)
    done = command("say", "--clear")
    assert (done.stdout.splitlines()[-1], done.returncode) == ("cleared", 0)


def test_what_is_impossible_says_why(command: Command) -> None:
    answers = [command("say", "--no-wait", f"turn {side} at the next junction").stdout for side in ("left", "right")]
    assert all(answer.startswith(("accepted", "impossible: ")) for answer in answers)
    command("say", "--clear")


def test_a_question_without_an_answer_says_why(command: Command) -> None:
    done = command("ask", "what do you see?")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "simlingo: no answer to 'what do you see?'\n"


@pytest.mark.parametrize("words", [("say",), ("say", "--clear", "stop"), ("ask",), ("ask", " ")])
def test_saying_nothing_is_told(words: tuple[str, ...]) -> None:
    done = call(*words)
    assert done.returncode == 1
    assert f"./simlingo {words[0]}" in done.stderr


@pytest.mark.parametrize("words", [("say", "turn left"), ("ask", "what?")])
def test_without_a_stack_it_says_how_to_start_one(words: tuple[str, ...], tmp_path: Path) -> None:
    done = call(*words, TMPDIR=str(tmp_path))
    assert done.returncode == 1
    assert "no stack runs here; start one with ./simlingo drive" in done.stderr
