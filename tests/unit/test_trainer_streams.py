"""Random numbers of a batch: each purpose has a stream of its own, made of seed and step."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed; ./simlingo test installs it")

from trainer_cases import MODEL, frames, tiny_config  # noqa: E402

from simlingo.model.processor import Processor  # noqa: E402
from simlingo.model.tokenizer import PromptTokenizer  # noqa: E402
from training.trainer.augment import changed_light, changed_speeds, told_speeds  # noqa: E402
from training.trainer.batches import BatchMaker  # noqa: E402
from training.trainer.sampler import Draw, WeightedSampler, generator, streams  # noqa: E402
from training.trainer.tokenizer import train_tokenizer  # noqa: E402


def test_no_purpose_shares_its_stream_with_another() -> None:
    found = {tuple(generator(1, 2, draw).random(4)) for draw in Draw}
    assert len(found) == len(Draw) == 5


def test_a_batch_takes_its_random_numbers_from_the_streams_of_its_seed_and_step(tmp_path: Path) -> None:
    train_tokenizer(tmp_path / "tokenizer.json", MODEL.language.vocab_size)
    processor = Processor(MODEL, PromptTokenizer.load(tmp_path / "tokenizer.json"))
    pack, config = frames(6), tiny_config(seed=3, sampler={"batch_frames": 8}, mixture={"commentary": 0.5})
    batch = BatchMaker(pack, processor, config).training(7)
    index = WeightedSampler(np.ones(6), 3).draw(7, 8)
    pictures = changed_light(pack.frames[index], config.augmentation, streams(3, 7, Draw.PICTURES, 8))
    assert (batch["frames"].numpy() == pictures).all()
    plain = told_speeds({name: values[index] for name, values in pack.labels.items()})
    told = changed_speeds(plain, config.augmentation, generator(3, 7, Draw.SPEEDS))
    assert (batch["speed_waypoints"].numpy() == told.waypoints.reshape(16, 10, 2)).all()
    lengths = batch["answer_mask"].sum(1).numpy()
    speaks = []
    for number in range(16):
        if number % 2 == 0:  # two prompts a frame
            words = streams(3, 7, Draw.WORDS, 8)[number // 2]
        mode = words.choice(5, p=[0.0, 0.5, 0.0, 0.0, 0.5])  # a commentary, or nothing
        speaks.append(mode == 1)
        if mode == 1:
            words.random()  # behind a flag or not
    assert ((lengths > lengths.min()) == np.array(speaks)).all()
