"""What the stages of a recipe call: command lines that their commands understand, and packages that are named."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest
from dataset_cases import write_dataset
from test_import_floors import OURS, file_of, reachable

from simlingo.contracts import InvalidInputError
from simlingo.model.checkpoints.provenance import Kind, provenance_of
from simlingo.model.folder import find_model
from simlingo_cli.commands import COMMANDS
from simlingo_cli.main import build_parser, find_command
from training.recipe.fingerprint import sources_in
from training.recipe.kinds import KINDS
from training.recipe.model_files import copy_model, model_digest, weights_digest
from training.recipe.plan import plan
from training.recipe.reading import read_recipe
from training.recipe.stage import ROOT, Place
from training.recipe.stage_collect import Collect
from training.recipe.stage_figures import BenchDrive, BenchLanguage, CheckDreams
from training.recipe.stage_given import Given
from training.recipe.stage_train import Train

#: Which module a kind's commands end up in.
MODULES = {
    "given": "training.datasets.reader",
    "collect": "training.collect.cli",
    "check-dreams": "training.language.dreams.check",
    "train": "training.trainer.cli",
    "export": "training.recipe.export_model",
    "bench-drive": "training.evaluation.bench_drive",
    "report": "training.recipe.card",
}
#: Imported only where a configuration or an option asks for it, and for models without graphs.
ON_DEMAND = {"tensorboardX", "wandb", "openvino", "peft", "huggingface_hub"}
FOR_CHECKPOINTS = {"torch", "transformers"}


@pytest.mark.parametrize("kind", sorted(MODULES))
def test_a_kind_names_all_packages_that_it_imports(kind: str) -> None:
    tops = {name.split(".")[0] for name in reachable(MODULES[kind], at_import_only=False)}
    foreign = tops - OURS - set(sys.stdlib_module_names) - ON_DEMAND
    assert foreign - (set() if kind in ("train", "export") else FOR_CHECKPOINTS) <= set(KINDS[kind].packages)


@pytest.mark.parametrize("kind", sorted(set(MODULES) - {"given", "report"}))
def test_a_kind_names_all_sources_that_it_imports(kind: str) -> None:
    ours = {name for name in reachable(MODULES[kind], at_import_only=True) if name.split(".")[0] in OURS}
    files = {file for name in ours if (file := file_of(name)) is not None and file.read_text().strip()}
    counted = {path for source in KINDS[kind].sources for path in sources_in(source, ROOT)}
    assert {str(file.relative_to(ROOT)) for file in files - counted} <= {
        "training/recipe/caution.py",
        "training/recipe/export_model.py",
        "training/recipe/model_files.py",
    }


def parsed(command: Sequence[str]) -> SimpleNamespace:
    """What a command of ./simlingo reads of the words behind its name."""
    assert list(command[:3]) == [sys.executable, "-m", "simlingo_cli"]
    words = find_command(command[3:])
    assert words is not None
    parser: ArgumentParser = build_parser(words, COMMANDS[words])[0]
    return SimpleNamespace(words=words, **vars(parser.parse_args(command[3 + len(words) :])))


@pytest.fixture
def place(tmp_path: Path) -> Place:
    names = ("first", "second", "model")
    return Place(tmp_path / "stage", tmp_path, {name: tmp_path / f"made by {name}" for name in names})


def test_collect_is_told_everything(place: Place) -> None:
    stage = Collect(
        frames=30, seed=4, policy="model", obstacles=0.25, procedural=0.0, towns=("harbortown",), held_out=True, workers=3
    )  # fmt: skip
    (command,) = stage.commands(place)
    told = parsed(command)
    assert told.words == ("collect",)
    assert (told.out, told.frames, told.seed, told.workers) == (place.folder / "data", 30, 4, 3)
    assert (told.policy, told.towns, told.allow_held_out) == (str(place.inputs["model"]), ["harbortown"], True)
    assert (told.obstacles, told.procedural) == (0.25, 0.0)


def test_train_is_told_everything(place: Place) -> None:
    stage = Train(
        data=("first", "second"), samples=99, start="model", validation=("second",), threads=2,
        set={"schedule.peak_rate": 1e-4, "evaluation.routes": ["a", "b"]},
    )  # fmt: skip
    (command,) = stage.commands(place)
    told = parsed(command)
    assert told.data == [place.inputs["first"], place.inputs["second"]]
    assert told.validation == [place.inputs["second"]]
    assert (told.start_from, told.samples, told.threads) == (place.inputs["model"], 99, 2)
    assert told.set == ["schedule.peak_rate=0.0001", 'evaluation.routes=["a", "b"]', "loggers.tensorboard=false"]
    assert told.accept == ["commit", "versions.python", "versions.torch", "versions.numpy"]
    assert told.cache.parent == place.run / "cache"


def test_stages_with_the_same_data_share_the_pictures(place: Place) -> None:
    def cache(**keys: object) -> Path:
        (command,) = Train(samples=1, **keys).commands(place)  # type: ignore[arg-type]
        return parsed(command).cache  # type: ignore[no-any-return]

    assert cache(data=("first",)) == cache(data=("first",), start="model")
    assert cache(data=("first",)) != cache(data=("first",), validation=("second",))


def test_judges_are_told_everything(place: Place) -> None:
    stage = BenchDrive(
        model="model", routes=3, seeds=(1, 4), towns=("gridtown", "ringtown"), plan_every=1, traffic="dense",
        obstacles="many", camera="grey", instructions=True, jobs=1,
    )  # fmt: skip
    (command,) = stage.commands(place)
    told = parsed(command)
    assert (told.words, told.weights) == (("bench", "drive"), str(place.inputs["model"]))
    assert (told.routes, told.seed, told.towns, told.plan_every) == (3, [1, 4], "gridtown,ringtown", 1)
    assert (told.traffic, told.obstacles, told.camera) == ("dense", "many", "grey")
    assert (told.instructions, told.jobs, told.json) == (True, 1, place.folder / "figures.json")
    (command,) = CheckDreams(data="first").commands(place)
    assert parsed(command).check_dreams == place.inputs["first"]


@pytest.mark.skipif(("bench", "language") not in COMMANDS, reason="bench language is to come")
def test_the_judge_of_words_is_told_everything(place: Place) -> None:
    (command,) = BenchLanguage(model="model", suites=("dream-val", "ask-val"), quick=True).commands(place)
    told = parsed(command)
    assert (told.model, told.suite, told.quick) == (str(place.inputs["model"]), ["dream-val", "ask-val"], True)
    assert (told.json, told.data) == (place.folder / "figures.json", place.run / "suites")


def test_dreams_that_the_vehicle_could_not_do_are_counted_from_the_log(place: Place) -> None:
    stage = CheckDreams(data="first")
    place.folder.mkdir()
    place.inputs["first"].mkdir()
    (place.inputs["first"] / "dreams.png").write_bytes(b"plot")
    (place.folder / "log.txt").write_text(
        "7 rolled-out dreams of 2 frames, 9 a second\n  stop x\n0 violations\nplot: x\n"
    )
    stage.finish(place)
    assert stage.figures(place) == {"dreams": "7 rolled-out dreams of 2 frames, 9 a second", "violations": 0}
    assert (place.folder / "dreams.png").read_bytes() == b"plot"
    (place.folder / "log.txt").write_text("it broke\n")
    with pytest.raises(InvalidInputError, match="names no dreams and violations"):
        stage.finish(place)


def test_another_configuration_makes_another_outcome_however_it_is_written(tmp_path: Path) -> None:
    def content(**values: object) -> object:
        return Train(data=("first",), samples=1, **values).content()  # type: ignore[arg-type]

    assert content() == content(set={"schedule.warm_up_share": 0.05})
    assert content() != content(set={"schedule.warm_up_share": 0.06})


def test_a_collection_with_too_few_frames_is_not_whole(tmp_path: Path) -> None:
    place = Place(tmp_path, tmp_path)
    write_dataset(tmp_path / "data", {"one": 3, "two": 2})
    whole = Collect(frames=5, seed=1)
    assert whole.figures(place)["frames"] == 5
    first = whole.digest(place)
    with pytest.raises(InvalidInputError, match="holds 5 of 6 frames"):
        Collect(frames=6, seed=1).digest(place)
    (tmp_path / "data/routes/two.parquet").unlink()
    write_dataset(tmp_path / "data", {"other": 2})
    assert whole.digest(place) != first


def test_given_data_are_what_they_hold_wherever_they_lie(tmp_path: Path) -> None:
    one, two = (Given(data=str(write_dataset(tmp_path / name, {"route": 3}))) for name in ("one", "two"))
    assert one.content() == two.content()
    assert one.deciding() == two.deciding()
    assert one.frames_made() == 3
    assert one.told() == {"data": "one"}, "no place of this machine"
    assert Given(data=str(write_dataset(tmp_path / "three", {"route": 4}))).content() != one.content()


def test_a_model_travels_with_what_it_needs_and_nothing_else(tmp_path: Path) -> None:
    run = tmp_path / "run"
    copy_model(find_model("simlingo-mini"), run)
    (run / "state.pt").write_text("checkpoint")
    (run / "losses.csv").write_text("curves")
    copy_model(run, tmp_path / "model")
    names = {
        path.relative_to(tmp_path / "model").as_posix() for path in (tmp_path / "model").rglob("*") if path.is_file()
    }
    assert {
        "config.json",
        "tokenizer.json",
        "model.safetensors",
        "graphs.bin",
        "plan.onnx",
        "source/provenance.json",
    } <= names
    assert not names & {"state.pt", "losses.csv"}
    assert provenance_of(Kind.OURS, "", tmp_path / "model").licence == "Apache-2.0", (
        "told by the shipped folder's place"
    )
    assert model_digest(tmp_path / "model") == model_digest(run)
    (tmp_path / "model/plan.onnx").write_bytes(b"other")
    assert model_digest(tmp_path / "model") != model_digest(run)
    assert weights_digest(tmp_path / "model") == weights_digest(run), "what was exported is no weight"
    (tmp_path / "model/tokenizer.json").unlink()
    with pytest.raises(InvalidInputError, match=r"no whole model folder: it has no tokenizer.json"):
        model_digest(tmp_path / "model")


def test_the_models_of_a_recipe_bring_its_stages_along(tmp_path: Path) -> None:
    recipe = read_recipe("mini", "smoke")
    assert plan(recipe, tmp_path)[0].stage.settings.history(Place(tmp_path, tmp_path)) == []
