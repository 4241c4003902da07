"""Every line and every branch of what moves the car is executed by its own fast tests."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
CONTROL = Path(__file__).parents[2] / "ros2_ws/src/simlingo/simlingo/control"


@pytest.mark.medium
def test_no_line_and_no_branch_of_control_is_without_a_test(tmp_path: Path) -> None:
    tests = sorted(
        path
        for path in TESTS.glob("test_control*.py")
        if path != Path(__file__) and "simlingo.control" in path.read_text()
    )
    assert len(tests) >= 7
    data, report = tmp_path / "data", tmp_path / "report.json"
    coverage = [sys.executable, "-m", "coverage"]
    subprocess.run(
        [*coverage, "run", "--branch", f"--source={CONTROL}", f"--data-file={data}", "-m", "pytest", "-q", "-m", "not slow", "-p", "no:xdist", *tests],
        check=True,
        capture_output=True,
        cwd=TESTS.parents[1],
    )  # fmt: skip
    subprocess.run([*coverage, "json", f"--data-file={data}", "-o", str(report)], check=True, capture_output=True)
    found = json.loads(report.read_text())["files"]
    assert {Path(name).stem for name in found} == {path.stem for path in CONTROL.glob("*.py")}
    assert {name: (file["missing_lines"], file["missing_branches"]) for name, file in found.items()} == {
        name: ([], []) for name in found
    }
