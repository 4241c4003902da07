"""What a training run keeps between two starts, and its learning-rate schedule."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from torch import nn

from simlingo.contracts import InvalidInputError

STATE_FILE = "state.pt"
#: Share of the run in which the learning rate rises (spec B.10).
_WARM_UP = 0.05


@dataclass
class Progress:
    """Counters of a run and its loss history."""

    step: int = 0
    elapsed_s: float = 0.0
    samples: int = 0
    history: list[dict[str, float]] = field(default_factory=list)


def learning_rate(progress: float, peak: float) -> float:
    """One-cycle cosine: linear rise over the first 5 %, cosine fall to 1 % of ``peak`` at ``progress`` = 1."""
    if progress < _WARM_UP:
        return peak * max(progress / _WARM_UP, 0.02)
    along = min(1.0, (progress - _WARM_UP) / (1.0 - _WARM_UP))
    return peak * (0.01 + 0.99 * 0.5 * (1.0 + math.cos(math.pi * along)))


class Average:
    """Exponential moving average of a network's weights."""

    def __init__(self, network: nn.Module, decay: float = 0.999) -> None:
        self.decay = decay
        self.weights = {name: tensor.detach().clone() for name, tensor in network.state_dict().items()}

    @torch.no_grad()
    def update(self, network: nn.Module, step: int) -> None:
        """Follow the network; early steps count more."""
        decay = min(self.decay, (1.0 + step) / (10.0 + step))
        for name, tensor in network.state_dict().items():
            self.weights[name].lerp_(tensor, 1.0 - decay)


def save_state(folder: Path, modules: dict[str, Any], progress: Progress) -> None:
    """Write the run's state whole or not at all."""
    temporary = folder / f"{STATE_FILE}.tmp"
    torch.save({"modules": modules, "progress": vars(progress)}, temporary)
    temporary.replace(folder / STATE_FILE)


def load_state(folder: Path) -> tuple[dict[str, Any], Progress] | None:
    """The state of an earlier start, or None.

    Raises:
        InvalidInputError: the file is damaged.
    """
    path = folder / STATE_FILE
    if not path.is_file():
        return None
    try:
        stored = torch.load(path, map_location="cpu", weights_only=True)
        return stored["modules"], Progress(**stored["progress"])
    except (OSError, RuntimeError, KeyError, TypeError, EOFError, UnpicklingError) as error:
        raise InvalidInputError(
            f"the run's checkpoint {path} cannot be read ({error}); remove it to train anew, or choose another --run"
        ) from error
