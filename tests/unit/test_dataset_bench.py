"""``./simlingo bench dataset`` measures what is there, and names what it cannot measure."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import dataset_cases
import pytest

from training.benchmarks import bench_dataset
from training.datasets.schema import BY_NAME


def run(*options: str) -> int:
    parser = argparse.ArgumentParser()
    bench_dataset.add_arguments(parser)
    return bench_dataset.run(parser.parse_args(list(options)))


def test_a_data_set_is_measured(tmp_path: Path) -> None:
    data = dataset_cases.write_dataset(tmp_path / "data", {"a": 3, "b": 1})
    report = tmp_path / "figures.json"
    assert run("--data", str(data), "--reads", "4", "--plans", "0", "--json", str(report)) == 0
    figures = json.loads(report.read_text())
    size = figures["size"]
    assert (size["routes"], size["frames"]) == (2, 4)
    assert set(size["by_column"]) == set(BY_NAME)
    on_disk = sum(path.stat().st_size for path in data.glob("routes/*.parquet"))
    assert size["bytes_a_frame"] == round(on_disk / 4)
    assert size["bytes_a_frame"] == pytest.approx(sum(size["by_column"].values()) + size["rest"], abs=60)
    assert size["by_column"]["image"] > size["by_column"]["semantic"] > 0
    assert figures["cache"]["views"] == 6
    rates = [*figures["reads"].values(), figures["cache"]["views_a_second"]]
    assert len(rates) == 4
    assert min(rates) > 0.0
    assert "jpeg" not in figures


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--data", "nowhere", "--plans", "0"], "no data set"),
        (["--weights", "no-such-model", "--plans", "1"], "no-such-model"),
    ],
)
def test_what_cannot_be_measured_is_named(options: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*options) == 2
    assert message in " ".join(capsys.readouterr().err.split())
