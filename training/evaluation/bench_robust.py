"""``./simlingo bench robust``: the same routes with worse senses and later hands, and what that costs."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from training.evaluation import bench_drive
from training.evaluation.bench_drive import PERTURBATIONS, write_json

DESCRIPTION = """Drive the routes of bench drive as they are, then under each of the five perturbations of Bench2Drive-Robust: frames
lost in bursts, a part of the picture black, noise of place and of speed, controls that come late."""
EPILOG = """examples:
  ./simlingo bench robust --routes 6 --seed 1 --plan-every 2 --json runs/robust.json
  ./simlingo bench robust --only frame_drops action_delay --routes 3 --json runs/robust.json

All options of bench drive hold. FILE holds the scores and what each perturbation costs, and beside it a file for each
(robust.frame_drops.json) its routes. The sizes of the perturbations are our own, the towns too: no figure is
one of Bench2Drive-Robust.
"""
#: Of a report's summary, with the title of its column.
FIGURES = {
    "driving_score": "score",
    "route_completion": "completion %",
    "collisions_per_km": "hits a km",
    "alarms": "alarms",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command: those of bench drive, and which perturbations."""
    bench_drive.add_arguments(parser)
    parser.description, parser.epilog = DESCRIPTION, EPILOG
    parser.add_argument(
        "--only",
        nargs="+",
        choices=PERTURBATIONS[1:],
        default=PERTURBATIONS[1:],
        help="these perturbations (default: all)",
    )


def run(args: argparse.Namespace) -> int:
    """Drive them all, show and write the table; 1 when a route crashed, 2 for a bad argument, 130 when interrupted."""
    from rich.console import Console

    console = Console(stderr=True)
    if args.perturb != "none":
        console.print(
            "bench robust: perturbs one after the other; name them with --only, not with --perturb", style="red"
        )
        return 2
    found: dict[str, dict[str, Any]] = {}
    crashed = 0
    for name in ("none", *args.only):
        console.print(f"== {name}", markup=False)
        words = {**vars(args), "perturb": name, "json": beside(args.json, name), "plots": beside(args.plots, name)}
        status, report = bench_drive.driven(argparse.Namespace(**words))
        if report is None:
            return status
        crashed |= status
        found[name] = {figure: report["summary"][figure] for figure in FIGURES}
        conditions = report["conditions"]
    _show(Console(), found)
    if args.json:
        write_json(args.json, {"robust": with_costs(found), "conditions": {**conditions, "perturbation": "each"}})
    return crashed


def beside(path: Path | None, name: str) -> Path | None:
    """``runs/robust.json`` becomes ``runs/robust.NAME.json``."""
    return None if path is None else path.with_name(f"{path.stem}.{name}{path.suffix}")


def with_costs(found: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The figures of each with the driving score that it costs, against none."""
    clean = found["none"]["driving_score"]
    return {name: {**each, "cost": round(clean - each["driving_score"], 3)} for name, each in found.items()}


def _show(console: Any, found: dict[str, dict[str, Any]]) -> None:
    from rich.table import Table

    table = Table(title="what it costs")
    for title in ("perturbation", *FIGURES.values(), "cost"):
        table.add_column(title)
    for name, each in with_costs(found).items():
        values = [each[figure] for figure in FIGURES]
        table.add_row(name, *("-" if value is None else f"{value:g}" for value in values), f"{each['cost']:+.1f}")
    console.print(table)
