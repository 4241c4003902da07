"""Words of a model against the expert's: what counts as right, and what cannot be compared is named."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is not installed; ./simlingo test installs it")

from dataset_cases import CAMERA, write_route

from training.benchmarks import bench_words
from training.datasets.writer import write_dataset_card


def write_waiting(folder: Path, frames: int) -> Path:
    """A data set of one route on which the expert stands and waits."""
    write_dataset_card(folder, {"name": "waiting", "camera": CAMERA, "created_by": "tests", "settings": {}})
    still = {
        "speed_mps": 0.0, "speed_waypoints_m": np.zeros((10, 2)), "command": 4, "next_command": 4, "cause": "road",
        "light_state": "none", "light_distance_m": None,
    }  # fmt: skip
    write_route(folder, "waiting", frames, **still)
    return folder


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("Turn left at the junction. Stop for the red light.", ("Turn left at the junction", "Stop", "the red light")),
        ("Follow the road. Keep the speed.", ("Follow the road", "Keep the speed", "")),
        ("", ("", "", "")),
    ],
)
def test_words_fall_into_way_pace_and_reason(words: str, found: tuple[str, str, str]) -> None:
    assert bench_words.parts(words) == found


def test_shares_count_reasons_where_the_expert_has_one() -> None:
    light, road = "Follow the road. Stop for the red light.", "Follow the road. Keep the speed."
    rows = [{"said": light, "right": light}, {"said": road, "right": light}, {"said": road, "right": road}]
    shares = bench_words._shares(rows)
    assert shares["whole"] == pytest.approx(200 / 3)
    assert shares["way"] == 100.0
    assert shares["reason, where there is one"] == 50.0
    assert shares["no reason, where there is none"] == 100.0


@pytest.mark.medium
def test_a_speaking_model_is_measured_frame_by_frame(tmp_path: Path, speaking_folder: Path) -> None:
    write_waiting(tmp_path / "data", 6)
    parser = argparse.ArgumentParser()
    bench_words.add_arguments(parser)
    options = ["--data", str(tmp_path / "data"), "--model", str(speaking_folder), "--frames", "4", "--threads", "1"]
    assert bench_words.run(parser.parse_args([*options, "--json", str(tmp_path / "words.json")])) == 0
    figures = json.loads((tmp_path / "words.json").read_text())
    assert [row["right"] for row in figures["sentences"]] == ["Follow the road. Wait."] * 4
    assert set(figures["plans"]) == set(bench_words.WAYS)
    errors = [figures["plans"][way]["path_m"] for way in bench_words.WAYS]
    assert len(set(errors)) == 3, "each way reads other words"


@pytest.mark.parametrize("wrong", ["no data", "silent"])
@pytest.mark.medium
def test_what_cannot_be_compared_is_named(
    wrong: str, tmp_path: Path, tiny_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    parser = argparse.ArgumentParser()
    bench_words.add_arguments(parser)
    if wrong != "no data":
        write_waiting(tmp_path / "data", 2)
    options = ["--data", str(tmp_path / "data"), "--model", str(tiny_folder)]
    assert bench_words.run(parser.parse_args(options)) == 2
    message = {"no data": "holds no data set", "silent": "not trained to speak"}[wrong]
    assert message in " ".join(capsys.readouterr().err.split())
