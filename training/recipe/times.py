"""Times for people."""

from __future__ import annotations


def about(seconds: float) -> str:
    """Such as 1 h 05 min."""
    minutes = round(seconds / 60.0)
    if minutes >= 60:
        return f"{minutes // 60} h {minutes % 60:02d} min"
    return f"{minutes} min" if seconds >= 90.0 else f"{seconds:.0f} s"


def clock(seconds: float) -> str:
    """H:MM:SS."""
    whole = round(seconds)
    return f"{whole // 3600}:{whole // 60 % 60:02d}:{whole % 60:02d}"
