"""The benchmark's arithmetic, its document, its command line and its processes."""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import time
from pathlib import Path
from typing import Any

import pytest

from simlingo_drive.routes import RouteSpec
from training.evaluation import bench_drive, executors
from training.evaluation.closed_loop import DriveRecord, DriveSettings
from training.evaluation.journal import Journal
from training.evaluation.summary import crashed_route, report

SUMMARY_KEYS = {
    "route_completion",
    "driving_score",
    "success_rate",
    "clean_routes",
    "red_lights_stopped",
    "collisions_per_km",
    "real_time_factor",
    "planner_p50_ms",
}


def record(spec: RouteSpec, score: float = 100.0, **changes: Any) -> DriveRecord:
    result = {
        "status": "completed",
        "route_completion": 100.0,
        "driving_score": score,
        "red_lights_met": 2,
        "red_lights_stopped": 2,
        "driven_m": 500.0,
        "duration_s": 60.0,
        "collisions": {"pedestrian": 0, "vehicle": 0, "static": 0},
        "infractions": [] if score == 100.0 else [{"kind": "collision_vehicle", "location": [0.0, 0.0]}],
    }
    return DriveRecord(spec, "clear_noon", {**result, **changes}, wall_s=30.0, planner_ms=[10.0, 20.0, 30.0])


def test_a_crashed_route_counts_as_zero_and_is_named() -> None:
    good, bad = RouteSpec("gridtown", 1, 0), RouteSpec("gridtown", 1, 1)
    document = report([record(good), crashed_route(bad, "ValueError: no")], {})
    summary = document["summary"]
    assert set(summary) >= SUMMARY_KEYS
    assert summary["driving_score"] == 50.0
    assert summary["route_completion"] == 50.0
    assert summary["success_rate"] == 50.0
    assert summary["clean_routes"] == 50.0
    assert summary["real_time_factor"] == 2.0
    assert summary["planner_p50_ms"] == 20.0
    assert document["crashed"] == [bad.name]
    assert document["routes"][1]["error"] == "ValueError: no"
    json.dumps(document)


def test_alarms_are_counted_and_each_route_names_its_most_frequent() -> None:
    one, other, quiet = (record(RouteSpec("gridtown", 1, index)) for index in range(3))
    one.alarms.extend(["blurred"] * 3 + ["late"])
    other.alarms.extend(f"alarm {number}" for number in range(30))
    document = report([one, other, quiet, crashed_route(RouteSpec("gridtown", 1, 3), "no")], {})
    assert document["routes"][0]["alarms"] == {"blurred": 3, "late": 1}
    assert len(document["routes"][1]["alarms"]) == 10
    assert document["summary"]["alarms"] == 14
    assert report([quiet], {})["summary"]["alarms"] == 0


def test_spread_is_over_the_means_of_the_seeds() -> None:
    scores = {(1, 0): 100.0, (1, 1): 60.0, (2, 0): 60.0, (2, 1): 60.0}
    records = [record(RouteSpec("gridtown", seed, index), score) for (seed, index), score in scores.items()]
    document = report(records, {})
    assert document["summary"]["driving_score"] == 70.0
    assert document["by_seed"]["1"]["driving_score"] == 80.0
    assert document["sd_over_seeds"]["driving_score"] == pytest.approx(14.142, abs=1e-3)
    assert report(records[:2], {})["sd_over_seeds"]["driving_score"] is None


def test_rates_come_from_sums_not_from_means_of_routes() -> None:
    hits = {"pedestrian": 0, "vehicle": 1, "static": 1}
    records = [
        record(RouteSpec("gridtown", 1, 0), 39.0, collisions=hits, red_lights_met=1, red_lights_stopped=0),
        record(RouteSpec("ringtown", 1, 0), red_lights_met=3, red_lights_stopped=3, driven_m=1500.0),
    ]
    summary = report(records, {})["summary"]
    assert summary["collisions_per_km"] == pytest.approx(1.0)
    assert summary["vehicle_collisions_per_km"] == pytest.approx(0.5)
    assert summary["red_lights_stopped"] == pytest.approx(75.0)


def test_nothing_to_count_is_no_number() -> None:
    quiet = record(RouteSpec("gridtown", 1, 0), red_lights_met=0, red_lights_stopped=0, driven_m=0.0)
    summary = report([quiet], {})["summary"]
    assert summary["red_lights_stopped"] is None
    assert summary["collisions_per_km"] is None


class Ears:
    def __init__(self) -> None:
        self.finished: list[RouteSpec] = []

    def tell(self, spec: RouteSpec, done: float, score: float) -> None:
        pass

    def finish(self, spec: RouteSpec, outcome: DriveRecord | str) -> None:
        self.finished.append(spec)


def test_a_dying_or_raising_process_takes_no_other_route_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    specs = [RouteSpec("gridtown", 1, index) for index in range(3)]

    def job(pipe: Any, spec: RouteSpec, settings: DriveSettings, instructed: bool) -> None:
        if spec.index == 0:
            os._exit(9)
        monkeypatch.setattr(executors, "drive_route", _raise if spec.index == 1 else lambda *_: record(spec))
        real_job(pipe, spec, settings, instructed)

    real_job = executors._drive
    monkeypatch.setattr(executors, "_drive", job)
    monkeypatch.setattr(executors, "START_METHOD", "fork")
    ears = Ears()
    found = executors.ProcessExecutor(2).run(specs, DriveSettings(), False, ears)
    assert "ended with code 9" in str(found[specs[0]])
    assert "RuntimeError: the town is on fire" in str(found[specs[1]])
    assert isinstance(found[specs[2]], DriveRecord)
    assert sorted(ears.finished, key=lambda spec: spec.index) == specs


def _raise(*_: Any) -> DriveRecord:
    raise RuntimeError("the town is on fire")


def test_an_interrupt_ends_every_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(executors, "_drive", lambda *_: time.sleep(60.0))
    monkeypatch.setattr(executors, "START_METHOD", "fork")

    def interrupted(*_: Any, **__: Any) -> list[Any]:
        raise KeyboardInterrupt

    monkeypatch.setattr(executors, "wait", interrupted)
    with pytest.raises(KeyboardInterrupt):
        executors.ProcessExecutor(1).run([RouteSpec("gridtown", 1, 0)], DriveSettings(), False, Ears())
    assert not multiprocessing.active_children()


def arguments(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    bench_drive.add_arguments(parser)
    return parser.parse_args(words)


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("--towns", "gritown", "--policy", "expert"), "gridtown"),
        (("--weather", "snow", "--policy", "expert"), "weather"),
        (("--weights", "nowhere"), "nowhere"),
    ],
)
def test_a_wrong_name_is_said_before_anything_is_driven(
    words: tuple[str, ...], named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert bench_drive.run(arguments(*words)) == 2
    assert named in capsys.readouterr().err


@pytest.mark.parametrize("words", [("--seed", "a"), ("--seed", "1,1"), ("--routes", "0"), ("--traffic", "heavy")])
def test_a_wrong_number_is_refused(words: tuple[str, ...]) -> None:
    with pytest.raises(SystemExit):
        arguments(*words)


def test_the_document_is_written_whole(tmp_path: Path) -> None:
    target = tmp_path / "runs" / "bench.json"
    bench_drive.write_json(target, {"summary": {}})
    assert json.loads(target.read_text()) == {"summary": {}}
    assert [path.name for path in target.parent.iterdir()] == ["bench.json"]


@pytest.mark.medium
def test_an_interrupted_benchmark_goes_on_where_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    target, driven = tmp_path / "bench.json", []

    def drive_one_then_interrupt(_: Any, specs: list[RouteSpec], *rest: Any) -> dict[RouteSpec, DriveRecord]:
        listener = rest[-1]
        for spec in specs:
            if len(driven) == 1 and not target.with_name("again").exists():
                raise KeyboardInterrupt
            driven.append(spec)
            listener.finish(spec, record(spec))
        return {spec: record(spec) for spec in specs}

    monkeypatch.setattr(executors.ProcessExecutor, "run", drive_one_then_interrupt)
    words = ("--policy", "expert", "--towns", "gridtown", "--routes", "3", "--json", str(target))
    assert bench_drive.run(arguments(*words)) == 130
    assert not target.exists()
    with target.with_name("bench.json.part").open("a") as file:
        file.write('{"spec": {"town": "gri')  # cut off in the middle of a line
    target.with_name("again").touch()
    assert bench_drive.run(arguments(*words)) == 0
    assert len(driven) == 3
    assert len(json.loads(target.read_text())["routes"]) == 3
    assert not target.with_name("bench.json.part").exists()
    assert "gridtown-s1-r02" in capsys.readouterr().out


def test_a_journal_of_other_conditions_is_not_taken_up(tmp_path: Path) -> None:
    target, spec = tmp_path / "bench.json", RouteSpec("gridtown", 1, 0)
    Journal(target, {"traffic": "none"}).add(record(spec))
    assert Journal(target, {"traffic": "none"}).finished == {spec: record(spec)}
    assert Journal(target, {"traffic": "light"}).finished == {}
