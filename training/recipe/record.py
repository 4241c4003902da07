"""``stage.yaml``: what a stage's outcome was made of, written when it begins and completed when it is whole."""

from __future__ import annotations

import os
import platform
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import yaml

from simlingo.contracts import InvalidInputError
from training.trainer.files import write_whole

STAGE_FILE = "stage.yaml"


@dataclass
class StageRecord:
    """One outcome, and all that it came from, so that it can be told on any machine."""

    stage: str
    kind: str
    fingerprint: str  # of settings, inputs and code
    asked: str  # of settings and inputs alone
    code: str  # of the sources when it was begun
    settings: dict[str, Any]
    inputs: dict[str, str]  # stage -> fingerprint
    starts: list[dict[str, Any]] = field(default_factory=list)  # when, seconds, commit, machine
    digest: str = ""  # of the outcome; empty: it is not whole
    figures: dict[str, Any] = field(default_factory=dict)
    lineage: list[dict[str, Any]] = field(default_factory=list)  # records of all stages that it came from, oldest first

    @property
    def seconds(self) -> float:
        """Of all starts together."""
        return float(sum(start["seconds"] for start in self.starts))

    def alone(self) -> dict[str, Any]:
        """Plain data without the lineage."""
        return {name: value for name, value in asdict(self).items() if name != "lineage"}

    def with_lineage(self) -> list[dict[str, Any]]:
        """The lineage and this record behind it."""
        return [*self.lineage, self.alone()]

    def write(self, folder: Path) -> None:
        """Into a stage's folder, whole or not at all."""
        folder.mkdir(parents=True, exist_ok=True)
        told = yaml.safe_dump(asdict(self), sort_keys=False, allow_unicode=True, default_flow_style=None, width=120)
        write_whole(folder / STAGE_FILE, lambda path: path.write_text(told, encoding="utf-8"))


def read_record(folder: Path) -> StageRecord | None:
    """The record in ``folder``, or None where there is none.

    Raises:
        InvalidInputError: it cannot be read.
    """
    path = folder / STAGE_FILE
    if not path.is_file():
        return None
    try:
        return StageRecord(**yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError, yaml.YAMLError) as error:
        raise InvalidInputError(
            f"{path} cannot be read ({error}); put it back, or remove its folder to make the stage anew"
        ) from error


def merged(lineages: list[list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """Several lineages as one, each record once, in their order."""
    return list({record["fingerprint"]: record for lineage in lineages for record in lineage}.values())


def start_of(commit: str, when: str) -> dict[str, Any]:
    """A start's note: commit, machine and versions; its seconds are filled in as it goes."""
    found = {}
    for package in ("torch", "numpy", "numba", "onnxruntime"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return {
        "when": when,
        "seconds": 0.0,
        "commit": commit,
        "cores": os.cpu_count(),
        "machine": platform.machine(),
        "python": platform.python_version(),
        **found,
    }
