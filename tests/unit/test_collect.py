"""Collection: routes from seeds, labels of shifted views, pushes, whole folders, clear errors."""

from __future__ import annotations

import argparse
import math
from pathlib import Path

import carla
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simlingo.contracts import EgoState, SimlingoError
from simlingo.geometry import ego_to_map
from simlingo_sim.towns import HELD_OUT_TOWN
from training.collect import cli
from training.collect.disturbance import MAX_STEER, Disturbance
from training.collect.settings import CollectSettings, checked_towns, job
from training.collect.views import beside
from training.collect.writer import CACHE_FILE, RESULTS_FILE, RouteWriter, read_json


def test_routes_follow_from_the_seed_alone(tmp_path: Path) -> None:
    settings = CollectSettings(tmp_path, seed=4)
    assert job(settings, 7) == job(settings, 7)
    assert job(settings, 7) != job(CollectSettings(tmp_path, seed=5), 7)
    folders = {job(settings, index).folder(tmp_path, False) for index in range(50)}
    assert len(folders) == 50


def test_the_held_out_town_needs_leave() -> None:
    assert HELD_OUT_TOWN not in checked_towns(None, allow_held_out=False)
    with pytest.raises(SimlingoError, match="--allow-held-out"):
        checked_towns([HELD_OUT_TOWN], allow_held_out=False)
    assert checked_towns([HELD_OUT_TOWN], allow_held_out=True) == (HELD_OUT_TOWN,)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--workers", "0"], "argument --workers: must be 1 or more"),
        (["--invented", "1.5"], "argument --invented: must be 0 or more and at most 1"),
    ],
)
def test_numbers_out_of_range_are_named(
    options: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    parser = argparse.ArgumentParser()
    cli.add_arguments(parser)
    with pytest.raises(SystemExit):
        parser.parse_args(["--out", str(tmp_path), *options])
    assert message in capsys.readouterr().err


def test_an_unknown_town_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    parser = argparse.ArgumentParser()
    cli.add_arguments(parser)
    assert cli.run(parser.parse_args(["--out", str(tmp_path / "data"), "--towns", "nowhere"])) == 1
    assert "unknown town" in capsys.readouterr().err
    assert not (tmp_path / "data").exists()


@given(st.floats(-math.pi, math.pi), st.floats(-1.5, 1.5), st.floats(-0.35, 0.35))
def test_a_view_beside_lies_to_the_right(yaw: float, shift: float, turn: float) -> None:
    ego = EgoState(1, 3.0, -2.0, yaw, 5.0)
    view = beside(ego, shift, turn)
    assert ego_to_map(np.array([[0.0, shift]]), ego)[0] == pytest.approx((view.x, view.y))
    assert view.yaw == pytest.approx(yaw + turn)
    assert view.speed == ego.speed


def test_pushes_come_and_go_and_stay_small() -> None:
    disturbance = Disturbance(np.random.default_rng(0))
    steers, pushed = [], 0
    for _ in range(2000):
        control = disturbance.apply(carla.VehicleControl(throttle=0.3), 8.0, free=True)
        steers.append(control.steer)
        pushed += disturbance.active
    assert 50 < pushed < 700
    assert max(map(abs, steers)) <= MAX_STEER + 1e-6
    assert min(steers) < 0.0 < max(steers)


def test_pedals_are_left_alone_where_something_bounds_the_speed() -> None:
    disturbance = Disturbance(np.random.default_rng(0))
    for _ in range(2000):
        control = disturbance.apply(carla.VehicleControl(brake=0.4), 8.0, free=False)
        assert control.brake == pytest.approx(0.4)
        assert control.throttle == 0.0


def entry(number: int) -> dict[str, np.ndarray]:
    return {"frame": np.int32(number), "image": np.full((4, 8, 3), number, dtype=np.uint8)}  # type: ignore[dict-item]


def test_a_route_folder_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    folder = tmp_path / "town" / "route"
    picture = np.zeros((512, 1024, 3), dtype=np.uint8)
    writer = RouteWriter(folder, rgb=True)
    for number in range(5):
        writer.add_picture(number, picture, picture)
        writer.add_records(number, {"speed": np.float64(1.5)}, [{"class": "ego_car"}])
        writer.add_cache(entry(number))
    assert not folder.exists()
    writer.cut(3)
    writer.close({"frames": len(writer)})
    with np.load(folder / CACHE_FILE) as cache:
        assert cache["image"].shape == (3, 4, 8, 3)
        assert cache["frame"].tolist() == [0, 1, 2]
    assert read_json(folder / "measurements" / "0004.json.gz") == {"speed": 1.5}
    assert (folder / "rgb_augmented" / "0004.jpg").is_file()
    assert read_json(folder / RESULTS_FILE) == {"frames": 3}


def test_a_killed_route_leaves_nothing_that_counts(tmp_path: Path) -> None:
    folder = tmp_path / "route"
    RouteWriter(folder, rgb=False).add_cache(entry(0))
    writer = RouteWriter(folder, rgb=False)
    writer.add_cache(entry(1))
    writer.discard()
    assert list(tmp_path.iterdir()) == []
