"""The command line: which command is what, and what happens to errors."""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from simlingo.contracts import InvalidInputError
from simlingo_bootstrap.layout import SOURCE_TREES
from simlingo_cli import commands, main, test

ROOT = Path(__file__).parents[2]


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A command 'fake' whose module the test fills."""
    module = ModuleType("fake_command", "Says what it is for.")
    module.add_arguments = lambda parser: parser.add_argument("--number", type=int, default=0)  # type: ignore[attr-defined]
    module.run = lambda args: args.number  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "fake_command", module)
    monkeypatch.setitem(
        commands.COMMANDS, ("fake",), commands.Command("fake_command", "is a fake", ("fake --number 3",))
    )
    return module


def test_the_exit_status_is_the_commands(fake: ModuleType) -> None:
    assert main.main(["fake", "--number", "3"]) == 3


def test_help_has_description_and_examples(fake: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main.main(["fake", "--help"])
    assert caught.value.code == 0
    text = capsys.readouterr().out
    assert "Says what it is for." in text
    assert "examples:\n  ./simlingo fake --number 3" in text


def test_errors_on_purpose_are_one_sentence_and_others_keep_their_traceback(
    fake: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(_: argparse.Namespace) -> int:
        raise InvalidInputError("no town 'atlantis'; towns: gridtown")

    def break_down(_: argparse.Namespace) -> int:
        raise ZeroDivisionError

    fake.run = refuse  # type: ignore[attr-defined]
    assert main.main(["fake"]) == 1
    assert capsys.readouterr().err == "simlingo: no town 'atlantis'; towns: gridtown\n"
    fake.run = break_down  # type: ignore[attr-defined]
    with pytest.raises(ZeroDivisionError):
        main.main(["fake"])


def test_ctrl_c_is_no_traceback(fake: ModuleType) -> None:
    def interrupt(_: argparse.Namespace) -> int:
        raise KeyboardInterrupt

    fake.run = interrupt  # type: ignore[attr-defined]
    assert main.main(["fake"]) == 130


@pytest.mark.parametrize(
    ("wrong", "right"), [("driv", "drive"), ("tets", "test"), ("docter", "doctor"), ("trian", "train")]
)
def test_an_unknown_command_names_the_nearest(wrong: str, right: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main([wrong]) == 2
    assert f"Did you mean: ./simlingo {right}" in capsys.readouterr().err


def test_bench_lists_what_can_be_measured(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["bench"]) == 2
    assert main.main(["bench", "--help"]) == 0
    text = capsys.readouterr()
    for what in ("drive", "render", "planner", "model"):
        assert f"bench {what}" in text.out
        assert f"bench {what}" in text.err


@pytest.mark.parametrize("words", sorted(commands.COMMANDS), ids=" ".join)
def test_every_command_has_a_parser_with_examples(words: tuple[str, ...]) -> None:
    parser, module = main.build_parser(words, commands.COMMANDS[words])
    assert callable(module.run)
    assert parser.description
    assert f"./simlingo {' '.join(words)}" in (parser.epilog or "")
    assert parser.format_help()


def test_the_overview_names_every_command() -> None:
    text = main.overview()
    for words in commands.COMMANDS | commands.BOOTSTRAP:
        assert f"\n  {' '.join(words)} " in text


def test_pytest_gets_the_other_arguments() -> None:
    own, passed = test.split_arguments(["--slow", "--only", "tests", "-k", "route", "tests/unit", "--durations=5"])
    assert own == ["--slow", "--only", "tests"]
    assert passed == ["-k", "route", "tests/unit", "--durations=5"]
    command = test.command_of("tests", slow=True, pytest_args=passed)
    assert command[1:] == ["-m", "pytest", *passed]
    assert test.command_of("tests", pytest_args=passed)[1:] == ["-m", "pytest", "-m", "not slow", *passed]


def test_without_other_arguments_the_tests_share_two_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    assert test.command_of("tests")[3:7] == ["-m", "not slow", "-n", "2"]
    monkeypatch.setattr("os.cpu_count", lambda: 1)
    assert test.command_of("tests")[3:5] == ["-m", "not slow"]
    assert "-n" not in test.command_of("tests")


def test_fast_is_the_linter_and_quick_unit_tests(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    command = test.command_of("tests", fast=True)
    assert command[3:5] == ["-m", "not slow and not medium"]
    assert command[-1] == "tests/unit"
    assert test.command_of("tests", fast=True, pytest_args=["tests/unit/test_cli.py"])[-1] == "tests/unit/test_cli.py"
    monkeypatch.setattr(test, "command_of", lambda name, **_: [sys.executable, "-c", f"print('ran {name}')"])
    assert main.main(["test", "--fast"]) == 0
    assert "types" not in capsys.readouterr().out


def test_all_behind_mutants_is_for_the_mutation_run(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main.main(["test", "--mutants", "--help"])
    assert caught.value.code == 0
    text = capsys.readouterr().out
    assert "usage: ./simlingo test --mutants" in text
    assert "examples:\n  ./simlingo test --mutants" in text
    assert main.main(["test", "--mutants", "no/such/folder"]) == 1
    assert "no folder or file no/such/folder in the repository" in capsys.readouterr().err


def test_a_failing_section_fails_the_whole_and_the_tests_still_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(test, "command_of", lambda name, **_: [sys.executable, "-c", f"exit({int(name == 'lint')})"])
    assert test.run(argparse.Namespace(slow=False, fast=False, only=None, mutants=None, pytest_args=[])) == 1
    text = capsys.readouterr().out
    assert "=== lint FAILED" in text
    assert "=== types passed" in text
    assert text.rstrip().splitlines()[-1].startswith("=== tests:")


@pytest.mark.parametrize("words", [*commands.COMMANDS, *commands.BOOTSTRAP, ("bench",)], ids=" ".join)
def test_every_command_has_help_with_examples_on_a_bare_machine(words: tuple[str, ...]) -> None:
    """Help is for deciding whether to install: it needs no package beyond the standard library."""
    path = ":".join(str(ROOT / tree) for tree in SOURCE_TREES)
    command = [sys.executable, "-S", "-s", "-m", "simlingo_cli", *words, "--help"]
    result = subprocess.run(command, env={"PYTHONPATH": path}, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert "example" in result.stdout
    assert f"./simlingo {' '.join(words)}" in result.stdout
