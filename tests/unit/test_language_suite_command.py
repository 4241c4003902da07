"""``./simlingo bench language`` from frames to report, with a model of random weights that speaks and judges."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from collect_cases import FlatBackend, FlatCamera, FlatSettings

from simlingo.contracts import EgoState
from simlingo_cli import main
from simlingo_drive.views import View, ViewChanges
from training.collect.settings import route_job
from training.datasets.reader import open_dataset, read
from training.datasets.schema import EGO
from training.datasets.writer import write_dataset_card
from training.evaluation.language import frames
from training.evaluation.language.frames import FrameList, RouteHashes, collect_route, hashes_of, open_frames

pytest.importorskip("sacrebleu", reason="sacrebleu is not installed; ./simlingo setup words installs it")
pytest.importorskip("torch", reason="torch is not installed; ./simlingo test installs it")

FRAMES = 30


class WideCamera(FlatCamera):
    """As large as the model's, and sees a road without end."""

    def capture(self, pose: EgoState, changes: ViewChanges | None = None) -> View:
        small = super().capture(pose, changes)
        shape = (512, 1024)
        return View(
            np.full((*shape, 3), small.rgb[0, 0, 0], np.uint8),
            np.full(shape, small.semantic[0, 0], np.uint8),
            np.full(shape, 60.0, np.float32),
        )


class WideBackend(FlatBackend):
    """The embedded world with that camera."""

    def views(self, world: Any, ego: Any, paint: np.random.Generator | None = None) -> WideCamera:  # type: ignore[override]
        return WideCamera(world, ego, self._looks)


@dataclass(frozen=True)
class WideSettings(FlatSettings):
    """Settings of a collection in it."""

    def backend(self) -> WideBackend:
        return WideBackend(self.looks)


@pytest.fixture(scope="module")
def suite_frames(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, FrameList]:
    """Folder of frames with one short route, and its list without hashes."""
    data = tmp_path_factory.mktemp("suites")
    listed = FrameList("val", 7300, (3,), (3,), FRAMES, {})
    whole = listed.settings(data / f"val-{listed.key}")
    settings = WideSettings(
        whole.out, whole.towns, whole.seed, perturb=False, counterfactual=False, repaint=False, obstacles=1.0
    )
    collect_route(settings, route_job(settings, 3), FRAMES)
    write_dataset_card(settings.out, {"name": "test", "collection": settings.card()})
    return data, listed


@pytest.fixture
def lists(tmp_path: Path, suite_frames: tuple[Path, FrameList], monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of lists holds that one alone; returns the folder of its frames."""
    monkeypatch.setattr(frames, "LISTS", tmp_path)
    suite_frames[1].save()
    return suite_frames[0]


def bench(*options: str) -> int:
    return main.main(["bench", "language", "--quick", "--jobs", "1", *options])


@pytest.mark.medium
def test_suites_run_from_frames_to_report_and_go_on_where_they_were(
    tmp_path: Path,
    lists: Path,
    judging_folder: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    target = tmp_path / "words.json"
    common = ("--data", str(lists), "--model", str(judging_folder), "--json", str(target))
    assert bench("--suite", "dream-val", "ask-val", "comment-val", *common) == 0
    report = json.loads(target.read_text())
    dreams, asked, comments = (report["suites"][name] for name in ("dream-val", "ask-val", "comment-val"))
    for suite in (dreams, asked, comments):
        assert suite["n"] > 0
        for key, (low, high) in suite["intervals"].items():
            assert 0.0 <= low <= suite[key] <= high <= 100.0
    assert {"published", "fixed", "seen", "held_out", "refused_unsafe", "refused_safe", "agreement"} <= set(dreams)
    assert dreams["baselines"]["the labels themselves"]["fixed"] == 100.0
    assert dreams["baselines"]["expert that does not listen"]["fixed"] < 60.0
    assert set(dreams["baselines"]) >= {"other words", "grey picture"}
    assert asked["exact"] < 30.0, "it answers at random"
    assert {"bleu", "rouge_l", "numbers", "held_out"} <= set(asked)
    assert {"whole", "way", "pace", "reason", "agreement"} <= set(comments)
    assert "embedded world" in report["conditions"]["world"]
    page = (tmp_path / "words.json.html").read_text()
    assert "dream-val" in page
    assert not (tmp_path / "words.json.part").exists()
    assert "ask-val" in capsys.readouterr().out

    def interrupted(*_: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr("training.evaluation.language.ask_val.answers", interrupted)
    assert bench("--suite", "comment-val", "ask-val", *common) == 130
    kept = (tmp_path / "words.json.part").read_text().splitlines()
    assert len(kept) > comments["n"]
    monkeypatch.setattr("training.evaluation.language.comment_val._commented", interrupted)
    assert bench("--suite", "comment-val", *common) == 0, "every comment is in the journal"
    assert json.loads(target.read_text())["suites"]["comment-val"]["whole"] == comments["whole"]


@pytest.mark.medium
def test_foreign_sentences_replace_ours(tmp_path: Path, lists: Path, tiny_folder: Path) -> None:
    phrases = tmp_path / "mine.tsv"
    phrases.write_text("faster\tPut some life into it\nstop\tThat is far enough\nnonsense\tBlue is a Tuesday\n")
    target = tmp_path / "mine.json"
    options = ("--suite", "dream-val", "--baseline", "none", "--phrases", str(phrases), "--data", str(lists))
    assert bench(*options, "--model", str(tiny_folder), "--json", str(target)) == 0
    found = json.loads(target.read_text())["suites"]["dream-val"]
    assert (found["seen"], found["held_out"]) == (None, None)
    assert found["fixed"] is not None
    assert found["refused_unsafe"] == 0.0, "this network does not judge"
    assert {row[0] for row in found["tables"][0]["rows"]} == {"faster", "stop", "nonsense"}
    assert set(found["baselines"]) == {"the labels themselves", "expert that does not listen"}


@pytest.mark.medium
def test_what_cannot_be_judged_is_named(
    tmp_path: Path, lists: Path, tiny_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = str(tmp_path / "words.json")
    assert bench("--suite", "ask-val", "--data", str(lists), "--model", str(tiny_folder), "--json", target) == 2
    assert "not trained to speak" in " ".join(capsys.readouterr().err.split())
    assert bench("--model", str(tmp_path / "none"), "--json", target) == 2
    assert "none" in capsys.readouterr().err
    phrases = tmp_path / "mine.tsv"
    phrases.write_text("turn_left\tLeft it is\n")
    options = ("--suite", "dream-val", "--phrases", str(phrases), "--data", str(lists), "--model", str(tiny_folder))
    assert bench(*options, "--json", target) == 2
    assert "no sentence of faster" in " ".join(capsys.readouterr().err.split())


@pytest.mark.medium
def test_frames_that_differ_from_the_frozen_ones_are_named(
    suite_frames: tuple[Path, FrameList], tmp_path: Path
) -> None:
    data, listed = suite_frames
    folder = data / f"val-{listed.key}"
    (route,) = open_dataset([folder]).routes
    true = hashes_of(route)
    assert set(read(route, ["view"]).column("view").to_pylist()) == {EGO}
    assert route.frames == FRAMES
    for hashes, otherwise in (
        (true, ((), ())),
        (RouteHashes("0", true.pictures), ((route.name,), ())),
        (RouteHashes(true.drive, "0"), ((), (route.name,))),
    ):
        frozen = replace(listed, hashes={route.name: hashes})
        (tmp_path / f"val-{frozen.key}").symlink_to(folder)
        found = open_frames(frozen, tmp_path, True, 1, lambda what, total: lambda steps: None)
        assert (found.driven_otherwise, found.painted_otherwise) == otherwise
