"""Progress of a drive in the terminal: a live panel, or a line now and then where the output is no terminal."""

from __future__ import annotations

import time
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from simlingo_node.drive_monitor import Picture

#: Without a terminal a line comes this often, s.
LINE_PERIOD_S = 5.0
_COLOURS = {"active": "green", "driving": "green", "recording": "green", "serving": "green", "finished": "green"}
_BAD = ("failed", "degraded", "waiting", "refusing", "no route", "off route", "braking", "stopping", "holding")


class DriveView:
    """Shows pictures of the drive; use as a context."""

    def __init__(self, title: str, address: str, console: Console | None = None) -> None:
        self._console = console or Console()
        self._title = title
        self._address = address
        self._live = Live(console=self._console, refresh_per_second=4, transient=True)
        self._next_line = 0.0

    def __enter__(self) -> DriveView:
        self._console.print(self._title, soft_wrap=True, highlight=False)
        if self._address:
            self._console.print(f"live page: [bold]{self._address}[/bold]", soft_wrap=True)
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def update(self, picture: Picture) -> None:
        """Show ``picture``."""
        if self._console.is_terminal:
            self._live.update(Panel(Group(_headline(picture), _nodes(picture)), title="simlingo", border_style="cyan"))
        elif time.monotonic() >= self._next_line:
            self._next_line = time.monotonic() + LINE_PERIOD_S
            self._console.print(_line(picture), soft_wrap=True, highlight=False)

    def result(self, lines: list[tuple[str, str]]) -> None:
        """The table that ends the drive."""
        table = Table(show_header=False, box=None)
        for name, value in lines:
            table.add_row(Text(name, style="cyan"), Text(value))
        self._live.stop()
        self._console.print(table)

    def say(self, text: str, style: str = "") -> None:
        """A sentence that stays."""
        self._live.stop()
        self._console.print(Text(text, style=style), soft_wrap=True)


def _line(picture: Picture) -> str:
    score = picture.score
    if score is None:
        manager = picture.states.get("lifecycle_manager")
        return f"starting: {manager.detail if manager else 'processes'}"
    return (
        f"{picture.simulated_s:6.1f} s  {picture.speed * 3.6:4.0f} km/h  route {score.route_completion:5.1f} %"
        f"  score {score.driving_score:5.1f}  real-time factor {picture.real_time_factor:.2f}"
    )


def _headline(picture: Picture) -> Any:
    score = picture.score
    if score is None:
        return Text(_line(picture))
    grid = Table.grid(padding=(0, 2))
    grid.add_row(ProgressBar(total=100.0, completed=score.route_completion, width=40), Text(_line(picture)))
    return grid


def _nodes(picture: Picture) -> Table:
    table = Table(box=None, padding=(0, 1))
    for column in ("node", "state", "p50 ms", "p99 ms", "done", "dropped", ""):
        table.add_column(column, justify="right" if column in ("p50 ms", "p99 ms", "done", "dropped") else "left")
    for name, state in sorted(picture.states.items()):
        style = _COLOURS.get(state.mode, "red" if state.mode in _BAD else "yellow")
        latencies = [
            f"{value:.0f}" if value == value else "-" for value in (state.latency_p50_ms, state.latency_p99_ms)
        ]
        table.add_row(
            name, Text(state.mode, style=style), *latencies, str(state.processed), str(state.dropped), state.detail
        )
    return table
