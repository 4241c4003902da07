"""From data sets to scenes and sheets, and what is said where a data set cannot answer."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from collect_cases import Recording, record
from dataset_cases import picture, write_dataset
from PIL import Image

from simlingo.contracts import EgoState, InvalidInputError
from simlingo.geometry import map_to_ego
from training.collect.settings import RouteJob
from training.datasets.reader import open_dataset
from training.language.questions.__main__ import main
from training.language.questions.ask import every_question
from training.language.questions.frames import scene_at
from training.language.questions.sheet import COLUMNS, ROWS, WIDTH, Tile, write_sheets


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    """A few frames among traffic, of a camera that sees nothing."""
    return record(tmp_path_factory.mktemp("data"), RouteJob(0, "gridtown", 5, "clear_noon", 40, 20), frames=3)


@pytest.mark.medium
def test_things_stand_where_the_world_has_them(recorded: Recording) -> None:
    compared = 0
    for index, row in enumerate(recorded.rows):
        view = EgoState(0, row["view_x_m"], row["view_y_m"], row["view_yaw_rad"], 0.0)
        truth = recorded.truth[row["tick"] + min(recorded.truth)]
        for thing in scene_at(recorded.route, index).things:
            if thing.id in truth["poses"]:
                place = truth["poses"][thing.id].location
                there = map_to_ego(np.array([[place.x, place.y]]), view)[0]
                assert thing.position_m == pytest.approx(tuple(there), abs=0.02)
                assert thing.speed_mps == pytest.approx(truth["speeds"][thing.id], abs=0.5)
                compared += 1
    assert compared > 10


@pytest.mark.medium
def test_nothing_is_said_of_things_that_no_picture_shows(recorded: Recording) -> None:
    for index in range(recorded.route.rows):
        questions = every_question(scene_at(recorded.route, index))
        assert {"own_speed", "speed_limit", "weather"} <= {question.type for question in questions}
        assert not [question for question in questions if "object" in question.slots]


def test_a_data_set_that_cannot_answer_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_dataset(tmp_path / "data", {"first": 1})
    with pytest.raises(InvalidInputError, match=r"first\.parquet does not hold lights"):
        scene_at(open_dataset([tmp_path / "data"]).routes[0], 0)
    monkeypatch.setattr(sys, "argv", ["questions", str(tmp_path / "data"), "--out", str(tmp_path / "sheets")])
    assert main() == 1
    assert "does not hold lights" in capsys.readouterr().err
    assert not (tmp_path / "sheets").exists()


def test_sheets_show_six_pictures_each(tmp_path: Path) -> None:
    tiles = [
        Tile(f"picture {number}", picture(number), ("a question", "another")) for number in range(COLUMNS * ROWS + 1)
    ]
    first, second = write_sheets(tmp_path / "sheets", tiles)
    assert Image.open(first).width == Image.open(second).width > COLUMNS * WIDTH
    assert Image.open(first).height == ROWS * Image.open(second).height
    assert sorted(path.name for path in (tmp_path / "sheets").iterdir()) == ["questions_00.png", "questions_01.png"]
    corner = np.asarray(Image.open(first))[5, 5].astype(int)
    assert np.abs(corner - picture(0)[5, 5]).max() < 12
