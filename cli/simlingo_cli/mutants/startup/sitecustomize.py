"""Python runs this when it starts with this folder on its path: processes of a test see the planted fault as well.

It loads the two modules by their files, so that a process sees the paths and packages that it would see without this.
"""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from types import ModuleType


def _load(name: str) -> ModuleType:
    file = Path(__file__).resolve().parents[1] / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"_simlingo_mutants_{name}", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


if "SIMLINGO_MUTANT_MODULE" in os.environ:
    _load("hook").plant_from_environment()
if "SIMLINGO_MUTANT_TRACE" in os.environ:
    _load("tracing").trace_from_environment()
