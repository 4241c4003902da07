"""Pictures of a benchmark: each town from above with the driven traces and what went wrong where."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from simlingo.navigation.global_planner import GlobalPlanner
from simlingo_drive.backends.embedded import embedded_planner
from simlingo_sim import towns
from training.evaluation.closed_loop import DriveRecord

ROAD_COLOR, ROUTE_COLOR, TRACE_COLOR, FAULT_COLOR = "#c9c9c4", "#8fb8de", "#1a5fb4", "#c01c28"


def plot_towns(folder: Path, records: Sequence[DriveRecord | dict[str, Any]]) -> list[Path]:
    """One PNG a town: lanes grey, routes light, driven traces dark, infractions as red crosses."""
    driven = [record for record in records if isinstance(record, DriveRecord)]
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for town in towns.TOWNS:
        here = [record for record in driven if record.spec.town == town]
        if here:
            written.append(_plot_town(folder / f"{town}.png", town, embedded_planner(town), here))
    return written


def _plot_town(path: Path, town: str, planner: GlobalPlanner, records: list[DriveRecord]) -> Path:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 9), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    for lane in planner.graph.lanes:
        points = planner.graph.positions[lane.first : lane.last + 1]
        axes.plot(points[:, 0], points[:, 1], color=ROAD_COLOR, linewidth=3, zorder=1)
    for record in records:
        for layer, (line, color, width) in enumerate(
            ((record.route, ROUTE_COLOR, 5.0), (record.trace, TRACE_COLOR, 1.5)), start=2
        ):
            points = np.array(line).reshape(-1, 2)
            axes.plot(points[:, 0], points[:, 1], color=color, linewidth=width, zorder=layer)
        for infraction in record.result["infractions"]:
            axes.plot(*infraction["location"], "x", color=FAULT_COLOR, markersize=9, zorder=9)
            axes.annotate(infraction["kind"], infraction["location"], fontsize=7, color=FAULT_COLOR, zorder=9)
    score = np.mean([record.result["driving_score"] for record in records])
    axes.set_title(f"{town}: {len(records)} routes, driving score {score:.1f}")
    axes.set_aspect("equal")
    axes.invert_yaxis()  # CARLA's y points right, so north stays up
    axes.set_xlabel("x / m")
    axes.set_ylabel("y / m (right)")
    temporary = path.with_suffix(".part.png")
    figure.savefig(temporary, dpi=110)
    temporary.replace(path)
    return path
