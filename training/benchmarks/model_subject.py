"""What ``bench model`` measures: a shipped model, a checkpoint, or random weights of a known size, and its prompts."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from simlingo.contracts import InvalidInputError, Navigation, SimlingoError
from simlingo.model.checkpoints.named import INTERNVL2_1B
from simlingo.model.config import MINI, ModelConfig, TokenIds
from simlingo.model.folder import CONFIG_FILE, GRAPHS, SHIPPED, TOKENIZER_FILE, find_model
from simlingo.model.processor import Processor
from simlingo.model.prompt import RouteAs
from simlingo.model.tokenizer import PromptTokenizer

if TYPE_CHECKING:
    from simlingo.model.checkpoints.reader import Checkpoint
    from simlingo.model.network import SimLingoNetwork

#: Sizes that can be measured without weights. No tokenizer comes with them: their prompts have the lengths of real ones.
RANDOM: dict[str, ModelConfig] = {
    "random-1b": replace(
        INTERNVL2_1B,
        name="random-1b",
        image=replace(INTERNVL2_1B.image, jpeg_round_trip=True),
        token_ids=TokenIds(image_context=151648, target_point=151662, end_of_turn=151645),
    ),
    "random-mini": replace(
        MINI, name="random-mini", token_ids=TokenIds(image_context=5, target_point=6, end_of_turn=2)
    ),
}
_SEED = 0
#: Tokens of a prompt's parts as Qwen2's tokenizer cuts them: the situation without picture and target points, the
#: request with the header of the answer, the fixed answer.
_SITUATION, _REQUEST, _ANSWER = 22, 11, 4


@dataclass(frozen=True)
class Asked:
    """The prompts about one frame as ids."""

    driving: list[int]  # asks for a plan and holds the fixed answer
    answer: int  # how many ids at its end are the answer
    commentary: list[int]  # asks for words, up to where they begin
    shared: int  # how many leading ids both have in common


@dataclass(frozen=True)
class Subject:
    """One model, not loaded yet."""

    config: ModelConfig
    folder: Path | None  # with exported graphs
    tokenizer: PromptTokenizer | None  # None: prompts of made-up ids
    checkpoint: Checkpoint | None  # None: fresh random weights

    def network(self) -> SimLingoNetwork:
        """The torch network in fp32 on the CPU, adapters merged; takes its memory once.

        Raises:
            SimlingoError: too little memory.
        """
        need_torch()
        import torch

        from simlingo.model.checkpoints.build import empty_network, network_of
        from simlingo.model.checkpoints.integrity import check_before_use
        from simlingo.model.checkpoints.reader import open_checkpoint
        from simlingo.model.engine.memory import memory_told, require_memory, require_memory_to_load
        from simlingo.model.network import SimLingoNetwork

        checkpoint = self.checkpoint
        if checkpoint is None and self.folder is not None:
            checkpoint = open_checkpoint(self.folder)
        with memory_told():
            if checkpoint is not None:
                check_before_use(checkpoint)
                require_memory_to_load(checkpoint)
                return network_of(checkpoint)
            weights = sum(weight.numel() for weight in empty_network(self.config).parameters())
            require_memory(4 * weights, torch.device("cpu"))
            ids = _token_ids(self.config)
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(_SEED)
                return SimLingoNetwork(self.config, ids.image_context, ids.target_point).eval()

    def asked(self, speed: float, navigation: Navigation) -> Asked:
        """The prompts at ``speed`` (m/s) on a route."""
        if self.tokenizer is None:
            return _made_up(self.config)
        processor = Processor(self.config, self.tokenizer)
        here = processor.situation(speed, navigation, RouteAs.TARGET_POINT)
        plan = processor.plan(here)
        return Asked(plan.ids, plan.answer, processor.commentary(here).ids, plan.shared)


def open_subject(name: str) -> Subject:
    """The model of a shipped model's name, of a path to a folder or any checkpoint, or of a size in ``RANDOM``.

    Raises:
        InvalidInputError: none of these, or its files are damaged.
    """
    if name in RANDOM:
        return Subject(RANDOM[name], None, None, None)
    for folder in (SHIPPED / name, Path(name)):
        if all((folder / file).is_file() for file in (CONFIG_FILE, TOKENIZER_FILE, *GRAPHS.values())):
            tokenizer = PromptTokenizer.load(folder / TOKENIZER_FILE)
            return Subject(ModelConfig.load(folder / CONFIG_FILE), folder, tokenizer, None)
    path = next((path for path in (SHIPPED / name, Path(name)) if path.exists()), None)
    if path is None:
        try:
            path = find_model(name)
        except InvalidInputError as error:
            raise InvalidInputError(f"{error}, or a size with random weights: {', '.join(RANDOM)}") from error
    return _of_checkpoint(path)


def need_torch() -> None:
    """Say what to do where torch is not installed.

    Raises:
        SimlingoError: it is not.
    """
    if find_spec("torch") is None or find_spec("transformers") is None:
        raise SimlingoError(
            "this needs torch: ./simlingo setup train installs it; without it, --no-published measures a model folder "
            "with exported graphs, in fp32 on the CPU"
        )


def _of_checkpoint(path: Path) -> Subject:
    need_torch()
    from simlingo.model.checkpoints.build import token_ids
    from simlingo.model.checkpoints.reader import open_checkpoint
    from simlingo.model.checkpoints.tokenizers_of import open_tokenizer

    checkpoint = open_checkpoint(path)
    config = replace(checkpoint.config, token_ids=token_ids(checkpoint))
    folder = checkpoint.source.tokenizer
    tokenizer = PromptTokenizer(open_tokenizer(folder, config)) if folder is not None else None
    return Subject(config, None, tokenizer, checkpoint)


def _made_up(config: ModelConfig) -> Asked:
    """Prompts of real lengths without a tokenizer; any ordinary ids cost the same."""
    ids = _token_ids(config)
    special = (ids.image_context, ids.target_point, ids.end_of_turn)
    ordinary = itertools.cycle(number for number in range(config.language.vocab_size) if number not in special)
    words, request, answer = (list(itertools.islice(ordinary, count)) for count in (_SITUATION, _REQUEST, _ANSWER))
    here = [*words, *[ids.image_context] * config.image_tokens, *[ids.target_point] * 2]
    return Asked([*here, *request, *answer], _ANSWER, [*here, *request], len(here))


def _token_ids(config: ModelConfig) -> TokenIds:
    if config.token_ids is None:
        raise InvalidInputError(
            f"the configuration of {config.name} names no token ids; give a folder with a tokenizer"
        )
    return config.token_ids
