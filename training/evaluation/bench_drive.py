"""``./simlingo bench drive``: closed-loop figures of the model or the expert, on routes anyone can drive again."""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simlingo.arguments import output_file, whole

if TYPE_CHECKING:
    from simlingo_drive.routes import RouteSpec
    from training.evaluation.closed_loop import DriveRecord, DriveSettings

DESCRIPTION = "Drive benchmark routes in the embedded world and report completion, driving score and infractions."
EPILOG = """examples:
  ./simlingo bench drive --towns all --routes 20 --seed 1,2,3 --json runs/bench.json
  ./simlingo bench drive --policy expert --towns gridtown --routes 4 --seed 1 --traffic none
  ./simlingo bench drive --obstacles many --routes 6 --seed 1
  ./simlingo bench drive --camera grey --routes 6 --seed 1
  ./simlingo bench drive --perturb frame_drops --routes 6 --seed 1
  ./simlingo bench drive --instructions --routes 20 --seed 1
  ./simlingo bench drive --text on_change --text-before-plan --routes 6 --seed 1

The scores follow CARLA's arithmetic on towns of our own; they are no Bench2Drive scores. A route is named by town,
seed and number and is at least 300 m long with two signals and two turns; it begins where no training drive began.
A route that crashes counts as zero and is named.
"""

#: Names of simlingo_drive.drivers.perturbation, which is not imported before the command runs.
PERTURBATIONS = ("none", "frame_drops", "partial_view", "place_noise", "speed_noise", "action_delay")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.description, parser.epilog = DESCRIPTION, EPILOG
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--towns", default="all", help="all, or towns parted by commas (default: all)")
    parser.add_argument("--routes", type=whole(1), default=3, help="routes a seed, dealt to the towns (default: 3)")
    parser.add_argument("--seed", type=_seeds, default=[1], help="one seed or several parted by commas (default: 1)")
    parser.add_argument("--traffic", choices=("none", "light", "dense"), default="light", help="(default: light)")
    parser.add_argument(
        "--obstacles",
        nargs="?",
        choices=("none", "some", "many"),
        const="some",
        default="none",
        help="cones, road works and parked cars at the lanes' edges, benches and bins on the pavements (alone: some)",
    )
    parser.add_argument("--policy", choices=("model", "expert"), default="model", help="who drives (default: model)")
    parser.add_argument(
        "--weights", default="simlingo-mini", metavar="PATH", help="model folder or name (default: simlingo-mini)"
    )
    parser.add_argument(
        "--camera",
        choices=("real", "grey", "shuffled"),
        default="real",
        help="what the model sees: its camera, uniform grey, or another route's frames (default: real)",
    )
    parser.add_argument("--weather", help="one weather for all routes (default: each route its own)")
    parser.add_argument(
        "--route-as",
        choices=("target_point", "command"),
        default="target_point",
        help="tell the model the route by target points or by commands (default: target_point)",
    )
    parser.add_argument(
        "--plan-every",
        type=whole(1),
        default=1,
        metavar="N",
        help="a frame and a plan every N ticks of 50 ms (default: 1)",
    )
    parser.add_argument(
        "--perturb",
        choices=PERTURBATIONS,
        default="none",
        help="what is done to the model's senses and hands, as Bench2Drive-Robust does (default: none)",
    )
    parser.add_argument(
        "--instructions", action="store_true", help="say a turn before a junction of each route and judge the way taken"
    )
    parser.add_argument(
        "--text",
        choices=("never", "every_n", "on_change", "always"),
        default="never",
        help="when the model puts its driving into words (default: never)",
    )
    parser.add_argument(
        "--text-before-plan", action="store_true", help="a plan waits for a text that is due, and reads it"
    )
    parser.add_argument("--jobs", type=whole(1), help="routes at a time (default: one a core)")
    parser.add_argument("--json", type=output_file, metavar="FILE", help="write the figures and every route here")
    parser.add_argument("--plots", type=Path, metavar="DIR", help="draw the driven traces here, one picture a town")


def run(args: argparse.Namespace) -> int:
    """Drive, show the table, write what was asked for; 1 when a route crashed, 2 for a bad argument, 130 when interrupted."""
    return driven(args)[0]


def driven(args: argparse.Namespace) -> tuple[int, dict[str, Any] | None]:
    """:func:`run`'s exit status, and the report where there is one."""
    from rich.console import Console

    from simlingo.contracts import SimlingoError
    from simlingo_sim.errors import SimulatorError
    from training.evaluation.display import DriveBars, show_report

    console = Console(stderr=True)
    try:
        report, records = _bench(args, DriveBars(console))
    except (SimlingoError, SimulatorError) as error:
        console.print(f"bench drive: {error}", style="red", markup=False)
        return 2, None
    except KeyboardInterrupt:
        kept = f"; the same command takes up the finished routes from {args.json}.part" if args.json else ""
        console.print(f"bench drive: interrupted{kept}", style="yellow", markup=False)
        return 130, None
    show_report(Console(), report)
    if args.plots:
        from training.evaluation.plots import plot_towns

        plot_towns(args.plots, records)
    return (1 if report["crashed"] else 0), report


def _bench(args: argparse.Namespace, progress: Any) -> tuple[dict[str, Any], Sequence[Any]]:
    """Drive all routes; the report and the records of the routes in order."""
    from simlingo_drive.routes import select
    from training.evaluation.closed_loop import DriveRecord, DriveSettings, route_of
    from training.evaluation.executors import ProcessExecutor
    from training.evaluation.journal import Journal
    from training.evaluation.summary import crashed_route
    from training.evaluation.summary import report as make_report

    towns = _towns(args.towns)
    cores = os.cpu_count() or 1
    specs = select(towns, args.routes, args.seed)
    jobs = min(args.jobs or cores, len(specs))
    settings = DriveSettings(
        driver=args.policy,
        weights=_weights(args),
        traffic=args.traffic,
        camera=args.camera,
        weather=_weather(args.weather),
        obstacles=args.obstacles,
        route_as=args.route_as,
        plan_every=args.plan_every,
        threads=max(cores // jobs, 1),
        text=args.text,
        text_before_plan=args.text_before_plan,
        perturbation=_perturbation(args),
    )
    for spec in specs:
        route_of(spec)  # a town without such routes is said before anything is driven
    conditions = _conditions(args, settings, towns, jobs)
    journal = Journal(args.json, conditions)
    listener = _Listener(progress, journal)
    with progress.watching(specs):
        for record in journal.finished.values():
            progress.finish(record.spec, f"{record.result['status']} (from {args.json}.part)")
        found = ProcessExecutor(jobs).run(
            [spec for spec in specs if spec not in journal.finished], settings, args.instructions, listener
        )
    found |= journal.finished
    routes = [
        record if isinstance(record, DriveRecord) else crashed_route(spec, record)
        for spec, record in ((spec, found[spec]) for spec in specs)
    ]
    report = make_report(routes, conditions)
    if args.json:
        write_json(args.json, report)
    journal.close()
    return report, routes


class _Listener:
    """Shows the drives and keeps the finished ones."""

    def __init__(self, progress: Any, journal: Any) -> None:
        self._journal = journal
        self._progress = progress

    def tell(self, spec: RouteSpec, done: float, score: float) -> None:
        self._progress.tell(spec, done, score)

    def finish(self, spec: RouteSpec, outcome: DriveRecord | str) -> None:
        if isinstance(outcome, str):
            self._progress.finish(spec, f"crashed: {outcome}")
        else:
            self._journal.add(outcome)
            self._progress.finish(spec, outcome.result["status"])


def write_json(path: Path, report: dict[str, Any]) -> None:
    """Write the report whole: under a temporary name first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    temporary.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    temporary.replace(path)


def _conditions(args: argparse.Namespace, settings: DriveSettings, towns: list[str], jobs: int) -> dict[str, Any]:
    """What one must know to repeat the figures."""
    return {
        "towns": towns,
        "routes_per_seed": args.routes,
        "seeds": args.seed,
        "policy": settings.driver,
        "weights": _weights_name(settings) if settings.driver == "model" else None,
        "traffic": settings.traffic,
        "obstacles": settings.obstacles,
        "camera": settings.camera,
        "weather": settings.weather or "each route its own",
        "route_as": settings.route_as,
        "plan_every": settings.plan_every,
        "text": settings.text,
        "text_before_plan": settings.text_before_plan,
        "perturbation": settings.perturbation,
        "instructions": args.instructions,
        "jobs": jobs,
        "threads": settings.threads,
        "cores": os.cpu_count(),
        "python": sys.version.split()[0],
    }


def _weights_name(settings: DriveSettings) -> str:
    """Name of the model's folder and the begin of its graph's SHA-256: figures belong to one set of weights."""
    from simlingo.model.folder import GRAPH_WEIGHTS_FILE, find_model

    folder = find_model(settings.weights)
    digest = hashlib.sha256((folder / GRAPH_WEIGHTS_FILE).read_bytes()).hexdigest()
    return f"{folder.resolve().name} {digest[:12]}"


def _towns(text: str) -> list[str]:
    """Names of the towns asked for; SimulatorError for an unknown one."""
    from simlingo_sim.errors import unknown_name
    from simlingo_sim.towns import TOWNS

    names = list(TOWNS) if text == "all" else [name.strip() for name in text.split(",") if name.strip()]
    for name in names or [text]:
        if name not in TOWNS:
            raise unknown_name("town", name, TOWNS)
    return names


def _weather(name: str | None) -> str | None:
    from simlingo_sim.errors import unknown_name
    from simlingo_sim.weather import WEATHERS

    if name is not None and name not in WEATHERS:
        raise unknown_name("weather", name, WEATHERS)
    return name


def _perturbation(args: argparse.Namespace) -> str:
    """As asked for; InvalidInputError for the expert, which has no camera to cover."""
    if args.policy == "expert" and args.perturb != "none":
        from simlingo.contracts import InvalidInputError

        raise InvalidInputError("the expert knows the world and cannot be perturbed; leave --perturb out")
    return str(args.perturb)


def _weights(args: argparse.Namespace) -> str:
    """The model as asked for, once it is known that it loads; InvalidInputError says what is wrong with it."""
    if args.policy == "model":
        from simlingo.contracts import InvalidInputError
        from simlingo.model.load import load_policy

        policy = load_policy(args.weights, 1, args.route_as)
        if args.text != "never" and not policy.config.speaks:
            raise InvalidInputError(f"{policy.name} was not trained to speak; leave --text out")
    return str(args.weights)


def _seeds(text: str) -> list[int]:
    try:
        seeds = [int(part) for part in text.split(",") if part.strip()]
    except ValueError as error:
        raise argparse.ArgumentTypeError("must be whole numbers parted by commas") from error
    if not seeds or min(seeds) < 0 or len(set(seeds)) != len(seeds):
        raise argparse.ArgumentTypeError("must be different numbers of 0 or more, parted by commas")
    return seeds
