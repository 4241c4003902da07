"""What the training loop needs of a closed-loop evaluation; the drives themselves are those of ``training.evaluation``."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from simlingo.contracts import InvalidInputError
from training.trainer.config import EvaluationConfig


class ClosedLoopEvaluation(Protocol):
    """Drives the model of a run's folder and tells how it drove."""

    def __call__(self, run_folder: Path, samples: int) -> dict[str, float]:
        """Figures by name, the same names each time.

        Args:
            run_folder: a whole model folder: averaged weights, and graphs exported from them.
            samples: learned from so far.
        """


def check_evaluation(config: EvaluationConfig, evaluation: ClosedLoopEvaluation | None) -> None:
    """Refuse a configuration that asks for drives which nobody can make.

    Raises:
        InvalidInputError: names the key and the cure.
    """
    if config.every_samples and evaluation is None:
        raise InvalidInputError(
            "evaluation.every_samples asks for closed-loop drives, but this command has none; give --set evaluation.every_samples=0"
        )
    if config.every_samples and not config.routes:
        raise InvalidInputError(
            "evaluation.every_samples is set, but evaluation.routes names no route; name some, or set every_samples to 0"
        )
