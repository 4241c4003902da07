"""The schema tells all that a reader without our code needs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import dataset_cases
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from training.datasets.schema import COLUMNS, PICTURES, SCHEMA, VIEWS, describe, leaves

PAGE = Path(__file__).resolve().parents[2] / "docs/dataset.md"


def test_the_page_holds_the_schemas_table() -> None:
    assert describe() in PAGE.read_text(encoding="utf-8"), "put the output of schema.describe() into docs/dataset.md"


def test_every_column_says_what_it_is_and_lengths_say_their_unit_and_frame() -> None:
    for column in COLUMNS:
        notes = {key.decode(): text.decode() for key, text in (SCHEMA.field(column.name).metadata or {}).items()}
        assert notes["description"] == column.meaning
        assert notes.get("unit", "") == column.unit
        assert notes.get("frame", "") == column.frame
        for ending, unit in (("_m", "m"), ("_mps", "m/s"), ("_rad", "rad"), ("_ns", "ns"), ("_mps2", "m/s^2")):
            if column.name.endswith(ending):
                assert column.unit == unit, column.name
        if column.shape:
            assert column.frame, f"{column.name} holds points without a frame"


def test_hugging_face_finds_a_feature_for_every_column_in_a_file(tmp_path: Path) -> None:
    path = dataset_cases.write_route(tmp_path, "route", 1, **dataset_cases.SMALL)
    file = pq.ParquetFile(path)
    told = json.loads(file.metadata.metadata[b"huggingface"])
    features = told["info"]["features"]
    assert list(features) == file.schema_arrow.names
    assert {name for name, feature in features.items() if feature == {"_type": "Image"}} == {
        "image",
        "semantic",
        "depth",
    }
    assert features["speed_mps"] == {"dtype": "float32", "_type": "Value"}
    assert features["ego_x_m"] == {"dtype": "float64", "_type": "Value"}
    assert features["hazard"] == {"dtype": "bool", "_type": "Value"}
    assert features["path_m"] == {"feature": features["speed_mps"], "length": 40, "_type": "Sequence"}
    assert features["stops"] == [
        {
            "reason": {"dtype": "string", "_type": "Value"},
            "distance_m": {"dtype": "float32", "_type": "Value"},
            "actor_id": {"dtype": "int64", "_type": "Value"},
        }
    ]


def test_pictures_are_stored_as_they_are_and_the_rest_is_compressed(tmp_path: Path) -> None:
    file = pq.ParquetFile(dataset_cases.write_route(tmp_path, "route", 2, **dataset_cases.SMALL))
    group = file.metadata.row_group(0)
    paths = [leaf for column in COLUMNS for leaf, _ in leaves(column.type, column.name)]
    chunks = [group.column(index) for index in range(group.num_columns)]
    assert [chunk.path_in_schema for chunk in chunks] == paths
    for chunk in chunks:
        of_picture = chunk.path_in_schema.split(".")[0] in PICTURES
        assert chunk.compression == ("UNCOMPRESSED" if of_picture else "ZSTD"), chunk.path_in_schema
        assert not (of_picture and chunk.is_stats_set)
    assert next(chunk for chunk in chunks if chunk.path_in_schema == "frame").statistics.max == 1


def test_the_schema_of_a_file_is_the_schema(tmp_path: Path) -> None:
    table = pq.read_table(dataset_cases.write_route(tmp_path, "route", 1, **dataset_cases.SMALL))
    assert table.schema.equals(SCHEMA)
    assert all(field.nullable for field in table.schema), "Hugging Face's features are; with others it ignores ours"
    assert table.schema.field("image").type == pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    assert table.column("image").to_pylist()[1]["path"] == "00000_second.jpg"
    assert table.column("view").to_pylist() == list(VIEWS)


@pytest.mark.parametrize("module", ["cache", "writer", "published", "splits"])
def test_data_sets_need_no_torch(module: str) -> None:
    code = f"import sys, training.datasets.{module}; sys.exit(any(n in sys.modules for n in ('torch', 'transformers')))"
    assert subprocess.run([sys.executable, "-c", code], env=dataset_cases.environment()).returncode == 0
