"""Scripted instructions: ``12.0:turn left at the next junction``."""

from __future__ import annotations

import math
from collections.abc import Iterable

from simlingo.contracts import InvalidInputError


def parse_script(lines: Iterable[str]) -> list[tuple[float, str]]:
    """Seconds from the start and text of each line, earliest first.

    Raises:
        InvalidInputError: a line is not ``seconds:text`` with seconds >= 0.
    """
    script = []
    for line in lines:
        seconds, colon, text = line.partition(":")
        try:
            at = float(seconds)
        except ValueError:
            at = math.nan
        if not colon or not math.isfinite(at) or at < 0.0:
            raise InvalidInputError(
                f"instruction '{line}' is not 'seconds:text'; write for example '12.0:turn left at the next junction'"
            )
        script.append((at, text.strip()))
    return sorted(script, key=lambda entry: entry[0])
