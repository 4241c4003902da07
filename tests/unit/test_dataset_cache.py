"""The picture cache: every label in its array, made again when anything it follows from changes, and only then."""

from __future__ import annotations

import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import dataset_cases
import numpy as np
import pytest
from dataset_cases import row, write_route

from simlingo.contracts import ImageArray, InvalidInputError
from simlingo.model.config import MINI, ImageConfig
from simlingo.model.preprocess import model_image
from simlingo_drive.expert.causes import Cause
from training.datasets.cache import Pack, build_cache, open_cache
from training.datasets.cells import CELLS, cell_labels
from training.datasets.labels import LABELS, labels_of
from training.datasets.pictures import decode_image, encode_image
from training.datasets.reader import Dataset, open_dataset, read
from training.datasets.writer import trim, write_dataset_card

IMAGE = MINI.image
#: Rows of the cases in the order of the cache: (route, frame, view).
ROWS = [("a", frame, view) for frame in range(3) for view in ("ego", "second")]
ROWS += [("b", frame, view) for frame in (100, 101) for view in ("ego", "second")]


def small_picture(rgb: ImageArray) -> ImageArray:
    """A model's picture."""
    return rgb[::16, ::16]


def failing_picture(rgb: ImageArray) -> ImageArray:
    """A processor that cannot make a picture of anything but black."""
    if rgb.any():
        raise RuntimeError("processor fails")
    return rgb[::16, ::16]


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return open_dataset([dataset_cases.write_dataset(tmp_path_factory.mktemp("data"), {"a": 3, "b": 2})])


@pytest.fixture(scope="module")
def pack(dataset: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Pack:
    return build_cache(
        dataset.routes, tmp_path_factory.mktemp("caches") / "cache", "mini", model_image, IMAGE, workers=1
    )


def expected(frame: int, view: str) -> dict[str, object]:
    """What the arrays must hold, from the row that was written."""
    told = row(frame, view)
    light = told["light_distance_m"] if told["light_distance_m"] is not None else np.inf
    near = told["light_state"] != "none" and light + 1.0 <= 50.0
    lead = told["lead_distance_m"]
    return {
        "speed": told["speed_mps"],
        "target_points": told["target_points_m"],
        "command": told["command"],
        "next_command": told["next_command"],
        "distance_to_command": told["distance_to_command_m"],
        "path": told["path_m"],
        "speed_waypoints": told["speed_waypoints_m"],
        "other_speed": told["other_speed_mps"],
        "other_speed_waypoints": told["other_speed_waypoints_m"],
        "light_state": {"none": 0, "red": 1, "yellow": 1, "green": 2}[told["light_state"]] if near else 0,
        "light_distance": light if near else 50.0,
        "lead_distance": min(lead, 50.0) if lead is not None else 50.0,
        "cause": Cause[told["cause"].upper()].value,
        "other_cause": Cause[told["other_cause"].upper()].value,
        "view": ("ego", "second").index(view),
        "frame": frame,
        "target_speed": told["target_speed_mps"],
        "hazard": int(told["hazard"]),
    }


@pytest.mark.parametrize("index", range(len(ROWS)))
def test_each_label_lands_in_its_array(pack: Pack, index: int) -> None:
    route, frame, view = ROWS[index]
    wanted = expected(frame, view) | {"route": "ab".index(route)}
    assert set(wanted) == set(pack.labels)
    for name, value in wanted.items():
        found = pack.labels[name][index]
        assert found.dtype == LABELS[name][1]
        assert found == pytest.approx(np.asarray(value), rel=1e-6), name


@pytest.mark.parametrize("index", range(len(ROWS)))
def test_pictures_and_cells_are_those_of_their_row(pack: Pack, index: int) -> None:
    _, frame, view = ROWS[index]
    told = row(frame, view)
    assert (pack.frames[index] == model_image(decode_image(encode_image(told["image"])), IMAGE)).all()
    classes, depth = cell_labels(told["semantic"], told["depth"][::4, ::4], IMAGE)
    assert (pack.classes[index] == classes).all()
    assert pack.depth[index] == pytest.approx(depth, abs=0.06)


def test_the_pack_has_a_row_for_each_view(pack: Pack) -> None:
    assert len(pack) == len(ROWS)
    assert pack.frames.shape == (len(ROWS), IMAGE.tile, 2 * IMAGE.tile, 3)
    assert pack.classes.shape == pack.depth.shape == (len(ROWS), CELLS, 2 * CELLS)
    assert pack.routes == ("a", "b")
    assert (pack.frames.dtype, pack.classes.dtype, pack.depth.dtype) == (np.uint8, np.uint8, np.float16)


@pytest.mark.parametrize(
    ("column", "value", "label", "wanted"),
    [
        ("lead_distance_m", 60.0, "lead_distance", 50.0),
        ("lead_distance_m", 49.5, "lead_distance", 49.5),
        ("lead_distance_m", -0.5, "lead_distance", 0.0),
        ("lead_distance_m", None, "lead_distance", 50.0),
        ("light_distance_m", 49.0, "light_distance", 49.0),
        ("light_distance_m", 49.0, "light_state", 1),
        ("light_distance_m", 49.25, "light_distance", 50.0),
        ("light_distance_m", 49.25, "light_state", 0),
        ("light_distance_m", -1.0, "light_distance", 0.0),
        ("light_distance_m", -1.0, "light_state", 1),
        ("light_distance_m", -1.25, "light_distance", 50.0),
        ("light_distance_m", -1.25, "light_state", 0),
        ("light_distance_m", None, "light_state", 0),
        ("light_distance_m", None, "light_distance", 50.0),
    ],
)
def test_far_lights_and_vehicles_count_as_none(
    tmp_path: Path, column: str, value: float | None, label: str, wanted: float
) -> None:
    changed = dataset_cases.SMALL | {"light_state": "yellow", column: value}
    write_dataset_card(tmp_path, {})
    write_route(tmp_path, "route", 2, **changed)
    labels = labels_of(read(open_dataset([tmp_path]).routes[0]), 5)
    assert labels[label].tolist() == [wanted] * 4
    assert labels["route"].tolist() == [5] * 4


def written_at(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}


@pytest.fixture
def own(tmp_path: Path) -> Dataset:
    """A data set that a test may change."""
    return open_dataset([dataset_cases.write_dataset(tmp_path / "data", {"a": 2, "b": 1})])


def test_a_cache_is_made_once(own: Dataset, tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    first = build_cache(own.routes, folder, "key", small_picture, IMAGE, workers=1)
    before = written_at(folder)
    again = build_cache(open_dataset(own.folders).routes, folder, "key", failing_picture, IMAGE, workers=1)
    assert written_at(folder) == before
    assert (again.frames == first.frames).all()
    assert sorted(before) == ["classes.npy", "depth.npy", "frames.npy", "key", "labels.npz"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cache", "data"]


@pytest.mark.medium
@pytest.mark.parametrize("change", ["processor", "picture rows", "data", "one route less", "order", "trimmed"])
def test_a_cache_is_made_again_when_what_it_follows_from_changes(own: Dataset, tmp_path: Path, change: str) -> None:
    folder = tmp_path / "cache"
    build_cache(own.routes, folder, "key", small_picture, IMAGE, workers=1)
    before, routes, key, image = written_at(folder), list(own.routes), "key", IMAGE
    if change == "processor":
        key = "another"
    elif change == "picture rows":
        image = replace(IMAGE, crop_top=IMAGE.crop_top - 8, crop_bottom=IMAGE.crop_bottom - 8)
    elif change == "data":
        routes[1].path.unlink()
        write_route(own.folders[0], "b", 1, first=100, speed_mps=77.0)
    elif change == "one route less":
        routes = routes[:1]
    elif change == "order":
        routes = routes[::-1]
    else:
        trim(routes[0].path, 1)
        routes = list(open_dataset(own.folders).routes)
    pack = build_cache(routes, folder, key, small_picture, image, workers=1)
    after = written_at(folder)
    assert all(after[name] != before[name] for name in after)
    assert len(pack) == sum(route.rows for route in routes)
    if change == "data":
        assert pack.labels["speed"].tolist()[-2:] == [77.0, 77.0]
    if change == "order":
        assert (pack.routes, pack.labels["frame"].tolist()) == (("b", "a"), [100, 100, 0, 0, 1, 1])
    if change == "picture rows":
        assert (pack.classes[0] != open_cache(folder).classes[0]).sum() == 0
        assert (pack.classes[0] == cell_labels(row(0)["semantic"], row(0)["depth"][::4, ::4], image)[0]).all()


def test_worker_processes_make_the_same_cache(own: Dataset, tmp_path: Path) -> None:
    one = build_cache(own.routes, tmp_path / "one", "key", model_image, IMAGE, workers=1)
    two = build_cache(own.routes, tmp_path / "two", "key", model_image, IMAGE, workers=2)
    assert (one.frames == two.frames).all()
    assert (one.depth == two.depth).all()
    assert all((one.labels[name] == two.labels[name]).all() for name in LABELS)


CHILD = """
import os, signal, sys
from pathlib import Path
from simlingo.model.config import MINI
from training.datasets.cache import build_cache
from training.datasets.reader import open_dataset
calls = [0]
def picture(rgb):
    calls[0] += 1
    if calls[0] == 7:  # one for the shape, four of the first route, the first of the second
        os.kill(os.getpid(), signal.SIGKILL)
    return rgb[::16, ::16]
build_cache(open_dataset([Path(sys.argv[1])]).routes, Path(sys.argv[2]), "key", picture, MINI.image, workers=1)
"""


def test_a_killed_build_is_no_cache_and_goes_on_after_the_last_whole_route(own: Dataset, tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(own.folders[0]), str(folder)], env=dataset_cases.environment()
    )
    assert done.returncode == -signal.SIGKILL
    with pytest.raises(InvalidInputError, match="no finished cache"):
        open_cache(folder)
    seen: list[ImageArray] = []

    def counting(rgb: ImageArray) -> ImageArray:
        seen.append(rgb)
        return small_picture(rgb)

    pack = build_cache(own.routes, folder, "key", counting, IMAGE, workers=1)
    assert len(seen) == 2, "the rows of the second route"
    whole = build_cache(own.routes, tmp_path / "other", "key", small_picture, IMAGE, workers=1)
    assert (pack.frames == whole.frames).all()
    assert (pack.labels["path"] == whole.labels["path"]).all()
    assert not folder.with_name("cache.partial").exists()


def test_remains_of_another_build_are_not_gone_on_with(own: Dataset, tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    subprocess.run([sys.executable, "-c", CHILD, str(own.folders[0]), str(folder)], env=dataset_cases.environment())
    pack = build_cache(own.routes, folder, "another", lambda rgb: rgb[::8, ::8], IMAGE, workers=1)
    assert pack.frames.shape == (6, 64, 128, 3)


def test_a_processor_that_fails_leaves_the_cache_before_it(own: Dataset, tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    build_cache(own.routes, folder, "key", small_picture, IMAGE, workers=1)
    before = written_at(folder)
    with pytest.raises(RuntimeError, match="processor fails"):
        build_cache(own.routes, folder, "other", failing_picture, IMAGE, workers=2)
    assert written_at(folder) == before


def test_a_damaged_route_is_named(own: Dataset, tmp_path: Path) -> None:
    path = own.routes[1].path
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 4
    path.write_bytes(data)
    with pytest.raises(InvalidInputError, match=r"b\.parquet is damaged"):
        build_cache(own.routes, tmp_path / "cache", "key", small_picture, IMAGE, workers=1)


def test_pictures_of_another_size_are_named(tmp_path: Path) -> None:
    write_dataset_card(tmp_path, {})
    write_route(tmp_path, "route", 1, **dataset_cases.SMALL)
    with pytest.raises(InvalidInputError, match=r"route\.parquet, row 0: .*collect with the model's camera"):
        build_cache(open_dataset([tmp_path]).routes, tmp_path / "cache", "key", small_picture_of_any, IMAGE, workers=1)
    with pytest.raises(InvalidInputError, match=r"route\.parquet, row 0: .*1024x512"):
        build_cache(open_dataset([tmp_path]).routes, tmp_path / "cache", "key", model_image, ImageConfig(), workers=1)


def small_picture_of_any(rgb: ImageArray) -> ImageArray:
    """A picture of one size, whatever comes."""
    return np.zeros((4, 8, 3), np.uint8)


def test_no_routes_are_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="no routes to make a cache of"):
        build_cache([], tmp_path, "key", small_picture, IMAGE)
