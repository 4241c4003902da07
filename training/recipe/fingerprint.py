"""What stands for settings and for code."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from training.recipe.stage import ROOT, Settings

#: Sources that decide: code, and data that code reads as it is.
_ENDINGS = (".py", ".yaml", ".json", ".xodr")


def asked_digest(kind: str, settings: Settings, inputs: dict[str, str]) -> str:
    """Of what the YAML says of a stage, of the files that it names, and of its inputs' fingerprints."""
    return _sha256([kind, settings.deciding(), settings.content(), inputs])


def code_digest(sources: Sequence[str]) -> str:
    """Of all sources in the folders ``sources`` of the repository, or that such patterns match; only names and content count."""
    return _of_folders(tuple(sources), ROOT)


def fingerprint_of(asked: str, code: str) -> str:
    """Of an outcome."""
    return _sha256([asked, code])


def sources_in(source: str, root: Path) -> list[Path]:
    """The files of a folder, with those below it, or that a pattern matches, whose content decides; weights do not."""
    paths = root.glob(source if "*" in source else f"{source}/**/*")
    return sorted(path for path in paths if path.suffix in _ENDINGS and path.is_file() and "weights" not in path.parts)


@lru_cache
def _of_folders(sources: tuple[str, ...], root: Path) -> str:
    found = hashlib.sha256()
    for source in sorted(sources):
        for path in sources_in(source, root):
            found.update(f"{path.relative_to(root).as_posix()} {path.stat().st_size}\n".encode())
            found.update(path.read_bytes())
    return found.hexdigest()


def _sha256(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
