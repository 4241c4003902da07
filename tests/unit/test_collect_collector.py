"""The collector: exactly so many frames, the same data set for any number of workers, resuming, refusing, dying whole."""

from __future__ import annotations

import argparse
import concurrent.futures
import multiprocessing
import os
import queue
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dataset_cases import frame_rows, meta

from simlingo.contracts import InvalidInputError
from training.collect import cli, collector, worker
from training.collect.collector import Collector, Tally
from training.collect.settings import FRAMES_BEFORE_INFRACTION, CollectSettings, RouteJob, route_job
from training.datasets.reader import open_dataset, read
from training.datasets.writer import RouteFile, empty_path, route_path

#: Frames of routes 0, 1, 2, ...; where the second number is given, so many are driven before an infraction cuts them.
ROUTES: dict[int, tuple[int, int]] = {0: (30, 30), 1: (0, 5), 2: (25, 33), 3: (40, 40), 4: (22, 22), 5: (50, 50)}
SMALL = {
    "image": np.zeros((4, 8, 3), np.uint8),
    "semantic": np.zeros((4, 8), np.uint8),
    "depth": np.ones((4, 8), np.float32),
}
ROWS = frame_rows(0, **SMALL)


class FakeEpisode:
    """A drive without a world: brings the frames that ``ROUTES`` names, and can be ended as a real one."""

    driven: list[int] = []  # noqa: RUF012  of the test that runs
    pace_s = 0.0005
    dies_in: int | None = None

    def __init__(self, settings: CollectSettings, job: RouteJob, policy: Any) -> None:
        del policy
        self._job = job
        assert settings.out.is_dir()

    def run(self, file: RouteFile, told: Callable[[int], bool]) -> dict[str, Any]:
        FakeEpisode.driven.append(self._job.index)
        kept, driven = ROUTES.get(self._job.index, (35, 35))
        ended = False
        for number in range(driven):
            time.sleep(self.pace_s * (1 + self._job.index % 3))
            file.add([{**row, "frame": number, "tick": 5 * number} for row in ROWS])
            if self._job.index == self.dies_in and number == 10:
                raise RuntimeError("the world is gone")
            if told(file.frames):
                ended = True
                break
        else:
            file.cut(kept)
        return {**meta(self._job.name), "ended_early": ended}


class ThreadPool(concurrent.futures.ThreadPoolExecutor):
    """Workers of this process."""

    _processes = None

    def __init__(self, workers: int, *, mp_context: Any, initializer: Any, initargs: tuple[Any, Any]) -> None:
        del mp_context, initializer
        worker._reports, worker._limit = initargs
        super().__init__(workers)


@pytest.fixture(autouse=True)
def _no_worlds(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    if "real" in request.node.name:
        return
    monkeypatch.setattr("training.collect.episode.Episode", FakeEpisode)
    monkeypatch.setattr(collector, "ProcessPoolExecutor", ThreadPool)
    monkeypatch.setattr(collector, "POLL_S", 0.01)
    for name in ("_reports", "_limit"):
        monkeypatch.setattr(worker, name, None)
    monkeypatch.setattr(FakeEpisode, "driven", [])


def settings(out: Path, **options: Any) -> CollectSettings:
    return CollectSettings(out, ("gridtown",), **options)


def collected(out: Path, frames: int | None, workers: int = 1, routes: int | None = None, **options: Any) -> int:
    return Collector(settings(out, **options), routes, frames, workers).run(lambda tally: None)


def content(out: Path) -> dict[str, list[int]]:
    """Frame numbers of each route."""
    return {
        route.name: sorted(set(read(route, ["frame"]).column("frame").to_pylist()))
        for route in open_dataset([out]).routes
    }


def expected(out: Path, frames: int) -> dict[str, list[int]]:
    found, left, index = {}, frames, 0
    while left > 0:
        kept = ROUTES.get(index, (35, 35))[0]
        if kept:
            found[route_job(settings(out), index).name] = list(range(min(kept, left)))
        left, index = left - kept, index + 1
    return found


@pytest.mark.parametrize("workers", [1, 2, pytest.param(4, marks=pytest.mark.medium)])
@pytest.mark.parametrize("frames", [1, 30, 31, 52, 57, 60, 120])
def test_exactly_so_many_frames_come_whoever_drives_them(frames: int, workers: int, tmp_path: Path) -> None:
    assert collected(tmp_path, frames, workers) == frames
    assert content(tmp_path) == expected(tmp_path, frames)
    assert not list(tmp_path.rglob("*.tmp*"))


def test_routes_end_the_collection_too_and_empty_ones_count(tmp_path: Path) -> None:
    assert collected(tmp_path, None, 2, routes=3) == 55
    assert sorted(FakeEpisode.driven) == [0, 1, 2]
    assert empty_path(tmp_path, route_job(settings(tmp_path), 1).name).is_file()
    FakeEpisode.driven.clear()
    assert collected(tmp_path, None, 1, routes=3) == 55
    assert FakeEpisode.driven == []
    assert collected(tmp_path, 60, 1, routes=1) == 30


def test_a_route_with_few_frames_leaves_a_note_and_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ROUTES, 0, (worker.LEAST_FRAMES - 1, worker.LEAST_FRAMES - 1))
    monkeypatch.setitem(ROUTES, 1, (worker.LEAST_FRAMES, worker.LEAST_FRAMES))
    assert collected(tmp_path, None, 1, routes=2) == worker.LEAST_FRAMES
    names = [route_job(settings(tmp_path), index).name for index in range(2)]
    assert [route_path(tmp_path, name).is_file() for name in names] == [False, True]
    assert [empty_path(tmp_path, name).is_file() for name in names] == [True, False]


def test_a_route_that_its_infraction_cuts_below_what_was_wanted_is_not_the_last(tmp_path: Path) -> None:
    # Route 2 drives 33 frames and keeps 25: when the frame that is wanted has come, it may go again.
    for workers in (1, 3):
        out = tmp_path / str(workers)
        assert collected(out, 30 + 26, workers) == 56
        assert content(out) == expected(out, 56)


@pytest.mark.medium
def test_more_frames_later_make_the_same_data_set_as_at_once(tmp_path: Path) -> None:
    collected(tmp_path / "later", 40)
    cut = route_job(settings(tmp_path), 2)
    assert len(content(tmp_path / "later")[cut.name]) == 10
    FakeEpisode.driven.clear()
    assert collected(tmp_path / "later", 100, 2) == 100
    assert 0 not in FakeEpisode.driven
    assert 1 not in FakeEpisode.driven
    assert cut.index in FakeEpisode.driven, "the route that was cut is driven again"
    collected(tmp_path / "once", 100)
    assert content(tmp_path / "later") == content(tmp_path / "once") == expected(tmp_path, 100)


@pytest.mark.medium
def test_fewer_frames_later_cut_nothing(tmp_path: Path) -> None:
    collected(tmp_path, 100)
    there = content(tmp_path)
    with pytest.raises(InvalidInputError, match=r"holds 100 frames, more than --frames 37.*another --out"):
        collected(tmp_path, 37)
    assert content(tmp_path) == there
    FakeEpisode.driven.clear()
    assert collected(tmp_path, 100) == 100
    assert FakeEpisode.driven == []


def test_a_run_that_died_leaves_no_half_file_and_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FakeEpisode, "dies_in", 2)
    with pytest.raises(RuntimeError, match="the world is gone"):
        collected(tmp_path, 100)
    assert list(content(tmp_path)) == [route_job(settings(tmp_path), 0).name]
    assert not list(tmp_path.rglob("*.tmp*"))
    monkeypatch.setattr(FakeEpisode, "dies_in", None)
    assert collected(tmp_path, 100, 2) == 100
    assert content(tmp_path) == expected(tmp_path, 100)


def test_other_options_are_refused_by_name(tmp_path: Path) -> None:
    collected(tmp_path, 10)
    with pytest.raises(InvalidInputError, match=r"seed 0, now 3; .*procedural 0.0, now 0.5.*another --out"):
        collected(tmp_path, 10, seed=3, procedural=0.5)
    with pytest.raises(InvalidInputError, match="towns"):
        Collector(CollectSettings(tmp_path, ("ringtown",)), None, 10, 1).run(lambda tally: None)
    assert collected(tmp_path, 10, policy_threads=4) == 10  # decides over no frame


def test_the_card_names_the_camera_and_the_collection(tmp_path: Path) -> None:
    collected(tmp_path / "first", 10)
    (card,) = open_dataset([tmp_path / "first"]).cards
    assert card["name"] == "first"
    assert card["camera"] == {"width": 1024, "height": 512, "fov_deg": 110.0, "position_in_ego_m": [-1.5, 0.0, 2.0]}
    assert card["collection"] == settings(tmp_path).card()


def test_progress_is_told_with_frames_and_routes(tmp_path: Path) -> None:
    heard: list[tuple[int, int]] = []
    Collector(settings(tmp_path), 3, None, 1).run(lambda tally: heard.append((tally.frames, len(tally.finished))))
    assert heard[0][0] == 0
    assert heard[-1] == (55, 3)
    assert any(0 < frames < 30 and routes == 0 for frames, routes in heard)


def test_the_tally_counts_in_the_order_of_the_routes() -> None:
    tally = Tally({0: 10, 1: 0, 3: 30}, {2: 4, 4: 1})
    assert tally.frames == 45
    assert tally.first_open() == 2
    assert [tally.frames_before(index) for index in (0, 1, 2, 3, 4)] == [0, 10, 10, 10, 40]
    assert [tally.last_wanted(frames) for frames in (1, 10, 11)] == [0, 0, None]
    tally.finished[2] = 5
    assert tally.first_open() == 4
    assert [tally.last_wanted(frames) for frames in (10, 11, 15, 16, 45, 46)] == [0, 2, 2, 3, 3, None]
    assert Tally().last_wanted(1) is None
    assert (Tally().frames, Tally().first_open()) == (0, 0)


def limit_of(tally: Tally, frames: int | None) -> list[int]:
    made = Collector(settings(Path("nowhere")), None, frames, 1)
    made._tally = tally
    limit = [-1, 0]
    made._set_limit(limit)
    return limit


def test_workers_hear_of_the_last_route_once_it_is_sure_to_give_its_frames() -> None:
    assert limit_of(Tally({0: 10}, {1: 20}), None) == [-1, 0]
    sure = 25 + FRAMES_BEFORE_INFRACTION
    assert limit_of(Tally({0: 10}, {1: sure - 1}), 35) == [-1, 0]
    assert limit_of(Tally({0: 10}, {1: sure}), 35) == [1, 25]
    assert limit_of(Tally({0: 10}, {2: 90}), 35) == [-1, 0]  # route 1 may still bring them
    few = worker.LEAST_FRAMES + FRAMES_BEFORE_INFRACTION  # with less it might be no file at all
    assert limit_of(Tally({0: 10}, {1: few - 1}), 11) == [-1, 0]
    assert limit_of(Tally({0: 10}, {1: few}), 11) == [1, 1]
    assert limit_of(Tally({0: 10, 1: 30, 2: 5}, {3: 1}), 35) == [1, 25]


def test_a_worker_goes_on_until_no_infraction_can_take_the_wanted_frames(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers: list[int] = []

    class Asking(FakeEpisode):
        def run(self, file: RouteFile, told: Callable[[int], bool]) -> dict[str, Any]:
            def asked(frames: int) -> bool:
                answer = told(frames)
                if answer:
                    answers.append(frames)
                return answer

            return super().run(file, asked)

    monkeypatch.setattr("training.collect.episode.Episode", Asking)
    reports: queue.Queue[tuple[int, int]] = queue.Queue()
    monkeypatch.setattr(worker, "_reports", reports)
    job = route_job(settings(tmp_path), 5)
    for limit, ended, frames in (
        ([5, 25], [33], 33),
        ([5, 3], [28], 28),
        ([4, 25], [1], 0),
        ([0, 25], [1], 0),
        ([6, 1], [], 50),
        ([-1, 0], [], 50),
    ):
        monkeypatch.setattr(worker, "_limit", limit)
        answers.clear()
        route_path(tmp_path, job.name).unlink(missing_ok=True)
        assert worker.collect(settings(tmp_path), job) == {"index": 5, "frames": frames}
        assert answers == ended
        assert route_path(tmp_path, job.name).is_file() == (frames > 0)
        assert not empty_path(tmp_path, job.name).exists()
    assert reports.get() == (5, 1)


def test_the_command_counts_and_names_what_is_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    parser = argparse.ArgumentParser()
    cli.add_arguments(parser)
    common = ["--out", str(tmp_path / "data"), "--towns", "gridtown", "--procedural", "0"]
    assert cli.run(parser.parse_args([*common, "--frames", "12", "--workers", "1"])) == 0
    assert f"12 frames, each with two views, in {tmp_path / 'data'}" in capsys.readouterr().out
    assert cli.run(parser.parse_args([*common, "--frames", "12", "--seed", "4"])) == 1
    assert "collect: " in (error := capsys.readouterr().err)
    assert "seed 0, now 4" in error
    assert (
        cli.run(parser.parse_args([*common, "--frames", "12", "--no-repaint", "--no-counterfactual", "--no-perturb"]))
        == 1
    )
    error = capsys.readouterr().err
    assert all(f"{name} True, now False" in error for name in ("repaint", "counterfactual", "perturb"))
    wanted: list[tuple[Any, ...]] = []

    def stopped(*arguments: Any) -> Any:
        wanted.append(arguments[1:])
        raise KeyboardInterrupt

    monkeypatch.setattr(collector, "Collector", stopped)
    assert cli.run(parser.parse_args([*common, "--workers", "3"])) == 130
    assert cli.run(parser.parse_args([*common, "--workers", "2", "--routes", "7", "--frames", "9"])) == 130
    assert wanted == [(cli.DEFAULT_ROUTES, None, 3), (7, 9, 2)]
    assert "goes on after the last finished route" in capsys.readouterr().err


def test_threads_are_limited_for_all_numeric_libraries(monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
    for name in names:
        monkeypatch.setenv(name, "7")
    worker.limit_threads(1)
    assert [os.environ[name] for name in names] == ["1"] * 4


@pytest.mark.slow
def test_a_real_collection_has_exactly_its_frames_and_survives_a_kill(tmp_path: Path) -> None:
    chosen = CollectSettings(tmp_path, ("gridtown",), seed=2, perturb=False)

    class Stop(Exception):  # noqa: N818
        pass

    def stop(tally: Tally) -> None:
        if tally.frames >= 5:
            raise Stop

    with pytest.raises(Stop):
        Collector(chosen, None, 30, 2).run(stop)
    assert not list(tmp_path.rglob("*.parquet*"))
    assert not multiprocessing.active_children()
    assert Collector(chosen, None, 30, 2).run(lambda tally: None) == 30
    (route,) = open_dataset([tmp_path]).routes
    assert (route.frames, route.rows, route.meta["ended_early"]) == (30, 60, True)
    numbers = read(route, ["frame"]).column("frame").to_pylist()
    assert numbers[::2] == numbers[1::2] == sorted(set(numbers))  # those that stand are thinned
