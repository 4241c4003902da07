"""Training's parts: dense labels, packs, batches, schedule and a resumed run."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

torch = pytest.importorskip("torch", reason="torch is not installed; ./simlingo test installs it")

from simlingo.contracts import SimlingoError  # noqa: E402
from simlingo.model.checkpoint import build_network  # noqa: E402
from simlingo.model.checkpoints.provenance import SIMLINGO_LICENCE, Provenance  # noqa: E402
from simlingo.model.checkpoints.reader import provenance_at  # noqa: E402
from simlingo.model.config import MINI, LanguageConfig, VisionConfig  # noqa: E402
from simlingo.model.prompt import SPECIAL_TOKENS  # noqa: E402
from simlingo.model.tokenizer import PromptTokenizer  # noqa: E402
from training.datasets.build_pack import ARRAYS, build_packs  # noqa: E402
from training.datasets.dense_labels import CELLS, CLASSES, dense_labels  # noqa: E402
from training.datasets.pack import LABELS, Pack, PackWriter, checked, open_pack, sampling_weight  # noqa: E402
from training.language.commentary import Cause  # noqa: E402
from training.trainer.batches import BatchMaker  # noqa: E402
from training.trainer.loop import Trainer, TrainSettings  # noqa: E402
from training.trainer.state import learning_rate, load_state  # noqa: E402
from training.trainer.tokenizer import train_tokenizer  # noqa: E402
from training.trainer.vocabulary import adopt_vocabulary  # noqa: E402

TINY = replace(
    MINI,
    vision=VisionConfig(hidden_size=32, layers=1, heads=2, intermediate_size=64),
    language=LanguageConfig(hidden_size=32, layers=1, heads=2, key_value_heads=1, intermediate_size=64, vocab_size=512),
)


def small_pack(folder: Path, count: int = 12) -> Pack:
    rng = np.random.default_rng(0)
    labels = {name: np.zeros((count, *shape), dtype=kind) for name, (shape, kind) in LABELS.items()}
    labels["command"][:] = 4
    labels["next_command"][:] = 1
    labels["weight"][:] = 1.0
    labels["speed"] = np.arange(count, dtype=np.float32)
    labels["path"][:, :, 0] = np.arange(20)
    writer = PackWriter(folder, count + 3, TINY)
    tile = TINY.image.tile
    writer.add(
        rng.integers(0, 256, (count, tile, 2 * tile, 3), dtype=np.uint8),
        rng.integers(0, len(CLASSES), (count, CELLS, 2 * CELLS), dtype=np.uint8),
        rng.uniform(1, 50, (count, CELLS, 2 * CELLS)).astype(np.float16),
        labels,
    )
    writer.close()
    return open_pack(folder)


def test_dense_labels_find_a_lens_in_one_cell() -> None:
    image = MINI.image
    rgb = np.zeros((512, 1024, 3), np.uint8)
    semantic = np.ones((512, 1024), np.uint8)  # road
    depth = np.full((512, 1024), 20.0, np.float32)
    row, column = image.crop_top + 4 * 9, 10 * 16  # cell (4, 10) is 9 x 16 pixels
    semantic[row : row + 9, column : column + 16] = 7
    rgb[row + 2 : row + 5, column + 5 : column + 8] = (255, 30, 20)
    classes, distances = dense_labels(rgb, semantic, depth, image)
    assert classes.shape == (CELLS, 2 * CELLS)
    assert CLASSES[classes[4, 10]] == "light_red"
    assert (np.delete(classes.ravel(), 4 * 2 * CELLS + 10) == CLASSES.index("road")).all()
    assert (distances == 20.0).all()


def test_dense_labels_find_a_sign_that_fills_a_tenth_of_a_cell() -> None:
    image = MINI.image
    semantic = np.ones((512, 1024), np.uint8)
    semantic[image.crop_top : image.crop_top + 4, 0:4] = 8  # of 9 x 16 pixels
    classes, _ = dense_labels(np.zeros((512, 1024, 3), np.uint8), semantic, np.ones((512, 1024), np.float32), image)
    assert CLASSES[classes[0, 0]] == "sign"


def test_unfinished_pack_is_refused(tmp_path: Path) -> None:
    writer = PackWriter(tmp_path, 4, TINY)
    del writer
    with pytest.raises(SimlingoError, match="no finished pack"):
        open_pack(tmp_path)


def test_labels_with_nan_are_named() -> None:
    labels = {name: np.zeros((2, *shape), dtype=kind) for name, (shape, kind) in LABELS.items()}
    labels["path"][1, 3, 0] = np.nan
    with pytest.raises(SimlingoError, match="path"):
        checked(labels, Path("route_7"))


@given(st.floats(0, 1), st.floats(1e-5, 1e-2))
def test_learning_rate_stays_within_its_peak(progress: float, peak: float) -> None:
    assert 0.0 < learning_rate(progress, peak) <= peak * (1 + 1e-9)


def test_decisive_moments_are_drawn_more_often() -> None:
    straight = np.stack((np.arange(20.0), np.zeros(20)), axis=1)
    waiting = sampling_weight(0.0, 0.0, straight, False, 1, 5.0)
    cruising = sampling_weight(8.0, 8.0, straight, False, 0, 50.0)
    stopping = sampling_weight(8.0, 4.0, straight, False, 1, 20.0)
    assert waiting < cruising < stopping
    at_sign = sampling_weight(8.0, 7.0, straight, False, 0, 50.0, Cause.STOP_SIGN)
    assert at_sign > stopping


def test_batch_puts_padding_left_and_repeats_each_frame_for_both_prompts(tmp_path: Path) -> None:
    pack = small_pack(tmp_path / "pack")
    train_tokenizer(tmp_path / "tokenizer.json", 512)
    tokenizer = PromptTokenizer.load(tmp_path / "tokenizer.json")
    batch = BatchMaker(pack, tokenizer, TINY, seed=0).batch(np.array([3, 5]), augment=False)
    assert batch["path"].shape == (4, 20, 2)
    mask = batch["attention_mask"]
    assert (mask.diff(dim=1) >= 0).all()
    assert (mask[:, -1] == 1).all()
    contexts = (batch["input_ids"] == tokenizer.image_context_id).sum(dim=1)
    assert (contexts == TINY.image_tokens).all()
    points = (batch["input_ids"] == tokenizer.target_point_id).sum(dim=1)
    assert points.tolist() == [2, 0, 2, 0]


def test_some_prompts_ask_for_words_and_only_answers_are_learned(tmp_path: Path) -> None:
    pack = small_pack(tmp_path / "pack")
    pack.labels["cause"][:] = pack.labels["other_cause"][:] = Cause.STOP_SIGN
    train_tokenizer(tmp_path / "tokenizer.json", 1024)
    tokenizer = PromptTokenizer.load(tmp_path / "tokenizer.json")
    batch = BatchMaker(pack, tokenizer, TINY, seed=0).batch(np.arange(3), augment=False)
    answers = [
        tokenizer.decode(ids[mask > 0].tolist())
        for ids, mask in zip(batch["input_ids"], batch["answer_mask"], strict=True)
    ]
    fixed, words = "Waypoints:", "Follow the road. Wait for the stop sign. Waypoints:"
    assert answers == [words, fixed, fixed, words, fixed, fixed]
    assert (batch["answer_mask"] <= batch["attention_mask"]).all()


def test_a_network_means_the_same_with_more_words(tmp_path: Path) -> None:
    """What both tokenizers split alike gives the same plan, whatever the tokens' numbers are."""
    numbers = Tokenizer(models.BPE())
    numbers.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=300, special_tokens=list(SPECIAL_TOKENS), initial_alphabet=pre_tokenizers.ByteLevel.alphabet()
    )
    numbers.train_from_iterator(["follow the the the"], trainer)
    before = PromptTokenizer(numbers)
    train_tokenizer(tmp_path / "tokenizer.json", 512)
    after = PromptTokenizer.load(tmp_path / "tokenizer.json")
    text = f"{'<IMG_CONTEXT>' * TINY.image_tokens}7 the <TARGET_POINT><TARGET_POINT> 3.1"
    shared = {token for token in before.vocabulary if token in after.vocabulary}
    ids = before.encode(text)
    spelled = {number: token for token, number in before.vocabulary.items()}
    assert {spelled[number] for number in ids} <= shared
    network = build_network(TINY, before).eval()
    frame, points = torch.zeros(1, 192, 384, 3, dtype=torch.uint8), torch.ones(1, 2, 2)
    with torch.no_grad():
        expected = network(frame, torch.tensor([ids]), points)
        adopt_vocabulary(network, before, after)
        moved = torch.tensor([[after.vocabulary[spelled[number]] for number in ids]])
        found = network(frame, moved, points)
    assert moved.tolist() != [ids]
    for one, other in zip(expected, found, strict=True):
        torch.testing.assert_close(one, other)


def test_weights_of_another_size_are_not_begun_with(tmp_path: Path) -> None:
    pack = small_pack(tmp_path / "pack")
    for name in ("own", "further"):
        (tmp_path / name).mkdir()
        train_tokenizer(tmp_path / name / "tokenizer.json", 512)
    own = TrainSettings(tmp_path / "own", 1.0)
    Trainer(own, TINY, pack, pack).write_weights(own.folder)
    with pytest.raises(SimlingoError, match="of another configuration"):
        Trainer(
            TrainSettings(tmp_path / "further", 1.0, start_from=own.folder), replace(TINY, speed_hidden=8), pack, pack
        )


@pytest.mark.medium
def test_run_learns_and_resumes_where_it_stopped(tmp_path: Path) -> None:
    pack = small_pack(tmp_path / "pack")
    run = tmp_path / "run"
    run.mkdir()
    train_tokenizer(run / "tokenizer.json", 512)
    settings = TrainSettings(run, duration_s=3.0, batch_frames=4, peak_rate=3e-3)
    first = Trainer(settings, TINY, pack, pack)
    before = first.validate()["val_path"]
    first.run(lambda progress, losses: None)
    assert first.progress.history[-1]["val_path"] < before
    assert (run / "losses.png").stat().st_size > 1000
    second = Trainer(replace(settings, duration_s=4.0), TINY, pack, pack)
    assert second.progress.step == first.progress.step
    assert second.validate()["val_path"] == pytest.approx(first.progress.history[-1]["val_path"], rel=1e-4)


def test_a_run_says_what_may_be_done_with_its_weights(tmp_path: Path) -> None:
    """Weights of its own are free; those that it began with keep their restriction, also when the run goes on."""
    pack = small_pack(tmp_path / "pack")
    for name in ("own", "further"):
        (tmp_path / name).mkdir()
        train_tokenizer(tmp_path / name / "tokenizer.json", 512)
    first = TrainSettings(tmp_path / "own", 1.0)
    Trainer(first, TINY, pack, pack).write_weights(first.folder)
    assert (provenance_at(first.folder).licence, provenance_at(first.folder).simulation_only) == ("Apache-2.0", False)
    Provenance("pair", "elsewhere", SIMLINGO_LICENCE).write(first.folder)
    further = TrainSettings(tmp_path / "further", 1.0, start_from=first.folder)
    for settings in (further, replace(further, start_from=None)):
        Trainer(settings, TINY, pack, pack).write_weights(settings.folder)
        found = provenance_at(settings.folder)
        assert found.simulation_only
        assert found.licence == SIMLINGO_LICENCE
        assert found.notes == ("trained further by ./simlingo train",)


@pytest.mark.medium
def test_a_damaged_or_foreign_checkpoint_is_named(tmp_path: Path) -> None:
    (tmp_path / "state.pt").write_bytes(b"PK cut off")
    with pytest.raises(SimlingoError, match=r"state\.pt cannot be read"):
        load_state(tmp_path)
    train_tokenizer(tmp_path / "tokenizer.json", 512)
    pack = small_pack(tmp_path / "pack")
    (tmp_path / "state.pt").unlink()
    trainer = Trainer(TrainSettings(tmp_path, 1.0), TINY, pack, pack)
    trainer.step()
    trainer.save({"path": 1.0})
    wider = replace(TINY, point_hidden=(8, 16))
    with pytest.raises(SimlingoError, match="another configuration"):
        Trainer(TrainSettings(tmp_path, 1.0), wider, pack, pack)


@pytest.mark.parametrize(
    ("damage", "message"),
    [("cut", "cannot be read"), ("old", r"npz lacks .*other_speed"), ("size", r"npz holds pictures of")],
)
def test_a_route_that_cannot_be_read_is_named(tmp_path: Path, damage: str, message: str) -> None:
    file = tmp_path / "data" / "route" / "cache.npz"
    file.parent.mkdir(parents=True)
    arrays = {"speed": np.zeros(3), "image": np.zeros((3, 2, 4, 3), np.uint8)}
    np.savez(file, **(dict.fromkeys(ARRAYS, arrays["speed"]) | arrays if damage == "size" else arrays))
    if damage == "cut":
        file.write_bytes(file.read_bytes()[:-30])
    with pytest.raises(SimlingoError, match=message):
        build_packs([tmp_path / "data"], tmp_path / "pack", TINY)
