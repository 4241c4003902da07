"""``./simlingo bench words``: are a model's commentaries right, and do they change its plans?"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simlingo.arguments import output_file, whole

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy as np

    from simlingo.contracts import ImageArray
    from training.datasets.reader import Route

DESCRIPTION = "Compare commentaries and plans of a model with the expert's, frame by frame of collected routes."
EPILOG = """examples:
  ./simlingo collect --out data/words --frames 600 --seed 90 --towns harbortown --allow-held-out
  ./simlingo bench words --data data/words --model simlingo-mini

Plans are made three ways: without words, after the model's own words (the published order), and after the expert's.
Errors are mean distances of the points from the expert's, m. Open loop: no car is driven.
"""
#: Ways to make a plan.
WAYS = ("silent", "own words", "expert's words")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.description, parser.epilog = DESCRIPTION, EPILOG
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--data", nargs="+", type=Path, required=True, help="folders written by ./simlingo collect")
    parser.add_argument(
        "--model", default="simlingo-mini", metavar="PATH", help="model folder or name (default: simlingo-mini)"
    )
    parser.add_argument("--frames", type=whole(1), default=400, help="frames, spread over the routes (default: 400)")
    parser.add_argument("--threads", type=whole(1), default=2, help="threads of the network (default: 2)")
    parser.add_argument("--json", type=output_file, metavar="FILE", help="write the figures and every sentence here")


def run(args: argparse.Namespace) -> int:
    """Measure and show; 2 for a bad argument, unreadable data or a model that does not speak."""
    from rich.console import Console
    from rich.table import Table

    from simlingo.contracts import SimlingoError
    from training.evaluation.bench_drive import write_json

    errors = Console(stderr=True)
    try:
        figures = measure(args.model, args.data, args.frames, args.threads)
    except SimlingoError as error:
        errors.print(f"bench words: {error}", style="red", markup=False)
        return 2
    console = Console()
    words = Table("words", "right, %", title=f"{figures['frames']} frames of {figures['routes']} routes")
    for name, share in figures["words"].items():
        words.add_row(name, f"{share:.1f}")
    plans = Table("plan", "path error, m", "speed waypoint error, m")
    for way, row in figures["plans"].items():
        plans.add_row(way, f"{row['path_m']:.3f}", f"{row['speed_waypoints_m']:.3f}")
    console.print(words)
    console.print(plans)
    if args.json:
        write_json(args.json, figures)
    return 0


def measure(model: str, data: list[Path], frames: int, threads: int) -> dict[str, Any]:
    """Shares of right words (%), and errors of plans (m) made in each of ``WAYS``.

    Raises:
        SimlingoError: no routes, unreadable ones, or a model that does not load or speak.
    """
    import numpy as np

    from simlingo.contracts import InvalidInputError
    from simlingo.model.engine import Engine, Reading
    from simlingo.model.engine.onnx_backend import OnnxBackend
    from simlingo.model.processor import Processor
    from simlingo.model.prompt import RouteAs
    from training.benchmarks.model_subject import open_subject
    from training.datasets.reader import open_dataset
    from training.language.commentary import commentary
    from training.language.frame_facts import facts_of, navigation_of

    routes = open_dataset(data).routes
    subject = open_subject(model)
    if subject.folder is None or subject.tokenizer is None:
        raise InvalidInputError(f"{model} has no exported graphs; name a model folder that ./simlingo train made")
    if not subject.config.speaks:
        raise InvalidInputError(f"{subject.config.name} was not trained to speak")
    processor = Processor(subject.config, subject.tokenizer)
    engine = Engine(OnnxBackend(subject.folder, threads), processor.end_of_turn)
    rows: list[dict[str, Any]] = []
    errors: dict[str, list[tuple[float, float]]] = {way: [] for way in WAYS}
    for number, (labels, row, frame) in enumerate(_chosen(routes, frames)):
        speed, waypoints, path = float(labels["speed"][row]), labels["speed_waypoints"][row], labels["path"][row]
        right = commentary(facts_of(labels, row, speed, waypoints, labels["cause"][row]))
        here = processor.situation(speed, navigation_of(labels, row), RouteAs.TARGET_POINT)
        picture = processor.picture(frame)
        silent, open_ended, answered = (
            Reading(number, picture, labels["target_points"][row], prompt.ids, prompt.shared)
            for prompt in (processor.plan(here), processor.commentary(here), processor.commentary(here, right))
        )
        own, words = engine.plan_after_text(open_ended)
        rows.append({"said": processor.commentary_text(words), "right": right})
        for way, outcome in zip(WAYS, (engine.plan(silent), own, engine.plan(answered)), strict=True):
            pairs = ((outcome.path, path), (outcome.speed_waypoints, waypoints))
            apart = tuple(float(np.linalg.norm(one - other, axis=1).mean()) for one, other in pairs)
            errors[way].append((apart[0], apart[1]))
    engine.close()
    means = {way: np.mean(values, axis=0) for way, values in errors.items()}
    return {
        "words": _shares(rows),
        "plans": {way: {"path_m": float(mean[0]), "speed_waypoints_m": float(mean[1])} for way, mean in means.items()},
        "frames": len(rows),
        "routes": len(routes),
        "model": subject.config.name,
        "sentences": rows,
    }


def parts(words: str) -> tuple[str, str, str]:
    """Way, pace and reason of a commentary; what is missing is empty."""
    way, _, rest = words.partition(". ")
    pace, _, reason = rest.rstrip(".").partition(" for ")
    return way.rstrip("."), pace, reason


def _shares(rows: list[dict[str, Any]]) -> dict[str, float]:
    """Percentages of sentences, and of their parts, that are the expert's; reasons also where the expert has one."""

    def share(of: list[bool]) -> float:
        return 100.0 * sum(of) / len(of) if of else float("nan")

    pairs = [(parts(row["said"]), parts(row["right"])) for row in rows]
    result = {"whole": share([row["said"] == row["right"] for row in rows])}
    for index, name in enumerate(("way", "pace")):
        result[name] = share([said[index] == right[index] for said, right in pairs])
    result["reason, where there is one"] = share([said[2] == right[2] for said, right in pairs if right[2]])
    result["no reason, where there is none"] = share([not said[2] for said, right in pairs if not right[2]])
    return result


def _chosen(routes: Sequence[Route], frames: int) -> Iterator[tuple[dict[str, np.ndarray], int, ImageArray]]:
    """What the camera saw, spread evenly over the routes: labels of the route, row, camera frame."""
    import numpy as np

    from training.datasets.labels import labels_of
    from training.datasets.reader import read, read_row
    from training.datasets.schema import BY_NAME, EGO, EGO_ONLY, PICTURES, VIEWS

    columns = [name for name in BY_NAME if name not in (*PICTURES, *EGO_ONLY)]
    share = -(-frames // len(routes))
    given = 0
    for route in routes:
        labels = labels_of(read(route, columns), 0)
        seen = np.flatnonzero(labels["view"] == VIEWS.index(EGO))
        count = min(share, len(seen), frames - given)
        given += count
        for place in np.linspace(0, len(seen) - 1, count, dtype=np.int64) if count else ():
            row = int(seen[place])
            yield labels, row, read_row(route, row, ["image"])["image"]
