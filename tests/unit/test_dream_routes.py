"""Dreams of a route that was really driven, and the check of a whole data set."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from collect_cases import record

from simlingo.contracts import InvalidInputError
from simlingo.geometry import ego_to_map
from simlingo.requests import RequestKind, Verdict
from training.collect.cli import run
from training.collect.settings import RouteJob
from training.datasets.reader import Route, open_dataset
from training.language.dreams import check as checking
from training.language.dreams.attempt import labels_of
from training.language.dreams.lawful import lawful
from training.language.dreams.roll_out import roll_out
from training.language.dreams.route_dreams import RouteDreams

pytestmark = pytest.mark.medium
FRAMES = 26


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A short drive in traffic, without rendering."""
    out = tmp_path_factory.mktemp("dreams")
    record(out, RouteJob(3, "gridtown", 300_003, "clear_noon", 30, 20), FRAMES, perturb=False, counterfactual=False)
    return out


@pytest.fixture(scope="module")
def route(data: Path) -> RouteDreams:
    return RouteDreams(open_dataset([data]).routes[0])


def numbers(route: RouteDreams) -> list[int]:
    return [number for number in range(len(route.rows)) if route.dreamable(number)]


def test_the_line_is_the_experts(route: RouteDreams) -> None:
    for number in numbers(route):
        case = route.scene(number)
        ahead = ego_to_map(np.asarray(case.row["route_m"], dtype=np.float64), case.ego)
        along, right = case.line.locate(ahead)
        assert np.abs(right).max() < 0.1
        assert along - case.place_m == pytest.approx(2.5 + np.arange(40.0), abs=0.6)


def test_the_experts_own_plan_rolled_out_is_its_label(route: RouteDreams) -> None:
    gaps, ends = [], []
    for number in numbers(route):
        case = route.scene(number)
        path, waypoints, _ = labels_of(case, roll_out(case.vehicle, case.line, lawful(case, case.line, case.place_m)))
        gaps.append(np.abs(path - case.row["path_m"]).max())
        ends.append(np.hypot(*(waypoints - case.row["speed_waypoints_m"]).T).max())
    assert np.median(gaps) < 0.15
    assert np.median(ends) < 0.2
    assert np.max(ends) < 0.7


def test_every_kind_is_dreamt_and_the_same_again(route: RouteDreams) -> None:
    kinds: set[RequestKind] = set()
    for number in numbers(route):
        dreams = route.dreams(number)
        kinds |= {dream.kind for dream in dreams}
        for dream in dreams:
            assert dream.path.shape == (20, 2)
            assert dream.speed_waypoints.shape == (10, 2)
            assert np.isfinite(dream.path).all()
            assert np.isfinite(dream.speed_waypoints).all()
            assert (dream.reason is None) == (dream.verdict is Verdict.FOLLOW)
            assert dream.reason is None or dream.reason.verdict is dream.verdict
    assert kinds == set(RequestKind)
    again = [(dream.kind, dream.slots, dream.reason) for dream in route.dreams(0)]
    assert again == [(dream.kind, dream.slots, dream.reason) for dream in route.dreams(0)]
    other = RouteDreams(route.route, seed=1).dreams(0)
    assert again != [(dream.kind, dream.slots, dream.reason) for dream in other]


def test_the_last_seconds_have_no_dreams(route: RouteDreams) -> None:
    last = route.rows[-1]["tick"]
    assert numbers(route) == [number for number, row in enumerate(route.rows) if row["tick"] + 50 <= last]
    assert 0 < len(numbers(route)) < len(route.rows)
    with pytest.raises(InvalidInputError, match=r"within 2\.5 s of the end"):
        route.dreams(len(route.rows) - 1)


def test_a_missing_map_is_told(data: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(data, copy)
    shutil.rmtree(copy / "maps")
    with pytest.raises(InvalidInputError, match="copy the maps folder"):
        RouteDreams(open_dataset([copy]).routes[0])


def checked(data: Path) -> int:
    import argparse

    return run(argparse.Namespace(check_dreams=data))


def test_no_dream_is_beyond_the_vehicle(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert checked(data) == 0
    assert "0 violations" in capsys.readouterr().out
    assert (data / "dreams.png").stat().st_size > 10_000


def test_shifted_paths_are_told(
    data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As the published generator makes them: the points moved to the other lane, nothing driven."""
    whole = checking.frames_of

    def shifted(route: Route) -> Iterator[Any]:
        for frame, row, dreams, seconds in whole(route):
            aside = np.where(np.arange(20)[:, None] >= 6, (0.0, 3.5), (0.0, 0.0))
            yield frame, row, [replace(dream, path=dream.path + aside) for dream in dreams[:1]], seconds

    monkeypatch.setattr(checking, "frames_of", shifted)
    assert checked(data) == 1
    assert "curvature_per_m is" in capsys.readouterr().out


def test_no_data_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert checked(tmp_path) == 1
    assert "holds no data set" in capsys.readouterr().err
