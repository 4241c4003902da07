"""From single drives to the figures of a benchmark."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from simlingo_drive.routes import RouteSpec
from training.evaluation.closed_loop import DriveRecord

Route = dict[str, Any]


def crashed_route(spec: RouteSpec, reason: str) -> Route:
    """Record of a route whose process failed: it counts as zero."""
    return {
        "town": spec.town,
        "seed": spec.seed,
        "index": spec.index,
        "name": spec.name,
        "status": "crashed",
        "error": reason,
        "route_completion": 0.0,
        "driving_score": 0.0,
        "red_lights_met": 0,
        "red_lights_stopped": 0,
        "driven_m": 0.0,
        "collisions": {},
        "infractions": [],
        "obeyed": False,
    }


def report(records: Sequence[DriveRecord | Route], conditions: dict[str, Any]) -> dict[str, Any]:
    """The whole JSON document: conditions, summary, figures by town and by seed, and every route.

    ``records`` holds a DriveRecord for a drive that ended and a dict of ``crashed_route`` for one that failed.
    """
    routes = [record.to_json() if isinstance(record, DriveRecord) else record for record in records]
    plans = [time for record in records if isinstance(record, DriveRecord) for time in record.planner_ms]
    summary = {**figures(routes), **_planner_figures(plans)}
    return {
        "summary": summary,
        "sd_over_seeds": _spread(routes),
        "by_town": _grouped(routes, lambda route: str(route["town"])),
        "by_seed": _grouped(routes, lambda route: str(route["seed"])),
        "crashed": [route["name"] for route in routes if route["status"] == "crashed"],
        "conditions": conditions,
        "routes": routes,
    }


def figures(routes: Sequence[Route]) -> dict[str, Any]:
    """The summary of some routes; shares in %, None where there is nothing to count."""
    met = sum(route["red_lights_met"] for route in routes)
    kilometres = sum(route["driven_m"] for route in routes) / 1000.0
    ended = [route for route in routes if route["status"] != "crashed"]
    hits = {
        kind: sum(route["collisions"].get(kind, 0) for route in routes) for kind in ("pedestrian", "vehicle", "static")
    }
    found: dict[str, Any] = {
        "routes": len(routes),
        "route_completion": _mean([route["route_completion"] for route in routes]),
        "driving_score": _mean([route["driving_score"] for route in routes]),
        "success_rate": _share([route["status"] == "completed" and not route["infractions"] for route in routes]),
        "clean_routes": _share([route["status"] != "crashed" and not route["infractions"] for route in routes]),
        "red_lights_met": met,
        "red_lights_stopped": _ratio(100.0 * sum(route["red_lights_stopped"] for route in routes), met),
        "collisions_per_km": _ratio(sum(hits.values()), kilometres),
        "vehicle_collisions_per_km": _ratio(hits["vehicle"], kilometres),
        "static_collisions_per_km": _ratio(hits["static"], kilometres),
        "driven_km": round(kilometres, 3),
        "alarms": sum(sum(route.get("alarms", {}).values()) for route in routes),
        "real_time_factor": _mean([route["real_time_factor"] for route in ended]),
        "collisions": hits,
    }
    if any("obeyed" in route for route in ended):
        found["instructions_obeyed"] = _share([route["obeyed"] for route in routes])
    return found


def _planner_figures(plans_ms: Sequence[float]) -> dict[str, float | None]:
    """Latency of the plans, ms; None where no model planned."""
    if not plans_ms:
        return {"planner_p50_ms": None, "planner_p99_ms": None}
    median, late = np.percentile(plans_ms, (50, 99))
    return {"planner_p50_ms": round(float(median), 2), "planner_p99_ms": round(float(late), 2)}


def _grouped(routes: Sequence[Route], key: Callable[[Route], str]) -> dict[str, dict[str, Any]]:
    names = sorted({key(route) for route in routes})
    return {name: figures([route for route in routes if key(route) == name]) for name in names}


def _spread(routes: Sequence[Route]) -> dict[str, float | None]:
    """Sample standard deviation over seeds of the main figures; None with one seed."""
    by_seed = list(_grouped(routes, lambda route: str(route["seed"])).values())
    spread: dict[str, float | None] = {}
    for name in ("route_completion", "driving_score", "success_rate", "clean_routes"):
        values = [group[name] for group in by_seed]
        spread[name] = round(float(np.std(values, ddof=1)), 3) if len(values) > 1 else None
    return spread


def _mean(values: Sequence[float]) -> float | None:
    return round(float(np.mean(values)), 3) if len(values) else None


def _share(values: Sequence[bool]) -> float | None:
    return round(100.0 * float(np.mean(values)), 3) if len(values) else None


def _ratio(part: float, whole: float) -> float | None:
    return round(part / whole, 4) if whole else None
