"""Train the model's byte-level BPE on the sentences it will read and say."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from simlingo.contracts import Command, Navigation
from simlingo.model.language_prompt import (
    FOLLOWING_ANSWER,
    answer_with_plan,
    commentary_prompt,
    instruction_prompt,
    question_prompt,
)
from simlingo.model.prompt import DRIVING_ANSWER, SPECIAL_TOKENS, RouteAs, chat, driving_prompt, situation
from simlingo.model.user_text import GUARD
from simlingo.requests import Reason
from training.language.commentary import every_commentary
from training.language.filling import capitalised
from training.language.hold_out import Split
from training.language.languages import language
from training.language.questions.question import TYPES
from training.language.questions.wordings import wordings
from training.language.speak import plain_refusal

_SLOT = re.compile(r"\{(\w+)\}")
_EXAMPLES = {
    "speed": "30",
    "unit": "km/h",
    "object": "the car",
    "distance": "20",
    "lanes": "2",
    "lane": "the left lane",
}


def corpus() -> list[str]:
    """Every prompt and answer up to numbers, as digits are tokens of their own, and up to the names in them."""
    texts = []
    for command, following in itertools.product(Command, Command):
        navigation = Navigation(np.zeros((2, 2)), command, following, 17.0)
        for route_as in RouteAs:
            texts.append(chat(driving_prompt(12.3, navigation, route_as), DRIVING_ANSWER, image_tokens=1))
    here = situation(12.3)
    for said in every_commentary():
        texts.append(chat(commentary_prompt(here), answer_with_plan(said), image_tokens=1))
    words = language()
    for phrase in words.instructions:
        for text in (phrase.text, capitalised(phrase.text)):
            texts.append(chat(instruction_prompt(here, _filled(text)), FOLLOWING_ANSWER, image_tokens=1))
    texts += [f" {answer_with_plan(plain_refusal(reason))}" for reason in Reason]
    texts += [chat(question_prompt(here, _filled(phrase)), "A: yes", image_tokens=1) for phrase in _questions()]
    names = (words.objects.classes, words.objects.colours, words.objects.places, words.objects.lanes)
    texts += [f" {name}" for group in names for each in group.values() for name in each]
    return [text.replace(GUARD, "") for text in texts]


def _questions() -> list[str]:
    return [phrase for kind in TYPES for split in Split for phrase in wordings().phrases(kind, split)]


def _filled(text: str) -> str:
    """A phrase with an example in each slot."""
    return _SLOT.sub(lambda slot: _EXAMPLES.get(slot[1], "one"), text)


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
