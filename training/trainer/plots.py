"""Loss curves of a run as a picture."""

from __future__ import annotations

from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.ticker import LogFormatter


def plot_losses(history: list[dict[str, float]], path: Path) -> None:
    """One panel a loss over samples seen; validation beside training where it was measured."""
    told = (name.removeprefix("val_") for name in history[-1] if name not in ("samples", "minutes"))
    names = list(dict.fromkeys(told))  # a run that is interrupted before its first update has validation alone
    columns = 4
    rows = -(-len(names) // columns)
    figure, axes = plt.subplots(rows, columns, figsize=(4 * columns, 3 * rows), squeeze=False)
    for axis, name in zip(axes.flat, names, strict=False):
        for key, label in ((name, "training"), (f"val_{name}", "validation")):
            points = [(row["samples"] / 1000.0, row[key]) for row in history if key in row]
            if points:
                axis.plot(*zip(*points, strict=True), label=label)
        axis.set_title(name)
        axis.set_xlabel("thousand samples")
        axis.set_yscale("log")
        # Plain numbers: a checkpoint waits for this picture, and setting powers of ten takes ten times as long.
        axis.yaxis.set_major_formatter(LogFormatter())
        axis.yaxis.set_minor_formatter(LogFormatter())
        axis.legend(fontsize=7)
    for axis in axes.flat[len(names) :]:
        axis.set_visible(False)
    figure.subplots_adjust(0.05, 0.1, 0.99, 0.95, wspace=0.25, hspace=0.4)
    temporary = path.with_name("tmp_" + path.name)
    figure.savefig(temporary, dpi=90)
    plt.close(figure)
    temporary.replace(path)
