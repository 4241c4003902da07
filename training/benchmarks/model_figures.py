"""Figures of measured frames: phases that add up, spread, ratios and differences, as plain data for JSON."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from simlingo.processor_name import processor_name
from training.benchmarks.model_phases import Frame

#: What stands before the language part of a frame.
_BEFORE_LANGUAGE = ("preprocess", "vision")
_ROOT = Path(__file__).resolve().parents[2]


def spread(seconds: Sequence[float]) -> dict[str, float]:
    """Mean, p50, p99 and jitter (p99 - p50) in ms."""
    values = np.asarray(seconds) * 1e3
    p50, p99 = np.percentile(values, (50, 99))
    return {"mean": float(values.mean()), "p50": float(p50), "p99": float(p99), "jitter": float(p99 - p50)}


def phase_figures(frames: Sequence[Frame]) -> dict[str, Any]:
    """Each phase and the whole; the means of the phases add up to the mean of the whole."""
    return {
        "phases_ms": {name: spread([frame.phases[name] for frame in frames]) for name in frames[0].phases},
        "total_ms": spread([frame.total for frame in frames]),
    }


def ratios(ours: Sequence[Frame], published: Sequence[Frame]) -> dict[str, float]:
    """How many times as long the published way takes: the whole frame, and the language part alone."""
    return {
        "whole_frame": _mean(published) / _mean(ours),
        "language_part": _mean(published, _BEFORE_LANGUAGE) / _mean(ours, _BEFORE_LANGUAGE),
    }


def differences(found: Sequence[Frame], reference: Sequence[Frame]) -> dict[str, float]:
    """Largest differences of the plans of the same frames in m, and the largest coordinate for scale."""
    pairs = list(zip(found, reference, strict=True))
    return {
        "path_m": max(float(np.abs(one.path - other.path).max()) for one, other in pairs),
        "speed_waypoints_m": max(
            float(np.abs(one.speed_waypoints - other.speed_waypoints).max()) for one, other in pairs
        ),
        "largest_m": max(float(max(np.abs(one.path).max(), np.abs(one.speed_waypoints).max())) for one in reference),
        "frames": len(pairs),
    }


def resident_bytes() -> int:
    """Memory of this process that is in use now; 0 where the system does not tell."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS"))


def machine() -> dict[str, str]:
    """Processor and commit; no name of the machine."""
    found = subprocess.run(
        ["git", "-C", str(_ROOT), "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    )
    return {"machine": processor_name(), "commit": found.stdout.strip() or "no git"}


def _mean(frames: Sequence[Frame], without: Sequence[str] = ()) -> float:
    return float(np.mean([frame.total - sum(frame.phases.get(name, 0.0) for name in without) for frame in frames]))
