"""docs/mutants.md: figures and survivors, one section a folder; a run replaces the sections of its own folders."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from simlingo_cli.mutants.journal import CAUGHT, Result
from simlingo_cli.mutants.mutant import Mutant

_HEAD = """# Mutants

A mutation run plants small faults (a comparison, a sign, a constant, a deleted statement, ...) one at a time and runs
the tests that execute the faulty line. A fault that no test notices is a survivor: a gap in the tests.

```
./simlingo test --mutants                      # all folders; resumes where it was stopped
./simlingo test --mutants training/datasets    # one
./simlingo test --mutants --help
```

This page is written by that command. Equivalent mutants, which behave as the code does, stand with their reasons in
`tests/mutants/equivalent.toml` and do not count. A time-out counts as noticed.
"""


@dataclass(frozen=True)
class Outcome:
    """A planted mutant and what became of it; no result where the time was over before."""

    mutant: Mutant
    result: Result | None
    reason: str | None  # why it is equivalent; None for all others


@dataclass(frozen=True)
class Figures:
    """A folder in numbers."""

    found: int
    planted: int
    statuses: Counter[str]

    @property
    def counted(self) -> int:
        """Mutants with a result that are not equivalent."""
        return sum(self.statuses[name] for name in ("killed", "timeout", "survived", "uncovered"))

    @property
    def share(self) -> float:
        """Share of those that the tests noticed, 0 to 1; 1 where there are none."""
        return sum(self.statuses[name] for name in CAUGHT) / self.counted if self.counted else 1.0


def figures(found: int, outcomes: Sequence[Outcome]) -> Figures:
    """Count outcomes; ``found`` is the number of all mutants of the folder, planted or not."""
    return Figures(found, len(outcomes), Counter(status(outcome) for outcome in outcomes))


def status(outcome: Outcome) -> str:
    """killed, timeout, survived, uncovered, equivalent or waiting; a claim of equivalence falls when a test notices."""
    result = outcome.result
    if outcome.reason is not None and (result is None or result.status not in CAUGHT):
        return "equivalent"
    return result.status if result is not None else "waiting"


def section(folder: str, found: int, outcomes: Sequence[Outcome], seed: int) -> str:
    """The section of a folder."""
    told = figures(found, outcomes)
    count = told.statuses
    planted = f"all {found}" if told.planted == found else f"{told.planted} of {found}, seed {seed}"
    lines = [
        f"## {folder}",
        "",
        "| mutants | killed | timed out | survived | executed by no test | equivalent | noticed |",
        "|---|---|---|---|---|---|---|",
        f"| {planted} | {count['killed']} | {count['timeout']} | {count['survived']} | {count['uncovered']} "
        f"| {count['equivalent']} | {100 * told.share:.1f} % |",
    ]
    if count["waiting"]:
        lines += ["", f"{count['waiting']} have not been tried yet: run the command again."]
    for title, name in (
        ("Survivors", "survived"),
        ("Executed by no test", "uncovered"),
        ("Timed out", "timeout"),
        ("Equivalent", "equivalent"),
    ):
        chosen = [outcome for outcome in outcomes if status(outcome) == name]
        if chosen:
            lines += ["", f"### {title} ({folder})", "", *(_line(outcome) for outcome in chosen)]
    return "\n".join(lines) + "\n"


def _line(outcome: Outcome) -> str:
    mutant = outcome.mutant
    change = mutant.change.replace("`", "'")
    reason = f" – {outcome.reason}" if outcome.reason and status(outcome) == "equivalent" else ""
    name = Path(mutant.file).name
    return f"- `{name}:{mutant.line}` {mutant.function}, {mutant.operator}: `{change}` in `{mutant.text[:90]}`{reason}"


def write_sections(path: Path, sections: dict[str, str], order: Sequence[str]) -> None:
    """Put sections into the page, whole, in the order of the folders; those of other folders stay."""
    kept: dict[str, str] = {}
    if path.is_file():
        for part in re.split(r"^(?=## )", path.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
            kept[part.splitlines()[0].removeprefix("## ")] = part.rstrip() + "\n"
    kept.update(sections)
    rank = {folder: place for place, folder in enumerate(order)}
    parts = [kept[folder] for folder in sorted(kept, key=lambda folder: rank.get(folder, len(rank)))]
    path.parent.mkdir(parents=True, exist_ok=True)
    part_file = path.with_name(f"{path.name}.tmp")
    part_file.write_text("\n".join([_HEAD, *parts]), encoding="utf-8")
    part_file.replace(path)
