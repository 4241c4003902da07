"""The speed that a sentence names."""

from __future__ import annotations

import re

_SPEED = re.compile(
    r"(?<![\w.])(\d{1,3}(?:[.,]\d{1,2})?)\s*"
    r"(km/h|kmh|kph|kilomet(?:er|re)s? (?:per|an) hour|m/s|mps|met(?:er|re)s? (?:per|a) second|mph|miles (?:per|an) hour)"
    r"(?!\w)",
    re.IGNORECASE,
)
_MPS = {"k": 1.0 / 3.6, "mph": 0.44704, "mi": 0.44704}


def wished_speed_mps(text: str) -> float | None:
    """The one speed that ``text`` names, m/s; None where it names none or several."""
    found = _SPEED.findall(text)
    if len(found) != 1:
        return None
    number, unit = found[0][0].replace(",", "."), found[0][1].lower()
    factor = next((each for begin, each in _MPS.items() if unit.startswith(begin)), 1.0)
    return float(number) * factor
