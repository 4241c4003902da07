"""Written folders: whole or not at all, and back to the published layout bit for bit."""

from __future__ import annotations

import json
import os
import resource
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed; ./simlingo test installs it")

from checkpoint_cases import REFERENCE, published_state, random_network, write_pair  # noqa: E402
from checkpoint_runs import hydra, published_run, write_zero2  # noqa: E402

from simlingo.contracts import InvalidInputError  # noqa: E402
from simlingo.model.checkpoints.atomic_write import whole_folder, writing  # noqa: E402
from simlingo.model.checkpoints.publish import write_published  # noqa: E402
from simlingo.model.checkpoints.reader import open_checkpoint  # noqa: E402
from simlingo.model.checkpoints.shards import read_shards, write_shards  # noqa: E402
from simlingo_cli.main import main  # noqa: E402

State = dict[str, torch.Tensor]


@contextmanager
def file_size_limit(limit: int) -> Iterator[None]:
    """No file may grow beyond ``limit`` bytes: writing fails as it does on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def run(*words: object) -> int:
    return main(["checkpoint", *map(str, words)])


def round_trip(path: Path, tmp_path: Path) -> Path:
    """Imported and exported; the folder of the export."""
    assert run("import", path, "--out", tmp_path / "ours", "--no-tokenizer") == 0
    assert run("export", tmp_path / "ours", "--out", tmp_path / "back") == 0
    return tmp_path / "back"


def assert_equal_bits(one: State, other: State) -> None:
    assert set(one) == set(other)
    for name, tensor in one.items():
        assert tensor.dtype == other[name].dtype
        assert tensor.numpy().tobytes() == other[name].numpy().tobytes(), name


def load(file: Path) -> State:
    state: State = torch.load(file, weights_only=True)
    return state


def test_a_pair_comes_back_bit_for_bit(tmp_path: Path) -> None:
    folder = write_pair(tmp_path / "tiny", random_network())
    state = load(folder / "pytorch_model.pt")
    state["wp_encoder.mlp.0.bias"][0] = float("nan")  # bits, not values
    state["adaptors.driving.query_embeds_wps"] = state["adaptors.driving.query_embeds_wps"].half()
    torch.save(state, folder / "pytorch_model.pt")
    back = round_trip(folder, tmp_path)
    assert_equal_bits(load(back / "pytorch_model.pt"), state)
    assert (back / "config.json").read_bytes() == (folder / "config.json").read_bytes()
    size, original = ((path / "pytorch_model.pt").stat().st_size for path in (back, folder))
    assert abs(size - original) < 0.02 * original  # aliases are stored once, storages hold nothing else


def test_a_run_comes_back_with_its_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = published_run(tmp_path / "run", random_network(), monkeypatch)
    back = round_trip(file, tmp_path)
    assert_equal_bits(load(back / "checkpoints/epoch=013.ckpt/pytorch_model.pt"), load(file))
    assert (back / ".hydra/config.yaml").read_bytes() == (tmp_path / "run/.hydra/config.yaml").read_bytes()


def test_zero2_becomes_the_published_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state = write_zero2(tmp_path / "run/checkpoints/a.ckpt", random_network())
    hydra(tmp_path / "run", monkeypatch)
    back = round_trip(tmp_path / "run", tmp_path)
    assert_equal_bits(load(next(back.rglob("pytorch_model.pt"))), dict(state))


@pytest.mark.skipif(not (REFERENCE / "parity/pytorch_model.pt").is_file(), reason="no parity case beside this checkout")
def test_the_published_modules_file_comes_back_with_its_order(tmp_path: Path) -> None:
    back = round_trip(REFERENCE / "parity", tmp_path)
    one, other = load(back / "pytorch_model.pt"), load(REFERENCE / "parity/pytorch_model.pt")
    assert_equal_bits(one, other)
    assert list(one) == list(other)


def test_merged_adapters_cannot_be_exported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write_pair(tmp_path / "tiny", random_network())
    assert run("import", folder, "--out", tmp_path / "ours", "--no-tokenizer", "--merge-lora", "--name", "fast") == 0
    assert open_checkpoint(tmp_path / "ours").config.name == "fast"
    assert run("export", tmp_path / "ours", "--out", tmp_path / "back") == 1
    assert "without --merge-lora" in capsys.readouterr().err
    assert run("import", tmp_path / "ours", "--out", tmp_path / "again", "--no-tokenizer", "--merge-lora") == 1
    assert "no LoRA factors to merge" in capsys.readouterr().err


def test_inspect_counts_the_weights_that_judge_instructions(
    judging_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("inspect", judging_folder, "--json") == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["parts"]["judgement"] > 0
    assert sum(facts["parts"].values()) == facts["weights"]


def test_a_head_that_the_published_layout_lacks_is_not_dropped(tmp_path: Path) -> None:
    checkpoint = open_checkpoint(write_pair(tmp_path / "tiny", random_network()))
    judging = replace(checkpoint, config=replace(checkpoint.config, judgement_hidden=8))
    with pytest.raises(
        InvalidInputError, match="judges instructions by a head that the published layout has no place for"
    ):
        write_published(judging, tmp_path / "back")
    assert not (tmp_path / "back").exists()


def test_the_folder_says_what_it_is(tmp_path: Path) -> None:
    folder = write_pair(tmp_path / "tiny", random_network())
    assert run("import", folder, "--out", tmp_path / "ours", "--no-tokenizer") == 0
    card = (tmp_path / "ours/README.md").read_text()
    for sign in ("non-commercial", "simulation only", "layout there: pair", "LoRA of rank 4", str(folder)):
        assert sign in card
    subprocess.run(["sha256sum", "-c", "--quiet", "SHA256SUMS"], cwd=tmp_path / "ours", check=True)
    assert oct((tmp_path / "ours/model.safetensors").stat().st_mode)[-3:] == "644"


def test_inspect_counts_keys_and_weights(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write_pair(tmp_path / "tiny", random_network())
    assert run("inspect", folder, "--json") == 0
    facts = json.loads(capsys.readouterr().out)
    state = published_state(random_network())
    assert facts["keys"] == len(state)
    assert facts["tensors"] == len(state) - 3
    assert sum(facts["parts"].values()) == facts["weights"]
    assert facts["parts"]["LoRA"] == sum(t.numel() for name, t in state.items() if ".lora_" in name)
    assert run("inspect", folder) == 0
    assert "tokenizer       none" in capsys.readouterr().out
    assert run("inspect", "simlingo-mini") == 0  # a shipped model's name
    assert "simlingo layout, complete" in capsys.readouterr().out


def test_large_models_are_sharded(tmp_path: Path) -> None:
    tensors = {f"t{i}": torch.full((1000,), float(i)) for i in range(5)} | {"large": torch.ones(5000)}
    write_shards(tensors, tmp_path, lambda _: None, shard_bytes=8000)
    files = sorted(path.name for path in tmp_path.glob("*.safetensors"))
    assert files == [f"model-{i:05d}-of-00004.safetensors" for i in range(1, 5)]
    read = read_shards(tmp_path)
    assert_equal_bits(read, tensors)
    index = json.loads((tmp_path / "model.safetensors.index.json").read_text())
    index["weight_map"]["t9"] = files[0]
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(InvalidInputError, match="disagree about t9"):
        read_shards(tmp_path)
    index["weight_map"]["t9"] = "../elsewhere.safetensors"
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(InvalidInputError, match="file names in its own folder"):
        read_shards(tmp_path)


@pytest.mark.parametrize("command", ["import", "export"])
def test_a_full_disk_leaves_nothing_half_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    folder = write_pair(tmp_path / "tiny", random_network())
    options = ["--no-tokenizer"] if command == "import" else []
    with file_size_limit(20_000):
        assert run(command, folder, "--out", tmp_path / "out", *options) == 1
    text = capsys.readouterr().err
    assert "could not be written" in text
    assert "make room" in text
    assert sorted(path.name for path in tmp_path.iterdir()) == ["tiny"]


def test_a_disk_without_room_is_known_before_writing(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"needs 1000000\.02 GB"), whole_folder(tmp_path / "out", 10**15):
        pytest.fail("the block must not be entered")
    assert not list(tmp_path.iterdir())


def test_errors_that_are_not_of_writing_stay_what_they_are(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="shapes differ"), writing(tmp_path / "file"):
        raise RuntimeError("shapes differ")
    with (
        pytest.raises(InvalidInputError, match=r"could not be written \(PytorchStreamWriter failed"),
        writing(tmp_path / "f"),
    ):
        raise RuntimeError("\n\nPytorchStreamWriter failed writing file data/3: file write failed")


def test_what_is_there_is_not_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write_pair(tmp_path / "tiny", random_network())
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis/text").write_text("years of work")
    assert run("import", folder, "--out", tmp_path / "thesis", "--no-tokenizer") == 1
    text = capsys.readouterr().err
    assert "is there already" in text
    assert "checking" not in text  # said before the long work
    assert os.listdir(tmp_path / "thesis") == ["text"]
    (tmp_path / "empty").mkdir()
    assert run("import", folder, "--out", tmp_path / "empty", "--no-tokenizer") == 0
