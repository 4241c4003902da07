"""Losses of a training run, few enough points to travel in a stage's record."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from training.trainer.csv_log import LOSSES, VALIDATION, read_rows

#: Points of a curve; each is the mean of the updates that it stands for.
POINTS = 120
_NOT_LOSSES = ("step", "samples", "rate")


def curves_of(run: Path) -> dict[str, Any]:
    """``training`` and ``validation`` of the run's CSV files, each a list of rows with ``samples`` and a loss a name."""
    rows = read_rows(run / f"{LOSSES}.csv")
    return {
        "training": [_mean(part) for part in _parts(rows)],
        "validation": [_mean([row]) for row in _thinned(read_rows(run / f"{VALIDATION}.csv"))],
    }


def _parts(rows: list[dict[str, float]]) -> list[list[dict[str, float]]]:
    size = max(-(-len(rows) // POINTS), 1)
    return [rows[start : start + size] for start in range(0, len(rows), size)]


def _thinned(rows: list[dict[str, float]]) -> list[dict[str, float]]:
    """At most ``POINTS`` rows, the last among them."""
    step = max(-(-len(rows) // POINTS), 1)
    return rows[::-1][::step][::-1]


def _mean(rows: list[dict[str, float]]) -> dict[str, float]:
    losses = {name: sum(row[name] for row in rows) / len(rows) for name in rows[0] if name not in _NOT_LOSSES}
    return {"samples": rows[-1]["samples"], **{name: round(value, 5) for name, value in losses.items()}}
