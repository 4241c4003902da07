"""``./simlingo bench planner``: how long the model takes from frame in to plan out."""

from __future__ import annotations

import argparse
import json
import platform
from pathlib import Path
from typing import Any

from simlingo.arguments import output_file, whole

DESCRIPTION = "Measure the time from a 1024x512 frame to a plan, with the shipped model or another one."
EPILOG = """examples:
  ./simlingo bench planner
  ./simlingo bench planner --threads 1 --frames 500 --json runs/planner.json
"""
#: Plans before the clock counts: ONNX Runtime's first ones allocate.
WARM_UP = 10


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.description, parser.epilog = DESCRIPTION, EPILOG
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument(
        "--weights", default="simlingo-mini", metavar="PATH", help="model folder or name (default: simlingo-mini)"
    )
    parser.add_argument("--threads", type=whole(1), default=2, help="threads of the network (default: 2)")
    parser.add_argument("--frames", type=whole(1), default=200, help="frames to time (default: 200)")
    parser.add_argument("--json", type=output_file, metavar="FILE", help="write the figures here")


def run(args: argparse.Namespace) -> int:
    """Measure and show; 2 where the model does not load."""
    from rich.console import Console

    from simlingo.contracts import SimlingoError
    from training.evaluation.bench_drive import write_json

    try:
        figures = measure(args.weights, args.threads, args.frames)
    except SimlingoError as error:
        Console(stderr=True).print(f"bench planner: {error}", style="red", markup=False)
        return 2
    Console().print_json(json.dumps(figures))
    if args.json:
        write_json(args.json, figures)
    return 0


def measure(weights: str, threads: int, frames: int) -> dict[str, Any]:
    """Latency of ``frames`` plans on different noisy frames, ms: p50 and p99 of the whole and p50 of each phase.

    Raises:
        InvalidInputError: the model does not load.
    """
    import time

    import numpy as np

    from simlingo.contracts import MODEL_CAMERA, Command, Navigation, Observation
    from simlingo.model.load import load_policy

    policy = load_policy(weights, threads)
    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 256, (8, MODEL_CAMERA.height, MODEL_CAMERA.width, 3), dtype=np.uint8)
    navigation = Navigation(np.array(((20.0, 0.0), (45.0, 5.0))), Command.FOLLOW_LANE, Command.LEFT, 20.0)
    whole, phases = [], []
    for number in range(WARM_UP + frames):
        observation = Observation(number, pictures[number % len(pictures)], MODEL_CAMERA, 7.3, navigation)
        begin = time.perf_counter()
        plan = policy.plan(observation)
        if number >= WARM_UP:
            whole.append((time.perf_counter() - begin) * 1e3)
            phases.append(plan.timing)
    return {
        "planner_p50_ms": round(float(np.percentile(whole, 50)), 2),
        "planner_p99_ms": round(float(np.percentile(whole, 99)), 2),
        "phases_p50_ms": {
            phase: round(float(np.median([timing[phase] for timing in phases])) * 1e3, 2) for phase in phases[0]
        },
        "weights": Path(weights).name,
        "threads": threads,
        "frames": frames,
        "machine": platform.processor() or platform.machine(),
    }
