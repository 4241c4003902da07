"""How ``bench model`` shows its figures: tables in the terminal, a line in a Markdown file."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

HEADING = "## Runs of `./simlingo bench model`"
_NOTE = (
    "p50 / p99 / jitter (p99 - p50) of one frame in ms; the ratio is to the published way of running in the same run, at "
    "the same precision: whole frame / language part alone."
)
_COLUMNS = ("date", "command", "backend", "ms", "memory", "ratio", "machine, commit")


def show(console: Console, figures: dict[str, Any]) -> None:
    """The phases, then one line for each comparison that was asked for."""
    text = f"{figures['text_tokens']} tokens before the plan" if figures["text_tokens"] else "no text"
    title = f"{figures['model']}, {figures['backend']}, {figures['device']}, {figures['precision']}, {text}"
    table = Table(title=f"{title}: ms of {figures['frames']} frames; the means add up")
    for name in ("phase", "mean", "p50", "p99", "share"):
        table.add_column(name, justify="left" if name == "phase" else "right")
    whole = figures["total_ms"]
    for name, row in figures["phases_ms"].items():
        table.add_row(name, *_numbers(row), f"{100.0 * row['mean'] / whole['mean']:.1f} %")
        if name == "decode":
            each = figures["decode_per_token_ms"]
            table.add_row(f"  per token, of {figures['text_tokens']}", *_numbers(each), "")
    table.add_section()
    table.add_row("whole frame", *_numbers(whole), "100 %")
    console.print(table)
    for line in lines(figures):
        console.print(line, markup=False, highlight=False)


def lines(figures: dict[str, Any]) -> list[str]:
    """What the table does not say, one sentence each."""
    told = [f"jitter (p99 - p50): {figures['total_ms']['jitter']:.2f} ms; memory: {_memory(figures)}"]
    if published := figures["published"]:
        ratio = published["ratio"]
        told.append(
            f"published way ({published['frames']} frames): {published['total_ms']['mean']:.1f} ms, "
            f"{ratio['whole_frame']:.2f} times ours; language part alone {ratio['language_part']:.2f} times"
        )
        if found := published["difference"]:
            same = "the same" if found["same_text"] else "ANOTHER"
            told.append(f"plans differ from the published ones by {found['path_m']:.2g} m, text {same}")
    if found := figures["against_fp32"]:
        told.append(
            f"{figures['precision']} against fp32, plans without text: path {found['path_m']:.3g} m, speed waypoints "
            f"{found['speed_waypoints_m']:.3g} m (largest coordinate {found['largest_m']:.3g} m); "
            f"fp32 takes {found['fp32_ms']:.1f} ms, {figures['precision']} {found['own_ms']:.1f} ms"
        )
    if found := figures["while_speaking"]:
        told.append(
            f"a plan every {found['period_ms']:.0f} ms: p99 {found['silent_ms']['p99']:.2f} ms; while {found['tokens']} tokens "
            f"of text are made: {found['speaking_ms']['p99']:.2f} ms, {found['p99_ratio']:.2f} times "
            f"({found['texts']} texts became whole in {found['frames']} frames)"
        )
    return told


def append(path: Path, figures: dict[str, Any]) -> None:
    """Add a line to the table of runs in a Markdown file, which gets the table at its end where it has none yet."""
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    rows = text.splitlines()
    if HEADING not in rows:
        header = f"| {' | '.join(_COLUMNS)} |"
        rows += [*([""] if rows else []), HEADING, "", _NOTE, "", header, "|" + "---|" * len(_COLUMNS)]
    end = rows.index(HEADING)
    while not rows[end].startswith("|"):
        end += 1
    while end < len(rows) and rows[end].startswith("|"):
        end += 1
    rows.insert(end, _row(figures))
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    temporary.write_text("\n".join(rows) + "\n", encoding="utf-8")
    temporary.replace(path)


def _row(figures: dict[str, Any]) -> str:
    whole, published = figures["total_ms"], figures["published"]
    ratio = "–"
    if published:
        ratio = f"{published['ratio']['whole_frame']:.1f} / {published['ratio']['language_part']:.1f}"
    cells = (
        date.today().isoformat(),
        f"`{figures['command']}`",
        figures["backend"],
        f"{whole['p50']:.1f} / {whole['p99']:.1f} / {whole['jitter']:.1f}",
        _memory(figures),
        ratio,
        f"{figures['machine']}, {figures['commit']}",
    )
    return f"| {' | '.join(cells)} |"


def _memory(figures: dict[str, Any]) -> str:
    found = figures["memory"]
    text = f"{found['resident_bytes'] / 2**30:.2f} GiB"
    return text + (f", GPU {found['gpu_peak_bytes'] / 2**30:.2f} GiB" if found["gpu_peak_bytes"] else "")


def _numbers(row: dict[str, float]) -> list[str]:
    return [f"{row[name]:.2f}" for name in ("mean", "p50", "p99")]
