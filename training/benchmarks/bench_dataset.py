"""``./simlingo bench dataset``: how large a data set is, how fast it is read, and what its JPEG changes in plans."""

from __future__ import annotations

import argparse
import json
import platform
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simlingo.arguments import output_file, whole

if TYPE_CHECKING:
    from training.datasets.reader import Dataset

DESCRIPTION = (
    "Measure a collected data set: bytes a frame by column, single rows read a second, and views a second in which a model's "
    "picture cache is made. And what the data set's JPEG changes in a model's plans, on frames of an expert's drives."
)
EPILOG = """examples:
  ./simlingo bench dataset --data data/first
  ./simlingo bench dataset --data data/first --reads 2000 --plans 0 --json runs/dataset.json
  ./simlingo bench dataset --plans 400
"""
#: Towns whose first routes give the frames for plans.
TOWNS = ("gridtown", "ringtown", "harbortown")
#: Ticks from frame to frame: 4 Hz, as in a data set.
FRAME_TICKS = 5
#: Columns that a reader wants who needs no picture.
LABELS = ("speed_mps", "path_m", "speed_waypoints_m", "command")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.description, parser.epilog = DESCRIPTION, EPILOG
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--data", nargs="+", type=Path, default=[], help="data sets that ./simlingo collect wrote")
    parser.add_argument("--reads", type=whole(1), default=500, help="single rows to read (default: 500)")
    parser.add_argument(
        "--plans", type=whole(0), default=200, help="frames to plan on with and without JPEG (default: 200)"
    )
    parser.add_argument(
        "--weights", default="simlingo-mini", metavar="PATH", help="model folder or name (default: simlingo-mini)"
    )
    parser.add_argument("--threads", type=whole(1), default=2, help="threads of the network (default: 2)")
    parser.add_argument("--json", type=output_file, metavar="FILE", help="write the figures here")


def run(args: argparse.Namespace) -> int:
    """Measure and show; 2 where data or model cannot be used."""
    from rich.console import Console

    from simlingo.contracts import SimlingoError
    from training.datasets.reader import open_dataset
    from training.evaluation.bench_drive import write_json

    figures: dict[str, Any] = {"machine": platform.processor() or platform.machine()}
    try:
        if args.data:
            dataset = open_dataset(args.data)
            figures |= {"size": sizes(dataset), "reads": reads(dataset, args.reads), "cache": cache_rate(dataset)}
        if args.plans:
            figures["jpeg"] = jpeg_in_plans(args.weights, args.threads, args.plans)
    except SimlingoError as error:
        Console(stderr=True).print(f"bench dataset: {error}", style="red", markup=False)
        return 2
    Console().print_json(json.dumps(figures))
    if args.json:
        write_json(args.json, figures)
    return 0


def sizes(dataset: Dataset) -> dict[str, Any]:
    """Bytes a frame (both views), in all and by column; ``rest`` is what the files hold beside columns."""
    from training.datasets.files import open_file

    columns: dict[str, int] = {}
    for route in dataset.routes:
        with open_file(route.path) as file:
            for group in range(file.metadata.num_row_groups):
                chunks = file.metadata.row_group(group)
                for index in range(chunks.num_columns):
                    chunk = chunks.column(index)
                    name = chunk.path_in_schema.split(".")[0]
                    columns[name] = columns.get(name, 0) + chunk.total_compressed_size
    on_disk = sum(route.path.stat().st_size for route in dataset.routes)
    by_column = {
        name: round(size / dataset.frames) for name, size in sorted(columns.items(), key=lambda item: -item[1])
    }
    return {
        "routes": len(dataset.routes),
        "frames": dataset.frames,
        "bytes_a_frame": round(on_disk / dataset.frames),
        "by_column": by_column,
        "rest": round((on_disk - sum(columns.values())) / dataset.frames),
    }


def reads(dataset: Dataset, count: int) -> dict[str, float]:
    """Rows a second, drawn from all routes at random: all columns with decoded pictures, the image alone, labels alone."""
    import numpy as np

    from training.datasets.reader import read_row

    rng = np.random.default_rng(0)
    figures = {}
    for name, columns in (("whole_rows", None), ("images", ("image",)), ("labels", LABELS)):
        begin = time.perf_counter()
        for number in rng.integers(len(dataset.routes), size=count):
            route = dataset.routes[int(number)]
            read_row(route, int(rng.integers(route.rows)), columns)
        figures[f"{name}_a_second"] = round(count / (time.perf_counter() - begin), 1)
    return figures


def cache_rate(dataset: Dataset) -> dict[str, float]:
    """Views a second in which one process makes the small model's picture cache, of the first route."""
    from simlingo.model.config import MINI
    from simlingo.model.preprocess import model_image
    from training.datasets.cache import build_cache

    route = dataset.routes[0]
    with tempfile.TemporaryDirectory() as folder:
        begin = time.perf_counter()
        build_cache([route], Path(folder) / "cache", "bench", model_image, MINI.image, workers=1)
        return {"views": route.rows, "views_a_second": round(route.rows / (time.perf_counter() - begin), 1)}


def jpeg_in_plans(weights: str, threads: int, frames: int) -> dict[str, Any]:
    """Distances (m) between points of plans on raw frames and on the same frames after the data set's JPEG.

    Raises:
        SimlingoError: the model does not load.
    """
    import numpy as np

    from simlingo.model.load import load_policy

    policy = load_policy(weights, threads)
    share = -(-frames // len(TOWNS))
    pairs = [pair for town in TOWNS for pair in _plans(policy, town, share)]
    found: dict[str, Any] = {"frames": len(pairs), "weights": Path(weights).name}
    for name in ("path", "speed_waypoints"):
        apart = np.concatenate(
            [np.linalg.norm(getattr(raw, name) - getattr(seen, name), axis=1) for raw, seen in pairs]
        )
        found[f"{name}_m"] = {
            "mean": round(float(apart.mean()), 4),
            "p99": round(float(np.percentile(apart, 99)), 4),
            "max": round(float(apart.max()), 4),
        }
    return found


def _plans(policy: Any, town: str, frames: int) -> list[tuple[Any, Any]]:
    """Plans on raw frames of an expert's drive, and on the same as JPEG."""
    from simlingo.contracts import MODEL_CAMERA, Observation
    from simlingo.navigation.route import RoutePlanner
    from simlingo_drive.backends.embedded import EmbeddedBackend, embedded_planner
    from simlingo_drive.drivers.expert import ExpertDriver
    from simlingo_drive.rollout import Hook, roll_out
    from simlingo_drive.routes import RouteSpec
    from simlingo_drive.session import open_numbered
    from training.datasets.pictures import decode_image, encode_image
    from training.evaluation.closed_loop import route_of

    backend, route, planner = EmbeddedBackend(), route_of(RouteSpec(town, 0, 0)), embedded_planner(town)
    session = open_numbered(backend, route, "light")
    navigator = RoutePlanner(planner.polyline(route.dense), [command for _, command in route.dense])
    camera = backend.views(session.world, session.ego)

    class Compare(Hook):
        """Plans twice on every frame."""

        def __init__(self) -> None:
            self.pairs: list[tuple[Any, Any]] = []

        def observe(self, tick: int) -> None:
            ego = session.ego_state()
            navigation = navigator.update(ego)
            if tick % FRAME_TICKS == 0:
                raw = camera.rgb(ego)
                seen = (raw, decode_image(encode_image(raw)))
                one, other = (Observation(ego.stamp, image, MODEL_CAMERA, ego.speed, navigation) for image in seen)
                self.pairs.append((policy.plan(one), policy.plan(other)))

        def judge(self, tick: int) -> None:
            self.finished = len(self.pairs) >= frames

    compare = Compare()
    roll_out(session, ExpertDriver(session, route.dense, planner), [compare])
    return compare.pairs
