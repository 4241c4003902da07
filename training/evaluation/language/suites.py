"""All suites by name. A suite is a function of a module, which is imported only when the suite is run."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import cast

from training.evaluation.language.suite import Suite


@dataclass(frozen=True)
class Entry:
    """Where a suite is, and one line about it."""

    module: str  # of this package
    function: str  # Context -> SuiteResult
    summary: str


#: Suites in the order of help and report.
SUITES: dict[str, Entry] = {}


def suite(name: str) -> Suite:
    """The function of a suite of ``SUITES``."""
    entry = SUITES[name]
    module = importlib.import_module(f"training.evaluation.language.{entry.module}")
    return cast(Suite, getattr(module, entry.function))
