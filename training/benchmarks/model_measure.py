"""One run of ``bench model``: loads a model in the way asked for and measures it."""

from __future__ import annotations

import argparse
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from simlingo.contracts import InvalidInputError, SimlingoError
from simlingo.model.engine import Engine
from training.benchmarks.model_figures import (
    differences,
    machine,
    phase_figures,
    ratios,
    resident_bytes,
    spread,
)
from training.benchmarks.model_phases import (
    NO_STOP,
    Frame,
    Road,
    Tell,
    fixed_plans,
    our_frame,
    plan_times,
    published_frame,
)
from training.benchmarks.model_subject import Subject, need_torch, open_subject

#: Frames on which another precision's plans are compared with those of fp32.
_COMPARED = 2
#: Tokens of a text beside which plans are timed, and the time of a camera frame in s.
_SPOKEN, _PERIOD = 20, 0.05


def measure(args: argparse.Namespace, tell: Tell) -> dict[str, Any]:
    """All figures of one run, as written to ``--json``.

    Raises:
        SimlingoError: the model does not load or does not fit, or the options do not go together.
    """
    subject = open_subject(args.model)
    kind = backend_of(args, subject)
    if kind != "onnx" or args.published:
        need_torch()
    road = Road(subject)
    backend, network, full = _load(args, kind, subject, road, tell)
    frames = _our_frames(args, backend, road, tell)
    memory = {"resident_bytes": resident_bytes(), "gpu_peak_bytes": _gpu_peak(args.device)}
    return {
        "model": subject.config.name,
        "backend": kind,
        "device": args.device,
        "precision": args.precision,
        "text_tokens": args.text,
        "threads": args.threads,
        "frames": args.frames,
        "prompt_tokens": len(road.reading(0, after_text=args.text > 0).ids),
        **phase_figures(frames),
        "decode_per_token_ms": spread([frame.phases["decode"] / args.text for frame in frames]) if args.text else None,
        "memory": memory,
        "against_fp32": _against_fp32(backend, road, full),
        "while_speaking": _while_speaking(args, backend, road, tell),
        "published": _published(args, network or (subject.network() if args.published else None), road, frames, tell),
        "command": _command(args),
        **machine(),
    }


def backend_of(args: argparse.Namespace, subject: Subject) -> str:
    """Which backend the options mean.

    Raises:
        InvalidInputError: the graphs were asked for where they cannot run.
    """
    fits = subject.folder is not None and args.device == "cpu" and args.precision == "fp32"
    if args.backend == "auto":
        return "onnx" if fits else "static" if args.device == "cuda" else "torch"
    if args.backend == "onnx" and not fits:
        raise InvalidInputError(
            f"--backend onnx needs a model folder with exported graphs, --device cpu and --precision fp32; "
            f"got {args.model}, {args.device}, {args.precision}: take --backend torch"
        )
    return str(args.backend)


def _load(
    args: argparse.Namespace, kind: str, subject: Subject, road: Road, tell: Tell
) -> tuple[Any, Any, list[Frame]]:
    """Backend, its torch network if it has one, and plans of the first frames in fp32 where the precision is another."""
    if kind == "onnx":
        from simlingo.model.engine.onnx_backend import OnnxBackend

        assert subject.folder is not None
        return OnnxBackend(subject.folder, args.threads), None, []
    import torch

    from simlingo.model.engine.precision import check, prepare
    from simlingo.model.engine.static_backend import StaticBackend
    from simlingo.model.engine.torch_backend import TorchBackend

    check(args.precision, args.device)
    torch.set_num_threads(args.threads)
    tell(f"loading {subject.config.name}")
    network, full = subject.network(), list[Any]()
    if args.precision != "fp32":
        tell(f"fp32 first, {_COMPARED} plans to compare with")
        try:
            network = prepare(network, "fp32", args.device)
            full = fixed_plans(TorchBackend(network), road, _COMPARED)
        except SimlingoError as error:  # a GPU that holds bf16 need not hold fp32
            tell(f"nothing to compare with: {error}")
    network = prepare(network, args.precision, args.device)
    return (StaticBackend if kind == "static" else TorchBackend)(network), network, full


def _our_frames(args: argparse.Namespace, backend: Any, road: Road, tell: Tell) -> list[Frame]:
    """The timed frames, after a tenth as many that are not."""
    engine = Engine(backend, NO_STOP)
    try:
        tell(f"{args.frames} frames")
        for number in range(max(1, args.frames // 10)):
            our_frame(engine, road, number, args.text)
        return [our_frame(engine, road, number, args.text) for number in range(args.frames)]
    finally:
        engine.close()


def _against_fp32(backend: Any, road: Road, full: list[Frame]) -> dict[str, float] | None:
    """How far the plans of this precision are from those of fp32, and both times."""
    if not full:
        return None
    own = fixed_plans(backend, road, len(full))
    return {**differences(own, full), "fp32_ms": 1e3 * full[-1].total, "own_ms": 1e3 * own[-1].total}


def _while_speaking(args: argparse.Namespace, backend: Any, road: Road, tell: Tell) -> dict[str, Any] | None:
    if not args.while_speaking:
        return None
    engine = Engine(backend, NO_STOP)
    try:
        tell(f"{args.frames} plans in silence, then {args.frames} while texts are made")
        silent, _ = plan_times(engine, road, args.frames, _PERIOD, 0)
        speaking, texts = plan_times(engine, road, args.frames, _PERIOD, _SPOKEN)
    finally:
        engine.close()
    figures = {"silent_ms": spread(silent), "speaking_ms": spread(speaking)}
    return {
        **figures,
        "p99_ratio": figures["speaking_ms"]["p99"] / figures["silent_ms"]["p99"],
        "tokens": _SPOKEN,
        "texts": texts,
        "frames": args.frames,
        "period_ms": _PERIOD * 1e3,
    }


def _published(
    args: argparse.Namespace, network: Any, road: Road, ours: list[Frame], tell: Tell
) -> dict[str, Any] | None:
    """The published way on the first frames; with text its plans and words must be ours."""
    if not args.published:
        return None
    import torch

    torch.set_num_threads(args.threads)
    count = min(args.published_frames, len(ours))
    tell(f"the published way, {count} frames")
    # On a thread of its own, as ours: on the main thread OpenMP's workers spin, which slows small passes on a busy machine.
    with ThreadPoolExecutor(1) as worker:
        worker.submit(published_frame, network, road, 0, 1).result()  # the first passes take memory and start threads
        frames = [worker.submit(published_frame, network, road, number, args.text).result() for number in range(count)]
    difference: dict[str, Any] | None = None
    if args.text:  # without text the published way says its own answer, not the fixed one
        same = all(one.text == other.text for one, other in zip(ours, frames, strict=False))
        difference = {**differences(ours[:count], frames), "same_text": same}
    return {"frames": count, **phase_figures(frames), "ratio": ratios(ours, frames), "difference": difference}


def _gpu_peak(device: str) -> int:
    if device != "cuda":
        return 0
    import torch

    return int(torch.cuda.max_memory_allocated())


def _command(args: argparse.Namespace) -> str:
    """The command line again, without paths of this machine."""
    text = f" --text {args.text}" if args.text else ""
    spoken = " --while-speaking" if args.while_speaking else ""
    backend = f" --backend {args.backend}" if args.backend != "auto" else ""
    return (
        f"./simlingo bench model --model {Path(args.model).name} --device {args.device} --precision {args.precision}"
        f"{backend}{text} --threads {args.threads} --frames {args.frames}{spoken}"
    )
