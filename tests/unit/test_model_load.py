"""From a name or a path to a driver: the graphs where they fit, torch for all else, and errors that name the cure."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed; ./simlingo test installs it")

from checkpoint_cases import TINY, random_network, write_pair  # noqa: E402
from checkpoint_runs import published_run  # noqa: E402
from prompt_cases import like_the_published  # noqa: E402

from simlingo.contracts import (  # noqa: E402
    MODEL_CAMERA,
    Command,
    DrivingPlan,
    InvalidInputError,
    Navigation,
    Observation,
)
from simlingo.model.checkpoints.provenance import PROVENANCE_FILE, SIMLINGO_LICENCE, Provenance  # noqa: E402
from simlingo.model.config import ImageConfig, TokenIds  # noqa: E402
from simlingo.model.driver import TextOptions  # noqa: E402
from simlingo.model.engine.precision import PRECISIONS  # noqa: E402
from simlingo.model.engine.when_to_speak import When  # noqa: E402
from simlingo.model.folder import GRAPHS, TOKENIZER_FILE  # noqa: E402
from simlingo.model.load import load_policy  # noqa: E402
from simlingo.model.prompt import TURN_END  # noqa: E402


def observation() -> Observation:
    frame = np.random.default_rng(1).integers(0, 256, (512, 1024, 3), dtype=np.uint8)
    return Observation(7, frame, MODEL_CAMERA, 4.2, Navigation(np.array([[10.0, 1.0], [30.0, -2.0]]), Command.LEFT, Command.LEFT, 20.0))


@pytest.mark.parametrize(("precision", "tolerance"), [("bf16", 0.1), ("int8", 0.5)])
def test_other_precisions_run_on_torch_and_plan_alike(tiny_folder: Path, precision: str, tolerance: float) -> None:
    graphs, other = load_policy(str(tiny_folder)), load_policy(str(tiny_folder), precision=precision)  # type: ignore[arg-type]
    wanted, found = graphs.plan(observation()), other.plan(observation())
    assert set(found.timing) != set(wanted.timing)
    assert not np.array_equal(found.path, wanted.path)
    np.testing.assert_allclose(found.path, wanted.path, atol=tolerance)
    graphs.close()
    other.close()


def test_a_folder_without_graphs_runs_on_torch(tiny_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(tiny_folder, folder)
    for name in GRAPHS.values():
        (folder / name).unlink()
    plain, graphs = load_policy(str(folder)), load_policy(str(tiny_folder))
    np.testing.assert_allclose(plain.plan(observation()).path, graphs.plan(observation()).path, atol=1e-4)
    plain.close()
    graphs.close()


def test_the_licence_comes_with_the_folder(tiny_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(tiny_folder, folder)
    (folder / PROVENANCE_FILE).parent.mkdir()
    (folder / PROVENANCE_FILE).write_text(Provenance("simlingo", "a test", SIMLINGO_LICENCE).to_json())
    for precision in ("fp32", "bf16"):
        policy = load_policy(str(folder), precision=precision)  # type: ignore[arg-type]
        assert policy.simulation_only
        assert "non-commercial" in policy.licence
        policy.close()
    free = load_policy(str(tiny_folder))
    assert not free.simulation_only
    free.close()


@pytest.fixture
def published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run's folder in the published layout: flat weight file, Hydra's configuration, the backbone's tokenizer."""
    tokenizer = like_the_published()
    ids = TokenIds(tokenizer.image_context_id, tokenizer.target_point_id, tokenizer.encode(TURN_END)[0])
    language = replace(TINY.language, vocab_size=tokenizer.vocab_size - TINY.added_tokens)
    image = ImageConfig(crop_top=0, crop_bottom=359, tile=TINY.image.tile)
    config = replace(TINY, image=image, language=language, token_ids=ids)
    file = published_run(tmp_path, random_network(config=config), monkeypatch, config)
    tokenizer._tokenizer.save(str(file.with_name(TOKENIZER_FILE)))
    return tmp_path


def test_the_published_layout_drives_in_every_precision_and_in_simulation_only(published: Path) -> None:
    plans: dict[str, DrivingPlan] = {}
    for precision in PRECISIONS:
        policy = load_policy(str(published), route_as="command", text=TextOptions(When.ALWAYS), precision=precision)
        assert policy.simulation_only
        assert "non-commercial" in policy.licence
        assert policy.config.distance_to_first_point
        assert policy.text.when is When.ALWAYS  # the published weights speak
        plans[precision] = policy.plan(observation())
        policy.close()
    size = np.abs(plans["fp32"].path).max()
    for precision, share in (("bf16", 0.05), ("int8", 0.2)):
        difference = np.abs(plans[precision].path - plans["fp32"].path).max()
        assert 0.0 < difference < share * size


def test_a_checkpoint_without_a_tokenizer_names_the_way_to_bring_one(tmp_path: Path) -> None:
    write_pair(tmp_path / "pair", random_network())
    with pytest.raises(InvalidInputError, match=r"checkpoint import .* --tokenizer"):
        load_policy(str(tmp_path / "pair"))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"device": "tpu"}, "take cpu or cuda"),
        ({"precision": "fp8"}, "take one of fp32"),
        ({"device": "cuda", "precision": "int8"}, "int8 runs on a CPU only|sees no NVIDIA GPU"),
    ],
)
def test_what_cannot_be_had_is_named(tiny_folder: Path, options: dict[str, str], words: str) -> None:
    with pytest.raises(InvalidInputError, match=words):
        load_policy(str(tiny_folder), **options)  # type: ignore[arg-type]


def test_a_path_that_is_nothing_names_the_shipped_models() -> None:
    with pytest.raises(InvalidInputError, match="simlingo-mini"):
        load_policy("no/such/model")
