"""What a suite of ``./simlingo bench language`` is given, and what it hands back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from simlingo.contracts import InvalidInputError
from training.evaluation.journal import LineJournal
from training.language.phrase import InstructionKind, Phrase

#: A figure; ``None`` where there is nothing to count.
Figure = float | int | None


@dataclass(frozen=True)
class Subject:
    """Who is judged: weights, and what is taken from them."""

    label: str  # names it in the report and in the journal's keys
    weights: str  # model folder or name
    random_words: bool = False  # sentences are replaced by those of other items
    grey: bool = False  # the picture is uniform grey


class Progress(Protocol):
    """Shows how far a suite is."""

    def begin(self, what: str, total: int) -> Callable[[int], None]:
        """Show a bar of ``total`` steps; call what comes back with the number of steps that are done further."""


@dataclass(frozen=True)
class Context:
    """How the suites are to be run."""

    subject: Subject  # the model whose figures the keys of the report hold
    data: Path  # folder for what is rendered or collected on demand; may be missing yet
    journal: (
        LineJournal  # what is worth keeping when interrupted: keep(key, plain data), and kept[key] at the next start
    )
    progress: Progress
    baselines: tuple[Subject, ...] | None = None  # None: those that a suite takes by itself
    quick: bool = False  # fewer items: all suites within six minutes on two cores
    phrases: tuple[Phrase, ...] | None = None  # sentences of somebody else instead of ours
    jobs: int = 1  # processes at a time
    seed: int = 0  # of what is drawn beside the frozen lists

    def phrases_of(self, kind: InstructionKind) -> tuple[Phrase, ...]:
        """The foreign sentences of ``kind``.

        Raises:
            InvalidInputError: there is a file of sentences, but it has none of the kind.
        """
        found = tuple(phrase for phrase in self.phrases or () if phrase.group.kind is kind)
        if self.phrases is not None and not found:
            raise InvalidInputError(f"the phrases file has no sentence of kind {kind.value}; add a line of it")
        return found


@dataclass(frozen=True)
class Table:
    """More than the figures, shown in the report below them."""

    title: str
    columns: tuple[str, ...]
    rows: Sequence[Sequence[str | Figure]]


@dataclass(frozen=True)
class SuiteResult:
    """What a suite found; all of it plain data."""

    figures: dict[str, Figure]  # by the keys of the report, percent as 0 to 100; what is not judged is None
    intervals: dict[str, tuple[float, float]]  # of those figures that are rates, 95 %, in the figure's unit
    baselines: dict[str, dict[str, Figure]] = field(default_factory=dict)  # label -> figures
    tables: tuple[Table, ...] = ()
    details: dict[str, Any] = field(default_factory=dict)  # for the JSON file only


#: A suite.
Suite = Callable[[Context], SuiteResult]
