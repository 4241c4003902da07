"""From the JSON of ./simlingo bench drive to the figures of the model card, with intervals of 95 %."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.stats import binomtest, bootstrap

#: Figures that travel in a stage's record.
KEPT = (
    "routes", "driving_score", "route_completion", "clean_routes", "red_lights_met", "red_lights_stopped", "collisions",
    "collisions_per_km", "driven_km", "alarms", "instructions_obeyed", "planner_p50_ms",
)  # fmt: skip
_RESAMPLES = 2000


def drive_figures(report: dict[str, Any]) -> dict[str, Any]:
    """``summary``, ``by_town``, ``intervals`` of the summary's shares and means, ``crashed`` and ``weights``.

    Shares of routes and lights have Wilson intervals; means over routes have bootstrapped ones, routes drawn again.
    """
    summary, routes = report["summary"], report["routes"]
    clean = [route["status"] != "crashed" and not route["infractions"] for route in routes]
    lights = [sum(route[f"red_lights_{what}"] for route in routes) for what in ("stopped", "met")]
    intervals = {
        "driving_score": mean_interval([route["driving_score"] for route in routes]),
        "route_completion": mean_interval([route["route_completion"] for route in routes]),
        "clean_routes": share_interval(sum(clean), len(clean)),
        "red_lights_stopped": share_interval(*lights),
    }
    return {
        "summary": _kept(summary),
        "by_town": {town: _kept(figures) for town, figures in report["by_town"].items()},
        "intervals": {name: interval for name, interval in intervals.items() if interval is not None},
        "crashed": report["crashed"],
        "weights": report["conditions"]["weights"],
    }


def share_interval(count: int, of: int) -> list[float] | None:
    """Wilson's interval of a share, percent; None without trials."""
    if not of:
        return None
    found = binomtest(count, of).proportion_ci(method="wilson")
    return [round(100.0 * float(found.low), 1), round(100.0 * float(found.high), 1)]


def mean_interval(values: list[float]) -> list[float] | None:
    """The percentile bootstrap's interval of a mean, the same every time; None of fewer than two values."""
    if len(values) < 2:
        return None
    if min(values) == max(values):
        return [round(values[0], 1)] * 2
    found = bootstrap(
        (np.array(values),), np.mean, n_resamples=_RESAMPLES, method="percentile", rng=np.random.default_rng(0)
    ).confidence_interval
    return [round(float(found.low), 1), round(float(found.high), 1)]


def _kept(figures: dict[str, Any]) -> dict[str, Any]:
    return {name: figures[name] for name in KEPT if figures.get(name) is not None}
