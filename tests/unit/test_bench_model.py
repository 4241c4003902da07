"""``bench model``: phases that add up, the comparison with the published way, arguments that are wrong."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

pytest.importorskip("torch", reason="torch is not installed; ./simlingo test installs it")

from simlingo.contracts import InvalidInputError, SimlingoError
from simlingo_cli import main
from training.benchmarks import bench_model, model_subject
from training.benchmarks.model_figures import differences, phase_figures, ratios, spread
from training.benchmarks.model_measure import measure
from training.benchmarks.model_phases import Frame
from training.benchmarks.model_report import HEADING, append, lines, show

#: Loads whole models.
pytestmark = pytest.mark.medium

TEXT = 3


def options(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    bench_model.add_arguments(parser)
    return parser.parse_args(["--threads", "1", "--frames", "2", "--published-frames", "2", *words])


def nothing(_: str) -> None:
    """Says nothing."""


@pytest.fixture(scope="module", params=["onnx", "torch", "static"])
def figures(request: pytest.FixtureRequest, tiny_folder: Path) -> dict[str, Any]:
    """A run with text on each backend."""
    words = ("--model", str(tiny_folder), "--text", str(TEXT), "--backend", request.param, "--while-speaking")
    return measure(options(*words), nothing)


def test_the_phases_add_up_to_the_whole(figures: dict[str, Any]) -> None:
    for run in (figures, figures["published"]):
        means = [row["mean"] for row in run["phases_ms"].values()]
        assert sum(means) == pytest.approx(run["total_ms"]["mean"])
        assert {"preprocess", "vision", "decode", "other"} <= set(run["phases_ms"])
        assert min(means) >= 0.0
    assert figures["decode_per_token_ms"]["mean"] * TEXT == pytest.approx(figures["phases_ms"]["decode"]["mean"])


def test_a_run_is_checked_against_the_published_way(figures: dict[str, Any]) -> None:
    difference = figures["published"]["difference"]
    assert difference["same_text"] is True
    assert difference["path_m"] < 1e-4 < difference["largest_m"]
    assert set(figures["published"]["ratio"]) == {"whole_frame", "language_part"}


def test_the_figures_are_plain_data_with_their_conditions(figures: dict[str, Any]) -> None:
    again = json.loads(json.dumps(figures))
    assert (again["model"], again["text_tokens"], again["threads"], again["frames"]) == ("tiny", TEXT, 1, 2)
    assert again["memory"]["resident_bytes"] > 1e7
    assert again["against_fp32"] is None
    assert again["while_speaking"]["speaking_ms"]["p99"] > 0.0
    assert not any(str(value).startswith("/") for value in again.values())  # no path of this machine


def test_the_table_shows_each_phase_and_each_comparison(figures: dict[str, Any]) -> None:
    console = Console(width=140, record=True, quiet=False)
    show(console, figures)
    text = console.export_text()
    for word in (
        *figures["phases_ms"],
        f"per token, of {TEXT}",
        "whole frame",
        "times ours",
        "text the same",
        "a plan every 50 ms",
    ):
        assert word in text


def test_runs_are_added_to_one_table_and_the_rest_of_the_file_stays(figures: dict[str, Any], tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Title\n\ntext\n")
    append(page, figures)
    page.write_text(page.read_text() + "\n## After\n")
    append(page, figures)
    rows = page.read_text().splitlines()
    assert rows.count(HEADING) == 1
    assert rows[0] == "# Title"
    assert rows[-1] == "## After"
    added = [row for row in rows if f"--text {TEXT}" in row]
    assert len(added) == 2
    assert all(row.count("|") == rows[rows.index(added[0]) - 1].count("|") for row in added)


def test_another_precision_is_compared_with_fp32(tiny_folder: Path) -> None:
    figures = measure(options("--model", str(tiny_folder), "--precision", "bf16", "--no-published"), nothing)
    assert figures["backend"] == "torch"
    assert figures["published"] is None
    assert figures["decode_per_token_ms"] is None
    found = figures["against_fp32"]
    assert 0.0 < found["path_m"] < 0.1 * found["largest_m"]
    assert any("against fp32" in line for line in lines(figures))


def test_without_text_the_published_way_says_its_answer_itself(tiny_folder: Path) -> None:
    figures = measure(options("--model", "random-mini", "--published-frames", "1", "--frames", "1"), nothing)
    assert "decode" not in figures["phases_ms"]
    assert "prefill and queries" in figures["phases_ms"]
    assert figures["published"]["phases_ms"]["decode"]["mean"] > 0.0
    assert figures["published"]["difference"] is None


def test_figures_of_frames() -> None:
    def frame(vision: float, rest: float, path: float) -> Frame:
        return Frame({"vision": vision, "decode": rest}, np.full((20, 2), path), np.zeros((10, 2)), [])

    ours, published = [frame(0.2, 0.1, 1.0), frame(0.2, 0.3, 1.0)], [frame(0.2, 1.0, 1.5)] * 2
    assert ratios(ours, published) == {"whole_frame": pytest.approx(3.0), "language_part": pytest.approx(5.0)}
    assert differences(ours, published)["path_m"] == pytest.approx(0.5)
    assert spread([0.001, 0.003]) == pytest.approx({"mean": 2.0, "p50": 2.0, "p99": 2.98, "jitter": 0.98})
    assert phase_figures(ours)["phases_ms"]["decode"]["mean"] == pytest.approx(200.0)


@pytest.mark.parametrize(("name", "tokens"), [("random-1b", 512), ("random-mini", 32)])
def test_made_up_prompts_have_what_the_network_looks_for(name: str, tokens: int) -> None:
    subject = model_subject.open_subject(name)
    asked = subject.asked(0.0, None)  # type: ignore[arg-type]
    ids = subject.config.token_ids
    assert ids is not None
    for prompt in (asked.driving, asked.commentary):
        assert prompt.count(ids.image_context) == tokens
        assert prompt.count(ids.target_point) == 2
    assert asked.driving[: asked.shared] == asked.commentary[: asked.shared]
    assert 30 <= len(asked.driving) - tokens <= 60  # as spec L has it


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--text", "some"), "must be never, or a number"),
        (("--text", "0"), "must be never, or a number"),
        (("--frames", "0"), "must be 1 or more"),
        (("--threads", "two"), "'two' is no whole number"),
        (("--precision", "fp8"), "invalid choice"),
    ],
)
def test_wrong_arguments_are_named(words: tuple[str, str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main.main(["bench", "model", *words])
    assert f"argument {words[0]}" in (text := capsys.readouterr().err)
    assert message in text


def test_an_unknown_model_and_options_that_do_not_fit_are_named(
    tiny_folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main.main(["bench", "model", "--model", "simlingo-moni"]) == 2
    assert "random-1b" in capsys.readouterr().err
    with pytest.raises(InvalidInputError, match=r"--backend onnx needs .* take --backend torch"):
        measure(options("--model", str(tiny_folder), "--backend", "onnx", "--precision", "int8"), nothing)
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(InvalidInputError, match="sees no NVIDIA GPU"):
        measure(options("--model", "random-mini", "--device", "cuda"), nothing)
    monkeypatch.setattr(model_subject, "find_spec", lambda _: None)
    with pytest.raises(SimlingoError, match=r"setup train installs it.*--no-published"):
        measure(options("--model", str(tiny_folder)), nothing)
