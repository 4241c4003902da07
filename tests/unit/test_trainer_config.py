"""Configurations of training: what the shipped one says, and what is refused by name."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

pytest.importorskip("yaml", reason="PyYAML is not installed; ./simlingo test installs it")

from simlingo.contracts import InvalidInputError
from training.trainer.config import TrainConfig
from training.trainer.config_reading import CONFIGS, config_of, read_config


def test_the_shipped_configuration_holds_the_values_of_the_shipped_weights() -> None:
    config = read_config("simlingo-mini")
    driving = TrainConfig()
    assert dataclasses.replace(config, sampler=driving.sampler, mixture=driving.mixture) == driving
    assert not driving.mixture.needs_samples, "data without a log of the world trains a driver"
    weights = dataclasses.asdict(config.losses.weights)
    assert weights == {
        "path": 1.0, "speed_waypoints": 1.0, "pace": 0.5, "text": 1.0, "semantic": 1.0, "depth": 0.3, "light": 1.0, "lead": 0.1, "cause": 0.5,
        "request": 1.0, "outcome": 1.0, "words": 1.0, "named_speed": 1.0,
    }  # fmt: skip
    losses = config.losses
    assert (losses.lit_lens_weight, losses.small_thing_weight, losses.vehicle_weight) == (20.0, 5.0, 2.0)
    optimiser, schedule = config.optimiser, config.schedule
    assert (optimiser.weight_decay, optimiser.betas, optimiser.gradient_clip) == (0.05, (0.9, 0.98), 1.0)
    assert dataclasses.astuple(schedule) == (1e-3, 0.05, 0.02, 0.01, 10)
    assert (config.sampler.batch_frames, config.average.decay, config.sampler.buckets.stop_sign) == (4, 0.999, 0.035)
    assert config.sampler.second_views == 0.5
    assert dataclasses.astuple(config.augmentation) == (0.15, 0.15, 0.5, 0.25, 0.5)
    assert dataclasses.astuple(config.mixture) == (
        4,
        3,
        0.35,
        0.28,
        0.035,
        0.035,
        0.15,
        0.5,
        dataclasses.astuple(config.mixture.kinds),
        0.5,
        0.8,
        0.1,
        0.2,
        0.5,
        0,
    )
    kinds = config.mixture.kinds
    assert (kinds.target_speed, kinds.stop, kinds.drive_to, kinds.faster, kinds.go, kinds.follow) == (
        3.0,
        2.0,
        2.0,
        1.5,
        1.0,
        0.7,
    )
    assert (config.model, config.seed, config.checkpoints.every_minutes) == ("simlingo-mini", 0, 2.0)
    assert dataclasses.astuple(config.data) == (0.04, 0, 256, 1)
    assert dataclasses.astuple(config.evaluation) == (0, ())
    assert dataclasses.astuple(config.loggers) == (True, False, "simlingo", 10)


def test_every_shipped_configuration_is_whole() -> None:
    """A key that a file leaves out would be hidden from its readers."""
    for file in CONFIGS.glob("*.yaml"):
        config = read_config(str(file))
        assert all(
            key in file.read_text()
            for section in config.resolved().values()
            if isinstance(section, dict)
            for key in section
        )


def test_values_given_on_the_command_line_take_the_place_of_the_files() -> None:
    changes = [
        "schedule.peak_rate=5e-4", "sampler.batch_frames=3", "losses.weights.text=2", "optimiser.betas=[0.8, 0.9]",
        "loggers.tensorboard=false", "evaluation.routes=[a, b]", "loggers.wandb_project=mine", "seed=9",
    ]  # fmt: skip
    config = read_config("simlingo-mini", changes)
    assert config.schedule.peak_rate == 5e-4
    assert config.sampler.batch_frames == 3
    assert config.losses.weights.text == 2.0
    assert isinstance(config.losses.weights.text, float)
    assert config.optimiser.betas == (0.8, 0.9)
    assert config.loggers.tensorboard is False
    assert config.evaluation.routes == ("a", "b")
    assert config.loggers.wandb_project == "mine"
    assert config.seed == 9
    assert config.schedule.warm_up_share == TrainConfig().schedule.warm_up_share


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("schedule.peak_rat=1", "there is no key schedule.peak_rat; did you mean peak_rate?"),
        ("optimizer.betas=[0, 1]", "there is no key optimizer; did you mean optimiser?"),
        ("losses.weights.txt=0", "losses.weights.txt; did you mean text?"),
        ("sampler.batch_frames=1.5", "sampler.batch_frames must be a whole number, not 1.5"),
        ("sampler.batch_frames=true", "must be a whole number, not True"),
        ("sampler.batch_frames=0", "sampler.batch_frames must be 1 or more, not 0"),
        ("schedule.peak_rate=fast", "schedule.peak_rate must be a number, not 'fast'"),
        ("schedule.peak_rate=true", "schedule.peak_rate must be a number, not True"),
        ("schedule.peak_rate=0", "schedule.peak_rate must be above 0, not 0"),
        ("schedule.peak_rate=.nan", "must be above 0, not nan"),
        ("augmentation.swap_speed=1.5", "must be 0 or more and at most 1, not 1.5"),
        ("augmentation.swap_speed=-0.1", "must be 0 or more and at most 1, not -0.1"),
        ("optimiser.betas=0.9", "optimiser.betas must be a list of 2 values, not 0.9"),
        ("optimiser.betas=[0.9]", "must be a list of 2 values"),
        ("optimiser.betas=[0.9, 1.0]", "at most 0.99999, not 1"),
        ("evaluation.routes=a", "evaluation.routes must be a list, not 'a'"),
        ("loggers.tensorboard=1", "loggers.tensorboard must be true or false, not 1"),
        ("loggers.wandb_project=3", "must be a text, not 3"),
        ("losses=3", "losses is a section"),
        ("model.name=3", "model is a value, not a section"),
        ("schedule.peak_rate", "is no key=value"),
        ("=3", "is no key=value"),
        ("seed=[1", "is no value that YAML reads"),
    ],
)
def test_what_does_not_fit_is_named_with_its_key(change: str, words: str) -> None:
    with pytest.raises(InvalidInputError) as error:
        read_config("simlingo-mini", [change])
    assert words in str(error.value)


def test_a_file_of_ones_own_may_leave_keys_out(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("schedule: {peak_rate: 1e-4}\n")
    config = read_config(str(tmp_path / "mine.yaml"))
    assert config == dataclasses.replace(
        TrainConfig(), schedule=dataclasses.replace(TrainConfig().schedule, peak_rate=1e-4)
    )


@pytest.mark.parametrize(
    ("text", "words"), [("- 1\n", "holds no keys"), ("a: [\n", "cannot be read"), (None, "did you mean simlingo-mini?")]
)
def test_a_file_that_is_none_is_named(tmp_path: Path, text: str | None, words: str) -> None:
    file = tmp_path / "bad.yaml"
    if text is not None:
        file.write_text(text)
    with pytest.raises(InvalidInputError) as error:
        read_config(str(file) if text is not None else "simlingo-mimi")
    assert words in str(error.value)


def test_a_resolved_configuration_reads_back_as_itself() -> None:
    config = read_config("simlingo-mini", ["seed=4", "evaluation.routes=[a]"])
    assert config_of(config.resolved(), "run.yaml") == config


def test_without_a_file_a_mixture_only_drives_and_comments() -> None:
    told = {name: value for name, value in dataclasses.asdict(TrainConfig().mixture).items() if value}
    assert set(told.pop("kinds").values()) == {1.0}
    assert told == {
        "prompts": 2, "commentary": 1.0 / 3.0, "safety": 0.5, "followed": 0.5, "route_told": 0.8, "nonsense": 0.1,
        "said_as_unsafe": 0.2, "refusal_said": 0.5,
    }  # fmt: skip


@pytest.mark.parametrize(
    "share",
    ["question", "commentary", "commentary_given", "commentary_as_command", "flagged", "safety", "followed", "route_told",
     "nonsense", "said_as_unsafe", "refusal_said"],
)  # fmt: skip
def test_shares_of_the_mixture_are_chances(share: str) -> None:
    for value in (0.0, 1.0):
        assert getattr(config_of({"mixture": {share: value}}, "here").mixture, share) == value
    for value in (-0.01, 1.01):
        with pytest.raises(
            InvalidInputError, match=rf"here: mixture\.{share} must be 0 or more and at most 1, not {value}"
        ):
            config_of({"mixture": {share: value}}, "here")


def test_the_seed_of_the_mixture_has_32_bits() -> None:
    assert config_of({"mixture": {"seed": 2**32 - 1}}, "here").mixture.seed == 2**32 - 1
    with pytest.raises(InvalidInputError, match=r"mixture\.seed must be"):
        config_of({"mixture": {"seed": 2**32}}, "here")
