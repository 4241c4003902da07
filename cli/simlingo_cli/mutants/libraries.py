"""Packages of others that tests need, imported once in the process that all others are forked from."""

from __future__ import annotations

import importlib
import os
import sys
import warnings
from collections.abc import Iterable
from pathlib import Path

from simlingo_cli.mutants.imports import imported_names
from simlingo_cli.mutants.project import Project


def import_libraries(project: Project, files: Iterable[str]) -> None:
    """Import what ``files`` (ours) import from others; what is not installed is left out, as the tests may skip it."""
    ours = {Path(package).name for package in project.packages}
    names: set[str] = {"pytest", "_pytest.assertion.rewrite", "coverage"}
    for file in files:
        names.update(imported_names((project.root / file).read_text(encoding="utf-8")))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in sorted(names):
            top = name.partition(".")[0]
            if top in ours or top in sys.stdlib_module_names or _beside(project, top):
                continue
            try:
                importlib.import_module(name)
            except Exception:  # a name inside a module, a package that is not here, or one that needs hardware
                continue
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)


def _beside(project: Project, top: str) -> bool:
    """Whether a name is ours beside the packages: a helper of the tests, or the simulator's carla."""
    homes = [project.root / source for source in project.sources]
    return any((home / top).is_dir() or (home / f"{top}.py").is_file() for home in homes)


def extra_threads() -> int:
    """Threads of this process beside the first: a fork would not have them."""
    return len(os.listdir("/proc/self/task")) - 1
