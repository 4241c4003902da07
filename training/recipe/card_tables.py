"""Tables of the model card."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import yaml

#: Digits of a fingerprint that are shown.
SHOWN = 12
_INTERVALS = "intervals"
_NAMES = {
    "routes": "routes", "driving_score": "driving score", "route_completion": "route completion, %",
    "clean_routes": "routes without infraction, %", "red_lights_met": "red lights met",
    "red_lights_stopped": "stopped at, %", "collisions_per_km": "collisions a km", "driven_km": "driven, km", "alarms": "alarms of the monitors",
    "instructions_obeyed": "turns on instruction taken, %", "planner_p50_ms": "plan p50, ms",
}  # fmt: skip


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def stage_table(records: Sequence[dict[str, Any]]) -> str:
    """A row a stage: what it did, how long, with which code."""
    rows = [
        (
            record["stage"],
            record["kind"],
            _did(record),
            _minutes(record),
            ", ".join(dict.fromkeys(start["commit"] for start in record["starts"])),
            f"`{record['fingerprint'][:SHOWN]}`",
        )
        for record in records
    ]
    return table(("stage", "kind", "what", "wall time, min", "commit", "fingerprint"), rows)


def evaluation_tables(records: Sequence[dict[str, Any]]) -> str:
    """A table for each stage that judged."""
    parts = []
    for record in records:
        figures, told = (
            record["figures"],
            ", ".join(f"{name} {_plain(value)}" for name, value in record["settings"].items()),
        )
        parts.append(f"### {record['stage']}\n\n`{record['kind']}`: {told}")
        if "suites" in figures:
            parts.append(_suites(figures["suites"]))
        elif "summary" in figures:
            parts.append(_drive(figures))
        else:
            parts.append(table(("figure", "value"), [(name, _plain(value)) for name, value in figures.items()]))
    return "\n\n".join(parts)


def details(records: Sequence[dict[str, Any]]) -> str:
    """What each stage was made of, in full but for its curves."""
    parts = []
    for record in records:
        kept = {name: value for name, value in record["figures"].items() if name != "curves"}
        told = yaml.safe_dump({**record, "figures": kept}, sort_keys=False, allow_unicode=True, width=120)
        parts.append(f"### {record['stage']}\n\n```yaml\n{told}```\n")
    return "\n".join(parts)


def _did(record: dict[str, Any]) -> str:
    figures, kind = record["figures"], record["kind"]
    if kind == "train":
        frozen = record["settings"].get("set", {})
        changed = f"; {', '.join(f'{name}={value}' for name, value in frozen.items())}" if frozen else ""
        start = record["settings"].get("start")
        began = f"from `{start}`" if start else "from nothing"
        return f"{figures['samples']:,} samples on {figures['frames']:,} views, {began}, {figures['device']}{changed}"
    if kind == "collect":
        who = f"`{record['settings']['policy']}` part of the time" if figures["on_policy"] else "the expert"
        return f"{figures['frames']:,} frames of {figures['routes']} routes, driven by {who}"
    if kind == "given":
        what = f"`{figures['model']}`, weights {figures['weights_sha256'][:SHOWN]}" if "model" in figures else ""
        return what or f"{figures['frames']:,} frames"
    if kind == "check-dreams":
        return f"{figures['dreams']}; {figures['violations']} violations"
    if "megabytes" in figures:
        return f"{figures['megabytes']} MB"
    return "see below" if figures else ""


def _minutes(record: dict[str, Any]) -> str:
    return f"{sum(start['seconds'] for start in record['starts']) / 60.0:.1f}"


def _drive(figures: dict[str, Any]) -> str:
    towns = list(figures["by_town"])
    rows = []
    for name, shown in _NAMES.items():
        if name in figures["summary"]:
            low_high = figures[_INTERVALS].get(name)
            by_town = [_plain(figures["by_town"][town].get(name)) for town in towns]
            rows.append((shown, _plain(figures["summary"][name]), _bounds(low_high), *by_town))
    hits = ", ".join(f"{kind} {count}" for kind, count in figures["summary"].get("collisions", {}).items())
    crashed = (
        f"\n\nRoutes that crashed and count as zero: {', '.join(figures['crashed'])}." if figures["crashed"] else ""
    )
    return (
        table(("figure", "all", "interval", *towns), rows) + f"\n\nHits: {hits}. Weights {figures['weights']}.{crashed}"
    )


def _suites(suites: dict[str, Any]) -> str:
    labels = list(dict.fromkeys(label for figures in suites.values() for label in figures.get("baselines", {})))
    rows = []
    for suite, figures in suites.items():
        intervals, baselines = figures.get(_INTERVALS, {}), figures.get("baselines", {})
        for name, value in figures.items():
            if not isinstance(value, dict):
                beside = [_plain(baselines.get(label, {}).get(name)) for label in labels]
                rows.append((f"`{suite}`", name, _plain(value), _bounds(intervals.get(name)), *beside))
    return table(("suite", "figure", "value", "interval", *(f"beside: {label}" for label in labels)), rows)


def _bounds(interval: Sequence[float] | None) -> str:
    return "" if interval is None else f"{_plain(interval[0])} to {_plain(interval[1])}"


def _plain(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:.4g}"
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
