"""``./simlingo bench runtimes``: the small model on each runtime that could run it, side by side."""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simlingo.arguments import output_file, whole

if TYPE_CHECKING:
    from simlingo.model.engine.backend import Backend

DESCRIPTION = "Compare ONNX Runtime, torch and, where it is installed, OpenVINO on plans and text of an exported model."
EPILOG = """examples:
  ./simlingo bench runtimes
  .venv/bin/python -m pip install openvino && ./simlingo bench runtimes --threads 2 --frames 200

The runtimes take turns frame by frame, so that a busy machine slows them all alike.
"""
#: Frames before the clock counts.
WARM_UP = 5
#: Tokens of text after each frame.
TOKENS = 10


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.description, parser.epilog = DESCRIPTION, EPILOG
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument(
        "--model",
        default="simlingo-mini",
        metavar="PATH",
        help="exported model, folder or name (default: simlingo-mini)",
    )
    parser.add_argument("--threads", type=whole(1), default=2, help="threads of each runtime (default: 2)")
    parser.add_argument("--frames", type=whole(1), default=100, help="frames to time (default: 100)")
    parser.add_argument("--json", type=output_file, metavar="FILE", help="write the figures here")


def run(args: argparse.Namespace) -> int:
    """Measure and show; 2 for a bad argument or a model that does not load."""
    from rich.console import Console
    from rich.table import Table

    from simlingo.contracts import SimlingoError
    from training.evaluation.bench_drive import write_json

    errors = Console(stderr=True)
    try:
        figures = measure(args.model, args.threads, args.frames)
    except SimlingoError as error:
        errors.print(f"bench runtimes: {error}", style="red", markup=False)
        return 2
    table = Table("runtime", "plan p50, ms", "p99", "token p50, ms", "differs from torch by, m")
    for name, row in figures["runtimes"].items():
        columns = ("plan_p50_ms", "plan_p99_ms", "token_p50_ms", "difference_m")
        table.add_row(name, *(f"{row[column]:.3g}" for column in columns))
    Console().print(table)
    for name in figures["absent"]:
        errors.print(f"{name} is not installed: .venv/bin/python -m pip install {name}", markup=False)
    if args.json:
        write_json(args.json, figures)
    return 0


def measure(model: str, threads: int, frames: int) -> dict[str, Any]:
    """Times of each runtime (ms) and how far its plans are from torch's (m).

    Raises:
        InvalidInputError: the model does not load, or has no exported graphs.
    """
    import numpy as np

    from simlingo.contracts import Command, InvalidInputError, Navigation
    from training.benchmarks.model_subject import open_subject

    subject = open_subject(model)
    if subject.folder is None:
        raise InvalidInputError(f"{model} has no exported graphs; name a model folder that ./simlingo train made")
    backends, absent = _backends(subject.folder, threads)
    rng = np.random.default_rng(0)
    tile = subject.config.image.tile
    pictures = rng.integers(0, 256, (8, tile, 2 * tile, 3), dtype=np.uint8)
    points = np.array(((20.0, 0.0), (45.0, 5.0)))
    asked = subject.asked(7.3, Navigation(points, Command.FOLLOW_LANE, Command.LEFT, 20.0))
    plan_s: dict[str, list[float]] = {name: [] for name in backends}
    token_s: dict[str, list[float]] = {name: [] for name in backends}
    apart = dict.fromkeys(backends, 0.0)
    for number in range(WARM_UP + frames):
        found = {}
        for name, backend in backends.items():
            begin = time.perf_counter()
            outcome = backend.plan(backend.see(pictures[number % len(pictures)]), asked.driving, points)
            planned = time.perf_counter()
            found[name] = outcome
            context = backend.cut(outcome.context, asked.shared)
            for token in asked.commentary[asked.shared :][:1] * TOKENS:
                _, context = backend.read_on(context, [token])
            spoken = time.perf_counter()
            if number >= WARM_UP:
                plan_s[name].append(planned - begin)
                token_s[name].append((spoken - planned) / TOKENS)
        for name, outcome in found.items():
            for field in ("path", "speed_waypoints"):
                difference = np.abs(getattr(outcome, field) - getattr(found["torch"], field)).max()
                apart[name] = max(apart[name], float(difference))
    rows = {
        name: {
            "plan_p50_ms": float(np.percentile(plan_s[name], 50)) * 1e3,
            "plan_p99_ms": float(np.percentile(plan_s[name], 99)) * 1e3,
            "token_p50_ms": float(np.percentile(token_s[name], 50)) * 1e3,
            "difference_m": apart[name],
        }
        for name in backends
    }
    return {"runtimes": rows, "absent": absent, "model": Path(model).name, "threads": threads, "frames": frames}


def _backends(folder: Path, threads: int) -> tuple[dict[str, Backend], list[str]]:
    """Each runtime's way to run the model of ``folder``, and the names of those that are not installed."""
    from importlib.util import find_spec

    import torch

    from simlingo.model.checkpoint import load_network
    from simlingo.model.engine.onnx_backend import OnnxBackend
    from simlingo.model.engine.torch_backend import TorchBackend

    torch.set_num_threads(threads)
    network, _ = load_network(folder)
    backends: dict[str, Backend] = {
        "onnxruntime": OnnxBackend(folder, threads),
        "torch": TorchBackend(network.eval()),
    }
    if find_spec("openvino") is None:
        return backends, ["openvino"]
    backends["openvino"] = _on_openvino(folder, threads)
    return backends, []


def _on_openvino(folder: Path, threads: int) -> Backend:
    """The same graphs, run by OpenVINO in full precision."""
    import openvino

    from simlingo.model.config import ModelConfig
    from simlingo.model.engine.onnx_backend import OnnxBackend
    from simlingo.model.folder import CONFIG_FILE, GRAPHS

    core = openvino.Core()
    options = {"INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"}

    class OpenVinoBackend(OnnxBackend):
        """Differs in what runs a graph alone."""

        def __init__(self) -> None:
            self.config = ModelConfig.load(folder / CONFIG_FILE)
            self._vision, self._plan, self._text, self._queries = (
                _Graph(core.compile_model(str(folder / GRAPHS[name]), "CPU", options))
                for name in ("vision", "plan", "text", "queries")
            )

    return OpenVinoBackend()


class _Graph:
    """A compiled graph with the face of ONNX Runtime's session."""

    def __init__(self, compiled: Any) -> None:
        self._compiled = compiled

    def run(self, names: None, inputs: dict[str, Any]) -> list[Any]:
        """All outputs in their order."""
        del names
        found = self._compiled(inputs)
        return [found[output] for output in self._compiled.outputs]
