"""One line that tells how far a long run is; on a terminal it is rewritten, in a file it comes now and then."""

from __future__ import annotations

import sys
import time

_WIDTH = 24
_FILE_EVERY_S = 30.0


class Progress:
    """A bar of ``total`` steps."""

    def __init__(self, label: str, total: int) -> None:
        self._label, self._total, self._done = label, total, 0
        self._began = time.monotonic()
        self._said = -_FILE_EVERY_S
        self._terminal = sys.stderr.isatty()

    def step(self, note: str = "") -> None:
        """One more is done."""
        self._done += 1
        self.show(note)

    def show(self, note: str = "") -> None:
        """Say where we are."""
        now = time.monotonic()
        if not self._terminal and now - self._said < _FILE_EVERY_S and self._done < self._total:
            return
        self._said = now
        full = _WIDTH * self._done // max(self._total, 1)
        spent = now - self._began
        left = f", {spent / self._done * (self._total - self._done):.0f} s left" if self._done else ""
        bar = "#" * full + "." * (_WIDTH - full)
        line = f"{self._label} [{bar}] {self._done}/{self._total}, {spent:.0f} s{left}  {note}"
        if self._terminal:
            print(f"\r\x1b[K{line}", end="", file=sys.stderr, flush=True)
        else:
            print(line, file=sys.stderr, flush=True)

    def close(self) -> None:
        """Leave the line."""
        if self._terminal:
            print(file=sys.stderr, flush=True)
