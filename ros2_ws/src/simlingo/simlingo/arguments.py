"""Types for the numbers of command lines: what is out of range is refused where it is read, with the range."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable


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
