"""The speed that a sentence names."""

from __future__ import annotations

from simlingo.model.plain_words import speeds_mps


def wished_speed_mps(text: str) -> float | None:
    """The one speed that ``text`` names, m/s; None where it names none or several."""
    found = speeds_mps(text)
    return found[0] if len(found) == 1 else None
