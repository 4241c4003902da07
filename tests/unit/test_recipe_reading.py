"""Recipes as YAML: what is read, and what is refused with cause and cure before anything is begun."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import recipe_cases
import yaml
from recipe_cases import RATES, recipe_of, road, write_recipe

from simlingo.contracts import InvalidInputError
from training.recipe.plan import plan
from training.recipe.reading import RECIPES, read_recipe
from training.recipe.stage import Rates
from training.recipe.stage_train import Train

recipe_cases.register()
PROFILES = tuple(yaml.safe_load((RECIPES / "mini.yaml").read_text())["profiles"])


@pytest.mark.parametrize("profile", PROFILES)
def test_the_recipe_of_the_shipped_weights_can_be_run_at_each_profile(profile: str, tmp_path: Path) -> None:
    planned = plan(read_recipe("mini", profile), tmp_path)
    assert [each.stage.kind for each in planned][-1] == "report"
    assert all(each.due for each in planned)


def test_the_profiles_are_the_budgets_that_are_promised() -> None:
    assert PROFILES == ("two-cores", "without-dreams", "h100", "smoke")
    assert max(read_recipe("mini").expected_s().values()) <= 150 * 60
    assert sum(read_recipe("mini", "h100").expected_s().values()) <= 10 * 60
    assert sum(read_recipe("mini", "smoke").expected_s().values()) <= 5 * 60


def test_without_dreams_all_else_of_the_training_is_the_same() -> None:
    """Data, start, samples and steps: what differs is what three of four prompts ask."""
    stages = [read_recipe("mini", profile).stages for profile in ("two-cores", "without-dreams")]
    for dreaming, without in zip(*stages, strict=True):
        told, other = dict(dreaming.settings.told()), dict(without.settings.told())
        if dreaming.kind == "train":
            assert told["set"].pop("mixture.instructions") == 3
            assert other["set"].pop("mixture.instructions") == 0
        if dreaming.kind != "bench-drive":
            assert told == other


def test_a_value_by_profile_is_that_of_the_profile(tmp_path: Path) -> None:
    stages = [{"name": "one", "word": {"small": "s", "large": "l"}}]
    file = write_recipe(tmp_path / "own.yaml", stages, {"small": RATES, "large": RATES})
    assert read_recipe(str(file)).stage("one").settings.told() == {"word": "s"}
    assert read_recipe(str(file), "large").stage("one").settings.told() == {"word": "l"}


def test_a_value_by_profile_names_all_profiles(tmp_path: Path) -> None:
    file = write_recipe(
        tmp_path / "own.yaml", [{"name": "one", "word": {"small": "s"}}], {"small": RATES, "large": RATES}
    )
    with pytest.raises(InvalidInputError, match="names all of them and nothing else \\(small, large\\), not small"):
        read_recipe(str(file))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"river": {"kind": "scirpt"}}, "stage 2 \\(river\\): no kind 'scirpt'; did you mean script"),
        ({"river": {"wrod": "r"}}, "\\(river\\): there is no key wrod; did you mean word"),
        ({"river": {"word": 3}}, "\\(river\\): word must be a text, not 3"),
        ({"river": {"needs": "sprnig"}}, "river needs 'sprnig', which is no stage before it; did you mean spring"),
        ({"river": {"needs": "sea"}}, "river needs 'sea', which is no stage before it"),
        ({"river": {"needs": []}}, "needs must be a name or a list of names"),
        ({"river": {"name": "spring"}}, "two stages spring"),
        ({"river": {"name": "../out"}}, "stage 2: name must be of small letters"),
        ({"spring": {"kind": "judge"}}, "river needs data, but spring hands on figures"),
        (
            {"rain": {"seconds": 601.0}},
            "stage rain is expected to take 10 minutes, .* allows 10; make it smaller, or part it",
        ),
        ({"rain": {"minutes": 10.5}}, "stage rain is expected to take"),
        ({"rain": {"kind": "collect"}}, "\\(rain\\): there is no key (needs|word)"),
    ],
)
def test_what_cannot_be_is_refused(changed: Mapping[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=message):
        recipe_of(tmp_path, *road(**changed))


def test_all_stages_together_keep_to_the_budget(tmp_path: Path) -> None:
    with pytest.raises(
        InvalidInputError, match="all stages are expected to take 25 minutes, the profile only allows 20"
    ):
        recipe_of(tmp_path, *(dict(stage, minutes=6.25) for stage in road()))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"kind": "collect", "seed": 1}, "the key frames is missing"),
        ({"kind": "collect", "seed": 1, "frames": 0}, "frames must be a whole number, 1 or more, not 0"),
        ({"kind": "collect", "seed": 1, "frames": True}, "frames must be a whole number, 1 or more, not True"),
        (
            {"kind": "collect", "seed": 1, "frames": 9, "obstacles": 1.5},
            "obstacles must be a number from 0 on, at most 1",
        ),
        ({"kind": "collect", "seed": 1, "frames": 9, "held_out": "yes"}, "held_out must be true or false"),
        ({"kind": "collect", "seed": 1, "frames": 9, "policy": "spring"}, "needs model, but spring hands on data"),
        ({"kind": "train", "data": "spring", "samples": 9, "set": ["a"]}, "set must be dotted names with a value each"),
        ({"kind": "given"}, "takes one of the keys model and data"),
        ({"kind": "given", "model": "a", "data": "b"}, "takes one of the keys model and data"),
        (
            {"kind": "bench-drive", "model": "spring", "routes": 1, "seeds": [1, 1]},
            "seeds must be .* list of different ones",
        ),
        ({"kind": "bench-drive", "model": "spring", "routes": 1, "camera": "blue"}, "camera must be one of real, grey"),
    ],
)
def test_what_the_stages_of_a_recipe_take_is_checked(values: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=message):
        recipe_of(tmp_path, {"name": "spring"}, {"name": "next", **values})


def test_a_configuration_that_cannot_be_is_refused_before_hours_of_collection(tmp_path: Path) -> None:
    train = {"name": "next", "kind": "train", "data": "spring", "samples": 9, "set": {"schedule.peak_rat": 1.0}}
    with pytest.raises(InvalidInputError, match=r"no key schedule.peak_rat; did you mean peak_rate"):
        plan(recipe_of(tmp_path, {"name": "spring"}, train), tmp_path)


def test_a_model_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"no model 'simlingo-minni'.*did you mean simlingo-mini"):
        plan(recipe_of(tmp_path, {"name": "first", "kind": "given", "model": "simlingo-minni"}), tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("profiles: [", "cannot be read"),
        ("- one", "needs profiles and stages"),
        ("stages: []", "needs profiles and stages"),
        ("profiles: {a: {}}\nstages: [3]", "stage 1 is no mapping"),
        ("profiles: {a: {}}\nstages: [{name: one, kind: script}]", "profile a: the key frames_per_s is missing"),
        ("profiles: {a: {}}\nstages: [{name: one, kind: script}]\nstage: 3", "no key stage; did you mean stages"),
    ],
)
def test_a_file_that_is_no_recipe_is_refused(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text(text)
    with pytest.raises(InvalidInputError, match=message):
        read_recipe(str(tmp_path / "own.yaml"))


def test_unknown_recipes_profiles_and_stages_name_the_nearest() -> None:
    with pytest.raises(InvalidInputError, match=r"no recipe 'minni'.*did you mean mini"):
        read_recipe("minni")
    with pytest.raises(InvalidInputError, match="no profile 'smok'; did you mean smoke"):
        read_recipe("mini", "smok")
    with pytest.raises(InvalidInputError, match="no stage 'joit'; did you mean joint"):
        plan(read_recipe("mini"), Path("nowhere"), until="joit")


def test_frozen_vision_reads_all_views_once_more_and_learns_at_its_own_rate() -> None:
    rates = Rates(frames_per_s=1, samples_per_s=10, frozen_samples_per_s=20, views_per_s=4, dreamt_frames_per_s=5,
                  routes_per_minute=1, start_s=7, export_s=3)  # fmt: skip
    learns, frozen = (
        Train(data=("drives",), samples=600, set={"network.freeze_vision": frozen}) for frozen in (False, True)
    )
    frames = {"drives": 100, "others": 1000}
    assert learns.work_s(rates, frames) == pytest.approx(7 + 50 + 20 + 60 + 3)
    assert frozen.work_s(rates, frames) == pytest.approx(7 + 50 + 20 + 50 + 30 + 3)
