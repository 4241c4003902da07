"""Command lines: numbers in range and files that can be written are read, others refused with the reason."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import pytest

from simlingo.arguments import nearest, output_file, real, whole


@pytest.mark.parametrize(("text", "value"), [("1", 1), ("64", 64), (" 7 ", 7)])
def test_whole_numbers_within_the_bounds_are_read(text: str, value: int) -> None:
    assert whole(1, 64)(text) == value
    assert whole(1)(text) == value


@pytest.mark.parametrize(
    ("text", "message"),
    [("0", "from 1 to 64, not 0"), ("65", "from 1 to 64"), ("1.5", "no whole number"), ("", "no whole number")],
)
def test_other_whole_numbers_are_refused(text: str, message: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match=message):
        whole(1, 64)(text)
    with pytest.raises(argparse.ArgumentTypeError, match="0 or more, not -1"):
        whole(0)("-1")


@pytest.mark.parametrize(("text", "value"), [("0", 0.0), ("1", 1.0), ("0.25", 0.25)])
def test_real_numbers_within_the_bounds_are_read(text: str, value: float) -> None:
    assert real(0.0, 1.0)(text) == value


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("-0.1", "0 or more and at most 1, not -0.1"),
        ("1.01", "at most 1"),
        ("nan", "0 or more"),
        ("inf", "0 or more"),
        ("many", "'many' is no number"),
    ],
)
def test_other_real_numbers_are_refused(text: str, message: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match=message):
        real(0.0, 1.0)(text)


def test_a_bound_can_be_open() -> None:
    assert real(0.0, open_at_least=True)("1e-9") == 1e-9
    with pytest.raises(argparse.ArgumentTypeError, match="must be above 0, not 0"):
        real(0.0, open_at_least=True)("0")


def test_files_to_write_are_checked_before_the_work(tmp_path: Path) -> None:
    assert output_file(str(tmp_path / "new/folder/figures.json")) == tmp_path / "new/folder/figures.json"
    (tmp_path / "old.json").touch()
    assert output_file(str(tmp_path / "old.json")) == tmp_path / "old.json"
    with pytest.raises(argparse.ArgumentTypeError, match="is a folder; name a file in it"):
        output_file(str(tmp_path))
    with pytest.raises(argparse.ArgumentTypeError, match=r"old\.json is a file"):
        output_file(str(tmp_path / "old.json/figures.json"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_files_without_permission_are_refused_before_the_work(tmp_path: Path) -> None:
    (tmp_path / "locked").mkdir(mode=0o500)
    with pytest.raises(argparse.ArgumentTypeError, match="no permission"):
        output_file(str(tmp_path / "locked/figures.json"))


def test_the_nearest_name_is_hinted_at() -> None:
    assert nearest("blu", ["red", "blue"]) == "; did you mean blue?"
    assert nearest("xyz", ["red", "blue"]) == ""
