"""Frozen vision: pictures are read once, and nothing of it learns."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed; ./simlingo test installs it")

from trainer_cases import MODEL, frames, tiny_config, tiny_data, tiny_run  # noqa: E402

from simlingo.contracts import InvalidInputError  # noqa: E402
from simlingo.model.checkpoint import build_network, load_network  # noqa: E402
from simlingo.model.network import SimLingoNetwork  # noqa: E402
from simlingo.model.processor import Processor  # noqa: E402
from simlingo.model.tokenizer import PromptTokenizer  # noqa: E402
from training.trainer import image_embeddings as under_test  # noqa: E402
from training.trainer.batches import BatchMaker  # noqa: E402
from training.trainer.csv_log import read_rows  # noqa: E402
from training.trainer.image_embeddings import image_embeddings, vision_of  # noqa: E402
from training.trainer.losses import DrivingLosses, values_of  # noqa: E402
from training.trainer.tokenizer import train_tokenizer  # noqa: E402

FROZEN = {"network": {"freeze_vision": True}}


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> PromptTokenizer:
    path = tmp_path_factory.mktemp("words") / "tokenizer.json"
    train_tokenizer(path, MODEL.language.vocab_size)
    return PromptTokenizer.load(path)


@pytest.fixture
def network(tokenizer: PromptTokenizer) -> SimLingoNetwork:
    torch.manual_seed(3)
    return build_network(MODEL, tokenizer)


@pytest.fixture
def start(tmp_path: Path) -> Path:
    """A model folder to begin with."""
    trainer, budget = tiny_run(tmp_path / "start")
    trainer.run(budget, lambda progress: None)
    return tmp_path / "start"


def passes(monkeypatch: pytest.MonkeyPatch, most: int = 10**6) -> list[int]:
    """Sizes of the vision passes from here on; the pass after ``most`` is an interrupt."""
    found: list[int] = []
    original = SimLingoNetwork.vision_tokens

    def counted(self: SimLingoNetwork, pictures: Any) -> Any:
        if len(found) == most:
            raise KeyboardInterrupt
        found.append(len(pictures))
        return original(self, pictures)

    monkeypatch.setattr(SimLingoNetwork, "vision_tokens", counted)
    return found


def test_what_is_kept_gives_the_losses_of_the_pictures(
    network: SimLingoNetwork, tokenizer: PromptTokenizer, tmp_path: Path
) -> None:
    pack, processor, losses = frames(8), Processor(MODEL, tokenizer), DrivingLosses(MODEL, tiny_config().losses)
    kept = image_embeddings(network, pack, "pictures", tmp_path / "e.npy")
    assert kept.shape == (8, MODEL.image_tokens, MODEL.language.hidden_size)
    config = tiny_config(augmentation={"brightness": 0.0, "contrast": 0.0}, sampler={"batch_frames": 5})
    for step in (0, 4):
        seen = values_of(losses(network, BatchMaker(pack, processor, config).training(step)))
        read = values_of(losses(network, BatchMaker(pack, processor, config, embeddings=kept).training(step)))
        assert seen.keys() - read.keys() == {"semantic", "depth"}
        for name, value in read.items():
            assert value.item() == pytest.approx(seen[name].item(), abs=1e-5), name
        assert read["path"].item() > 0.01
    plain = [
        values_of(losses(network, BatchMaker(pack, processor, config, None, each).plain(np.array([1, 6]))))
        for each in (None, kept)
    ]
    assert plain[0]["path"].item() == pytest.approx(plain[1]["path"].item(), abs=1e-5)


@pytest.mark.medium
def test_only_the_rest_of_the_network_learns(start: Path, tmp_path: Path) -> None:
    trainer, budget = tiny_run(tmp_path / "run", tiny_config(**FROZEN), start_from=start)
    trainer.run(budget, lambda progress: None)
    before, after = load_network(start)[0], load_network(tmp_path / "run")[0]
    for old, new in zip(vision_of(before), vision_of(after), strict=True):
        assert old.state_dict()
        for name, value in old.state_dict().items():
            assert torch.equal(value, new.state_dict()[name]), name
    changed = before.vlm.language_model.state_dict()
    assert not [n for n, value in after.vlm.language_model.state_dict().items() if torch.equal(value, changed[n])]
    rows = read_rows(tmp_path / "run/losses.csv")
    assert "path" in rows[0]
    assert "semantic" not in rows[0]
    assert "val_path" in read_rows(tmp_path / "run/validation.csv")[0]


@pytest.mark.medium
def test_pictures_are_read_once_by_a_run_that_goes_on(
    start: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, budget = tiny_run(tmp_path / "whole", tiny_config(**FROZEN), start_from=start)
    whole.run(budget, lambda progress: None)
    folder = tmp_path / "cut"
    trainer, budget = tiny_run(folder, tiny_config(**FROZEN), start_from=start)
    trainer.run(budget, lambda progress: setattr(trainer, "interrupted", progress.samples >= budget // 2))
    assert (folder / "losses.csv").read_text() != (tmp_path / "whole/losses.csv").read_text()
    sizes = passes(monkeypatch)
    again, budget = tiny_run(folder, tiny_config(**FROZEN), start_from=start)
    again.run(budget, lambda progress: None)
    assert sizes == []
    assert (folder / "losses.csv").read_text() == (tmp_path / "whole/losses.csv").read_text()


@pytest.mark.medium
def test_the_next_run_with_this_vision_reads_no_picture(
    start: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = replace(tiny_data(), cache=tmp_path / "cache")
    tiny_run(tmp_path / "first", tiny_config(**FROZEN), start_from=start, data=data)
    assert (tmp_path / "cache/embeddings/train.npy").is_file()
    assert not (tmp_path / "first/embeddings").exists()
    sizes = passes(monkeypatch)
    tiny_run(tmp_path / "second", tiny_config(**FROZEN, seed=5), start_from=start, data=data)
    assert sizes == []


def test_fresh_weights_are_not_frozen(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"network\.freeze_vision .* --start-from"):
        tiny_run(tmp_path / "run", tiny_config(**FROZEN))


def test_a_killed_build_goes_on_and_makes_the_same(
    network: SimLingoNetwork, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(under_test, "_VIEWS", 2)
    monkeypatch.setattr(under_test, "_NOTED", 2)
    whole = image_embeddings(network, frames(9), "pictures", tmp_path / "whole.npy")
    with monkeypatch.context() as patch:
        passes(patch, most=3)
        with pytest.raises(KeyboardInterrupt):
            image_embeddings(network, frames(9), "pictures", tmp_path / "cut.npy")
    assert not (tmp_path / "cut.npy").exists()
    sizes = passes(monkeypatch)
    np.testing.assert_array_equal(image_embeddings(network, frames(9), "pictures", tmp_path / "cut.npy"), whole)
    assert sizes == [2, 2, 1]  # two of the three passes were noted
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cut.json", "cut.npy", "whole.json", "whole.npy"]


def test_another_vision_or_other_pictures_make_it_again(
    network: SimLingoNetwork, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "e.npy"
    first = np.array(image_embeddings(network, frames(4), "pictures", path))
    sizes = passes(monkeypatch)
    np.testing.assert_array_equal(image_embeddings(network, frames(4), "pictures", path), first)
    assert sizes == []
    image_embeddings(network, frames(4, seed=5), "other pictures", path)
    assert sizes == [4]
    with torch.no_grad():
        next(network.vlm.multi_modal_projector.parameters()).add_(1.0)
    assert not np.allclose(image_embeddings(network, frames(4), "other pictures", path), first)
    assert sizes == [4, 4]


@pytest.mark.filterwarnings("error")
def test_pictures_of_a_cache_are_read_only(network: SimLingoNetwork, tmp_path: Path) -> None:
    pack = frames(4)
    wanted = np.array(image_embeddings(network, pack, "pictures", tmp_path / "writable.npy"))
    pack.frames.flags.writeable = False  # as they are where they are mapped from a file
    np.testing.assert_array_equal(image_embeddings(network, pack, "pictures", tmp_path / "mapped.npy"), wanted)


def test_a_damaged_file_is_named(network: SimLingoNetwork, tmp_path: Path) -> None:
    path = tmp_path / "e.npy"
    image_embeddings(network, frames(4), "pictures", path)
    path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(InvalidInputError, match=r"e\.npy is damaged.*remove it"):
        image_embeddings(network, frames(4), "pictures", path)
