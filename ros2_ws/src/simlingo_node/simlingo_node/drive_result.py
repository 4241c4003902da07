"""The result of a drive: as JSON for programs, as a table for people."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from simlingo_msgs.msg import StackState

from simlingo.contracts import SimlingoError
from simlingo_node.drive_monitor import Picture
from simlingo_node.instruction_status import word_of
from simlingo_node.stack import StackOptions


def make_result(options: StackOptions, picture: Picture, ending: str) -> dict[str, Any]:
    """Plain data of a drive.

    Args:
        options: what was driven.
        picture: what was seen of it.
        ending: why it ended where the score does not say so ("interrupted", a node's death); empty otherwise. The
            reason of a failed score is what the failed nodes say.
    """
    score, planner = picture.score, picture.states.get("planner")
    status = "not started" if score is None else score.status
    result: dict[str, Any] = {
        "status": ending.split(":")[0] or status,
        "reason": ending or (_failure(picture) if status == "failed" else ""),
        "town": options.town,
        "route": options.route,
        "seed": options.seed,
        "weather": options.weather,
        "traffic": options.traffic,
        "model": options.model,
        "mode": "lockstep" if options.lockstep else "real time",
        "first_motion_s": None if picture.first_motion_s is None else round(picture.first_motion_s, 2),
        "simulated_s": round(picture.simulated_s, 2),
        "wall_s": round(picture.wall_s, 2),
        "real_time_factor": round(picture.real_time_factor, 3),
        "plans": planner.processed if planner else 0,
        "plans_per_s": _rate(planner, picture),
        "planner_ms": _latency(planner),
        "camera_to_control_ms": _latency(picture.states.get("controller")),
        "memory_mib": round(picture.memory_mib, 1),
        "instructions": [
            {"id": each.id, "text": each.text, "status": word_of(each.status), "reason": each.reason}
            for each in picture.instructions.values()
        ],
        "nodes": {name: _node(state) for name, state in sorted(picture.states.items())},
    }
    if score is not None:
        result["score"] = {
            "route_completion": round(score.route_completion, 2),
            "driving_score": round(score.driving_score, 2),
            "driven_m": round(score.driven_m, 1),
            "route_m": round(score.route_m, 1),
            "infractions": list(score.infractions),
            "red_lights_met": score.red_lights_met,
            "red_lights_stopped": score.red_lights_stopped,
            "collisions": score.collisions,
            "instruction_result": score.instruction_result,
        }
    return result


def _failure(picture: Picture) -> str:
    """What the nodes say that have failed."""
    failed = [f"{name}: {state.detail}" for name, state in sorted(picture.states.items()) if state.mode == "failed"]
    return "; ".join(failed) or "no node has said why; see the logs"


def write_result(result: dict[str, Any], path: Path) -> None:
    """Write the whole file or nothing.

    Raises:
        SimlingoError: it cannot be written; names the cause and the cure.
    """
    temporary = path.with_suffix(".json.tmp")
    try:
        temporary.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise SimlingoError(
            f"the result could not be written to {path} ({error.strerror}); free disk space or drive with --runs elsewhere"
        ) from error


def result_lines(result: dict[str, Any]) -> list[tuple[str, str]]:
    """Name and value of each line of the table that ends a drive."""
    lines = [("result", result["status"])]
    score = result.get("score")
    if score is not None:
        lines += [
            ("route completion", f"{score['route_completion']:.1f} % of {score['route_m']:.0f} m"),
            ("driving score", f"{score['driving_score']:.1f}"),
            ("infractions", "; ".join(score["infractions"]) or "none"),
            ("red lights", f"{score['red_lights_stopped']} of {score['red_lights_met']} stopped at"),
        ]
    lines += [(f"'{each['text']}'", _instruction_line(each)) for each in result["instructions"]]
    if result["first_motion_s"] is not None:
        lines.append(("first motion", f"{result['first_motion_s']:.1f} s after the command"))
    lines += [
        ("real-time factor", f"{result['real_time_factor']:.2f} ({result['mode']})"),
        ("planner", f"{_milliseconds(result['planner_ms'])}, {result['plans_per_s']:.1f} plans a second"),
        ("camera to control", _milliseconds(result["camera_to_control_ms"])),
        ("memory", f"{result['memory_mib']:.0f} MiB"),
    ]
    return lines


def _instruction_line(instruction: dict[str, str]) -> str:
    return f"{instruction['status']}: {instruction['reason']}" if instruction["reason"] else instruction["status"]


def _milliseconds(latency: dict[str, float | None]) -> str:
    if latency["p50"] is None or latency["p99"] is None:
        return "no sample"
    return f"p50 {latency['p50']:.0f} ms, p99 {latency['p99']:.0f} ms"


def _latency(state: StackState | None) -> dict[str, float | None]:
    """p50 and p99 in ms; None without a sample (JSON has no NaN)."""
    if state is None or math.isnan(state.latency_p50_ms):
        return {"p50": None, "p99": None}
    return {"p50": round(state.latency_p50_ms, 2), "p99": round(state.latency_p99_ms, 2)}


def _rate(state: StackState | None, picture: Picture) -> float:
    return round(state.processed / picture.wall_s, 2) if state and picture.wall_s > 0.0 else 0.0


def _node(state: StackState) -> dict[str, Any]:
    return {
        "mode": state.mode,
        "detail": state.detail,
        "latency_ms": _latency(state),
        "processed": state.processed,
        "dropped": state.dropped,
        "refused": state.refused,
        "memory_mib": round(state.memory_mib, 1),
    }
