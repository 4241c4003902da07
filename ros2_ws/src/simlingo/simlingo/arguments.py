"""Values that people write: numbers out of range and files that cannot be written are refused where they are read."""

from __future__ import annotations

import argparse
import difflib
import math
import os
from collections.abc import Callable, Iterable
from pathlib import Path


def whole(least: int, most: int | None = None) -> Callable[[str], int]:
    """Reads a whole number from ``least`` on, up to ``most`` (None: no limit); bounds included."""

    def number(text: str) -> int:
        try:
            value = int(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(f"'{text}' is no whole number") from error
        if value < least or (most is not None and value > most):
            bounds = f"{least} or more" if most is None else f"from {least} to {most}"
            raise argparse.ArgumentTypeError(f"must be {bounds}, not {value}")
        return value

    return number


def real(least: float, most: float = math.inf, *, open_at_least: bool = False) -> Callable[[str], float]:
    """Reads a finite number from ``least`` (``open_at_least``: above it) up to ``most``, bounds included."""

    def number(text: str) -> float:
        try:
            value = float(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(f"'{text}' is no number") from error
        if not (math.isfinite(value) and least <= value <= most) or (open_at_least and value == least):
            bounds = f"above {least:g}" if open_at_least else f"{least:g} or more"
            if math.isfinite(most):
                bounds += f" and at most {most:g}"
            raise argparse.ArgumentTypeError(f"must be {bounds}, not {text}")
        return value

    return number


def output_file(text: str) -> Path:
    """Reads the path of a file that will be written after long work; folders on its way may be missing yet."""
    path = Path(text)
    if path.is_dir():
        raise argparse.ArgumentTypeError(f"'{text}' is a folder; name a file in it")
    above = next(folder for folder in path.absolute().parents if folder.exists())
    if not above.is_dir():
        raise argparse.ArgumentTypeError(f"'{text}' cannot be written: {above} is a file")
    if not os.access(path if path.exists() else above, os.W_OK):
        raise argparse.ArgumentTypeError(f"'{text}' cannot be written: no permission; name another place")
    return path


def nearest(name: str, names: Iterable[str]) -> str:
    """A hint at the likeliest of ``names`` for one that is none of them, to be put behind its refusal; or nothing."""
    found = difflib.get_close_matches(name, list(names), n=1)
    return f"; did you mean {found[0]}?" if found else ""
