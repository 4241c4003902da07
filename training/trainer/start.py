"""What a run begins with: fresh weights or those of another model, and where they come from."""

from __future__ import annotations

from pathlib import Path

from simlingo.contracts import InvalidInputError
from simlingo.model.checkpoint import load_network
from simlingo.model.checkpoints.provenance import PROVENANCE_FILE, Kind, Provenance, own, provenance_of
from simlingo.model.checkpoints.reader import provenance_at
from simlingo.model.folder import TOKENIZER_FILE
from simlingo.model.network import SimLingoNetwork
from simlingo.model.tokenizer import PromptTokenizer
from training.trainer.grow import grow
from training.trainer.policies import TrainablePolicy
from training.trainer.vocabulary import adopt_vocabulary


def first_network(policy: TrainablePolicy, tokenizer: PromptTokenizer, start_from: Path | None) -> SimLingoNetwork:
    """The network before the first update; the random state of torch decides fresh weights.

    Raises:
        InvalidInputError: ``start_from`` is no model folder, or of another configuration.
    """
    if start_from is None:
        return policy.build_network(policy.model, tokenizer)
    if not (start_from / TOKENIZER_FILE).is_file():
        raise InvalidInputError(f"--start-from {start_from} is no model folder: it has no {TOKENIZER_FILE}")
    network, earlier = load_network(start_from)
    try:
        network = grow(network, policy.model)
    except InvalidInputError as error:
        raise InvalidInputError(
            f"--start-from {start_from} is of another configuration than {policy.model.name}: {error}"
        ) from error
    adopt_vocabulary(network, earlier, tokenizer)
    return network


def provenance_in(folder: Path, start_from: Path | None) -> Provenance:
    """Where a run's weights come from: what they began with keeps its licence, and so does a run that goes on."""
    if (folder / PROVENANCE_FILE).is_file():
        return provenance_of(Kind.OURS, str(folder), folder)
    if start_from is None:
        return own("trained by ./simlingo train")
    return provenance_at(start_from).with_note("trained further by ./simlingo train")
