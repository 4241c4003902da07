"""``./simlingo bench model``: where the time of a frame goes, and how that compares with the published way of running."""

from __future__ import annotations

import argparse

from simlingo.arguments import output_file, whole

DESCRIPTION = (
    "Measure the phases of a frame, from camera frame to plan, with and without text, against the published way."
)
EPILOG = """examples:
  ./simlingo bench model
  ./simlingo bench model --text 25 --frames 50 --json runs/model.json
  ./simlingo bench model --frames 200 --while-speaking
  ./simlingo bench model --model random-1b --precision int8 --text 25 --frames 3 --published-frames 1
  ./simlingo bench model --model path/to/checkpoint --device cuda --precision bf16 --append docs/benchmarks.md

The published way makes a full pass for each token of text and one more for the queries, without a cache (spec A.10). It
is our own plain code of that, run on the same frames, threads and precision. random-1b has the full size and random
weights; as these end no text, a text always has the number of tokens asked for.
"""
BACKENDS = ("auto", "onnx", "torch", "static")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.description, parser.epilog = DESCRIPTION, EPILOG
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument(
        "--model",
        default="simlingo-mini",
        metavar="NAME|PATH",
        help="shipped model, model folder, any checkpoint, or random-1b, random-mini (default: simlingo-mini)",
    )
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu", help="(default: cpu)")
    parser.add_argument("--precision", choices=("fp32", "bf16", "int8"), default="fp32", help="(default: fp32)")
    parser.add_argument(
        "--backend",
        choices=BACKENDS,
        default="auto",
        help="auto: the exported graphs where there are some (cpu, fp32), static on cuda, else torch (default: auto)",
    )
    parser.add_argument(
        "--text", type=_text, default=0, metavar="never|N", help="tokens of text before each plan (default: never)"
    )
    parser.add_argument("--threads", type=whole(1), default=2, metavar="N", help="CPU threads (default: 2)")
    parser.add_argument("--frames", type=whole(1), default=20, metavar="N", help="frames to time (default: 20)")
    parser.add_argument(
        "--published",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="run the published way too; needs torch (default: yes)",
    )
    parser.add_argument(
        "--published-frames", type=whole(1), default=3, metavar="N", help="frames of the published way (default: 3)"
    )
    parser.add_argument(
        "--while-speaking",
        action="store_true",
        help="also time a plan every 50 ms with and without texts of 20 tokens made beside it",
    )
    parser.add_argument("--json", type=output_file, metavar="FILE", help="write the figures here")
    parser.add_argument(
        "--append", type=output_file, metavar="FILE", help="add a line to the table of runs in this Markdown file"
    )


def run(args: argparse.Namespace) -> int:
    """Measure, show and write what was asked for; 2 where the model or the device is not to be had."""
    from rich.console import Console

    from simlingo.contracts import SimlingoError
    from training.benchmarks.model_measure import measure
    from training.benchmarks.model_report import append, show
    from training.evaluation.bench_drive import write_json

    console = Console(stderr=True)
    try:
        figures = measure(args, lambda line: console.print(line, style="dim", markup=False, highlight=False))
    except SimlingoError as error:
        console.print(f"bench model: {error}", style="red", markup=False)
        return 2
    show(Console(), figures)
    if args.json:
        write_json(args.json, figures)
    if args.append:
        append(args.append, figures)
    return 0


def _text(word: str) -> int:
    if word == "never":
        return 0
    if not word.isdigit() or int(word) < 1:
        raise argparse.ArgumentTypeError("must be never, or a number of tokens from 1 on")
    return int(word)
