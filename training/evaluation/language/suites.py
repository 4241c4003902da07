"""All suites by name. A suite is a function of a module, which is imported only when the suite is run."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from training.evaluation.language.suite import Suite


@dataclass(frozen=True)
class Entry:
    """Where a suite is, and one line about it."""

    module: str  # of this package
    function: str  # Context -> SuiteResult
    summary: str


#: Suites in the order of help and report.
SUITES: dict[str, Entry] = {
    "dream-val": Entry("dream_val", "dream_val", "plans that obey or refuse instructions, on frozen frames"),
    "dream-dev": Entry("dream_val", "dream_dev", "the same on other routes, for tuning"),
    "ask-val": Entry("ask_val", "ask_val", "answers to questions, on frozen frames"),
    "comment-val": Entry("comment_val", "comment_val", "commentaries, and whether the plan does what they say"),
    "words-64": Entry("words", "words_64", "routes driven by sentences only, with and without misleading ones"),
    "words-counterfactual": Entry("words", "words_counterfactual", "what other words cost on equal routes and worlds"),
    "speed-48": Entry("speed", "speed_48", "speeds that sentences name, on segments of road"),
    "command": Entry("commands", "command", "commands in closed loop, held as LaMPilot asks"),
    "refuse": Entry("refuse", "refuse", "texts that must be refused, and what obeying would cause"),
}
#: Those that run where none is named: all that report.
BY_DEFAULT: tuple[str, ...] = tuple(name for name in SUITES if name != "dream-dev")


def suite(name: str) -> Suite:
    """The function of a suite of ``SUITES``."""
    entry = SUITES[name]
    module = importlib.import_module(f"training.evaluation.language.{entry.module}")
    return cast("Suite", getattr(module, entry.function))
