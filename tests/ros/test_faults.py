"""The fault campaign on real nodes: a few of its faults, the whole of it is ``./simlingo bench faults``."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from simlingo_node.faults.campaign import campaign
from simlingo_node.faults.entry import chosen, read_faults
from simlingo_node.faults.outcome import Outcome
from simlingo_node.resources import config_file

#: Faults, and how soon each must be named, s. The last three leave a lockstep tick without its picture, plan or command.
WITHIN_S = {
    "odometry-aside-10": 0.1,
    "picture-frozen": 0.5,
    "picture-behind-10": 0.1,
    "plan-ahead-1000": 0.5,
    "command-nan": 0.1,
}


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome]:
    names = [*WITHIN_S, "controller-killed"]
    faults = chosen(read_faults(config_file("faults.yaml")), names)
    folder = tmp_path_factory.mktemp("faults")
    return {outcome.name: outcome for outcome in campaign(faults, folder, lockstep=True)}


@pytest.mark.parametrize(("name", "within_s"), WITHIN_S.items())
def test_the_car_stops_says_why_and_drives_on(outcomes: dict[str, Outcome], name: str, within_s: float) -> None:
    found = outcomes[name]
    assert found.unsafe == []
    assert found.verdict_s is not None
    assert found.verdict_s <= within_s
    assert found.brake_s is not None
    assert found.peak_mps > 5.0
    assert found.recovered is True


def test_a_killed_node_is_named(outcomes: dict[str, Outcome]) -> None:
    found = outcomes["controller-killed"]
    assert "node 'controller' was killed by signal 9" in found.said
    assert found.recovered is None


def test_the_command_lists_refuses_and_names(tmp_path: Path) -> None:
    def call(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "simlingo_cli", "bench", "faults", *words]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)

    listed = call("--list")
    assert listed.returncode == 0
    assert "picture-frozen" in listed.stdout
    wrong = call("--only", "picture-frosen")
    assert wrong.returncode != 0
    assert "did you mean picture-frozen" in wrong.stderr
    assert "Traceback" not in wrong.stderr
    (tmp_path / "mine.yaml").write_text(
        json.dumps([{"name": "a", "kind": "b", "where": "image", "what": "shade", "numbers": {}}])
    )
    assert "a has wrong numbers" in call("--faults", "mine.yaml").stderr
