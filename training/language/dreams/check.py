"""``./simlingo collect --check-dreams``: the kinematics of all dreams of a data set against the vehicle's limits."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np

from simlingo.contracts import FloatArray, SimlingoError
from simlingo.requests import Verdict
from training.datasets.reader import Route, open_dataset
from training.language.dreams.dream import Dream
from training.language.dreams.kinematics import Kinematics, columns_of, kinematics_of, violations
from training.language.dreams.limits import Limits, vehicle_limits
from training.language.dreams.route_dreams import RouteDreams

#: Name of the plot beside the data set's card.
PLOT_FILE = "dreams.png"
#: Violations that are named one by one.
_NAMED = 20


@dataclass
class Report:
    """What was found."""

    limits: Limits
    figures: list[Kinematics] = field(default_factory=list)
    verdicts: Counter[tuple[str, str]] = field(default_factory=Counter)  # (kind, reason or verdict) -> dreams
    broken: list[str] = field(default_factory=list)  # one sentence a violation
    frames: int = 0
    seconds: float = 0.0  # of one core, dreaming alone

    def add(self, where: str, speed_mps: float, dream: Dream) -> None:
        """Take a dream; those with nothing to imagine have no motion of their own."""
        said = dream.verdict.value if dream.reason is None else f"{dream.verdict.value}: {dream.reason.value}"
        self.verdicts[(dream.kind.value, said)] += 1
        if not dream.dreamt:
            return
        figures = kinematics_of(dream.path, dream.speed_waypoints, speed_mps)
        self.figures.append(figures)
        for name in violations(figures, self.limits):
            most = getattr(self.limits, name)
            self.broken.append(
                f"{where} {dream.kind.value}: {name} is {getattr(figures, name):.3f}, the vehicle's is {most:.3f}"
            )

    def text(self) -> str:
        """The report in words."""
        lines = [f"{len(self.figures)} rolled-out dreams of {self.frames} frames"]
        if self.seconds > 0.0:
            rate = sum(self.verdicts.values()) / self.seconds
            lines[0] += f", {rate:.0f} a second of one core ({1e3 * self.seconds / max(self.frames, 1):.1f} ms a frame)"
        for name, values in columns_of(self.figures).items():
            if len(values):
                lines.append(
                    f"  {name:18} median {np.median(values):7.3f}  99 % {np.percentile(values, 99):7.3f}"
                    f"  largest {values.max():7.3f}  limit {getattr(self.limits, name):7.3f}"
                )
        for kind in sorted({kind for kind, _ in self.verdicts}):
            mine = {said: count for (of, said), count in self.verdicts.items() if of == kind}
            parts = ", ".join(f"{said} {count}" for said, count in sorted(mine.items(), key=lambda item: -item[1]))
            refused = 1.0 - mine.get(Verdict.FOLLOW.value, 0) / sum(mine.values())
            lines.append(f"  {kind:14} {100.0 * refused:3.0f} % refused: {parts}")
        lines += self.broken[:_NAMED]
        if len(self.broken) > _NAMED:
            lines.append(f"... and {len(self.broken) - _NAMED} more")
        lines.append(f"{len(self.broken)} violations")
        return "\n".join(lines)


def check(folder: Path, routes: Iterable[Route] | None = None) -> int:
    """Report on the dreams of the data set in ``folder``, with a plot in it; 1 when the vehicle could not do one of them."""
    try:
        chosen = open_dataset([folder]).routes if routes is None else tuple(routes)
        report = Report(vehicle_limits())
        for route in chosen:
            _add_route(report, route)
        plot(report, folder / PLOT_FILE)
    except SimlingoError as error:
        print(f"collect: {error}", file=sys.stderr)
        return 1
    print(report.text())
    print(f"plot: {folder / PLOT_FILE}")
    return 1 if report.broken else 0


def _add_route(report: Report, route: Route) -> None:
    for number, row, dreams, seconds in frames_of(route):
        report.frames += 1
        report.seconds += seconds
        for dream in dreams:
            report.add(f"{route.name} frame {number}", float(row["ego_speed_mps"]), dream)


def frames_of(route: Route) -> Iterator[tuple[int, Mapping[str, Any], list[Dream], float]]:
    """Frame number, row, dreams and the seconds of one core that they took, frame by frame."""
    whole = RouteDreams(route)
    for number, row in enumerate(whole.rows):
        if whole.dreamable(number):
            begin = time.process_time()
            dreams = whole.dreams(number)
            yield int(row["frame"]), row, dreams, time.process_time() - begin


def plot(report: Report, path: Path) -> None:
    """Histograms of all figures, the limits as lines."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(13, 8), layout="constrained")
    FigureCanvasAgg(figure)
    columns: Mapping[str, FloatArray] = columns_of(report.figures)
    for place, name in enumerate((limit.name for limit in fields(Limits)), start=1):
        axes = figure.add_subplot(3, 4, place)
        most = getattr(report.limits, name)
        values = columns[name]
        shown = (float(values.min()), max(float(values.max()), float(values.min()) + 1e-3)) if len(values) else None
        axes.hist(values, bins=60, range=shown, color="#1a5fb4", log=True)
        axes.axvline(most, color="#c01c28")
        axes.set_title(f"{name}, limit {most:.2f}", fontsize=9)
        axes.set_ylabel("dreams")
    figure.suptitle(f"{len(report.figures)} dreams, {len(report.broken)} violations of the vehicle's limits")
    temporary = path.with_suffix(".part.png")
    figure.savefig(temporary, dpi=90)
    temporary.replace(path)
