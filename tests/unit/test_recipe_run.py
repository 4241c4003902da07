"""A recipe's run: stages in order, each once; what was changed is made anew with all that follows, and nothing else."""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import recipe_cases
from recipe_cases import ran, recipe_of, road

from simlingo.contracts import InvalidInputError, SimlingoError
from training.recipe import fingerprint
from training.recipe.plan import plan
from training.recipe.record import read_record
from training.recipe.runner import run_recipe

recipe_cases.register()
ALL = ["spring", "river", "rain", "sea"]


class Run:
    """A run's folder, and what was said there."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.recipes = folder / "run", folder
        self.said: list[str] = []

    def __call__(self, stages: list[dict[str, Any]] | None = None, **options: Any) -> list[str]:
        """Run; the stages that were made this time."""
        before = ran(self.folder)
        self.said.clear()
        run_recipe(recipe_of(self.recipes, *(stages or road())), self.folder, self.said.append, **options)
        return ran(self.folder)[len(before) :]

    def made(self, stage: str) -> Path:
        """The folder of a stage's only outcome."""
        (found,) = self.folder.glob(f"{stage}-????????")
        return found

    def states(self, stages: list[dict[str, Any]] | None = None, **options: Any) -> list[str]:
        return [each.state.value for each in plan(recipe_of(self.recipes, *(stages or road())), self.folder, **options)]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(tmp_path)


def test_stages_are_made_once_and_in_order(run: Run) -> None:
    assert run() == ALL
    assert (run.made("sea") / "out").read_text() == "srworddword"
    assert run() == []
    assert [line for line in run.said if line.startswith("==")] == [
        f"== stage {number} of 4, {name} (script): whole" for number, name in enumerate(ALL, 1)
    ]


def test_the_output_of_a_stage_is_shown_with_its_time_and_kept(run: Run) -> None:
    run(road(spring={"seconds": 75.0}))
    assert "[spring 0:00:0" in next(line for line in run.said if line.endswith("of about 0:01:15] working on word"))
    assert (run.made("spring") / "log.txt").read_text() == "working on word\n"
    assert any(line.startswith("== spring: whole after") and "expected 75 s" in line for line in run.said)


def test_a_failed_stage_ends_the_run_which_goes_on_there(run: Run) -> None:
    with pytest.raises(SimlingoError, match=r"stage rain failed: its command ended with 3; .*log.txt"):
        run(road(rain={"does": "sys.exit(3)"}))
    assert run.states() == ["whole", "whole", "begun", "to do"]
    assert run() == ["rain", "sea"]
    record = read_record(run.made("rain"))
    assert record is not None
    assert len(record.starts) == 2


def test_a_command_that_ends_well_without_an_outcome_has_failed(run: Run) -> None:
    with pytest.raises(InvalidInputError, match="out is missing"):
        run(road(river={"does": "sys.exit(0)"}))
    assert run.states()[1] == "begun"


@pytest.mark.parametrize(
    ("changed", "made"),
    [
        ({"spring": {"word": "other"}}, ALL),
        ({"river": {"word": "other"}}, ["river", "sea"]),
        ({"sea": {"needs": ["rain", "river"]}}, ["sea"]),
        ({"river": {"about": "other", "seconds": 9.0, "minutes": 3.0}}, []),
    ],
)
def test_a_changed_stage_is_made_anew_with_what_follows(changed: Mapping[str, Any], made: list[str], run: Run) -> None:
    run()
    assert run(road(**changed)) == made
    assert run() == [], "the earlier outcomes are still there"


def test_changed_code_makes_its_stages_anew_unless_that_is_accepted(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    run()
    monkeypatch.setattr("training.recipe.plan.code_digest", lambda sources: "other code")
    assert run.states(accept_code=True) == ["whole"] * 4
    assert run(accept_code=True) == []
    assert all(line.endswith("whole, made by other code") for line in run.said)
    assert run() == ALL


def test_an_interrupted_stage_of_other_code_goes_on_where_that_is_accepted(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SimlingoError):
        run(road(river={"does": "sys.exit(3)"}))
    monkeypatch.setattr("training.recipe.plan.code_digest", lambda sources: "other code")
    assert run(accept_code=True) == ["river", "rain", "sea"]
    assert len(list(run.folder.glob("river-*"))) == 1


def test_an_outcome_that_was_changed_or_taken_away_is_made_again(run: Run) -> None:
    run()
    (run.made("rain") / "out").write_text("other")
    assert run.states() == ["whole", "whole", "not needed", "whole"], "what needs it is whole"
    (run.made("sea") / "out").unlink()
    assert run() == ["rain", "sea"]


def test_what_only_whole_stages_need_is_not_made(run: Run) -> None:
    run()
    for name in ("spring", "river"):
        shutil.rmtree(run.made(name))
    assert run.states() == ["not needed", "not needed", "whole", "whole"]
    assert run() == []
    assert run(road(rain={"word": "other"})) == ["spring", "river", "rain", "sea"]


def test_a_stage_goes_on_in_another_place_by_its_folder_alone(run: Run, tmp_path: Path) -> None:
    run()
    other = Run(tmp_path)
    other.folder = tmp_path / "elsewhere"
    for name in ("river", "rain"):
        shutil.copytree(run.made(name), other.folder / run.made(name).name)
    assert other() == ["sea"]
    record = read_record(other.made("sea"))
    assert record is not None
    assert [one["stage"] for one in record.lineage] == ["spring", "river", "rain"]
    assert record.lineage[0]["figures"] == {"letters": 4}


def test_until_ends_there_and_from_begins_there(run: Run) -> None:
    assert run(until="river") == ["spring", "river"]
    with pytest.raises(
        InvalidInputError, match="--from sea: the earlier stage rain is not whole \\(to do\\); leave --from out"
    ):
        run(start="sea")
    with pytest.raises(InvalidInputError, match="--from sea is none of the stages to run: spring, river"):
        run(start="sea", until="river")
    assert run(start="rain") == ["rain", "sea"]


def test_one_run_at_a_time_works_in_a_folder(run: Run) -> None:
    run(until="spring")
    with (run.folder / "lock").open("r+") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        with pytest.raises(InvalidInputError, match=r"is at work in .*; wait for it, or choose another --run"):
            run()
    assert run() == ["river", "rain", "sea"]


def test_what_the_environment_lacks_is_named_before_anything_is_begun(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recipe_cases.Judge, "packages", ("numpy", "no_such_package"))
    stages = [*road(), {"name": "judge", "kind": "judge"}]
    with pytest.raises(InvalidInputError, match="lacks no_such_package, which the stages judge need"):
        run(stages)
    assert ran(run.folder) == []
    assert run(stages, until="sea") == ALL


def test_a_damaged_record_is_named(run: Run) -> None:
    run()
    (run.made("rain") / "stage.yaml").write_text("- nothing")
    with pytest.raises(
        InvalidInputError, match=r"rain-.*stage.yaml cannot be read .*; put it back, or remove its folder"
    ):
        run()


def test_the_record_tells_what_an_outcome_was_made_of(run: Run) -> None:
    run()
    record = read_record(run.made("sea"))
    assert record is not None
    assert run.made("sea").name == f"sea-{record.fingerprint[:8]}"
    assert record.inputs.keys() == {"river", "rain"}
    assert record.settings == {"word": "s", "needs": ["river", "rain"]}
    assert {"seconds", "commit", "python", "cores"} <= record.starts[0].keys()


def test_a_stage_is_told_what_its_inputs_were_made_of_in_the_very_run_that_makes_them(run: Run) -> None:
    run([*road(), {"name": "judge", "kind": "judge", "needs": ["sea", "rain"]}])
    records = [read_record(run.made(name)) for name in ("sea", "rain")]
    told = (run.made("judge") / "told").read_text().splitlines()
    assert told == [f"{record.stage} {record.digest[:4]}" for record in records if record is not None]


def test_code_is_what_the_sources_hold_wherever_they_lie(tmp_path: Path) -> None:
    def digest(name: str, files: Mapping[str, str]) -> str:
        for path, text in files.items():
            (tmp_path / name / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name / path).write_text(text)
        return fingerprint._of_folders(("a", "b/*.yaml"), tmp_path / name)

    same = {"a/one.py": "1", "b/two.yaml": "2", "c/elsewhere.py": "3", "a/notes.md": "4", "b/deep/er.yaml": "5"}
    first = digest("first", same)
    assert digest("second", same | {"c/elsewhere.py": "5", "a/notes.md": "6"}) == first
    assert digest("pattern", same | {"b/deep/er.yaml": "6", "b/one.py": "7"}) == first
    assert digest("third", same | {"a/deep/er.py": "7"}) != first
    assert digest("fourth", same | {"b/two.yaml": "7"}) != first
    assert digest("fifth", {**{k: v for k, v in same.items() if k != "a/one.py"}, "a/other.py": "1"}) != first
