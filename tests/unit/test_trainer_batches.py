"""Batches: what is drawn, what is changed, what is told to each prompt; all of it by seed and step alone."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed; ./simlingo test installs it")

from dataset_cases import write_dataset  # noqa: E402
from trainer_cases import MODEL, frames, tiny_config  # noqa: E402

from simlingo.contracts import InvalidInputError  # noqa: E402
from simlingo.model.processor import Processor, PromptIds  # noqa: E402
from simlingo.model.tokenizer import PromptTokenizer  # noqa: E402
from simlingo_drive.expert.causes import Cause  # noqa: E402
from training.trainer.augment import changed_light, changed_speeds, light_table, told_speeds  # noqa: E402
from training.trainer.batches import BatchMaker  # noqa: E402
from training.trainer.config import AugmentationConfig, DataConfig, TrainConfig  # noqa: E402
from training.trainer.data import open_data  # noqa: E402
from training.trainer.prefetch import Prefetch  # noqa: E402
from training.trainer.sample import Sample, as_arrays  # noqa: E402
from training.trainer.sampler import Draw, WeightedSampler, generator, streams  # noqa: E402
from training.trainer.tokenizer import train_tokenizer  # noqa: E402


@pytest.fixture(scope="module")
def processor(tmp_path_factory: pytest.TempPathFactory) -> Processor:
    path = tmp_path_factory.mktemp("batches") / "tokenizer.json"
    train_tokenizer(path, 1024)
    return Processor(MODEL, PromptTokenizer.load(path))


def test_frames_are_drawn_by_their_shares() -> None:
    weights = np.array([1.0, 0.0, 4.0, 0.5, 2.5])
    sampler = WeightedSampler(weights, seed=3)
    drawn = np.bincount(np.concatenate([sampler.draw(step, 40) for step in range(200)]), minlength=5)
    expected = 8000 * weights / weights.sum()
    assert drawn[1] == 0
    others = weights > 0
    chi_square = float(((drawn - expected)[others] ** 2 / expected[others]).sum())
    assert chi_square < 16.3, (drawn, expected)  # 3 degrees of freedom: exceeded once in a thousand seeds


def test_a_draw_is_sorted_and_follows_seed_and_step() -> None:
    weights = np.ones(50)
    draw = WeightedSampler(weights, 1).draw(7, 20)
    assert draw.shape == (20,)
    assert (np.diff(draw) >= 0).all()
    np.testing.assert_array_equal(draw, WeightedSampler(weights, 1).draw(7, 20))
    assert (draw != WeightedSampler(weights, 2).draw(7, 20)).any()
    assert (draw != WeightedSampler(weights, 1).draw(8, 20)).any()


def test_the_random_numbers_of_a_batch_have_a_stream_for_each_purpose() -> None:
    found = {tuple(generator(1, 2, draw).random(4)) for draw in Draw}
    assert len(found) == len(Draw)
    np.testing.assert_array_equal(generator(1, 2, Draw.SPEEDS).random(4), generator(1, 2, Draw.SPEEDS).random(4))


def test_brightness_is_a_factor_and_contrast_spreads_about_the_middle() -> None:
    np.testing.assert_array_equal(light_table(1.0, 1.0), np.arange(256))
    brighter = light_table(1.1, 1.0)
    assert (brighter[0], brighter[100], brighter[250]) == (0, 110, 255)
    harder = light_table(1.0, 1.5)
    assert (harder[128], harder[148], harder[108], harder[0], harder[255]) == (128, 158, 98, 0, 255)
    assert light_table(1.1, 1.5)[100] == 101  # (110 - 128) * 1.5 + 128


def test_each_picture_is_changed_by_its_own_light_within_bounds() -> None:
    flat = np.stack([np.full((2, 2, 3), value, np.uint8) for value in (100,) * 200])
    rngs = streams(0, 0, Draw.PICTURES, 200)
    only_gain = changed_light(flat, AugmentationConfig(brightness=0.2, contrast=0.0), rngs)
    values = only_gain[:, 0, 0, 0]
    assert values.min() in range(80, 84)
    assert values.max() in range(117, 121)
    assert (only_gain == values[:, None, None, None]).all(), "one light a picture"
    only_contrast = changed_light(flat, AugmentationConfig(brightness=0.0, contrast=0.5), rngs)
    values = only_contrast[:, 0, 0, 0]  # 128 - 28 * (0.5 to 1.5)
    assert values.min() in range(86, 89)
    assert values.max() in range(112, 115)
    none = changed_light(flat, AugmentationConfig(brightness=0.0, contrast=0.0), rngs)
    np.testing.assert_array_equal(none, flat)
    assert (flat == 100).all(), "the stored frames stay as they are"


def test_a_speed_takes_its_waypoints_and_its_cause_along() -> None:
    labels = frames(400).labels
    told = changed_speeds(told_speeds(labels), AugmentationConfig(speed_noise_mps=0.0), np.random.default_rng(1))
    own = {float(labels["speed"][row]): (labels["speed_waypoints"][row], labels["cause"][row]) for row in range(400)}
    other = {
        float(labels["other_speed"][row]): (labels["other_speed_waypoints"][row], labels["other_cause"][row])
        for row in range(400)
    }
    swapped = 0
    for row in range(400):
        pair = [float(speed) for speed in told.speed[row]]
        swapped += pair == [labels["other_speed"][row], labels["speed"][row]]
        assert sorted(pair) == sorted((float(labels["speed"][row]), float(labels["other_speed"][row])))
        for column, speed in enumerate(pair):
            waypoints, cause = own[speed] if speed == labels["speed"][row] else other[speed]
            np.testing.assert_array_equal(told.waypoints[row, column], waypoints)
            assert told.cause[row, column] == cause
    assert 160 < swapped < 240


def test_a_car_that_is_about_to_start_is_told_no_other_speed() -> None:
    """It may have stood for a stop sign: told that it moves it would learn to pass the line."""
    labels = frames(4).labels
    labels["speed"][:], labels["other_speed"][:] = (0.1, 0.1, 0.5, 0.1), 4.0
    labels["speed_waypoints"][:] = 0.0
    labels["speed_waypoints"][:, -1, 0] = (1.2, 0.8, 1.2, 0.0)
    labels["speed_waypoints"][3, -1, 1] = -1.2
    labels["cause"][:], labels["other_cause"][:] = 1, 2
    told = told_speeds(labels)
    assert told.speed[:, 1].tolist() == pytest.approx([0.1, 4.0, 4.0, 0.1])  # starts, stands, rolls, starts
    assert told.cause[:, 1].tolist() == [1, 2, 2, 1]
    np.testing.assert_array_equal(told.waypoints[0, 1], labels["speed_waypoints"][0])
    np.testing.assert_array_equal(told.waypoints[1, 1], labels["other_speed_waypoints"][1])


def test_a_car_that_comes_to_a_stop_sign_is_not_told_that_it_stands_there() -> None:
    """Whoever stands at the line has stood, and goes; the label of a standing car there would keep it for ever."""
    labels = frames(4).labels
    labels["speed"][:], labels["other_speed"][:] = 4.0, (0.0, 0.0, 0.0, 2.0)
    labels["other_speed_waypoints"][:] = 0.0
    labels["other_speed_waypoints"][:, -1, 0] = (0.4, 6.0, 0.4, 0.4)
    labels["cause"][:] = Cause.ROAD
    labels["other_cause"][:] = (Cause.STOP_SIGN, Cause.STOP_SIGN, Cause.TRAFFIC_LIGHT, Cause.STOP_SIGN)
    told = told_speeds(labels)
    assert told.speed[:, 1].tolist() == [4.0, 0.0, 0.0, 2.0]  # at the sign, far before it, at a light, rolling up to it
    assert told.cause[0].tolist() == [Cause.ROAD, Cause.ROAD]


@pytest.mark.parametrize(("chance", "first"), [(0.0, "speed"), (1.0, "other_speed")])
def test_how_often_speeds_are_swapped_can_be_set(chance: float, first: str) -> None:
    labels = frames(6).labels
    config = AugmentationConfig(swap_speed=chance, speed_noise_mps=0.0)
    told = changed_speeds(told_speeds(labels), config, np.random.default_rng(0))
    np.testing.assert_array_equal(told.speed[:, 0], labels[first])


def test_moving_cars_are_told_a_speed_that_is_a_bit_wrong() -> None:
    labels = frames(3000).labels
    labels["speed"][:], labels["other_speed"][:] = 9.0, 0.5
    labels["speed"][:1000] = 0.51
    before = told_speeds(labels)
    told = changed_speeds(before, AugmentationConfig(swap_speed=0.0), np.random.default_rng(0))
    noise = told.speed[1000:, 0] - 9.0
    assert noise.std() == pytest.approx(0.25, abs=0.02)
    assert abs(noise.mean()) < 0.02
    assert (told.speed[:, 1] == 0.5).all(), "a car that stands knows that it stands"
    slow = told.speed[:1000, 0]
    assert slow.min() == 0.0, "no speed is negative"
    assert 0.0 < (slow == 0.0).mean() < 0.1
    np.testing.assert_array_equal(told.waypoints, before.waypoints)
    assert (before.speed[1000:, 0] == 9.0).all(), "the labels stay as they are"


def test_prompts_are_padded_where_they_cease_to_be_the_same() -> None:
    points = np.zeros((20, 2)), np.zeros((10, 2))
    prompts = (PromptIds([5, 6, 7, 8, 2], 1, 2), PromptIds([5, 6, 9, 2], 1, 1))
    found = as_arrays([Sample(prompt, *points) for prompt in prompts], pad=3)
    assert found.ids.tolist() == [[5, 6, 7, 8, 2], [5, 6, 3, 9, 2]]
    assert found.mask.tolist() == [[1, 1, 1, 1, 1], [1, 1, 0, 1, 1]]
    assert found.answers.tolist() == [[0, 0, 0, 1, 1], [0, 0, 0, 0, 1]]
    assert found.asked_at.tolist() == [2, 3]  # 7 and 9
    alone = as_arrays([Sample(prompts[0], *points)] * 2, pad=3)
    assert alone.ids.tolist() == [[5, 6, 7, 8, 2]] * 2
    assert alone.mask.all()


def test_an_answer_stays_whole_where_prompts_differ_in_it_alone() -> None:
    points = np.zeros((20, 2)), np.zeros((10, 2))
    prompts = (PromptIds([5, 6, 7, 8, 9, 4], 1, 3), PromptIds([5, 6, 7, 8, 4], 1, 2), PromptIds([5, 6, 7, 8], 1, 1))
    found = as_arrays([Sample(prompt, *points) for prompt in prompts], pad=3)
    assert found.ids.tolist() == [[5, 6, 7, 8, 9, 4], [5, 6, 3, 7, 8, 4], [5, 6, 3, 3, 7, 8]]
    assert found.mask.tolist() == [[1] * 6, [1, 1, 0, 1, 1, 1], [1, 1, 0, 0, 1, 1]]
    assert found.answers.tolist() == [[0, 0, 0, 1, 1, 1], [0, 0, 0, 0, 1, 1], [0, 0, 0, 0, 0, 1]]
    assert found.asked_at.tolist() == [2, 3, 4]


def test_prompts_that_begin_differently_are_padded_on_the_left() -> None:
    points = np.zeros((20, 2)), np.zeros((10, 2))
    prompts = (PromptIds([5, 6, 7], 1, 2), PromptIds([8], 1, 1), PromptIds([9, 9], 1, 0))
    found = as_arrays([Sample(prompt, *points) for prompt in prompts], pad=3)
    assert found.ids.tolist() == [[5, 6, 7], [3, 3, 8], [3, 9, 9]]
    assert found.mask.tolist() == [[1, 1, 1], [0, 0, 1], [0, 1, 1]]
    assert found.answers.tolist() == [[0, 1, 1], [0, 0, 1], [0, 0, 0]]


def test_each_frame_comes_with_target_points_and_with_the_commands_words(processor: Processor) -> None:
    pack = frames(6)
    batch = BatchMaker(pack, processor, tiny_config(mixture={"commentary": 0.0})).plain(np.array([3, 5]))
    mask, ids = batch["attention_mask"], batch["input_ids"]
    assert ((mask.diff(dim=1) < 0).sum(dim=1) <= 1).all()  # one gap at most, behind what all begin with
    assert (mask[:, -1] == 1).all()
    assert (ids[mask == 0] == processor.pad).all()
    assert ((ids == processor.tokenizer.image_context_id).sum(dim=1) == MODEL.image_tokens).all()
    assert (ids == processor.tokenizer.target_point_id).sum(dim=1).tolist() == [2, 0, 2, 0]
    texts = [processor.tokenizer.decode(row.tolist()) for row in ids]
    assert all(
        ("Command: follow the road then go left" in text) == (number % 2 == 1) for number, text in enumerate(texts)
    )
    for row, number in enumerate((3, 5)):
        for column, name in enumerate(("speed", "other_speed")):
            assert f"Current speed: {round(float(pack.labels[name][number]), 1)} m/s" in texts[2 * row + column]
    for name in ("target_points", "path", "light_state", "light_distance", "lead_distance"):
        np.testing.assert_array_equal(batch[name].numpy(), pack.labels[name][[3, 3, 5, 5]])
    own, other = (pack.labels[name][[3, 5]] for name in ("speed_waypoints", "other_speed_waypoints"))
    np.testing.assert_array_equal(batch["speed_waypoints"].numpy(), np.stack((own[0], other[0], own[1], other[1])))
    causes = [pack.labels[name][number] for number in (3, 5) for name in ("cause", "other_cause")]
    assert batch["cause"].tolist() == causes
    np.testing.assert_array_equal(batch["frames"].numpy(), pack.frames[[3, 5]])
    np.testing.assert_array_equal(batch["classes"].numpy(), pack.classes[[3, 5]])
    np.testing.assert_array_equal(batch["depth"].numpy(), pack.depth[[3, 5]])


def test_commentaries_tell_what_the_expert_heeds_and_only_answers_are_learned(processor: Processor) -> None:
    pack = frames(3)
    pack.labels["cause"][:] = pack.labels["other_cause"][:] = Cause.STOP_SIGN
    for name in ("speed", "speed_waypoints", "other_speed", "other_speed_waypoints"):
        pack.labels[name][:] = 0.0
    pack.labels["distance_to_command"][:] = 90.0
    maker = BatchMaker(pack, processor, tiny_config(mixture={"commentary": 0.5}))
    batch = maker.plain(np.arange(3))
    answers = [
        processor.tokenizer.decode(ids[mask > 0].tolist())
        for ids, mask in zip(batch["input_ids"], batch["answer_mask"], strict=True)
    ]
    fixed, words = "Waypoints:", "Follow the road. Wait for the stop sign. Waypoints:"
    assert set(answers) == {words, fixed}
    again = maker.plain(np.arange(3))
    assert torch.equal(again["input_ids"], batch["input_ids"]), "validation asks the same every time"
    ends = batch["input_ids"][:, -1].tolist()
    assert ends == [processor.end_of_turn] * 6, "the end of the turn is learned too"
    assert (batch["answer_mask"] <= batch["attention_mask"]).all()
    assert (batch["answer_mask"].sum(1) < batch["attention_mask"].sum(1)).all()


def test_a_training_batch_is_a_function_of_seed_and_step(processor: Processor) -> None:
    one, same, other_seed = (
        BatchMaker(frames(), processor, tiny_config(seed=seed, sampler={"batch_frames": 4})) for seed in (1, 1, 2)
    )
    one.training(0)
    first, again = one.training(5), same.training(5)
    for name in first:
        torch.testing.assert_close(first[name], again[name], rtol=0.0, atol=0.0, equal_nan=True, msg=name)
    for batch in (one.training(6), other_seed.training(5)):
        assert not torch.equal(first["frames"], batch["frames"])
        assert first["speed_waypoints"].shape == batch["speed_waypoints"].shape
        assert not torch.equal(first["speed_waypoints"], batch["speed_waypoints"])
    assert one.samples == 8


def test_training_batches_are_drawn_changed_and_sometimes_speak(processor: Processor) -> None:
    pack = frames(6)
    pack.labels["hazard"][2] = 1
    only = {"batch_frames": 30, "buckets": {"all": 0.0, "hazard": 1.0}}
    maker = BatchMaker(pack, processor, tiny_config(sampler=only))
    batch = maker.training(0)
    assert (batch["path"].numpy() == pack.labels["path"][2]).all()
    assert (batch["frames"].numpy() != pack.frames[2]).any()
    firsts = batch["speed_waypoints"][::2].numpy()
    own = (firsts == pack.labels["speed_waypoints"][2]).all((1, 2))
    other = (firsts == pack.labels["other_speed_waypoints"][2]).all((1, 2))
    assert own.any()
    assert other.any()
    assert (own | other).all()
    short = int(batch["answer_mask"].sum(1).min())
    speaks = (batch["answer_mask"].sum(1) > short).float().mean().item()
    assert 0.1 < speaks < 0.6
    silent = BatchMaker(pack, processor, tiny_config(mixture={"commentary": 0.0}, sampler=only))
    assert set(silent.training(0)["answer_mask"].sum(1).tolist()) == {short}
    even = BatchMaker(pack, processor, tiny_config(sampler={"batch_frames": 30}))
    assert len({tuple(row) for row in even.training(0)["path"].flatten(1).tolist()}) > 3


def test_both_views_of_a_frame_are_learned(tmp_path: Path, processor: Processor) -> None:
    folder = write_dataset(tmp_path / "data", {"learn": 2, "check": 1})
    data = open_data([folder], [], tmp_path / "cache", MODEL, DataConfig(validation_share=0.3))
    assert (len(data.train), len(data.validation)) == (4, 2)
    batch = BatchMaker(data.train, processor, TrainConfig()).plain(np.arange(4))
    assert data.train.labels["view"].tolist() == [0, 1, 0, 1]
    shown = {frame.numpy().tobytes() for frame in batch["frames"]}
    assert len(shown) == 4, "each view has its picture"
    assert len({row.numpy().tobytes() for row in batch["target_points"]}) == 4


def test_validation_data_of_its_own_must_hold_other_routes(tmp_path: Path) -> None:
    one = write_dataset(tmp_path / "one", {"a": 1})
    two = write_dataset(tmp_path / "two", {"b": 1})
    data = open_data([one], [two], tmp_path / "cache", MODEL, DataConfig())
    assert (len(data.train), len(data.validation)) == (2, 2)
    assert data.train_fingerprint != data.validation_fingerprint
    assert data.folders == (one, two)
    with pytest.raises(InvalidInputError, match="1 routes would both train and validate, a among them"):
        open_data([one], [one], tmp_path / "cache2", MODEL, DataConfig())
    with pytest.raises(InvalidInputError, match="cannot both train and validate"):
        open_data([one], [], tmp_path / "cache3", MODEL, DataConfig())


@pytest.mark.parametrize("workers", [0, 1, 3])
def test_batches_made_ahead_come_in_their_order(workers: int) -> None:
    made: list[str] = []

    def make(step: int) -> dict[str, torch.Tensor]:
        made.append(threading.current_thread().name)
        return {"step": torch.tensor(step)}

    with Prefetch(make, 4, workers) as batches:
        assert [int(batches.get()["step"]) for _ in range(20)] == list(range(4, 24))
    ours = threading.current_thread().name
    assert all((name == ours) == (workers == 0) for name in made)
    assert len(made) <= 20 + workers + 1, "no more than a few are made ahead"


def test_an_error_in_a_batch_made_ahead_is_told() -> None:
    def make(step: int) -> dict[str, torch.Tensor]:
        if step == 2:
            raise InvalidInputError("frame 7 is damaged")
        return {}

    with Prefetch(make, 0, 1) as batches:
        batches.get()
        batches.get()
        with pytest.raises(InvalidInputError, match="frame 7"):
            batches.get()
