"""The model card says what the stages' records say, with intervals, and whose world the figures are of."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from safetensors.numpy import load_file

from simlingo.model.folder import find_model
from simlingo_drive.routes import RouteSpec
from training.evaluation.summary import crashed_route, report
from training.recipe.card import STATEMENT, write_card
from training.recipe.curves import POINTS, curves_of
from training.recipe.drive_figures import drive_figures, mean_interval, share_interval
from training.recipe.model_files import copy_model
from training.recipe.record import StageRecord, merged
from training.recipe.stage import Place
from training.recipe.stage_figures import BenchLanguage
from training.trainer.csv_log import LOSSES, VALIDATION, CsvLogger


def route(index: int, score: float, infractions: int = 0, met: int = 2, stopped: int = 2) -> dict[str, Any]:
    """A route of a benchmark's report."""
    base = crashed_route(RouteSpec("gridtown", 1, index), "")
    driven = {"status": "completed", "driving_score": score, "route_completion": 100.0, "driven_m": 500.0}
    lights = {"red_lights_met": met, "red_lights_stopped": stopped, "real_time_factor": 1.0}
    return {**base, **driven, **lights, "infractions": [{}] * infractions}


def bench(*routes: dict[str, Any]) -> dict[str, Any]:
    """The JSON of ./simlingo bench drive."""
    return json.loads(json.dumps(report(list(routes), {"weights": "model 0123456789ab"})))


def fingerprint(stage: str) -> str:
    return f"{stage:f<64}"


def record(stage: str, kind: str, figures: dict[str, Any], **settings: Any) -> StageRecord:
    """Of a stage that took a minute and a half in two starts at two commits."""
    starts = [{"seconds": 30.0, "commit": "aaa"}, {"seconds": 60.0, "commit": "bbb-dirty"}]
    return StageRecord(stage, kind, fingerprint(stage), "", "", settings, {}, starts, "digest", figures)


def trained(stage: str, samples: int, data: list[str], **settings: Any) -> StageRecord:
    rows = [{"samples": 10.0 * number, "path": 1.0 / number} for number in range(1, 5)]
    curves = {"training": rows, "validation": [{"samples": 40.0, "val_path": 0.125, "val_text": 0.5}]}
    figures = {"samples": samples, "frames": 90, "validation_frames": 12, "device": "cpu", "curves": curves}
    made = record(stage, "train", figures, data=data, **settings)
    made.inputs = {name: fingerprint(name) for name in data}
    return made


RECORDS = [
    record("shipped", "given", {"model": "simlingo-mini", "weights_sha256": "0123456789abcdef"}, model="simlingo-mini"),
    record("expert", "collect", {"frames": 1200, "routes": 7, "towns": ["gridtown"], "on_policy": False}, frames=1200),
    record("own", "collect", {"frames": 345, "routes": 2, "towns": ["ringtown"], "on_policy": True}, policy="language"),
    record("apart", "collect", {"frames": 99, "routes": 2, "towns": ["gridtown"], "on_policy": False}, frames=99),
    trained("language", 2400, ["expert"], start="shipped", set={"mixture.prompts": 4}),
    trained("joint", 1200, ["own"], start="language"),
    record("drive", "bench-drive", drive_figures(bench(route(0, 100.0), route(1, 60.0, 1, 2, 1))), routes=2),
    record("dreams", "check-dreams", {"dreams": "9 rolled-out dreams of 3 frames", "violations": 0}, data="expert"),
    record(
        "words", "bench-language",
        {"suites": {"dream-val": {"n": 400, "fixed": 71.5, "seen": None, "intervals": {"fixed": [66.9, 75.7]}, "baselines": {"words": {"fixed": 12.0}}}}},
    ),
    record("grey", "bench-drive", drive_figures(bench(route(0, 0.5))), camera="grey"),
]  # fmt: skip


@pytest.fixture(scope="module")
def card(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a report on the records."""
    folder = tmp_path_factory.mktemp("report")
    copy_model(find_model("simlingo-mini"), folder / "model")
    told = [one.alone() for one in RECORDS]
    judged = [fingerprint(name) for name in ("drive", "dreams", "words")]
    write_card(folder, folder / "model", told, judged, "It is tiny.")
    return folder


def test_the_model_folder_tells_what_it_is_and_how_it_was_made(card: Path) -> None:
    text = (card / "model/README.md").read_text()
    assert text.startswith("# Model card: simlingo-mini\n")
    assert STATEMENT in text
    assert "1,545 frames at 4 Hz" in text, "learned from, without those that validate"
    assert "345 of them of on-policy rounds" in text
    assert "in `gridtown`, `ringtown`, never in `harbortown`" in text
    assert "3,600 samples in 3 minutes; stages: language, joint" in text
    assert "path 0.125, text 0.5 on up to 12 frames that `joint` was not trained on" in text
    weights = sum(tensor.size for tensor in load_file(card / "model/model.safetensors").values())
    assert f"at {weights / 1e6:.1f} million weights" in text
    size = sum(path.stat().st_size for path in (card / "model").rglob("*") if path.is_file() and path.suffix != ".md")
    assert f"together {size / 1e6:.1f} MB" in text
    assert "It is tiny." in text
    assert "Licence Apache-2.0" in text


def test_each_stage_has_a_row_with_commit_and_fingerprint(card: Path) -> None:
    rows = [line for line in (card / "model/README.md").read_text().splitlines() if line.startswith("| language |")]
    assert rows == [
        "| language | train | 2,400 samples on 90 views, from `shipped`, cpu; mixture.prompts=4 | 1.5 | aaa, bbb-dirty | `languageffff` |"
    ]


def test_figures_stand_with_their_intervals(card: Path) -> None:
    text = (card / "model/README.md").read_text()
    assert "| driving score | 80 | 60 to 100 | 80 |" in text
    assert "| stopped at, % | 75 | 30.1 to 95.4 |" in text
    assert "| suite | figure | value | interval | beside: words |" in text
    assert "| `dream-val` | fixed | 71.5 | 66.9 to 75.7 | 12 |" in text
    assert "| `dream-val` | seen | – |  | – |" in text
    assert "9 rolled-out dreams of 3 frames" in text
    assert "### grey" not in text, "not asked for"


def test_the_card_has_plots_and_every_stage(card: Path) -> None:
    text = (card / "MODEL_CARD.md").read_text()
    assert text.startswith((card / "model/README.md").read_text())
    for name in ("losses.png", "times.png"):
        assert f"({name})" in text
        assert (card / name).read_bytes().startswith(b"\x89PNG")
    assert all(f"### {one.stage}\n\n```yaml" in text for one in RECORDS)
    assert "curves:" not in text


def test_a_crashed_route_counts_as_zero_and_is_named() -> None:
    figures = drive_figures(bench(route(0, 100.0), crashed_route(RouteSpec("ringtown", 2, 3), "it broke")))
    assert figures["summary"]["driving_score"] == 50.0
    assert figures["crashed"] == ["ringtown-s2-r03"]
    assert figures["intervals"]["clean_routes"] == share_interval(1, 2)
    assert figures["by_town"]["ringtown"]["driving_score"] == 0.0


def test_intervals_of_shares_are_wilsons_and_of_means_bootstrapped() -> None:
    assert share_interval(96, 97) == [94.4, 99.8]  # Wilson's formula by hand
    assert all(type(bound) is float for bound in share_interval(1, 2) or ()), "plain, as a record is YAML"
    assert share_interval(0, 0) is None
    assert mean_interval([100.0, 100.0]) == [100.0, 100.0]
    assert mean_interval([3.0]) is None
    values = [0.0, 100.0] * 30
    low, high = mean_interval(values) or (0.0, 0.0)
    assert [low, high] == mean_interval(values), "the same every time"
    assert 34.0 < low < 41.0, "50 less 1.96 standard errors of 6.5"
    assert 59.0 < high < 66.0


def test_curves_are_few_points_that_mean_all_updates(tmp_path: Path) -> None:
    log = CsvLogger(tmp_path, 0)
    for step in range(1, 1001):
        log.log(LOSSES, {"step": step, "samples": 24 * step, "rate": 0.1, "path": float(step)})
    for step in (500, 1000):
        log.log(VALIDATION, {"step": step, "samples": 24 * step, "val_path": 1.0 / step})
    log.close()
    curves = curves_of(tmp_path)
    assert len(curves["training"]) <= POINTS
    assert curves["training"][0] == {"samples": 24 * 9, "path": 5.0}
    assert curves["training"][-1]["samples"] == 24_000
    assert curves["validation"] == [{"samples": 12_000, "val_path": 0.002}, {"samples": 24_000, "val_path": 0.001}]


def test_lineages_are_told_once_each_oldest_first() -> None:
    one, two, three = ({"fingerprint": name} for name in "abc")
    assert merged([[one, two], [one, three], []]) == [one, two, three]


def test_figures_of_suites_are_taken_without_single_answers(tmp_path: Path) -> None:
    suites = {"ask-val": {"n": 3, "exact": 66.7, "intervals": {"exact": [20.8, 93.9]}}}
    more = {"tables": [{}], "details": {"answers": ["yes"]}, "wall_s": 3.0}
    told = {"suites": {"ask-val": suites["ask-val"] | more}, "conditions": {}}
    (tmp_path / "figures.json").write_text(json.dumps(told))
    assert BenchLanguage(model="export").figures(Place(tmp_path, tmp_path)) == {"suites": suites}
