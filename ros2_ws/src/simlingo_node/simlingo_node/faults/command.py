"""``./simlingo bench faults``: what a driving stack does when its parts fail."""

from __future__ import annotations

import argparse
import datetime
import shlex
import sys
from pathlib import Path
from typing import Any

from simlingo.arguments import output_file
from simlingo.processor_name import processor_name

DESCRIPTION = (
    "Let faults happen to a driving stack of real nodes, one after the other, by a relay between them, and measure what comes "
    "of each. In lockstep, which repeats; interrupted, what is done is kept."
)
_EXAMPLES = """examples:
  ./simlingo bench faults --json runs/faults.json --page docs/fault-table.md
  ./simlingo bench faults --only picture-frozen odometry-speed-0
  ./simlingo bench faults --list
  ./simlingo bench faults --faults mine.yaml --real-time
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.description, parser.epilog = DESCRIPTION, _EXAMPLES
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help="these faults (default: all)")
    parser.add_argument("--faults", type=Path, metavar="FILE", help="YAML of the faults (default: those of the stack)")
    parser.add_argument(
        "--real-time", action="store_true", help="the world does not wait; figures vary from run to run"
    )
    parser.add_argument("--json", type=output_file, metavar="FILE", help="figures")
    parser.add_argument("--page", type=output_file, metavar="FILE", help="a page in Markdown")
    parser.add_argument(
        "--logs",
        type=Path,
        default=Path("runs/faults"),
        metavar="FOLDER",
        help="logs of the nodes (default: runs/faults)",
    )
    parser.add_argument("--list", action="store_true", help="name the faults and end")


def run(args: argparse.Namespace) -> int:
    """Run the campaign; 1 where a fault did not end safely."""
    from simlingo_node.faults.campaign import campaign
    from simlingo_node.faults.entry import chosen, read_faults
    from simlingo_node.faults.outcome import as_json, kept
    from simlingo_node.resources import config_file

    faults = chosen(read_faults(args.faults or config_file("faults.yaml")), args.only)
    if args.list:
        for fault in faults:
            print(f"{fault.name:28} {fault.kind}")
        return 0
    args.logs.mkdir(parents=True, exist_ok=True)
    with kept(args.json or args.logs / "faults.json") as outcomes:
        try:
            for number, outcome in enumerate(campaign(faults, args.logs, not args.real_time), start=1):
                outcomes.append(as_json(outcome))
                print(f"[{number} of {len(faults)}] {_line(outcomes[-1])}", flush=True)
        except KeyboardInterrupt:
            print("stopped; what is done is kept", file=sys.stderr)
            return 130
        finally:
            if args.page is not None and outcomes:
                args.page.write_text(_page(outcomes, args), encoding="utf-8")
    unsafe = [each["name"] for each in outcomes if not each["safe"]]
    print(
        f"{len(outcomes) - len(unsafe)} of {len(outcomes)} ended safely"
        + (f"; not: {', '.join(unsafe)}" if unsafe else "")
    )
    return 1 if unsafe else 0


def _line(each: dict[str, Any]) -> str:
    verdict = "nothing said" if each["verdict_s"] is None else f"said after {each['verdict_s']:.2f} s"
    brake = "" if each["brake_s"] is None else f", braked after {each['brake_s']:.2f} s"
    again = {None: "", True: ", drives again", False: ", does not drive again"}[each["recovered"]]
    safe = "safe" if each["safe"] else f"UNSAFE ({'; '.join(each['unsafe'])})"
    return f"{each['name']}: {safe}; {verdict}{brake}{again}"


def _page(outcomes: list[dict[str, Any]], args: argparse.Namespace) -> str:
    from simlingo_node.faults.table import page
    from simlingo_node.stack import StackOptions

    words = shlex.join(sys.argv[1:]) if len(sys.argv) > 1 else "bench faults"
    return page(
        outcomes,
        command=f"./simlingo {words}",
        date=datetime.datetime.now(datetime.UTC).date().isoformat(),
        machine=processor_name(),
        model=StackOptions().model,
        mode="real time" if args.real_time else "lockstep",
    )
