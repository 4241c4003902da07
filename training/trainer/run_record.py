"""``run.yaml``: what a run is made of, written before its first update and compared at every later start."""

from __future__ import annotations

import os
import platform
from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import yaml

from simlingo.arguments import nearest
from simlingo.contracts import InvalidInputError
from training.trainer.checkpoint import STATE_FILE
from training.trainer.commit import ACCEPTABLE, commit_of
from training.trainer.config import TrainConfig
from training.trainer.data import TrainData
from training.trainer.files import RECORD_FILE, write_whole

#: What may differ from one start to the next, as it changes no figure, or none but by the order of sums (threads, device).
EXEMPT = (
    "config.data.workers", "config.loggers", "config.checkpoints", "config.evaluation", "data.folders", "threads", "device",
    "changes", "budget",
)  # fmt: skip


@dataclass(frozen=True)
class RunRecord:
    """Everything that a run's figures follow from."""

    config: dict[str, Any]  # resolved
    budget: dict[str, Any]  # samples, and how they were asked for
    data: dict[str, Any]  # fingerprints, frames and folders
    start_from: str | None
    commit: str
    versions: dict[str, str]
    threads: int
    device: str
    changes: list[dict[str, Any]] = field(default_factory=list)  # what was accepted later

    def write(self, folder: Path) -> None:
        """Write ``run.yaml`` whole."""
        text = yaml.safe_dump(asdict(self), sort_keys=False, allow_unicode=True)
        write_whole(folder / RECORD_FILE, lambda path: path.write_text(text, encoding="utf-8"))


def load_record(folder: Path) -> RunRecord | None:
    """The record of an earlier start, or None where there was none.

    Raises:
        InvalidInputError: it is damaged, or a checkpoint lies there without one.
    """
    path = folder / RECORD_FILE
    if not path.is_file():
        if (folder / STATE_FILE).is_file():
            raise InvalidInputError(
                f"{folder} holds a checkpoint but no {RECORD_FILE}: another version made it; choose another --run, and "
                f"--start-from {folder} to go on from its weights"
            )
        return None
    try:
        return RunRecord(**yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError, yaml.YAMLError) as error:
        raise InvalidInputError(f"{path} cannot be read ({error}); put it back, or choose another --run") from error


def check_same_run(stored: RunRecord, now: RunRecord, folder: Path, accept: Collection[str]) -> list[dict[str, Any]]:
    """Refuse to go on with a run under other conditions.

    Returns:
        The accepted differences: key, was, now.

    Raises:
        InvalidInputError: names every other difference with both values and the cure; or ``accept`` names what cannot
            be accepted.
    """
    for key in accept:
        if key not in ACCEPTABLE:
            raise InvalidInputError(
                f"--accept {key}: only {', '.join(ACCEPTABLE)} can be accepted{nearest(key, ACCEPTABLE)}"
            )
    found = [each for each in _differences(asdict(stored), asdict(now)) if not each["key"].startswith(EXEMPT)]
    refused = [each for each in found if each["key"] not in accept]
    if refused:
        lines = [f"  {_shown(each['key'])} was {each['was']!r}, now {each['now']!r}" for each in refused]
        soft = [each["key"] for each in refused if each["key"] in ACCEPTABLE]
        cure = f", or accept the difference: --accept {' '.join(soft)}" if len(soft) == len(refused) else ""
        raise InvalidInputError(
            "\n".join([f"{folder} was begun under other conditions:", *lines])
            + f"\ngo back to the old values, choose another --run (--start-from {folder} takes its weights along){cure}"
        )
    return found


def _shown(key: str) -> str:
    """As --set names it."""
    return key.removeprefix("config.")


def _differences(was: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    before, after = dict(_flat(was)), dict(_flat(now))
    for key in sorted(before.keys() | after.keys()):
        if before.get(key) != after.get(key):
            yield {"key": key, "was": before.get(key), "now": after.get(key)}


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def versions() -> dict[str, str]:
    """Of what figures depend on."""
    import numpy
    import torch

    return {"python": platform.python_version(), "torch": str(torch.__version__), "numpy": numpy.__version__}


def record_of(config: TrainConfig, data: TrainData, start_from: Path | None) -> RunRecord:
    """The record of a start now, without a budget."""
    import torch

    return RunRecord(
        config=config.resolved(),
        budget={},
        data={
            "train": data.train_fingerprint,
            "validation": data.validation_fingerprint,
            "train_frames": len(data.train),
            "validation_frames": len(data.validation),
            "folders": [str(folder) for folder in data.folders],
        },
        start_from=None if start_from is None else os.path.abspath(start_from),
        commit=commit_of(Path(__file__).resolve().parents[2]),
        versions=versions(),
        threads=torch.get_num_threads(),
        device="cuda" if torch.cuda.is_available() else "cpu",
    )
