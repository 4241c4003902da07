"""Rows come back as they went in, and a route file is whole or absent."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import dataset_cases
import numpy as np
import pyarrow.parquet as pq
import pytest
from dataset_cases import SMALL, frame_rows, meta, row, write_route

from simlingo.contracts import InvalidInputError
from training.datasets.files import ROW_GROUP_ROWS
from training.datasets.reader import open_dataset, read_row
from training.datasets.schema import COLUMNS, EGO_ONLY, PICTURES, SCHEMA_VERSION
from training.datasets.writer import CARD_FILE, RouteFile, store_map, trim, write_dataset_card


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return dataset_cases.write_dataset(tmp_path_factory.mktemp("data"), {"first": 4, "second": 2})


def small_route(folder: Path, frames: int = 6, name: str = "route") -> RouteFile:
    file = RouteFile(folder, name)
    for number in range(frames):
        file.add(frame_rows(number, **SMALL))
    return file


def frames_in(path: Path) -> list[int]:
    return pq.read_table(path, columns=["frame"]).column("frame").to_pylist()  # type: ignore[no-any-return]


@pytest.mark.parametrize("index", range(8))
def test_every_column_comes_back(dataset: Path, index: int) -> None:
    route = open_dataset([dataset]).routes[0]
    wanted, found = row(index // 2, ("ego", "second")[index % 2]), read_row(route, index)
    assert list(found) == [column.name for column in COLUMNS]
    for name, value in found.items():
        expected = wanted.get(name)
        if name == "image":
            assert np.abs(value.astype(int) - expected).mean() < 2.0
        elif name == "semantic":
            assert (value == expected).all()
        elif name == "depth":
            assert value == pytest.approx(expected[::4, ::4], abs=0.0051)
        elif name in ("boxes", "counterfactual_detail") and expected:
            assert json.loads(value) == expected
        elif isinstance(expected, np.ndarray):
            assert value.shape == expected.shape
            assert value.tolist() == expected.tolist(), name
        elif isinstance(expected, list):
            assert [pytest.approx(entry) for entry in expected] == value, name
        else:
            assert value == pytest.approx(expected), name


def test_all_values_of_the_cases_differ_so_that_no_two_columns_can_be_swapped() -> None:
    numbers = {
        name: float(np.ravel(value)[-1])
        for name, value in row(3, "second").items()
        if name.endswith(("_m", "_mps", "_rad", "_mps2")) and value is not None
    }
    assert len(set(numbers.values())) == len(numbers)


def test_metadata_say_what_is_known_of_the_route(dataset: Path) -> None:
    route = open_dataset([dataset]).routes[1]
    told = {**meta("second"), "schema_version": SCHEMA_VERSION, "route": "second", "frames": 2}
    assert route.meta == told
    assert (route.name, route.frames, route.rows) == ("second", 2, 4)
    assert route.map_path == dataset / "maps" / "0123456789abcdef.xodr"


def test_row_groups_are_small_and_whole_frames(tmp_path: Path) -> None:
    assert ROW_GROUP_ROWS <= 32
    metadata = pq.ParquetFile(small_route(tmp_path, 9).close({})).metadata
    sizes = [metadata.row_group(number).num_rows for number in range(metadata.num_row_groups)]
    assert sizes == [ROW_GROUP_ROWS] * (18 // ROW_GROUP_ROWS) + [18 % ROW_GROUP_ROWS]
    assert ROW_GROUP_ROWS % 2 == 0


def test_cut_forgets_from_that_frame_on(tmp_path: Path) -> None:
    file = RouteFile(tmp_path, "route")
    for number in (0, 2, 4, 6):
        file.add(frame_rows(number, **SMALL))
    file.cut(4)
    assert file.frames == 2
    file.add(frame_rows(4, **SMALL))
    assert frames_in(file.close({})) == [0, 0, 2, 2, 4, 4]


@pytest.mark.parametrize(("count", "left"), [(0, []), (-1, []), (2, [0, 0, 1, 1]), (6, None), (7, None)])
def test_keep_leaves_the_first_frames(tmp_path: Path, count: int, left: list[int] | None) -> None:
    file = small_route(tmp_path)
    file.keep(count)
    assert file.frames == (6 if left is None else len(left) // 2)
    if left != []:
        assert frames_in(file.close({})) == (left or [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5])


@pytest.mark.parametrize(("frames", "left"), [(1, 1), (4, 4), (5, 5), (6, 6), (9, 6)])
def test_trim_leaves_the_first_frames_as_they_were(tmp_path: Path, frames: int, left: int) -> None:
    path = small_route(tmp_path).close({"town": "gridtown"})
    before = pq.read_table(path)
    trim(path, frames)
    after = pq.read_table(path)
    assert after.num_rows == 2 * left
    assert after.equals(before.slice(0, 2 * left))
    told = json.loads(pq.ParquetFile(path).metadata.metadata[b"simlingo"])
    assert (told["frames"], told["town"], told["route"]) == (left, "gridtown", "route")
    assert pq.ParquetFile(path).metadata.row_group(0).num_rows == min(ROW_GROUP_ROWS, 2 * left)
    assert list(path.parent.iterdir()) == [path]


def test_trim_to_nothing_is_refused(tmp_path: Path) -> None:
    path = small_route(tmp_path).close({})
    with pytest.raises(InvalidInputError, match="remove the file instead"):
        trim(path, 0)
    assert len(frames_in(path)) == 12


def test_a_frame_may_have_one_view(tmp_path: Path) -> None:
    file = RouteFile(tmp_path, "route")
    file.add([row(0, **SMALL)])
    file.add(frame_rows(1, **SMALL))
    assert file.frames == 2
    assert frames_in(file.close({})) == [0, 1, 1]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"speeed_mps": 1.0}, "no column speeed_mps"),
        ({"speed_mps": None}, "column speed_mps is missing"),
        ({"image": None}, "column image is missing"),
        ({"frame": None}, "column frame is missing"),
        ({"speed_mps": float("nan")}, "speed_mps is nan; it must be finite"),
        ({"lead_distance_m": float("inf")}, "lead_distance_m is inf; leave it out where there is none"),
        ({"path_m": np.full((20, 2), np.nan)}, "path_m must be finite"),
        ({"path_m": np.zeros((10, 2))}, r"path_m must be finite and of shape \(20, 2\)"),
        ({"path_m": np.zeros((2, 20))}, r"path_m must be finite and of shape \(20, 2\)"),
        ({"view": "rear"}, "view is 'rear'; it must be one of"),
        ({"cause": "LEAD"}, "cause is 'LEAD'"),
        ({"command": 0}, "command is 0"),
        ({"command": 7}, "command is 7"),
        ({"light_state": "off"}, "light_state is 'off'"),
        ({"counterfactual": "none"}, "counterfactual is 'none'"),
        ({"tick": 2.5}, "tick is 2.5; it must be a whole number"),
        ({"junction": "yes"}, "does not fit the schema"),
    ],
)
def test_a_row_that_breaks_the_schema_is_named_and_not_taken(
    tmp_path: Path, changed: dict[str, Any], message: str
) -> None:
    file = RouteFile(tmp_path, "route")
    with pytest.raises(InvalidInputError, match=message):
        file.add([row(0, **SMALL) | changed])
    assert file.frames == 0


@pytest.mark.parametrize("name", EGO_ONLY)
def test_a_second_view_has_nothing_of_the_egos(tmp_path: Path, name: str) -> None:
    file = RouteFile(tmp_path, "route")
    with pytest.raises(InvalidInputError, match="belong to the ego's view only"):
        file.add([row(0, "second", **SMALL) | {name: row(0)[name]}])


def test_frames_come_in_order_one_at_a_time(tmp_path: Path) -> None:
    file = small_route(tmp_path, 3)
    for number in (1, 2):
        with pytest.raises(InvalidInputError, match=f"frame {number} does not come after frame 2"):
            file.add(frame_rows(number, **SMALL))
    with pytest.raises(InvalidInputError, match=r"frames \[3, 4\]"):
        file.add([row(3, **SMALL), row(4, "second", **SMALL)])
    with pytest.raises(InvalidInputError, match="views"):
        file.add([row(3, **SMALL), row(3, **SMALL)])
    with pytest.raises(InvalidInputError, match=r"frames \[\]"):
        file.add([])
    assert file.frames == 3


def test_an_empty_route_is_noted_and_has_no_file(tmp_path: Path) -> None:
    file = RouteFile(tmp_path, "route")
    with pytest.raises(InvalidInputError, match="close_empty"):
        file.close({})
    note = file.close_empty({"score": np.float64(3.5)})
    assert note == tmp_path / "empty" / "route.json"
    assert json.loads(note.read_text()) == {
        "score": 3.5,
        "schema_version": SCHEMA_VERSION,
        "route": "route",
        "frames": 0,
    }
    assert [path.name for path in tmp_path.iterdir()] == ["empty"]


@pytest.mark.parametrize("empty", [True, False])
def test_a_finished_route_is_not_written_over(tmp_path: Path, empty: bool) -> None:
    file = small_route(tmp_path, 1)
    path = file.close_empty({}) if empty else file.close({})
    with pytest.raises(InvalidInputError, match=f"{path.name} is there already"):
        RouteFile(tmp_path, "route")


def test_a_discarded_route_leaves_nothing(tmp_path: Path) -> None:
    file = small_route(tmp_path, 2)
    file.discard()
    assert file.frames == 0
    assert list(tmp_path.iterdir()) == []


CHILD = """
import os, resource, signal, sys
from pathlib import Path
from dataset_cases import SMALL, frame_rows
from training.datasets.writer import RouteFile
file = RouteFile(Path(sys.argv[1]), "route")
for number in range(3):
    file.add(frame_rows(number, **SMALL))
if sys.argv[2] == "killed":
    os.kill(os.getpid(), signal.SIGKILL)
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (4000, 4000))
file.close({})
"""


@pytest.mark.parametrize(
    ("how", "status", "said"), [("killed", -signal.SIGKILL, ""), ("disk full", 1, "File too large")]
)
def test_a_writer_that_dies_leaves_nothing(tmp_path: Path, how: str, status: int, said: str) -> None:
    command = [sys.executable, "-c", CHILD, str(tmp_path), how]
    done = subprocess.run(command, capture_output=True, text=True, env=dataset_cases.environment())
    assert done.returncode == status, done.stderr
    assert said in done.stderr
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_remains_of_a_killed_close_are_no_route_and_go_away(tmp_path: Path) -> None:
    write_dataset_card(tmp_path, {})
    write_route(tmp_path, "other", 1, **SMALL)
    remains = tmp_path / "routes" / "route.parquet.tmp"
    remains.write_bytes(b"PAR1 half")
    assert [route.name for route in open_dataset([tmp_path]).routes] == ["other"]
    small_route(tmp_path, 1)
    assert not remains.exists()


def test_equal_rows_give_equal_bytes(tmp_path: Path) -> None:
    one, other = (small_route(tmp_path / side, 3).close(meta("route")) for side in ("one", "other"))
    assert one.read_bytes() == other.read_bytes()


def test_a_map_is_kept_once_under_a_name_of_its_content(tmp_path: Path) -> None:
    name = store_map(tmp_path, "<OpenDRIVE a/>", {"lamps": [1.5]})
    again, other = store_map(tmp_path, "<OpenDRIVE a/>"), store_map(tmp_path, "<OpenDRIVE b/>")
    assert name == again != other
    assert sorted(path.name for path in (tmp_path / "maps").iterdir()) == sorted(
        [f"{name}.xodr", f"{name}.decor.json", f"{other}.xodr"]
    )
    assert (tmp_path / "maps" / f"{name}.xodr").read_text() == "<OpenDRIVE a/>"
    assert json.loads((tmp_path / "maps" / f"{name}.decor.json").read_text()) == {"lamps": [1.5]}


def test_the_card_tells_its_version_and_refuses_another(tmp_path: Path) -> None:
    write_dataset_card(tmp_path, {"name": "one"})
    write_dataset_card(tmp_path, {"name": "two"})
    card = json.loads((tmp_path / CARD_FILE).read_text())
    assert card == {"schema_version": SCHEMA_VERSION, "name": "two"}
    (tmp_path / CARD_FILE).write_text(json.dumps(card | {"schema_version": SCHEMA_VERSION + 1}))
    with pytest.raises(InvalidInputError, match=f"schema version {SCHEMA_VERSION + 1}"):
        write_dataset_card(tmp_path, {"name": "three"})


def test_pictures_of_a_row_are_where_the_columns_say() -> None:
    assert PICTURES == ("image", "semantic", "depth")
