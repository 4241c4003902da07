"""What the suites found, in the terminal and on a page that needs nothing beside itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from training.datasets.files import write_whole

#: Keys of a suite that are no figures.
_BESIDE = ("intervals", "baselines", "tables", "details", "wall_s")
_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem; color: #222; }
table { border-collapse: collapse; margin: .7rem 0 1.5rem; font-variant-numeric: tabular-nums; }
th, td { padding: .2rem .7rem; border-bottom: 1px solid #ddd; text-align: right; }
th:first-child, td:first-child { text-align: left; }
th { font-weight: 600; vertical-align: bottom; }
svg { vertical-align: middle; }
.note { color: #555; }
"""
_BAR = "#8fb8de"
_LINE = "#1a5fb4"
_WIDTH = 220


def figures_in(suite: Mapping[str, Any]) -> dict[str, Any]:
    """The figures of a suite of the report, by key."""
    return {key: value for key, value in suite.items() if key not in _BESIDE}


def show(console: Console, report: Mapping[str, Any]) -> None:
    """A table a suite: figures with their intervals, and baselines beside them."""
    for name, suite in report["suites"].items():
        labels = list(suite["baselines"])
        table = Table(title=f"{name} ({suite['wall_s']:.0f} s)")
        for column in ("figure", report["conditions"]["model"], "95 %", *labels):
            table.add_column(column, justify="left" if column == "figure" else "right")
        for row in _rows(suite):
            table.add_row(*row)
        console.print(table)
    console.print(report["conditions"]["world"], markup=False, highlight=False)


def write_page(path: Path, report: Mapping[str, Any]) -> Path:
    """Write the report as one HTML file, whole; returns it."""
    conditions = report["conditions"]
    parts = [
        f"<h1>Words: {escape(conditions['model'])}</h1>",
        f'<p class="note">{escape(conditions["world"])}. Rates in percent with Wilson intervals of 95 %. '
        f"{'Quick run: few items. ' if conditions['quick'] else ''}"
        f"{'Sentences of a phrases file, not ours. ' if conditions['phrases'] else ''}</p>",
        *(_section(name, suite) for name, suite in report["suites"].items()),
    ]
    page = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Words</title>'
        f"<style>{_STYLE}</style></head><body>{''.join(parts)}</body></html>\n"
    )
    write_whole(path, page.encode())
    return path


def _section(name: str, suite: Mapping[str, Any]) -> str:
    labels = list(suite["baselines"])
    head = ("figure", "value", "95 %", "", *labels)
    rows = []
    for (key, value, bounds, *others), number in zip(_rows(suite), figures_in(suite).values(), strict=True):
        bar = _bar(number, suite["intervals"].get(key))
        cells = "".join(f"<td>{escape(cell)}</td>" for cell in (key, value, bounds))
        rows.append(f"<tr>{cells}<td>{bar}</td>{''.join(f'<td>{escape(cell)}</td>' for cell in others)}</tr>")
    tables = "".join(_table(table["title"], table["columns"], table["rows"]) for table in suite["tables"])
    notes = "".join(f'<p class="note">{escape(note)}</p>' for note in _notes(suite["details"]))
    return (
        f"<h2>{escape(name)}</h2><table><tr>{''.join(f'<th>{escape(cell)}</th>' for cell in head)}</tr>"
        f"{''.join(rows)}</table>{notes}{tables}"
    )


def _rows(suite: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """Figure, value, interval, and the baselines' values, as texts."""
    found = []
    for key, value in figures_in(suite).items():
        bounds = suite["intervals"].get(key)
        said = "" if bounds is None else f"{bounds[0]:.1f} to {bounds[1]:.1f}"
        found.append((key, _text(value), said, *(_text(each.get(key)) for each in suite["baselines"].values())))
    return found


def _notes(details: Mapping[str, Any]) -> list[str]:
    """What one must know before the figures are compared with others."""
    frames = details.get("frames", {})
    found = []
    if frames.get("frozen") is False:
        found.append(
            f"The list {frames['list']} is not frozen yet: its frames are those that this version of the world gives."
        )
    if frames.get("driven_otherwise"):
        found.append(
            f"These routes were driven otherwise than the frozen ones: {', '.join(frames['driven_otherwise'])}."
        )
    elif frames.get("painted_otherwise"):
        found.append(
            f"Pictures of these routes differ from the frozen ones (another processor or renderer): "
            f"{', '.join(frames['painted_otherwise'])}."
        )
    return found


def _bar(value: Any, bounds: Sequence[float] | None) -> str:
    """A rate of 0 to 100 as a bar, its interval as a line on it."""
    if value is None or bounds is None:
        return ""
    scale = _WIDTH / 100.0
    low, high = (bound * scale for bound in bounds)
    return (
        f'<svg width="{_WIDTH}" height="14" role="img"><rect width="{value * scale:.1f}" height="14" fill="{_BAR}"/>'
        f'<line x1="{low:.1f}" x2="{high:.1f}" y1="7" y2="7" stroke="{_LINE}" stroke-width="2"/></svg>'
    )


def _table(title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    head = "".join(f"<th>{escape(column)}</th>" for column in columns)
    body = "".join(f"<tr>{''.join(f'<td>{escape(_text(cell))}</td>' for cell in row)}</tr>" for row in rows)
    return f"<h3>{escape(title)}</h3><table><tr>{head}</tr>{body}</table>"


def _text(value: Any) -> str:
    if value is None:
        return "–"
    return f"{value:.1f}" if isinstance(value, float) else str(value)
