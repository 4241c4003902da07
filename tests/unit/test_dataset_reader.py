"""Opening a data set: what is there, what is damaged, what is of another version; each named with its cure."""

from __future__ import annotations

import json
import pickle
import shutil
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from dataset_cases import SMALL, row, write_route
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simlingo.contracts import InvalidInputError
from training.datasets.files import ROW_GROUP_ROWS, digest, verify
from training.datasets.reader import fingerprint, open_dataset, read, read_row
from training.datasets.schema import SCHEMA_VERSION
from training.datasets.writer import CARD_FILE, trim, write_dataset_card


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    write_dataset_card(folder, {"name": "data"})
    write_route(folder, "b", 3, first=10, **SMALL)
    write_route(folder, "a", 7, **SMALL)
    return folder


def test_routes_of_all_folders_are_there_with_their_frames(dataset: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    write_dataset_card(other, {"name": "other"})
    write_route(other, "c", 1, **SMALL)
    opened = open_dataset([dataset, other])
    assert [(route.name, route.frames, route.rows) for route in opened.routes] == [
        ("a", 7, 14),
        ("b", 3, 6),
        ("c", 1, 2),
    ]
    assert opened.frames == 11
    assert [card["name"] for card in opened.cards] == ["data", "other"]
    assert pickle.loads(pickle.dumps(opened)) == opened


@pytest.mark.parametrize("index", [0, 1, ROW_GROUP_ROWS - 1, ROW_GROUP_ROWS, 13])
def test_a_row_is_found_by_its_number(dataset: Path, index: int) -> None:
    route = open_dataset([dataset]).routes[0]
    found = read_row(route, index, ["path_m", "frame", "view"])
    wanted = row(index // 2, ("ego", "second")[index % 2])
    assert sorted(found) == ["frame", "path_m", "view"]
    assert (found["frame"], found["view"]) == (wanted["frame"], wanted["view"])
    assert found["path_m"].tolist() == wanted["path_m"].tolist()


def test_reading_a_row_touches_its_row_group_only(dataset: Path) -> None:
    """The groups' pictures are overwritten but for one: its rows, and those alone, can be read."""
    route = open_dataset([dataset]).routes[0]
    metadata = pq.ParquetFile(route.path).metadata
    column = metadata.schema.names.index("bytes")
    chunk = metadata.row_group(0).column(column)
    data = bytearray(route.path.read_bytes())
    start = chunk.data_page_offset
    data[start : start + chunk.total_compressed_size] = bytes(chunk.total_compressed_size)
    route.path.write_bytes(data)
    for index in range(ROW_GROUP_ROWS, 14):
        assert read_row(route, index, ["image"])["image"].shape == (32, 64, 3)
    for index in (0, ROW_GROUP_ROWS - 1):
        with pytest.raises(InvalidInputError, match="is damaged"):
            read_row(route, index, ["image"])


@pytest.mark.parametrize("index", [-1, 14])
def test_a_row_that_is_not_there_is_named(dataset: Path, index: int) -> None:
    with pytest.raises(InvalidInputError, match=f"rows 0 to 13, not {index}"):
        read_row(open_dataset([dataset]).routes[0], index)


def test_a_column_that_is_not_there_is_named(dataset: Path) -> None:
    route = open_dataset([dataset]).routes[0]
    for call in (lambda: read_row(route, 0, ["speed"]), lambda: read(route, ["speed"])):
        with pytest.raises(InvalidInputError, match=r"no column speed; it has .*speed_mps"):
            call()


def test_reading_a_file_that_was_trimmed_meanwhile_sees_the_new_one(dataset: Path) -> None:
    route = open_dataset([dataset]).routes[0]
    assert read_row(route, 13, ["frame"])["frame"] == 6
    trim(route.path, 2)
    shorter = open_dataset([dataset]).routes[0]
    assert shorter.rows == 4
    assert read_row(shorter, 3, ["frame"])["frame"] == 1


def test_columns_are_read_for_all_rows(dataset: Path) -> None:
    table = read(open_dataset([dataset]).routes[1], ["tick", "speed_mps"])
    assert table.column_names == ["tick", "speed_mps"]
    assert table.column("tick").to_pylist() == [50, 50, 55, 55, 60, 60]


def whole(path: Path) -> None:
    """Open the data set of a route file and read everything in it."""
    open_dataset([path.parent.parent])
    verify(path)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.floats(0.0, 1.0), near_end=st.booleans(), bit=st.integers(0, 7))
def test_a_flipped_bit_is_found_wherever_it_is(dataset: Path, place: float, near_end: bool, bit: int) -> None:
    path = dataset / "routes" / "b.parquet"
    before = path.read_bytes()
    span = min(len(before), 200) if near_end else len(before)
    index = len(before) - 1 - int(place * (span - 1))
    damaged = bytearray(before)
    damaged[index] ^= 1 << bit
    path.write_bytes(damaged)
    try:
        with pytest.raises(InvalidInputError, match=r"b\.parquet is damaged .*remove it and start the same"):
            whole(path)
    finally:
        path.write_bytes(before)


@pytest.mark.parametrize("left", [0, 1, 7, 8, 40, 0.5, -1, -9])
def test_a_cut_file_is_named(dataset: Path, left: float) -> None:
    path = dataset / "routes" / "b.parquet"
    data = path.read_bytes()
    path.write_bytes(data[: int(left * len(data)) if 0 < left < 1 else int(left)])
    with pytest.raises(InvalidInputError, match=r"b\.parquet is damaged"):
        open_dataset([dataset])


def test_a_file_that_another_program_wrote_is_named(dataset: Path) -> None:
    path = dataset / "routes" / "b.parquet"
    pq.write_table(pq.read_table(path), path)
    with pytest.raises(InvalidInputError, match=r"b\.parquet is damaged .*rewritten by another program"):
        open_dataset([dataset])


def test_another_schema_version_is_named(dataset: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("training.datasets.files.SCHEMA_VERSION", SCHEMA_VERSION + 1)
        write_route(dataset, "c", 1, **SMALL)
    with pytest.raises(
        InvalidInputError, match=rf"c\.parquet has schema version {SCHEMA_VERSION + 1}, .*collect again"
    ):
        open_dataset([dataset])
    card = json.loads((dataset / CARD_FILE).read_text())
    (dataset / CARD_FILE).write_text(json.dumps(card | {"schema_version": SCHEMA_VERSION - 1}))
    with pytest.raises(InvalidInputError, match=rf"dataset\.json has schema version {SCHEMA_VERSION - 1}"):
        open_dataset([dataset])


@pytest.mark.parametrize(
    ("there", "message"),
    [
        ("nothing", r"holds no data set \(no dataset\.json\)"),
        ("card", "has no finished route yet"),
        ("half a card", r"dataset\.json cannot be read"),
        ("a list", r"dataset\.json holds no object"),
        ("old layout", r"holds cache\.npz files of an older version.*collect again"),
    ],
)
def test_a_folder_that_is_no_data_set_is_named(tmp_path: Path, there: str, message: str) -> None:
    if there == "card":
        write_dataset_card(tmp_path, {})
    elif there in ("half a card", "a list"):
        (tmp_path / CARD_FILE).write_text("[1]" if there == "a list" else '{"schema')
    elif there == "old layout":
        old = tmp_path / "data" / "simlingo" / "route"
        old.mkdir(parents=True)
        np.savez(old / "cache.npz", frame=np.zeros(3))
    with pytest.raises(InvalidInputError, match=message):
        open_dataset([tmp_path])


def test_no_folder_at_all_is_named() -> None:
    with pytest.raises(InvalidInputError, match="no data folder is named"):
        open_dataset([])


def test_the_fingerprint_follows_names_and_content_not_places(dataset: Path, tmp_path: Path) -> None:
    routes = open_dataset([dataset]).routes
    first = open_dataset([dataset]).fingerprint()
    assert first == fingerprint(routes) == fingerprint(routes[::-1])
    assert first != fingerprint(routes[:1])
    moved = tmp_path / "moved"
    shutil.copytree(dataset, moved)
    assert open_dataset([moved]).fingerprint() == first
    path = moved / "routes" / "b.parquet"
    path.rename(path.with_name("d.parquet"))
    assert open_dataset([moved]).fingerprint() != first
    path.with_name("d.parquet").unlink()
    write_route(moved, "b", 3, first=10, **SMALL | {"brake": 0.5})
    assert open_dataset([moved]).fingerprint() != first


def test_the_digest_sees_data_and_metadata(tmp_path: Path) -> None:
    paths = [
        write_route(tmp_path / name, "route", 1, **SMALL | {"steer": steer})
        for name, steer in (("one", 0.1), ("same", 0.1), ("other", 0.2))
    ]
    one, same, other = map(digest, paths)
    assert one == same != other
    assert len(one) == 16
