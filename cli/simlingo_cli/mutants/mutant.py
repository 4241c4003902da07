"""One fault that can be planted in a source file."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True)
class Mutant:
    """A replacement of some bytes of one file, and what a reader wants to know about it."""

    file: str  # relative to the repository, with slashes
    function: str  # qualified name, "<module>" outside functions
    operator: str  # for example "compare"
    line: int  # of the replaced text, from 1
    text: str  # that line, without indentation
    before: str
    after: str
    nth: int  # among mutants whose words above are equal, from 0
    start: int  # bytes of the file that are replaced
    end: int
    lines: tuple[int, int]  # first and last line whose execution runs the fault; (0, 0) where only an import does
    names: tuple[str, ...]  # what the faulty statement binds when the module is imported

    @property
    def key(self) -> str:
        """What tells this mutant from all others and survives that lines move."""
        words = (self.file, self.function, self.operator, self.text, self.before, self.after, str(self.nth))
        return hashlib.sha256("\0".join(words).encode()).hexdigest()[:20]

    @property
    def change(self) -> str:
        """Before and after in one short line."""
        return f"{_short(self.before)} -> {_short(self.after)}"

    def apply(self, source: bytes) -> bytes:
        """The faulty source."""
        return source[: self.start] + self.after.encode() + source[self.end :]


def _short(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= 60 else f"{words[:28]} ... {words[-27:]}"
