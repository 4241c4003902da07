"""How sure a model must be to follow an instruction, set after training: what it is more afraid of is decided by its user."""

from __future__ import annotations

import math
from pathlib import Path

from simlingo.contracts import InvalidInputError

#: As sure as training makes a model: following is likelier than any verdict against it.
NEUTRAL = 0.5


def set_caution(folder: Path, caution: float) -> None:
    """Let the model of ``folder`` follow only where that was caution / (1 - caution) times as likely as any other verdict.

    The score of following is moved by the logarithm of these odds, so that the likeliest verdict is still the one that is
    taken, by every engine; which reason is the likeliest does not change.

    Args:
        folder: a model folder, whose weights are written anew.
        caution: above 0 and below 1; NEUTRAL changes nothing.

    Raises:
        InvalidInputError: the model judges no instructions.
    """
    if caution == NEUTRAL:
        return
    import torch

    from simlingo.model.checkpoint import load_network, save_weights
    from simlingo.model.judgement import KINDS, OUTCOMES

    network, _ = load_network(folder)
    if network.judgement_head is None:
        raise InvalidInputError(f"{folder} judges no instructions, so it has no caution; leave caution out")
    last = network.judgement_head[-1]
    assert isinstance(last, torch.nn.Linear)
    with torch.no_grad():
        last.bias[len(KINDS) + OUTCOMES.index(None)] -= math.log(caution / (1.0 - caution))
    save_weights(network, folder)
