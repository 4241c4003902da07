"""Loss curves of a run as a picture."""

from __future__ import annotations

from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt


def plot_losses(history: list[dict[str, float]], path: Path) -> None:
    """One panel a loss over samples seen; validation beside training where it was measured."""
    names = [name for name in history[-1] if name not in ("samples", "minutes") and not name.startswith("val_")]
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
        axis.legend(fontsize=7)
    for axis in axes.flat[len(names) :]:
        axis.set_visible(False)
    figure.tight_layout()
    temporary = path.with_name("tmp_" + path.name)
    figure.savefig(temporary, dpi=90)
    plt.close(figure)
    temporary.replace(path)
