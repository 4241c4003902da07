"""The training loop on a tiny network: updates, average, validation, checkpoints, evaluation."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed; ./simlingo test installs it")

from tokenizers import Tokenizer, models, pre_tokenizers, trainers  # noqa: E402
from trainer_cases import MODEL, POLICY, tiny_config, tiny_data, tiny_run  # noqa: E402

from simlingo.contracts import InvalidInputError  # noqa: E402
from simlingo.model.checkpoint import build_network, load_network  # noqa: E402
from simlingo.model.checkpoints.provenance import SIMLINGO_LICENCE, Provenance  # noqa: E402
from simlingo.model.checkpoints.reader import provenance_at  # noqa: E402
from simlingo.model.network import SimLingoNetwork  # noqa: E402
from simlingo.model.prompt import SPECIAL_TOKENS  # noqa: E402
from simlingo.model.tokenizer import PromptTokenizer  # noqa: E402
from training.trainer.average import WeightAverage  # noqa: E402
from training.trainer.checkpoint import RunProgress, load_state, save_state  # noqa: E402
from training.trainer.csv_log import read_rows  # noqa: E402
from training.trainer.files import write_whole  # noqa: E402
from training.trainer.loop import Trainer  # noqa: E402
from training.trainer.losses import values_of  # noqa: E402
from training.trainer.policies import policy_named, register  # noqa: E402
from training.trainer.schedule import learning_rate  # noqa: E402
from training.trainer.tokenizer import train_tokenizer  # noqa: E402
from training.trainer.vocabulary import adopt_vocabulary  # noqa: E402


def ignore(progress: RunProgress) -> None:
    """A report that nobody reads."""


def weights_of(network: torch.nn.Module) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in network.state_dict().items()}


def test_the_average_follows_the_weights_faster_at_first() -> None:
    network = torch.nn.Linear(1, 1, bias=False)
    network.weight.data.fill_(0.0)
    average = WeightAverage(network, decay=0.9)
    network.weight.data.fill_(1.0)
    average.update(network, 1)  # decay (1 + 1) / (10 + 1)
    assert average.weights["weight"].item() == pytest.approx(1.0 - 2.0 / 11.0)
    network.weight.data.fill_(0.0)
    average.update(network, 1000)
    assert average.weights["weight"].item() == pytest.approx(0.9 * (1.0 - 2.0 / 11.0))
    assert network.weight.item() == 0.0


def test_the_average_stands_in_for_the_weights_and_gives_them_back() -> None:
    network = torch.nn.Linear(1, 1)
    average = WeightAverage(network, 0.9)
    network.weight.data.add_(1.0)
    own = weights_of(network)

    def fail_in_between() -> None:
        with average.in_place_of(network):
            assert torch.equal(network.weight, average.weights["weight"])
            assert not torch.equal(network.weight, own["weight"])
            raise ValueError("on the way")

    with pytest.raises(ValueError, match="on the way"):
        fail_in_between()
    assert all(torch.equal(network.state_dict()[name], own[name]) for name in own)


def test_an_update_is_the_configured_one(tmp_path: Path) -> None:
    config = tiny_config(optimiser={"gradient_clip": 1e-3, "weight_decay": 0.07, "betas": [0.8, 0.9]})
    trainer, _ = tiny_run(tmp_path, config)
    (group,) = trainer.learner.optimizer.param_groups
    assert (group["weight_decay"], group["betas"]) == (0.07, (0.8, 0.9))
    learning = {id(each) for each in group["params"]}
    assert learning == {
        id(each) for module in (trainer.learner.network, trainer.learner.losses) for each in module.parameters()
    }
    before = weights_of(trainer.learner.network)
    found = trainer.learner.update(trainer.batches.training(0), 0, 0.5)
    assert set(found) == set(trainer.learner.losses.weights) - {"request", "outcome"}, "it has no head that judges"
    assert group["lr"] == learning_rate(0.5, config.schedule)
    gradients = [each.grad.norm() for each in trainer.learner.network.parameters() if each.grad is not None]
    assert torch.stack(gradients).norm().item() == pytest.approx(1e-3, rel=1e-3)
    after = trainer.learner.network.state_dict()
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert {"route_queries", "lm_head.weight", "speed_head.0.weight"} <= changed
    for name in ("route_queries", "speed_head.0.weight"):  # decay after the first update: 2 / 11
        expected = before[name] + (1.0 - 2.0 / 11.0) * (after[name] - before[name])
        torch.testing.assert_close(trainer.learner.average.weights[name], expected)


@pytest.mark.medium
def test_a_network_learns_all_that_it_is_taught(tmp_path: Path) -> None:
    """The frames that it trains on, seen again without changes: every loss has become smaller."""
    data = tiny_data()
    data = replace(data, validation=data.train)
    config = tiny_config(sampler={"batch_frames": 4}, average={"decay": 0.8}, data={"validation_frames": 8})
    trainer, budget = tiny_run(tmp_path, config, samples=480, data=data)
    before = trainer.validate()
    trainer.run(budget, ignore)
    after = trainer.progress.history[-1]
    for name in ("path", "speed_waypoints", "text", "semantic", "depth", "light", "lead", "cause"):
        assert after[f"val_{name}"] < 0.98 * before[f"val_{name}"], name
    assert after["val_text"] < 0.5 * before["val_text"]
    assert after["val_path"] < 0.7 * before["val_path"]
    assert after["samples"] == 480.0
    assert (tmp_path / "losses.png").stat().st_size > 1000


@pytest.mark.medium
def test_the_averaged_weights_validate_and_the_others_go_on(tmp_path: Path) -> None:
    trainer, _ = tiny_run(tmp_path)
    for step in range(3):
        trainer.learner.update(trainer.batches.training(step), step, 0.05)
    own = weights_of(trainer.learner.network)
    found = trainer.validate()
    assert all(torch.equal(trainer.learner.network.state_dict()[name], own[name]) for name in own)
    assert trainer.learner.network.training
    trainer.learner.network.load_state_dict(trainer.learner.average.weights)
    with torch.no_grad():
        whole, rest = (
            values_of(trainer.learner.losses(trainer.learner.network, trainer._validation.plain(index)))
            for index in (trainer._validation_index[:2], trainer._validation_index[2:])
        )
    for name, value in whole.items():
        assert found[f"val_{name}"] == pytest.approx((value.item() + rest[name].item()) / 2, rel=1e-5)
    trainer.learner.network.load_state_dict(own)
    with torch.no_grad():
        trainer.learner.average.weights = weights_of(trainer.learner.network)
    assert trainer.validate()["val_path"] != found["val_path"]


def test_validation_frames_are_spread_evenly_and_weigh_the_same(tmp_path: Path) -> None:
    config = tiny_config(data={"validation_frames": 3})
    trainer, _ = tiny_run(tmp_path, config)
    assert trainer._validation_index.tolist() == [0, 1, 3]  # of four frames
    found = trainer.validate()
    batches = [trainer._validation.plain(trainer._validation_index[place]) for place in (slice(0, 2), slice(2, 3))]
    with torch.no_grad():
        two, one = (
            values_of(trainer.learner.losses(trainer.learner.network, batch))["path"].item() for batch in batches
        )
    assert found["val_path"] == pytest.approx((2 * two + one) / 3, rel=1e-5)


@pytest.mark.medium
def test_the_rate_follows_samples_and_every_update_has_its_row(tmp_path: Path) -> None:
    config = tiny_config()
    trainer, budget = tiny_run(tmp_path, config, samples=18)
    trainer.run(budget, ignore)
    rows = read_rows(tmp_path / "losses.csv")
    assert [row["step"] for row in rows] == [1, 2, 3, 4, 5]
    assert [row["samples"] for row in rows] == [4, 8, 12, 16, 20]
    assert [row["rate"] for row in rows] == [learning_rate(seen / 18, config.schedule) for seen in (0, 4, 8, 12, 16)]
    smooth = rows[0]["path"]
    for row in rows[1:]:
        smooth = 0.95 * smooth + 0.05 * row["path"]
    assert trainer.progress.smooth["path"] == pytest.approx(smooth)
    assert (trainer.progress.step, trainer.progress.samples) == (5, 20)
    (checked,) = read_rows(tmp_path / "validation.csv")
    assert (checked["step"], checked["samples"]) == (5, 20)
    assert checked["val_path"] == trainer.progress.history[-1]["val_path"]


@pytest.mark.medium
def test_the_weights_that_are_shipped_are_the_average(tmp_path: Path) -> None:
    trainer, budget = tiny_run(tmp_path, samples=8)
    trainer.run(budget, ignore)
    shipped = load_network(tmp_path)[0].state_dict()
    for name in ("route_queries", "lm_head.weight"):
        torch.testing.assert_close(shipped[name], trainer.learner.average.weights[name].half().float())
        assert not torch.equal(shipped[name], trainer.learner.network.state_dict()[name].half().float())


@pytest.mark.medium
def test_a_run_that_is_interrupted_ends_with_a_checkpoint_and_goes_on(tmp_path: Path) -> None:
    first, budget = tiny_run(tmp_path / "run", samples=24)

    def interrupt(progress: RunProgress) -> None:
        first.interrupted = progress.step == 2

    first.run(budget, interrupt)
    assert first.progress.step == 2
    second, _ = tiny_run(tmp_path / "run", samples=24)
    assert vars(second.progress) == vars(first.progress)
    second.run(budget, ignore)
    whole, _ = tiny_run(tmp_path / "whole", samples=24)
    whole.run(budget, ignore)
    assert (tmp_path / "run/losses.csv").read_bytes() == (tmp_path / "whole/losses.csv").read_bytes()
    finished, _ = tiny_run(tmp_path / "run", samples=24)
    finished.run(budget, ignore)
    assert finished.progress.step == second.progress.step
    assert len(read_rows(tmp_path / "run/validation.csv")) == 2, "nothing is noted twice"


@pytest.mark.medium
def test_a_run_that_is_interrupted_before_its_first_update_goes_on_too(tmp_path: Path) -> None:
    trainer, budget = tiny_run(tmp_path)
    trainer.interrupted = True
    trainer.run(budget, ignore)
    assert (tmp_path / "losses.png").is_file()
    again, budget = tiny_run(tmp_path)
    assert again.progress.step == 0
    again.run(budget, ignore)
    assert read_rows(tmp_path / "losses.csv")[-1]["samples"] == budget
    assert [row["samples"] for row in read_rows(tmp_path / "validation.csv")] == [0, budget]


def test_a_checkpoint_is_written_when_its_time_has_come(tmp_path: Path) -> None:
    config = tiny_config(checkpoints={"every_minutes": 1e-9})
    trainer, budget = tiny_run(tmp_path, config, samples=12)
    found = []
    trainer.run(budget, lambda progress: found.append((tmp_path / "state.pt").is_file()))
    assert found == [False, True, True]
    assert [row["samples"] for row in trainer.progress.history] == [4, 8, 12]


class Noisy(SimLingoNetwork):
    """Draws random numbers in its forward pass, as dropout does."""

    def vision_tokens(self, frames: torch.Tensor) -> torch.Tensor:
        vision = super().vision_tokens(frames)
        return vision + 0.1 * torch.randn_like(vision) if self.training else vision


def noisy(model: Any, tokenizer: PromptTokenizer) -> SimLingoNetwork:
    return Noisy(model, tokenizer.image_context_id, tokenizer.target_point_id)


@pytest.mark.medium
def test_random_numbers_of_the_network_follow_seed_and_step(tmp_path: Path) -> None:
    register(replace(POLICY, name="noisy-for-tests", build_network=noisy))
    losses = []
    for name, seed, before in (("a", 0, 0), ("b", 0, 99), ("c", 1, 0)):
        config = replace(tiny_config(), model="noisy-for-tests")
        trainer, _ = tiny_run(tmp_path / name, config)
        batch = trainer.batches.training(3)
        torch.rand(before)
        trainer.learner._config = replace(config, seed=seed)
        losses.append(trainer.learner.update(batch, 3, 0.0)["path"])
    assert losses[0] == losses[1]
    assert losses[0] != losses[2]


@pytest.mark.medium
def test_minutes_become_samples_once_and_the_measurement_leaves_no_trace(tmp_path: Path) -> None:
    for workers in (0, 1):
        config = tiny_config(data={"workers": workers})
        timed, budget = tiny_run(tmp_path / f"timed{workers}", config, samples=None, minutes=1e-4)
        assert budget % 4 == 0
        budget = min(budget, 12)
        timed.run(budget, ignore)
        plain, _ = tiny_run(tmp_path / f"plain{workers}", config, samples=budget)
        plain.run(budget, ignore)
        logs = [(tmp_path / f"{name}{workers}/losses.csv").read_bytes() for name in ("timed", "plain")]
        assert logs[0] == logs[1]
    assert (tmp_path / "plain0/losses.csv").read_bytes() == (tmp_path / "plain1/losses.csv").read_bytes()


@pytest.mark.medium
def test_the_measured_rate_is_that_of_the_middle_update(tmp_path: Path) -> None:
    trainer, _ = tiny_run(tmp_path, tiny_config(schedule={"measured_steps": 3}))
    begins = [0.0, 1.0, 2.0]  # of updates that are not timed
    clock = iter([*begins, 10.0, 12.0, 20.0, 26.0, 30.0, 34.0])
    assert trainer.measured_rate(lambda: next(clock)) == 4 / 4.0  # samples of a batch by the middle of 2, 6 and 4 s
    assert next(clock, None) is None


@pytest.mark.medium
def test_the_model_drives_at_each_multiple_of_the_samples(tmp_path: Path) -> None:
    seen: list[tuple[int, bool]] = []

    def drive(folder: Path, samples: int) -> dict[str, float]:
        weights = load_network(folder)[0].state_dict()["route_queries"]
        seen.append((samples, torch.equal(weights, trainer.learner.average.weights["route_queries"].half().float())))
        torch.set_num_threads(torch.get_num_threads() + 1)
        return {"driving_score": float(samples)}

    exported: list[Path] = []
    register(replace(POLICY, name="driven-for-tests", export=lambda folder: exported.append(folder) or 0.0))
    config = replace(
        tiny_config(evaluation={"every_samples": 8, "routes": ["gridtown-s1-r00"]}), model="driven-for-tests"
    )
    threads = torch.get_num_threads()
    trainer, budget = tiny_run(tmp_path, config, samples=20, evaluation=drive)
    trainer.run(budget, ignore)
    assert seen == [(8, True), (16, True)]
    assert exported == [tmp_path] * 2
    assert torch.get_num_threads() == threads
    rows = read_rows(tmp_path / "evaluation.csv")
    assert [(row["step"], row["samples"], row["driving_score"]) for row in rows] == [(2, 8, 8), (4, 16, 16)]
    stored = load_state(tmp_path)
    assert stored is not None
    assert stored[1].evaluated_samples == 16
    plain, _ = tiny_run(tmp_path / "plain", tiny_config(), samples=20)
    plain.run(budget, ignore)
    assert (tmp_path / "plain/losses.csv").read_bytes() == (tmp_path / "losses.csv").read_bytes()


@pytest.mark.parametrize(
    ("evaluation", "drive", "words"),
    [
        ({"every_samples": 8, "routes": ["a"]}, None, "this command has none"),
        ({"every_samples": 8}, lambda folder, samples: {}, "evaluation.routes names no route"),
    ],
)
def test_drives_that_cannot_be_made_are_refused(tmp_path: Path, evaluation: Any, drive: Any, words: str) -> None:
    with pytest.raises(InvalidInputError, match=words):
        tiny_run(tmp_path, tiny_config(evaluation=evaluation), evaluation=drive)
    assert not (tmp_path / "state.pt").exists()


def test_models_are_known_by_name(tmp_path: Path) -> None:
    policy = register(replace(POLICY, name="other-for-tests"))
    assert policy_named("other-for-tests") is policy
    assert policy_named("simlingo-mini").model.speaks
    assert policy_named("simlingo-mini").model.name == "simlingo-mini"
    with pytest.raises(InvalidInputError, match="did you mean simlingo-mini"):
        policy_named("simlingo-mni")
    with pytest.raises(InvalidInputError, match="no model 'another' can be trained"):
        tiny_run(tmp_path, replace(tiny_config(), model="another"))


@pytest.mark.medium
def test_weights_of_another_size_are_not_begun_with(tmp_path: Path) -> None:
    trainer, budget = tiny_run(tmp_path / "own", samples=4)
    trainer.run(budget, ignore)
    register(replace(POLICY, name="wider-for-tests", model=replace(MODEL, speed_hidden=8)))
    wider = replace(tiny_config(), model="wider-for-tests")
    with pytest.raises(InvalidInputError, match="of another configuration"):
        tiny_run(tmp_path / "further", wider, start_from=tmp_path / "own")
    with pytest.raises(InvalidInputError, match="is no model folder: it has no tokenizer"):
        tiny_run(tmp_path / "further", start_from=tmp_path / "nothing")
    with pytest.raises(
        InvalidInputError, match="the run's checkpoint is of another configuration; choose another --run"
    ):
        Trainer(tmp_path / "own", wider, tiny_data())


@pytest.mark.medium
def test_a_run_begins_with_the_weights_of_another_and_says_what_may_be_done_with_its_own(tmp_path: Path) -> None:
    """Weights of its own are free; those that it began with keep their restriction, also when the run goes on."""
    first, budget = tiny_run(tmp_path / "own", samples=4)
    first.run(budget, ignore)
    found = provenance_at(tmp_path / "own")
    assert (found.licence, found.simulation_only) == ("Apache-2.0", False)
    Provenance("pair", "elsewhere", SIMLINGO_LICENCE).write(tmp_path / "own")
    for _ in range(2):
        further, _ = tiny_run(tmp_path / "further", samples=8, start_from=tmp_path / "own")
        if not further.progress.step:
            learned = first.learner.average.weights["route_queries"].half().float()
            torch.testing.assert_close(further.learner.network.state_dict()["route_queries"], learned)
        further.run(4, ignore)
        found = provenance_at(tmp_path / "further")
        assert found.simulation_only
        assert found.licence == SIMLINGO_LICENCE
        assert found.notes == ("trained further by ./simlingo train",)


def test_a_damaged_checkpoint_is_named(tmp_path: Path) -> None:
    assert load_state(tmp_path) is None
    (tmp_path / "state.pt").write_bytes(b"PK cut off")
    with pytest.raises(InvalidInputError, match=r"state\.pt cannot be read"):
        load_state(tmp_path)
    torch.save({"modules": {}, "progress": {"epoch": 3}}, tmp_path / "state.pt")
    with pytest.raises(InvalidInputError, match=r"state\.pt cannot be read"):
        load_state(tmp_path)


def test_a_state_is_whole_or_the_one_before(tmp_path: Path) -> None:
    save_state(tmp_path, {"a": torch.ones(1)}, RunProgress(step=3))

    def fails(path: Path) -> None:
        path.write_bytes(b"half")
        raise OSError("no space left")

    with pytest.raises(OSError, match="no space"):
        write_whole(tmp_path / "state.pt", fails)
    stored = load_state(tmp_path)
    assert stored is not None
    assert stored[1] == RunProgress(step=3)
    assert torch.equal(stored[0]["a"], torch.ones(1))


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
    text = f"{'<IMG_CONTEXT>' * MODEL.image_tokens}7 the <TARGET_POINT><TARGET_POINT> 3.1"
    shared = {token for token in before.vocabulary if token in after.vocabulary}
    ids = before.encode(text)
    spelled = {number: token for token, number in before.vocabulary.items()}
    assert {spelled[number] for number in ids} <= shared
    network = build_network(MODEL, before).eval()
    tile = MODEL.image.tile
    frame, points = torch.zeros(1, tile, 2 * tile, 3, dtype=torch.uint8), torch.ones(1, 2, 2)
    with torch.no_grad():
        expected = network(frame, torch.tensor([ids]), points)
        adopt_vocabulary(network, before, after)
        moved = torch.tensor([[after.vocabulary[spelled[number]] for number in ids]])
        found = network(frame, moved, points)
    assert moved.tolist() != [ids]
    for one, other in zip(expected, found, strict=True):
        torch.testing.assert_close(one, other)
