"""From a name or a path to a driver: the graphs where they fit, torch for all else, and errors that name the cure."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed; ./simlingo test installs it")

from checkpoint_cases import TINY, pair_config, plain_state, random_network, write_pair  # noqa: E402
from checkpoint_runs import published_run  # noqa: E402
from prompt_cases import like_the_published  # noqa: E402
from safetensors.torch import save_file  # noqa: E402

from simlingo.contracts import (  # noqa: E402
    MODEL_CAMERA,
    Command,
    DrivingPlan,
    InvalidInputError,
    Navigation,
    Observation,
    SimlingoError,
)
from simlingo.model.checkpoint import load_network  # noqa: E402
from simlingo.model.checkpoints import build  # noqa: E402
from simlingo.model.checkpoints.provenance import (  # noqa: E402
    PROVENANCE_FILE,
    SIMLINGO_LICENCE,
    Kind,
    Provenance,
    own,
    provenance_of,
)
from simlingo.model.checkpoints.reader import open_checkpoint  # noqa: E402
from simlingo.model.checkpoints.store import write_folder  # noqa: E402
from simlingo.model.config import ImageConfig, TokenIds  # noqa: E402
from simlingo.model.driver import TextOptions  # noqa: E402
from simlingo.model.engine import memory  # noqa: E402
from simlingo.model.engine.commentary_trigger import CommentaryMode  # noqa: E402
from simlingo.model.engine.precision import PRECISIONS  # noqa: E402
from simlingo.model.folder import GRAPHS, SHIPPED, TOKENIZER_FILE  # noqa: E402
from simlingo.model.load import load_policy  # noqa: E402
from simlingo.model.prompt import TURN_END  # noqa: E402
from simlingo_cli.main import main  # noqa: E402
from training.benchmarks.model_subject import open_subject  # noqa: E402

#: One fixture, a network compiled by torch, takes longer than the quick part has.
pytestmark = pytest.mark.medium


def observation() -> Observation:
    frame = np.random.default_rng(1).integers(0, 256, (512, 1024, 3), dtype=np.uint8)
    return Observation(
        7, frame, MODEL_CAMERA, 4.2, Navigation(np.array([[10.0, 1.0], [30.0, -2.0]]), Command.LEFT, Command.LEFT, 20.0)
    )


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
    Provenance("simlingo", "a test", SIMLINGO_LICENCE).write(folder)
    for precision in ("fp32", "bf16"):
        policy = load_policy(str(folder), precision=precision)  # type: ignore[arg-type]
        assert policy.simulation_only
        assert "non-commercial" in policy.licence
        policy.close()
    free = load_policy(str(tiny_folder))
    assert not free.simulation_only
    free.close()


def test_a_folder_that_has_lost_its_provenance_is_restricted(tiny_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(tiny_folder, folder, ignore=shutil.ignore_patterns("source"))
    for precision in ("fp32", "bf16"):
        policy = load_policy(str(folder), precision=precision)  # type: ignore[arg-type]
        assert policy.simulation_only
        assert "provenance.json" in policy.licence
        policy.close()
    shipped = load_policy("simlingo-mini")
    assert (shipped.licence, shipped.simulation_only) == ("Apache-2.0", False)
    shipped.close()
    (tmp_path / "link").symlink_to(SHIPPED / "simlingo-mini")
    assert not provenance_of(Kind.OURS, "", tmp_path / "link").simulation_only


@pytest.mark.parametrize(
    ("values", "restricted"),
    [
        ({"licence": "worded in another way"}, True),
        ({"licence": SIMLINGO_LICENCE}, True),
        ({"licence": "Apache-2.0"}, False),
        ({"licence": "Apache-2.0", "simulation_only": True}, True),
        ({"licence": SIMLINGO_LICENCE, "simulation_only": False}, False),
    ],
)
def test_what_a_folder_says_decides_and_a_text_that_is_unknown_restricts(
    tmp_path: Path, values: dict[str, object], restricted: bool
) -> None:
    file = tmp_path / PROVENANCE_FILE
    file.parent.mkdir()
    file.write_text(json.dumps({"layout": "pair", "origin": "a test", "revision": "", "notes": [], **values}))
    assert provenance_of(Kind.OURS, "", tmp_path).simulation_only is restricted


@pytest.mark.parametrize("values", [{"simulation_only": "no"}, {"notes": None}, {"extra": 1}])
def test_a_provenance_that_is_damaged_is_named(tmp_path: Path, values: dict[str, object]) -> None:
    own("a test").write(tmp_path)
    file = tmp_path / PROVENANCE_FILE
    file.write_text(json.dumps({**json.loads(file.read_text()), **values}))
    with pytest.raises(InvalidInputError, match=r"provenance\.json is damaged"):
        provenance_of(Kind.OURS, "", tmp_path)


def test_a_flipped_bit_is_found_before_it_drives(
    tiny_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "model"
    write_folder(open_checkpoint(tiny_folder), folder, tiny_folder)
    load_policy(str(folder)).close()
    assert "checking" in capsys.readouterr().err
    file = folder / "model.safetensors"
    data = bytearray(file.read_bytes())
    data[-5] ^= 1
    file.write_bytes(bytes(data))
    with pytest.raises(InvalidInputError, match=r"model\.safetensors are not those that were written.*SHA256SUMS"):
        load_policy(str(folder))
    assert main(["checkpoint", "inspect", str(folder)]) == 1
    assert "SHA256SUMS" in capsys.readouterr().err


def test_too_little_memory_on_the_cpu_is_told_before_the_weights_are_taken(
    tiny_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "free_bytes", lambda device: 1000)
    monkeypatch.setattr(build, "network_of", lambda checkpoint: pytest.fail("the weights were taken"))
    with pytest.raises(SimlingoError, match=r"cpu has .* free; .*bf16.*int8.*text policy never"):
        load_policy(str(tiny_folder), precision="bf16")


def test_memory_that_runs_out_while_weights_are_taken_is_told_with_its_cure(
    tiny_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(checkpoint: object) -> None:
        torch.empty(2**50, dtype=torch.uint8)

    monkeypatch.setattr(build, "network_of", full)
    with pytest.raises(SimlingoError, match=r"memory ran out .*bf16.*text policy never"):
        load_policy(str(tiny_folder), precision="bf16")


def test_lower_precision_helps_where_memory_is_short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The cure that the error names: only adapted weights are made in fp32, the rest is converted out of its file."""
    checkpoint = open_checkpoint(write_pair(tmp_path / "pair", random_network()))
    weights = [tensor.numel() for name, tensor in checkpoint.tensors.items() if ".lora_" not in name]
    monkeypatch.setattr(memory, "free_bytes", lambda device: int(4 * 1.25 * sum(weights)))
    memory.require_memory_to_load(checkpoint)
    monkeypatch.setattr(memory, "free_bytes", lambda device: int(3.6 * 1.25 * sum(weights)))
    for precision in ("bf16", "int8"):
        memory.require_memory_to_load(checkpoint, precision)
    with pytest.raises(SimlingoError, match="needs about"):
        memory.require_memory_to_load(checkpoint)


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
        policy = load_policy(
            str(published), route_as="command", text=TextOptions(CommentaryMode.ALWAYS), precision=precision
        )
        assert policy.simulation_only
        assert "non-commercial" in policy.licence
        assert policy.config.distance_to_first_point
        assert policy.text.when is CommentaryMode.ALWAYS  # the published weights speak
        plans[precision] = policy.plan(observation())
        policy.close()
    size = np.abs(plans["fp32"].path).max()
    for precision, share in (("bf16", 0.05), ("int8", 0.2)):
        difference = np.abs(plans[precision].path - plans["fp32"].path).max()
        assert 0.0 < difference < share * size


def test_a_tokenizer_beside_foreign_weights_makes_them_no_folder_of_ours(published: Path) -> None:
    for path in (next(published.rglob("pytorch_model.pt")), next(published.rglob("pytorch_model.pt")).parent):
        load_policy(str(path)).close()


def test_a_flipped_bit_of_a_foreign_checkpoint_is_found_before_it_drives_or_trains(
    published: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    load_policy(str(published)).close()
    assert "checking" in capsys.readouterr().err
    file = next(published.rglob("pytorch_model.pt"))
    values = torch.load(file, weights_only=True)["wp_encoder.mlp.4.weight"].numpy().tobytes()
    data = bytearray(file.read_bytes())
    data[data.index(values) + 10] ^= 4
    file.write_bytes(bytes(data))
    for use in (
        lambda: load_policy(str(published)),
        lambda: load_network(published),
        open_subject(str(published)).network,
    ):
        with pytest.raises(InvalidInputError, match=r"pytorch_model\.pt are damaged"):
            use()


def test_a_backbone_that_never_learned_to_drive_is_refused(tmp_path: Path) -> None:
    tokenizer = like_the_published()
    language = replace(TINY.language, vocab_size=tokenizer.vocab_size - TINY.added_tokens)
    config = {**pair_config(), "llm_config": {**pair_config()["llm_config"], "vocab_size": language.vocab_size}}
    del config["token_ids"]
    plain = tmp_path / "backbone"
    plain.mkdir()
    (plain / "config.json").write_text(json.dumps(config))
    save_file(plain_state(random_network(config=replace(TINY, language=language))), plain / "model.safetensors")
    tokenizer._tokenizer.save(str(plain / TOKENIZER_FILE))
    write_folder(open_checkpoint(plain), tmp_path / "imported", plain)
    for folder in (plain, tmp_path / "imported"):
        with pytest.raises(InvalidInputError, match="is no driver: its heads are fresh"):
            load_policy(str(folder))
    config_file = tmp_path / "imported/config.json"
    config_file.write_text(config_file.read_text().replace('"drives": false', '"drives": true'))
    with pytest.raises(InvalidInputError, match=r"pictures of 96x48; models drive here on 1024x512 only"):
        load_policy(str(tmp_path / "imported"))


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
