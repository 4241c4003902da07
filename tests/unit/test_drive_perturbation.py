"""What is done to a driver's senses and hands, and what a benchmark makes of it."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import carla
import numpy as np
import pytest

from simlingo.camera_monitor import BLACK_SHARE
from simlingo.contracts import EgoState
from simlingo_drive.drivers.perturbation import (
    BURST_FRAMES,
    DELAY_TICKS,
    PERTURBATIONS,
    PLACE_M,
    SPEED_SHARE,
    ActionDelay,
    FrameDrops,
    PartialView,
)
from training.evaluation import bench_drive, bench_robust

EGO = EgoState(10**9, 5.0, 3.0, 0.5, 8.0)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_the_command_names_what_there_is() -> None:
    assert list(PERTURBATIONS) == list(bench_drive.PERTURBATIONS)


def test_none_changes_nothing() -> None:
    nothing, image, control = PERTURBATIONS["none"](rng()), np.zeros((2, 4, 3), np.uint8), carla.VehicleControl()
    assert nothing.frame(image) is image
    assert nothing.ego(EGO) is EGO
    assert nothing.control(control) is control


def test_frames_are_lost_in_bursts_and_the_one_before_is_shown() -> None:
    drops = FrameDrops(rng())
    shown = [int(drops.frame(np.full((1, 1, 3), number % 256, np.uint8))[0, 0, 0]) for number in range(256)]
    late = [number - seen for number, seen in enumerate(shown)]
    assert min(late) == 0
    assert BURST_FRAMES[0] <= max(late) <= 2 * BURST_FRAMES[1]  # one burst may follow on another
    ends = [late[number - 1] for number in range(1, 256) if late[number] == 0 and late[number - 1] > 0]
    assert len(ends) > 5
    assert min(ends) >= BURST_FRAMES[0]


def test_a_part_of_the_picture_is_black_for_a_while_and_the_drivers_own_frame_is_left_alone() -> None:
    view, image = PartialView(rng()), np.full((100, 200, 3), 90, np.uint8)
    masks = [(view.frame(image) == 0).all(axis=-1) for _ in range(200)]
    assert {int(mask.sum()) for mask in masks} == {30 * 60}
    assert image.min() == 90
    assert masks[0].mean() < BLACK_SHARE, "the camera monitor would refuse it, and the car stand"
    assert 3 <= len({mask.tobytes() for mask in masks}) <= 5


def test_noise_has_its_size_and_no_drift() -> None:
    places = [PERTURBATIONS["place_noise"](rng(seed)).ego(EGO) for seed in range(2000)]
    offsets = np.array([(ego.x - EGO.x, ego.y - EGO.y) for ego in places])
    assert np.std(offsets, axis=0) == pytest.approx((PLACE_M, PLACE_M), rel=0.1)
    assert np.abs(offsets.mean(axis=0)).max() < 0.1 * PLACE_M
    speeds = np.array([PERTURBATIONS["speed_noise"](rng(seed)).ego(EGO).speed for seed in range(2000)])
    assert np.std(speeds) == pytest.approx(8.0 * SPEED_SHARE, rel=0.1)
    assert {(ego.yaw, ego.speed, ego.stamp) for ego in places} == {(EGO.yaw, EGO.speed, EGO.stamp)}


def test_controls_come_late_in_their_order() -> None:
    delay = ActionDelay(rng())
    given = [carla.VehicleControl(throttle=0.0, steer=0.01 * number, brake=0.0) for number in range(9)]
    got = [delay.control(control) for control in given]
    assert [control.steer for control in got[DELAY_TICKS:]] == [control.steer for control in given[:-DELAY_TICKS]]
    assert all(control.brake == 1.0 for control in got[:DELAY_TICKS])  # it stands until the first arrives


def arguments(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    bench_robust.add_arguments(parser)
    return parser.parse_args(words)


def test_the_expert_is_not_perturbed(capsys: pytest.CaptureFixture[str]) -> None:
    parser = argparse.ArgumentParser()
    bench_drive.add_arguments(parser)
    assert bench_drive.run(parser.parse_args(["--policy", "expert", "--perturb", "frame_drops"])) == 2
    assert "cannot be perturbed" in capsys.readouterr().err
    assert bench_robust.run(arguments("--perturb", "frame_drops")) == 2


def test_each_is_driven_and_its_cost_is_that_against_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    scores = {"none": 97.0, "frame_drops": 90.5, "action_delay": 60.25}
    asked: list[tuple[str, Path]] = []

    def driven(args: argparse.Namespace) -> tuple[int, dict[str, Any]]:
        asked.append((args.perturb, args.json))
        summary = {
            "driving_score": scores[args.perturb],
            "route_completion": 99.0,
            "collisions_per_km": None,
            "alarms": 3,
        }
        return 0, {"summary": summary, "conditions": {"perturbation": args.perturb, "seeds": [1]}}

    monkeypatch.setattr(bench_drive, "driven", driven)
    file = tmp_path / "robust.json"
    assert bench_robust.run(arguments("--only", "frame_drops", "action_delay", "--json", str(file))) == 0
    assert asked == [(name, tmp_path / f"robust.{name}.json") for name in scores]
    report = json.loads(file.read_text())
    assert {name: each["cost"] for name, each in report["robust"].items()} == {
        "none": 0.0, "frame_drops": 6.5, "action_delay": 36.75,
    }  # fmt: skip
    assert "+36.8" in capsys.readouterr().out


@pytest.mark.medium
def test_a_perturbed_drive_differs_from_a_clean_one_and_comes_out_the_same_again(tmp_path: Path) -> None:
    from simlingo_drive.routes import RouteSpec
    from training.evaluation.closed_loop import DriveSettings, drive_route

    def traced(perturbation: str) -> Any:
        settings = DriveSettings(perturbation=perturbation, plan_every=4, traffic="none", threads=1)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("training.evaluation.closed_loop.roll_out", _short)
            return drive_route(RouteSpec("gridtown", 1, 0), settings).trace

    noisy = traced("speed_noise")
    assert noisy == traced("speed_noise")
    assert noisy != traced("none")


def _short(session: Any, driver: Any, hooks: Any) -> None:
    from simlingo_drive.rollout import roll_out

    roll_out(session, driver, hooks, 100)
