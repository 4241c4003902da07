"""Plots of the model card."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

_TRAINING, _VALIDATION, _EDGE = "#8fb8de", "#1a5fb4", "#c9c9c4"
_COLUMNS = 3


def plot_losses(records: Sequence[dict[str, Any]], path: Path) -> None:
    """A panel for each loss over the samples of all training stages, one after the other."""
    stages = [(record["stage"], record["figures"]) for record in records if record["kind"] == "train"]
    names = list(dict.fromkeys(name for _, figures in stages for name in _losses(figures)))
    figure, axes = _canvas(len(names))
    for axis, name in zip(axes, names, strict=False):
        before = 0.0
        for stage, figures in stages:
            for kind, key, color in (("training", name, _TRAINING), ("validation", f"val_{name}", _VALIDATION)):
                points = [(before + row["samples"], row[key]) for row in figures["curves"][kind] if key in row]
                if points:
                    axis.plot(*zip(*points, strict=True), color=color, marker="o" if len(points) < 3 else None)
            axis.axvline(before, color=_EDGE, zorder=0)
            axis.annotate(stage, (before, 1.0), xycoords=("data", "axes fraction"), va="top", fontsize=7, rotation=90)
            before += figures["samples"]
        axis.set_title(f"{name}: training light, validation dark", fontsize=9)
        axis.set_xlabel("samples")
    for axis in axes[len(names) :]:
        axis.set_visible(False)
    _save(figure, path)


def plot_times(records: Sequence[dict[str, Any]], path: Path) -> None:
    """A bar for each stage's wall time."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 1.0 + 0.35 * len(records)), layout="constrained")
    axis = figure.add_subplot()
    minutes = [sum(start["seconds"] for start in record["starts"]) / 60.0 for record in records]
    axis.barh([record["stage"] for record in records], minutes, color=_VALIDATION)
    axis.invert_yaxis()
    axis.set_xlabel("wall time, minutes")
    _save(figure, path)


def _losses(figures: dict[str, Any]) -> list[str]:
    rows = figures["curves"]["training"]
    return [name for name in rows[0] if name != "samples"] if rows else []


def _canvas(count: int) -> tuple[Any, list[Any]]:
    from matplotlib.figure import Figure

    rows = -(-count // _COLUMNS)
    figure = Figure(figsize=(4.5 * _COLUMNS, 3.0 * rows), layout="constrained")
    return figure, list(figure.subplots(rows, _COLUMNS, squeeze=False).flat)


def _save(figure: Any, path: Path) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    FigureCanvasAgg(figure)
    temporary = path.with_suffix(".part.png")
    figure.savefig(temporary, dpi=90)
    temporary.replace(path)
