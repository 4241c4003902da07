"""Train the model's byte-level BPE on the sentences it will read and say."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from simlingo.contracts import Command, Navigation
from simlingo.model.language_prompt import answer_with_plan, commentary_prompt
from simlingo.model.prompt import DRIVING_ANSWER, SPECIAL_TOKENS, RouteAs, chat, driving_prompt, situation
from simlingo.model.user_text import GUARD
from training.language.commentary import every_commentary


def corpus() -> list[str]:
    """Every driving prompt up to numbers, as digits are tokens of their own, and every commentary."""
    texts = []
    for command, following in itertools.product(Command, Command):
        navigation = Navigation(np.zeros((2, 2)), command, following, 17.0)
        for route_as in RouteAs:
            texts.append(chat(driving_prompt(12.3, navigation, route_as), DRIVING_ANSWER, image_tokens=1))
    here = situation(12.3)
    for words in every_commentary():
        texts.append(chat(commentary_prompt(here), answer_with_plan(words), image_tokens=1).replace(GUARD, ""))
    return texts


def train_tokenizer(path: Path, vocab_size: int) -> Tokenizer:
    """Train on :func:`corpus` and write ``path`` whole."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=list(SPECIAL_TOKENS),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(corpus(), trainer)
    temporary = path.with_name(path.name + ".tmp")
    tokenizer.save(str(temporary))
    temporary.replace(path)
    return tokenizer
