"""Collection: routes from seeds, towns, options by name, views beside the ego, pushes."""

from __future__ import annotations

import argparse
import math
import os
from dataclasses import fields, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import carla
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simlingo.contracts import EgoState, SimlingoError
from simlingo.geometry import ego_to_map, map_to_ego
from simlingo_drive.backends.carla_server import CarlaBackend
from simlingo_drive.backends.embedded import EmbeddedBackend
from simlingo_drive.expert.situation import Stop
from simlingo_drive.views import beside
from simlingo_sim.towns import HELD_OUT_TOWN, TOWNS
from simlingo_sim.weather import WEATHERS
from training.collect import cli
from training.collect.collect_driver import CollectDriver, Decision
from training.collect.disturbance import MAX_STEER, PAUSE_S, Disturbance
from training.collect.settings import (
    DEFAULT_TOWNS,
    EMPTY_SHARE,
    MOST_VEHICLES,
    MOST_WALKERS,
    PROCEDURAL,
    CollectSettings,
    checked_towns,
    route_job,
)


def test_routes_follow_from_the_seed_alone(tmp_path: Path) -> None:
    settings = CollectSettings(tmp_path, seed=4)
    assert route_job(settings, 7) == route_job(settings, 7)
    assert route_job(settings, 7) != route_job(CollectSettings(tmp_path, seed=5), 7)
    jobs = [route_job(settings, index) for index in range(50)]
    assert len({job.name for job in jobs}) == len({job.seed for job in jobs}) == 50
    assert [job.index for job in jobs] == list(range(50))
    assert not {job.seed for job in jobs} & {
        route_job(CollectSettings(tmp_path, seed=5), index).seed for index in range(50)
    }
    name = jobs[7].name
    assert all(part in name for part in (jobs[7].town, jobs[7].weather, "00007", str(jobs[7].seed)))


def test_towns_take_turns_and_traffic_and_weather_vary(tmp_path: Path) -> None:
    jobs = [route_job(CollectSettings(tmp_path, seed=1), index) for index in range(300)]
    assert [job.town for job in jobs[:4]] == [DEFAULT_TOWNS[index % len(DEFAULT_TOWNS)] for index in range(4)]
    assert {job.weather for job in jobs} == set(WEATHERS)
    filled = [job for job in jobs if job.vehicles]
    assert all(not job.walkers for job in jobs if not job.vehicles)
    assert EMPTY_SHARE / 2 < 1.0 - len(filled) / len(jobs) < 2 * EMPTY_SHARE
    assert 8 == min(job.vehicles for job in filled) < max(job.vehicles for job in filled) == MOST_VEHICLES
    assert max(job.walkers for job in filled) > 0.9 * MOST_WALKERS
    assert max(job.walkers for job in filled) <= MOST_WALKERS


def test_procedural_towns_change_nothing_else_of_a_route(tmp_path: Path) -> None:
    plain = [route_job(CollectSettings(tmp_path, seed=3), index) for index in range(20)]
    drawn = [route_job(CollectSettings(tmp_path, seed=3, procedural=1.0), index) for index in range(20)]
    assert [replace(job, town=PROCEDURAL) for job in plain] == drawn


def test_the_settings_name_their_world(tmp_path: Path) -> None:
    assert isinstance(CollectSettings(tmp_path).backend(), EmbeddedBackend)
    assert isinstance(CollectSettings(tmp_path, simulator="carla").backend(), CarlaBackend)


def test_the_card_holds_every_option_that_decides_over_frames(tmp_path: Path) -> None:
    elsewhere = {"out", "policy_threads", "host", "port"}  # where, not what
    assert set(CollectSettings(tmp_path).card()) == {field.name for field in fields(CollectSettings)} - elsewhere
    settings = CollectSettings(tmp_path, ("a",), 9, False, "model", 1, 0.25, False, False, "carla")
    assert settings.card() == {
        "towns": ["a"], "seed": 9, "perturb": False, "policy": "model", "procedural": 0.25, "counterfactual": False,
        "repaint": False, "simulator": "carla", "obstacles": 0.0,
    }  # fmt: skip


def test_the_held_out_town_needs_leave() -> None:
    assert HELD_OUT_TOWN not in checked_towns(None, allow_held_out=False)
    assert set(checked_towns(None, allow_held_out=True)) == set(TOWNS) - {HELD_OUT_TOWN}
    with pytest.raises(SimlingoError, match="--allow-held-out"):
        checked_towns([HELD_OUT_TOWN], allow_held_out=False)
    assert checked_towns([HELD_OUT_TOWN], allow_held_out=True) == (HELD_OUT_TOWN,)
    assert checked_towns(["gridtown"], allow_held_out=False) == ("gridtown",)


def test_a_servers_towns_are_named_by_the_user() -> None:
    with pytest.raises(SimlingoError, match="--towns"):
        checked_towns(None, allow_held_out=False, simulator="carla")
    assert checked_towns(["Town03", "Town01"], allow_held_out=False, simulator="carla") == ("Town03", "Town01")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--workers", "0"], "argument --workers: must be 1 or more"),
        (["--frames", "0"], "argument --frames: must be 1 or more"),
        (["--routes", "0"], "argument --routes: must be 1 or more"),
        (["--procedural", "1.5"], "argument --procedural: must be 0 or more and at most 1"),
        (["--simulator", "unity"], "invalid choice: 'unity'"),
    ],
)
def test_numbers_out_of_range_are_named(
    options: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        parsed(tmp_path, *options)
    assert message in capsys.readouterr().err


def test_an_unknown_town_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(parsed(tmp_path / "data", "--towns", "nowhere")) == 1
    assert "unknown town 'nowhere'" in capsys.readouterr().err
    assert not (tmp_path / "data").exists()


def parsed(out: Path, *options: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    cli.add_arguments(parser)
    return parser.parse_args(["--out", str(out), *options])


@given(st.floats(-math.pi, math.pi), st.floats(-1.5, 1.5), st.floats(-0.35, 0.35))
def test_a_view_beside_lies_to_the_right_and_is_turned_clockwise(yaw: float, shift: float, turn: float) -> None:
    ego = EgoState(1, 3.0, -2.0, yaw, 5.0)
    view = beside(ego, shift, turn)
    assert ego_to_map(np.array([[0.0, shift]]), ego)[0] == pytest.approx((view.x, view.y))
    assert view.yaw == pytest.approx(yaw + turn)
    assert view.speed == ego.speed
    # What lies straight ahead of the ego is seen to the left of a view that is turned clockwise.
    ahead = map_to_ego(ego_to_map(np.array([[50.0, shift]]), ego), view)[0]
    assert ahead[1] == pytest.approx(-50.0 * math.sin(turn), abs=1e-6)


def test_pushes_come_and_go_and_stay_small() -> None:
    disturbance = Disturbance(np.random.default_rng(0))
    steers, pushed = [], 0
    for tick in range(2000):
        control = disturbance.apply(carla.VehicleControl(throttle=0.3), 8.0, free=True)
        steers.append(control.steer)
        pushed += disturbance.active
        if tick < PAUSE_S[0] * 20 - 2:
            assert not disturbance.active
    assert 50 < pushed < 700
    assert 0.02 < max(map(abs, steers)) <= MAX_STEER + 1e-6
    assert min(steers) < 0.0 < max(steers)


class Middle:
    """Random numbers that are none: the middle of each range, and the first of each choice."""

    def uniform(self, low: float, high: float) -> float:
        return (low + high) / 2.0

    def choice(self, of: list[Any]) -> Any:
        return of[0]


@pytest.mark.parametrize(("speed", "amount"), [(5.0, 0.18141), (12.0, 0.031495), (2.1, 0.3)])
def test_a_push_on_the_steering_is_one_wave_of_its_size(speed: float, amount: float) -> None:
    """1.4 m / (1.05 s x speed)^2 / 0.28 per unit of steering, at 3 m/s at least, and 0.3 at most; 1.05 s hold 20 ticks."""
    disturbance: Disturbance = Disturbance(Middle())  # type: ignore[arg-type]
    steers = [disturbance.apply(carla.VehicleControl(), speed, free=False).steer for _ in range(160 + 20 + 5)]
    assert steers[:159] == [0.0] * 159
    wave = [-amount * math.sin(math.pi * (number + 0.5) / 20) for number in range(20)]
    assert steers[159:179] == pytest.approx(wave, rel=1e-4)
    assert steers[179:] == [0.0] * 6


def test_pushes_wait_for_two_metres_a_second() -> None:
    for speed, pushed in ((2.0, False), (2.001, True)):
        disturbance: Disturbance = Disturbance(Middle())  # type: ignore[arg-type]
        assert any(disturbance.apply(carla.VehicleControl(), speed, True).steer for _ in range(200)) == pushed


def test_options_have_the_values_that_their_help_tells(capsys: pytest.CaptureFixture[str]) -> None:
    parser = argparse.ArgumentParser()
    cli.add_arguments(parser)
    args = parser.parse_args(["--out", "data"])
    assert (args.procedural, args.obstacles, args.seed, args.port) == (0.5, 0.5, 0, 2000)
    assert args.workers == os.cpu_count()
    least = {"--procedural": "0", "--obstacles": "1", "--seed": "0", "--workers": "1", "--port": "1"}
    parser.parse_args(["--out", "data", *(word for pair in least.items() for word in pair)])
    beyond = {"--procedural": "1.01", "--obstacles": "1.01", "--seed": "-1", "--workers": "0", "--port": "0"}
    for option, value in beyond.items():
        with pytest.raises(SystemExit):
            parser.parse_args(["--out", "data", option, value])
        assert option in capsys.readouterr().err
    assert "./simlingo collect --out data/first" in parser.format_help()


def test_between_two_pushes_pass_four_to_twelve_seconds() -> None:
    disturbance, gaps, quiet = Disturbance(np.random.default_rng(4)), [], 0
    for _ in range(120_000):
        before = disturbance.active
        moved = disturbance.apply(carla.VehicleControl(), 8.0, free=False).steer != 0.0
        if moved and not before:
            gaps.append(quiet)
        quiet = 0 if moved else quiet + 1
    assert len(gaps) > 300
    seconds = np.array(gaps) / 20.0
    assert 3.9 < seconds.min() < 4.2 < 11.8 < seconds.max() < 12.01


@pytest.mark.parametrize("free", [True, False])
def test_a_driver_tells_its_disturbance_whether_anything_bounds_the_speed(free: bool) -> None:
    """Pedals are pushed only where nothing does."""
    told: list[Any] = []
    own, pushed = carla.VehicleControl(throttle=0.3), carla.VehicleControl(throttle=0.9)
    cause = None if free else Stop(40.0, "stop_sign", 5)
    info = SimpleNamespace(ego=EgoState(0, 0.0, 0.0, 0.0, 6.5), cause=cause)
    expert: Any = SimpleNamespace(run_step=lambda: (own, info))
    route: Any = SimpleNamespace(update=lambda ego: "navigation")
    disturbance: Any = SimpleNamespace(apply=lambda *given: told.append(given) or pushed)
    driver = CollectDriver(expert, route, disturbance, None)
    assert driver.control(0) is pushed
    assert told == [(own, 6.5, free)]
    assert driver.decision == Decision(info, "navigation", model_drives=False, disturbed=True)  # type: ignore[arg-type]


def test_pushes_replace_a_pedal_or_add_to_the_steering() -> None:
    disturbance = Disturbance(np.random.default_rng(1))
    kinds = set()
    for _ in range(6000):
        control = disturbance.apply(carla.VehicleControl(throttle=0.3, steer=0.1), 8.0, free=True)
        if control.brake > 0.0:
            kinds.add("brake")
            assert control.throttle == 0.0
            assert 0.15 <= control.brake <= 0.5
            assert control.steer == pytest.approx(0.1)
        elif control.throttle != pytest.approx(0.3):
            kinds.add("throttle")
            assert 0.4 <= control.throttle <= 0.9
            assert control.steer == pytest.approx(0.1)
        elif control.steer != pytest.approx(0.1):
            kinds.add("steer")
    assert kinds == {"brake", "throttle", "steer"}


def test_a_push_on_the_steering_moves_the_car_about_a_metre_at_most_whatever_its_speed() -> None:
    for speed in (4.0, 12.0):
        disturbance, runs, sum_of_run = Disturbance(np.random.default_rng(2)), [], 0.0
        for _ in range(6000):
            steer = disturbance.apply(carla.VehicleControl(), speed, free=False).steer
            sum_of_run += steer
            if not disturbance.active and sum_of_run:
                runs.append(sum_of_run)
                sum_of_run = 0.0
        # A heading of curvature x speed x time, held for about the time of a push.
        sideways = [abs(run) * 0.05 * speed * 0.28 * speed * 1.0 for run in runs]
        assert min(sideways) > 0.05
        assert max(sideways) < 2.5
        assert any(run > 0 for run in runs)
        assert any(run < 0 for run in runs)


def test_pedals_are_left_alone_where_something_bounds_the_speed() -> None:
    disturbance = Disturbance(np.random.default_rng(0))
    for _ in range(2000):
        control = disturbance.apply(carla.VehicleControl(brake=0.4), 8.0, free=False)
        assert control.brake == pytest.approx(0.4)
        assert control.throttle == 0.0


def test_a_car_that_stands_is_not_pushed() -> None:
    disturbance = Disturbance(np.random.default_rng(0))
    given_control = carla.VehicleControl(throttle=0.3)
    assert all(disturbance.apply(given_control, 1.9, free=True) is given_control for _ in range(2000))
