"""What a benchmark shows in the terminal: how far the drives are, and the table at the end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars
from rich.table import Table

from simlingo_drive.routes import RouteSpec


class DriveBars:
    """A bar for all routes and one for each route on the road."""

    def __init__(self, console: Console) -> None:
        self._bars = Bars(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f} %  {task.fields[note]}"),
            TimeElapsedColumn(),
            console=console,
        )
        self._tasks: dict[RouteSpec, Any] = {}

    @contextmanager
    def watching(self, specs: Sequence[RouteSpec]) -> Iterator[None]:
        """Show the bars while the routes are driven."""
        with self._bars:
            self._all = self._bars.add_task("all routes", total=100.0 * len(specs), note="")
            yield

    def tell(self, spec: RouteSpec, done: float, score: float) -> None:
        """A route is ``done`` % complete with a driving score so far."""
        if spec not in self._tasks:
            self._tasks[spec] = self._bars.add_task(spec.name, total=100.0, note="")
        task = self._tasks[spec]
        self._bars.update(task, completed=done, note=f"score {score:.0f}")
        self._bars.update(
            self._all, completed=sum(self._bars.tasks[number].completed for number in self._tasks.values())
        )

    def finish(self, spec: RouteSpec, status: str) -> None:
        """A route has ended."""
        self.tell(spec, 100.0, 0.0)
        self._bars.update(self._tasks[spec], visible=False)
        self._bars.console.print(f"{spec.name}: {status}", markup=False, highlight=False)


def show_report(console: Console, report: dict[str, Any]) -> None:
    """Tables of the routes and of the summary."""
    routes = Table(title="routes")
    for name in ("route", "status", "completion %", "score", "red lights", "infractions"):
        routes.add_column(name, no_wrap=name == "route")
    for route in report["routes"]:
        kinds = [infraction["kind"] for infraction in route["infractions"]]
        noted = [f"{kinds.count(kind)}x {kind}" for kind in dict.fromkeys(kinds)]
        if "instruction" in route:
            noted.append(f"{'obeyed' if route['obeyed'] else 'did not obey'}: {route['instruction']}")
        routes.add_row(
            route["name"],
            route["status"],
            f"{route['route_completion']:.1f}",
            f"{route['driving_score']:.1f}",
            f"{route['red_lights_stopped']}/{route['red_lights_met']}",
            route.get("error", ", ".join(noted)),
        )
    console.print(routes)
    summary = Table(title="summary", show_header=True)
    summary.add_column("figure")
    summary.add_column("all")
    for town in report["by_town"]:
        summary.add_column(town)
    for name, value in report["summary"].items():
        if not isinstance(value, dict):
            spread = report["sd_over_seeds"].get(name)
            whole = _text(value) + (f" ± {spread:.1f}" if spread is not None else "")
            summary.add_row(name, whole, *(_text(group.get(name)) for group in report["by_town"].values()))
    console.print(summary)
    for name in report["crashed"]:
        console.print(f"crashed and counted as zero: {name}", style="red", markup=False)


def _text(value: float | int | None) -> str:
    if value is None:
        return "-"
    return str(value) if isinstance(value, int) else f"{value:.2f}"
