"""The registry of what can be trained: a name, and all that belongs to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from simlingo.arguments import nearest
from simlingo.contracts import InvalidInputError
from simlingo.model.checkpoint import build_network
from simlingo.model.config import MINI, ModelConfig
from simlingo.model.export import export_graphs
from simlingo.model.network import SimLingoNetwork
from simlingo.model.processor import Processor
from simlingo.model.tokenizer import PromptTokenizer
from training.trainer.config import LossConfig
from training.trainer.losses import DrivingLosses
from training.trainer.tokenizer import train_tokenizer


@dataclass(frozen=True)
class TrainablePolicy:
    """How one model is built, told what it sees, judged and made ready to drive."""

    name: str
    model: ModelConfig
    build_network: Callable[[ModelConfig, PromptTokenizer], SimLingoNetwork] = build_network  # with fresh weights
    build_processor: Callable[[ModelConfig, PromptTokenizer], Processor] = Processor
    build_losses: Callable[[ModelConfig, LossConfig], DrivingLosses] = DrivingLosses
    write_tokenizer: Callable[[Path, int], object] = train_tokenizer  # of at most so many tokens
    export: Callable[[Path], float] = export_graphs  # a folder with weights becomes one that drives


_POLICIES: dict[str, TrainablePolicy] = {}


def register(policy: TrainablePolicy) -> TrainablePolicy:
    """Make a model known by its name; one of that name is replaced."""
    _POLICIES[policy.name] = policy
    return policy


def policy_named(name: str) -> TrainablePolicy:
    """The model of ``name``.

    Raises:
        InvalidInputError: there is none; names the nearest.
    """
    if name not in _POLICIES:
        names = sorted(_POLICIES)
        raise InvalidInputError(f"no model {name!r} can be trained; there are {names}{nearest(name, names)}")
    return _POLICIES[name]


#: The shipped model: it drives, speaks, answers and heeds instructions.
TALKING = replace(
    MINI,
    vision_graph="int8",
    language=replace(MINI.language, layers=6, vocab_size=2048),
    judgement_hidden=64,
    speaks=True,
    answers=True,
    instructions=True,
    plain_words=True,
)
register(TrainablePolicy("simlingo-mini", TALKING))
