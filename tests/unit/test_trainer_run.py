"""``run.yaml``: what a run is made of, and what keeps it from going on as another one."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

torch = pytest.importorskip("torch", reason="torch is not installed; ./simlingo test installs it")

from trainer_cases import tiny_config, tiny_data, tiny_run, train_command  # noqa: E402

from simlingo.contracts import InvalidInputError  # noqa: E402
from training.trainer import run_record  # noqa: E402
from training.trainer.commit import COMMIT_VARIABLE, commit_of  # noqa: E402
from training.trainer.csv_log import read_rows  # noqa: E402
from training.trainer.run import DEFAULT_MINUTES, BudgetRequest, prepare  # noqa: E402
from training.trainer.run_record import load_record, versions  # noqa: E402


def test_a_run_says_what_it_is_made_of_before_its_first_update(tmp_path: Path) -> None:
    config = tiny_config(seed=5, schedule={"peak_rate": 2e-3})
    tiny_run(tmp_path, config, samples=16)
    assert not (tmp_path / "state.pt").exists()
    found = yaml.safe_load((tmp_path / "run.yaml").read_text())
    assert found["config"] == config.resolved()
    assert found["config"]["schedule"]["peak_rate"] == 2e-3
    assert found["config"]["seed"] == 5
    assert found["budget"] == {"samples": 16}
    assert found["data"] == {
        "train": "f" * 64, "validation": "e" * 64, "train_frames": 8, "validation_frames": 4, "folders": [],
    }  # fmt: skip
    assert found["commit"] == commit_of(Path(run_record.__file__).parents[2])
    assert found["versions"] == versions()
    assert found["versions"]["torch"] == torch.__version__
    assert (found["threads"], found["start_from"], found["changes"]) == (torch.get_num_threads(), None, [])


@pytest.mark.medium
def test_minutes_are_noted_with_the_samples_that_they_became(tmp_path: Path) -> None:
    _, budget = tiny_run(tmp_path, samples=None, minutes=0.001)
    noted = yaml.safe_load((tmp_path / "run.yaml").read_text())["budget"]
    assert (noted["samples"], noted["minutes"]) == (budget, 0.001)
    assert noted["samples"] == pytest.approx(0.06 * noted["measured_samples_per_s"], abs=4)
    for asked in ({"minutes": 0.001}, {"samples": budget}, {}):
        assert tiny_run(tmp_path, **{"samples": None, **asked})[1] == budget
    with pytest.raises(
        InvalidInputError, match=rf"begun with --minutes 0.001, which are {budget}, now --minutes 0.002"
    ):
        tiny_run(tmp_path, samples=None, minutes=0.002)
    with pytest.raises(InvalidInputError, match="leave --samples out, or choose another --run"):
        tiny_run(tmp_path, samples=budget + 4)


def test_a_run_of_samples_cannot_go_on_as_one_of_minutes(tmp_path: Path) -> None:
    tiny_run(tmp_path, samples=8)
    with pytest.raises(InvalidInputError, match="begun with --samples 8, now --minutes 3"):
        tiny_run(tmp_path, samples=None, minutes=3.0)


@pytest.mark.medium
def test_without_samples_and_minutes_two_hours_are_trained(tmp_path: Path) -> None:
    said: list[str] = []
    _, budget = prepare(tmp_path, tiny_config(), tiny_data(), BudgetRequest(), tell=said.append)
    noted = yaml.safe_load((tmp_path / "run.yaml").read_text())["budget"]
    assert noted["minutes"] == DEFAULT_MINUTES == 120.0
    assert budget == pytest.approx(7200 * noted["measured_samples_per_s"], rel=0.01)
    assert f"120 minutes are {budget} samples" in said[-1]


def test_whoever_goes_on_under_other_conditions_is_told_each_of_them(tmp_path: Path) -> None:
    tiny_run(tmp_path, tiny_config())
    before = (tmp_path / "run.yaml").read_text()
    changed = tiny_config(seed=3, losses={"weights": {"text": 0.5}}, optimiser={"betas": [0.9, 0.99]})
    with pytest.raises(InvalidInputError) as error:
        tiny_run(tmp_path, changed, data=tiny_data("0" * 64))
    words = str(error.value)
    for line in (
        "  seed was 0, now 3",
        "  losses.weights.text was 1.0, now 0.5",
        "  optimiser.betas was [0.9, 0.98], now [0.9, 0.99]",
        f"  data.train was '{'f' * 64}', now '{'0' * 64}'",
    ):
        assert line in words.splitlines()
    assert len(words.splitlines()) == 6
    assert "choose another --run" in words
    assert f"--start-from {tmp_path}" in words
    assert "--accept" not in words
    assert (tmp_path / "run.yaml").read_text() == before


def test_what_changes_no_figure_may_differ(tmp_path: Path) -> None:
    tiny_run(tmp_path, tiny_config())
    other = tiny_config(
        data={"workers": 1},
        loggers={"every_steps": 3},
        checkpoints={"every_minutes": 9.0},
        evaluation={"routes": ["a"]},
    )
    data = replace(tiny_data(), folders=(Path("elsewhere"),))
    tiny_run(tmp_path, other, data=data)
    found = yaml.safe_load((tmp_path / "run.yaml").read_text())
    assert found["config"]["data"]["workers"] == 1
    assert found["data"]["folders"] == ["elsewhere"]
    assert found["budget"] == {"samples": 16}


@pytest.mark.medium
def test_another_commit_is_refused_unless_it_is_accepted_and_noted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_record, "commit_of", lambda root: "aaa")
    trainer, _ = tiny_run(tmp_path)
    trainer.run(8, lambda progress: None)
    monkeypatch.setattr(run_record, "commit_of", lambda root: "bbb")
    with pytest.raises(InvalidInputError, match=r"commit was 'aaa', now 'bbb'(.|\n)*--accept commit"):
        tiny_run(tmp_path)
    with pytest.raises(InvalidInputError, match="--accept seed: only commit"):
        tiny_run(tmp_path, accept=["seed"])
    for _ in range(2):
        tiny_run(tmp_path, accept=["commit"])
        found = yaml.safe_load((tmp_path / "run.yaml").read_text())
        assert found["commit"] == "bbb"
        assert found["changes"] == [{"samples": 8, "key": "commit", "was": "aaa", "now": "bbb"}]
    monkeypatch.setattr(run_record, "commit_of", lambda root: "ccc")
    with pytest.raises(InvalidInputError) as error:
        tiny_run(tmp_path, tiny_config(seed=2), accept=["commit"])
    assert "seed was 0, now 2" in str(error.value)
    assert "ccc" not in str(error.value)


def test_a_checkpoint_of_another_version_and_a_damaged_record_are_named(tmp_path: Path) -> None:
    assert load_record(tmp_path) is None
    torch.save({}, tmp_path / "state.pt")
    with pytest.raises(InvalidInputError, match=r"holds a checkpoint but no run\.yaml.*--start-from"):
        tiny_run(tmp_path)
    for text in ("config: [", "config: {}\n", "3\n"):
        (tmp_path / "run.yaml").write_text(text)
        with pytest.raises(InvalidInputError, match=r"run\.yaml cannot be read"):
            tiny_run(tmp_path)


def git(folder: Path, *arguments: str) -> str:
    identity = {f"GIT_{who}_{what}": "a@b.example" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    done = subprocess.run(
        ["git", "-C", str(folder), *arguments], env=os.environ | identity, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_the_commit_says_whether_files_differ_from_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert commit_of(tmp_path) == "tests", "named by the environment"
    monkeypatch.delenv(COMMIT_VARIABLE)
    assert commit_of(tmp_path) == "unknown"
    git(tmp_path, "init", "-q")
    (tmp_path / "file").write_text("1")
    git(tmp_path, "add", "file")
    git(tmp_path, "commit", "-q", "-m", "first")
    head = git(tmp_path, "rev-parse", "--short=12", "HEAD")
    assert commit_of(tmp_path) == head
    git(tmp_path, "tag", "-a", "v1", "-m", "v1")
    assert commit_of(tmp_path) == head, "a tag makes no other code"
    (tmp_path / "file").write_text("2")
    assert commit_of(tmp_path) == f"{head}-dirty"
    (tmp_path / "inner").mkdir()
    assert commit_of(tmp_path / "inner") == "unknown", "the repository around is not ours"


def mark(folder: Path) -> float:
    """Stands in for an export, which takes half a minute and is tested with the model."""
    (folder / "exported").write_bytes((folder / "model.safetensors").read_bytes())
    return 0.25


@pytest.fixture
def train(tmp_path: Path) -> Callable[..., int]:
    """``./simlingo train`` on a small data set, with further options."""
    return train_command(tmp_path, "exported-for-tests", mark)


@pytest.mark.medium
def test_the_command_trains_goes_on_and_exports(
    train: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train("--samples", "8", "--seed", "3") == 0
    run = tmp_path / "run"
    said = capsys.readouterr().out
    assert "4 frames to train on, 4 to validate" in said
    assert "graphs and network differ by 2.5e-01" in said
    files = {path.name for path in run.iterdir()}
    assert {
        "run.yaml",
        "state.pt",
        "losses.csv",
        "model.safetensors",
        "config.json",
        "exported",
        "tensorboard",
    } <= files
    assert (run / "exported").read_bytes() == (run / "model.safetensors").read_bytes(), "exported at the end"
    assert not list(run.rglob("*.tmp"))
    assert yaml.safe_load((run / "run.yaml").read_text())["config"]["seed"] == 3
    assert [row["step"] for row in read_rows(run / "losses.csv")] == [1, 2]
    assert train("--samples", "8") == 1
    assert "seed was 3, now 0" in capsys.readouterr().err
    assert train("--seed", "3") == 0
    assert "going on at step 2, 8 of 8 samples seen" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--set", "schedule.peak_rat=1"], "did you mean peak_rate?"),
        (["--set", "model=simlingo-minni"], "did you mean simlingo-mini?"),
        (["--config", "simlingo-min"], "did you mean simlingo-mini?"),
        (["--set", "evaluation.every_samples=10"], "evaluation.routes names no route"),
        (["--start-from", "nowhere"], "is no model folder"),
        (["--validation", "nowhere"], "holds no data set"),
    ],
)
def test_bad_input_of_the_command_is_named(
    train: Callable[..., int], options: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train("--samples", "4", *options) == 1
    told: Any = capsys.readouterr().err
    assert told.startswith("train: ")
    assert words in told
