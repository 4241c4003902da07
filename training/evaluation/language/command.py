"""``./simlingo bench language``: does it listen, answer and refuse."""

from __future__ import annotations

import argparse
import os
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from simlingo.arguments import output_file, whole

DESCRIPTION = (
    "Judge what a model makes of words, in a town that it was never trained in. The frames of the suites are driven and "
    "rendered on first use and kept in --data; interrupted, the same command goes on where it was."
)
_EXAMPLES = """examples:
  ./simlingo bench language --quick --json runs/words.json
  ./simlingo bench language --suite dream-val ask-val --model runs/train/first --json runs/words.json
  ./simlingo bench language --suite dream-val --phrases mine.tsv --json runs/mine.json
  ./simlingo bench language --suite dream-val --baseline words grey simlingo-mini --json runs/words.json

The worlds are embedded ones: no figure is one of Bench2Drive or CARLA. docs/language-suites.md tells what each suite counts.
"""
#: Baselines that are no weights.
WORDS, GREY, NONE = "words", "grey", "none"
WORLD = "embedded world, town never trained on; no Bench2Drive or CARLA figure"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    from training.evaluation.language.suites import SUITES

    listing = "\n".join(f"  {name:22} {entry.summary}" for name, entry in SUITES.items())
    parser.description, parser.epilog = DESCRIPTION, f"suites:\n{listing}\n\n{_EXAMPLES}"
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument(
        "--suite", nargs="+", choices=tuple(SUITES), metavar="NAME", help="which suites (default: all but dream-dev)"
    )
    parser.add_argument("--quick", action="store_true", help="fewer items: all suites within six minutes on two cores")
    parser.add_argument(
        "--json", type=output_file, required=True, metavar="FILE", help="figures; FILE.html is the report"
    )
    parser.add_argument(
        "--model", default="simlingo-mini", metavar="PATH", help="model folder or name (default: simlingo-mini)"
    )
    parser.add_argument(
        "--phrases",
        type=Path,
        metavar="FILE",
        help="say these sentences: a line each of kind, tab, sentence with slots",
    )
    parser.add_argument(
        "--baseline",
        nargs="+",
        metavar="WHAT",
        help=f"judged beside the model: model folders or names, {WORDS} (those of other instructions), {GREY} (picture), "
        f"{NONE} (default: what each suite takes by itself)",
    )
    parser.add_argument(
        "--data", type=Path, default=Path("data/suites"), metavar="FOLDER", help="frames (default: data/suites)"
    )
    parser.add_argument("--jobs", type=whole(1), default=os.cpu_count() or 1, help="cores to use (default: all)")


def run(args: argparse.Namespace) -> int:
    """Run the suites, show and write their figures; 2 for a bad argument, 130 when interrupted."""
    from rich.console import Console

    from simlingo.contracts import SimlingoError
    from simlingo_sim.errors import SimulatorError
    from training.evaluation.language.report import show

    console = Console(stderr=True)
    try:
        report, page = evaluate(args, console)
    except (SimlingoError, SimulatorError) as error:
        console.print(f"bench language: {error}", style="red", markup=False)
        return 2
    except KeyboardInterrupt:
        console.print(
            f"bench language: interrupted; the same command goes on from {args.json}.part", style="yellow", markup=False
        )
        return 130
    show(Console(), report)
    console.print(f"report: {page}", markup=False, highlight=False)
    return 0


def evaluate(args: argparse.Namespace, console: Any) -> tuple[dict[str, Any], Path]:
    """Run all suites that are asked for and write what they found; the report as plain data, and its page."""
    from training.evaluation.bench_drive import write_json
    from training.evaluation.journal import LineJournal
    from training.evaluation.language.bars import Bars
    from training.evaluation.language.listener import identity
    from training.evaluation.language.report import write_page
    from training.evaluation.language.suite import Context, Subject
    from training.evaluation.language.suites import BY_DEFAULT, suite
    from training.language.phrases_file import read_phrases

    names = args.suite or BY_DEFAULT
    phrases = None if args.phrases is None else read_phrases(args.phrases)
    subject = Subject(Path(args.model).name, args.model)
    baselines = baselines_of(args.baseline, subject)
    conditions = {
        "world": WORLD,
        "model": identity(subject),
        "baselines": None if baselines is None else [f"{one.label}: {identity(one)}" for one in baselines],
        "quick": args.quick,
        "phrases": None if phrases is None else [f"{phrase.group.name}\t{phrase.text}" for phrase in phrases],
        "python": sys.version.split()[0],
    }
    journal = LineJournal(args.json, conditions)
    found: dict[str, Any] = {}
    with Bars(console) as bars:
        context = Context(subject, args.data, journal, bars, baselines, args.quick, phrases, args.jobs)
        for name in names:
            begin = time.monotonic()
            result = suite(name)(context)
            found[name] = {
                **result.figures,
                "intervals": {key: list(bounds) for key, bounds in result.intervals.items()},
                "baselines": result.baselines,
                "tables": [
                    {"title": table.title, "columns": list(table.columns), "rows": [list(row) for row in table.rows]}
                    for table in result.tables
                ],
                "details": result.details,
                "wall_s": round(time.monotonic() - begin, 1),
            }
    report = {"suites": found, "conditions": {**conditions, "jobs": args.jobs, "cores": os.cpu_count()}}
    write_json(args.json, report)
    page = write_page(args.json.with_name(f"{args.json.name}.html"), report)
    journal.close()
    return report, page


def baselines_of(names: list[str] | None, subject: Any) -> tuple[Any, ...] | None:
    """The subjects that ``--baseline`` names; None: each suite takes its own."""
    if names is None:
        return None
    from simlingo.model.folder import find_model
    from training.evaluation.language.suite import Subject

    found = []
    for name in names:
        if name == WORDS:
            found.append(replace(subject, label="other words", random_words=True))
        elif name == GREY:
            found.append(replace(subject, label="grey picture", grey=True))
        elif name != NONE:
            find_model(name)  # an unknown one is said before anything runs
            found.append(Subject(f"weights {Path(name).name}", name))
    return tuple(found)
