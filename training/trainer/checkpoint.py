"""What a training run keeps between two starts."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch

from simlingo.contracts import InvalidInputError
from training.trainer.files import write_whole

STATE_FILE = "state.pt"


@dataclass
class RunProgress:
    """How far a run is, with what it has to say of itself so far."""

    step: int = 0  # updates of the weights
    samples: int = 0  # prompts learned from
    elapsed_s: float = 0.0  # of updates, in all starts together
    evaluated_samples: int = 0  # of the last closed-loop evaluation
    smooth: dict[str, float] = field(default_factory=dict)  # losses, averaged over the last steps
    history: list[dict[str, float]] = field(default_factory=list)  # a row a checkpoint


def save_state(folder: Path, modules: dict[str, Any], progress: RunProgress) -> None:
    """Write the run's state whole or not at all."""
    state = {"modules": modules, "progress": vars(progress)}
    write_whole(folder / STATE_FILE, lambda path: torch.save(state, path))


def load_state(folder: Path) -> tuple[dict[str, Any], RunProgress] | None:
    """The state of an earlier start, or None.

    Raises:
        InvalidInputError: the file is damaged, or of another version.
    """
    path = folder / STATE_FILE
    if not path.is_file():
        return None
    try:
        stored = torch.load(path, map_location="cpu", weights_only=True)
        return stored["modules"], RunProgress(**stored["progress"])
    except (OSError, RuntimeError, KeyError, TypeError, EOFError, UnpicklingError) as error:
        raise InvalidInputError(
            f"the run's checkpoint {path} cannot be read ({error}); remove the run's folder to train anew, or choose another --run"
        ) from error
