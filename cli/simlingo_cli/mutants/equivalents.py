"""Mutants that behave as the code does, each with its reason: a TOML file that people write.

[[equivalent]]
file = "ros2_ws/src/simlingo/simlingo/control/pid.py"
function = "WindowPid.step"
operator = "compare"
text = "while index < count:"      # the line, without indentation
before = "<"
after = "!="
nth = 0                            # where several read the same; 0 may be left out
reason = "the index grows by one and never passes the count"
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from simlingo_cli.mutants.mutant import Mutant
from simlingo_cli.mutants.project import MutationError

_WORDS = ("file", "function", "operator", "text", "before", "after")


@dataclass(frozen=True)
class Equivalents:
    """Reasons by what tells a mutant."""

    reasons: dict[tuple[str | int, ...], str]

    def reason(self, mutant: Mutant) -> str | None:
        """Why no test can tell this mutant from the code; None where that was not claimed."""
        return self.reasons.get(_identity(mutant))

    def stale(self, folder: str, mutants: Sequence[Mutant]) -> list[str]:
        """Entries of a folder that no mutant fits any more, as words."""
        known = {_identity(mutant) for mutant in mutants}
        return [
            f"{identity[0]}, {identity[1]}: {identity[3]}"
            for identity in self.reasons
            if str(identity[0]).startswith(f"{folder}/") and identity not in known
        ]


def _identity(mutant: Mutant) -> tuple[str | int, ...]:
    return (*(getattr(mutant, word) for word in _WORDS), mutant.nth)


def read_equivalents(path: Path) -> Equivalents:
    """The file's entries; none where there is no file.

    Raises:
        MutationError: it is no TOML, or an entry lacks a word or gives no reason.
    """
    if not path.is_file():
        return Equivalents({})
    try:
        entries = tomllib.loads(path.read_text(encoding="utf-8")).get("equivalent", [])
    except tomllib.TOMLDecodeError as error:
        raise MutationError(f"{path} is no TOML: {error}. Mend that line.") from error
    reasons: dict[tuple[str | int, ...], str] = {}
    for number, entry in enumerate(entries, start=1):
        missing = [word for word in (*_WORDS, "reason") if word not in entry or (word == "reason" and not entry[word])]
        if missing:
            raise MutationError(
                f"entry {number} of {path} lacks {', '.join(missing)}: write it, or take the entry out."
            )
        reasons[(*(entry[word] for word in _WORDS), entry.get("nth", 0))] = entry["reason"]
    return Equivalents(reasons)


def entry_for(mutant: Mutant) -> str:
    """A mutant as an entry of the file, whose reason is still to be written."""
    lines = ["[[equivalent]]", *(f"{word} = {_quoted(getattr(mutant, word))}" for word in _WORDS)]
    return "\n".join([*lines, *([f"nth = {mutant.nth}"] if mutant.nth else []), 'reason = ""'])


def _quoted(text: str) -> str:
    if "\n" not in text and "'" not in text:
        return f"'{text}'"
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
