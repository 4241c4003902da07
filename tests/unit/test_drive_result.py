"""What a drive leaves: result.json, the table, and the terminal's lines."""

from __future__ import annotations

import io
import json
import math
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from simlingo_msgs.msg import InstructionStatus, Score, StackState

from simlingo.contracts import SimlingoError
from simlingo_node.drive_monitor import Picture
from simlingo_node.drive_result import make_result, result_lines, write_result
from simlingo_node.drive_view import DriveView
from simlingo_node.stack import StackOptions


def state(node: str, p50: float = math.nan, **fields: Any) -> StackState:
    return StackState(node=node, mode="active", latency_p50_ms=p50, latency_p99_ms=2 * p50, memory_mib=100.0, **fields)


def picture() -> Picture:
    score = Score(
        status="completed", route_completion=100.0, driving_score=60.0, route_m=400.0, infractions=["hit a wall"]
    )
    seen = Picture(score=score, first_clock=(50_000_000, 10.0), last_clock=(20_050_000_000, 50.0), memory_mib=400.0)
    seen.first_motion_s = 7.25
    seen.states = {
        "planner": state("planner", 25.0, processed=400),
        "controller": state("controller", 30.0),
        "page": state("page"),
    }
    seen.instructions["i"] = InstructionStatus(
        id="i", text="fly", status=InstructionStatus.NOT_UNDERSTOOD, reason="I drive"
    )
    return seen


def test_the_figures_of_a_drive() -> None:
    result = make_result(StackOptions(lockstep=True), picture(), "")
    assert (result["status"], result["real_time_factor"], result["plans_per_s"]) == ("completed", 0.5, 10.0)
    assert result["planner_ms"] == {"p50": 25.0, "p99": 50.0}
    assert result["camera_to_control_ms"]["p50"] == 30.0
    assert result["nodes"]["page"]["latency_ms"] == {"p50": None, "p99": None}
    assert result["score"]["infractions"] == ["hit a wall"]
    lines = dict(result_lines(result))
    assert lines["driving score"] == "60.0"
    assert lines["'fly'"] == "not understood: I drive"
    assert lines["first motion"] == "7.2 s after the command"


def test_an_interrupted_drive_says_so_even_before_its_first_tick() -> None:
    result = make_result(StackOptions(), Picture(), "interrupted")
    assert (result["status"], result["real_time_factor"], result["planner_ms"]["p50"]) == ("interrupted", 0.0, None)
    assert dict(result_lines(result))["planner"].startswith("no sample")
    assert result["first_motion_s"] is None
    assert "first motion" not in dict(result_lines(result))


def test_the_age_of_a_process_counts_from_its_start_through_exec() -> None:
    code = "from simlingo_node.statistics import process_age_s; print(process_age_s())"
    begin = time.monotonic()
    done = subprocess.run(
        ["/bin/sh", "-c", 'sleep 0.4; exec "$0" -c "$1"', sys.executable, code],
        capture_output=True,
        text=True,
        check=True,
    )
    assert 0.4 <= float(done.stdout) <= time.monotonic() - begin + 0.02


def test_a_death_is_a_failure_with_its_reason() -> None:
    result = make_result(StackOptions(), picture(), "failed: node 'route' was killed by signal 9 (SIGKILL)")
    assert result["status"] == "failed"
    assert "SIGKILL" in result["reason"]


def test_a_failed_score_takes_its_reason_from_the_nodes_that_failed() -> None:
    seen = picture()
    seen.score = Score(status="failed")
    assert "see the logs" in make_result(StackOptions(), seen, "")["reason"]
    seen.states["carla_bridge"] = StackState(node="carla_bridge", mode="failed", detail="the simulator failed: gone")
    result = make_result(StackOptions(), seen, "")
    assert (result["status"], result["reason"]) == ("failed", "carla_bridge: the simulator failed: gone")


def test_a_foreign_instruction_status_is_shown_by_its_number() -> None:
    seen = picture()
    seen.instructions["i"] = InstructionStatus(id="i", text="fly", status=77)
    assert make_result(StackOptions(), seen, "")["instructions"][0]["status"] == "unknown status 77"


def test_the_file_is_valid_json_and_whole(tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    path.write_text("{}")
    write_result(make_result(StackOptions(), picture(), ""), path)
    assert json.loads(path.read_text())["town"] == "gridtown"
    assert [file.name for file in tmp_path.iterdir()] == ["result.json"]


def test_the_terminal_shows_nodes_live_and_lines_elsewhere() -> None:
    live, plain = io.StringIO(), io.StringIO()
    for stream, terminal in ((live, True), (plain, False)):
        with DriveView(
            "gridtown", "http://127.0.0.1:8090", Console(file=stream, force_terminal=terminal, width=120)
        ) as view:
            view.update(picture())
            view.result([("driving score", "60.0")])
    assert "planner" in live.getvalue()
    assert "route 100.0 %" in plain.getvalue()
    for stream in (live, plain):
        assert "http://127.0.0.1:8090" in stream.getvalue()
        assert "driving score" in stream.getvalue()


def test_a_full_disk_is_named_with_the_cure_and_leaves_nothing_half(tmp_path: Path) -> None:
    (tmp_path / "result.json.tmp").symlink_to("/dev/full")
    with pytest.raises(SimlingoError, match=r"No space left on device.*free disk space or drive with --runs elsewhere"):
        write_result(make_result(StackOptions(), picture(), ""), tmp_path / "result.json")
    assert list(tmp_path.iterdir()) == []
