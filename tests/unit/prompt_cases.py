"""Tokenizers and chats for the tests of prompts."""

from __future__ import annotations

from functools import cache

import numpy as np
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

from simlingo.contracts import Command, Navigation
from simlingo.model.checkpoints.named import PLACEHOLDERS
from simlingo.model.folder import SHIPPED, TOKENIZER_FILE
from simlingo.model.prompt import RouteAs, navigation_text, situation
from simlingo.model.tokenizer import PromptTokenizer

#: The special tokens of InternVL2-1B in the order of their ids (spec A.6), then some that are added but not special.
INTERNVL_TOKENS = (
    "<|endoftext|>", "<|im_start|>", "<|im_end|>", "<img>", "</img>", "<IMG_CONTEXT>",
    "<quad>", "</quad>", "<ref>", "</ref>", "<box>", "</box>",
)  # fmt: skip
ORDINARY = ("[NOTE]", "<img")  # the second begins as a special token does


@cache
def shipped() -> PromptTokenizer:
    return PromptTokenizer.load(SHIPPED / "simlingo-mini" / TOKENIZER_FILE)


@cache
def like_the_published() -> PromptTokenizer:
    """NFC, words with the character before them, digits alone, SimLingo's placeholders last: as Qwen2's, but small."""
    backend = Tokenizer(models.BPE())
    backend.normalizer = normalizers.NFC()
    words = r"[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
    backend.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(words), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    backend.decoder = decoders.ByteLevel()
    corpus = [
        "Current speed: 5.2 m/s. Target waypoint: Predict the waypoints. What should the ego do next? img box"
    ] * 3
    trainer = trainers.BpeTrainer(
        vocab_size=400, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    backend.train_from_iterator(corpus, trainer)
    backend.add_special_tokens([AddedToken(each, special=True, normalized=False) for each in INTERNVL_TOKENS])
    backend.add_tokens([AddedToken(each, special=False, normalized=False) for each in ORDINARY])
    backend.add_special_tokens([AddedToken(each, special=True, normalized=False) for each in PLACEHOLDERS])
    return PromptTokenizer(backend)


def tokenizers() -> list[PromptTokenizer]:
    return [shipped(), like_the_published()]


def navigation(command: Command, following: Command = Command.FOLLOW_LANE, distance: float = 23.9) -> Navigation:
    return Navigation(np.zeros((2, 2)), command, following, distance)


#: A situation with target points.
HERE = situation(5.25, navigation_text(navigation(Command.LEFT), RouteAs.TARGET_POINT))
