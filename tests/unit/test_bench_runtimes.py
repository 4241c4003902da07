"""The comparison of runtimes: they agree on the shipped model, and what cannot be compared is named."""

from __future__ import annotations

import argparse

import pytest

pytest.importorskip("torch", reason="torch is not installed; ./simlingo test installs it")

from training.benchmarks import bench_runtimes


@pytest.mark.medium
def test_the_runtimes_agree_on_the_shipped_model() -> None:
    figures = bench_runtimes.measure("simlingo-mini", 1, 2)
    assert {"onnxruntime", "torch"} <= figures["runtimes"].keys()
    for row in figures["runtimes"].values():
        assert row["difference_m"] < 1e-3
        assert 0.0 < row["plan_p50_ms"] <= row["plan_p99_ms"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--model", "random-mini"], "has no exported graphs"),
        (["--model", "nowhere"], "nowhere"),
    ],
)
def test_what_cannot_be_compared_is_named(options: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    parser = argparse.ArgumentParser()
    bench_runtimes.add_arguments(parser)
    assert bench_runtimes.run(parser.parse_args(options)) == 2
    assert message in capsys.readouterr().err


def test_a_count_of_no_frames_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    parser = argparse.ArgumentParser()
    bench_runtimes.add_arguments(parser)
    with pytest.raises(SystemExit, match="2"):
        parser.parse_args(["--frames", "0"])
    assert "1 or more" in capsys.readouterr().err


def test_the_help_has_examples(capsys: pytest.CaptureFixture[str]) -> None:
    parser = argparse.ArgumentParser(prog="bench runtimes")
    bench_runtimes.add_arguments(parser)
    with pytest.raises(SystemExit):
        parser.parse_args(["--help"])
    assert "./simlingo bench runtimes" in capsys.readouterr().out
