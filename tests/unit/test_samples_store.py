"""What there is to say about a data set's frames is made once, as it would be made alone, and a killed build goes on."""

from __future__ import annotations

import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from collect_cases import record

from simlingo.contracts import InvalidInputError
from training.collect.settings import RouteJob
from training.datasets.reader import Route, open_dataset, read
from training.language.dreams.route_dreams import RouteDreams
from training.language.questions.ask import questions_of
from training.language.questions.frames import scene_at
from training.language.samples import store
from training.language.samples.store import build_samples
from training.language.samples.tables import Samples

pytestmark = pytest.mark.medium
FRAMES = 14


@pytest.fixture(scope="module")
def routes(tmp_path_factory: pytest.TempPathFactory) -> list[Route]:
    """Two short drives in traffic, without rendering, with second views."""
    out = tmp_path_factory.mktemp("samples")
    for number, job in enumerate((RouteJob(3, "gridtown", 300_003, "clear_noon", 30, 20),) * 2):
        record(out / str(number), job, FRAMES, perturb=False, counterfactual=False)
    return [open_dataset([out / str(number)]).routes[0] for number in range(2)]


@pytest.fixture(scope="module")
def samples(routes: list[Route], tmp_path_factory: pytest.TempPathFactory) -> Samples:
    return build_samples(routes, tmp_path_factory.mktemp("made") / "samples", seed=4, workers=1)


def test_each_row_has_the_dreams_and_the_questions_that_it_has_alone(routes: list[Route], samples: Samples) -> None:
    whole = RouteDreams(routes[1], 4)
    checked = 0
    for number, row in enumerate(whole.numbers):
        mine = samples.dreams.of_row.get(routes[0].rows + row, np.zeros(0, np.int64))
        wanted = whole.dreams(number) if whole.dreamable(number) else []
        assert len(mine) == len(wanted)
        for index, dream in zip(mine, wanted, strict=True):
            found = samples.dreams[int(index)]
            assert (found.kind, found.slots, found.verdict, found.reason, found.dreamt) == (
                dream.kind, dream.slots, dream.verdict, dream.reason, dream.dreamt,
            )  # fmt: skip
            np.testing.assert_allclose(found.path, dream.path, atol=1e-5)
            np.testing.assert_allclose(found.speed_waypoints, dream.speed_waypoints, atol=1e-5)
            checked += 1
    assert checked > 30
    name = zlib.crc32(routes[0].name.encode())
    for row in (0, 1, 5):
        wanted = questions_of(scene_at(routes[0], row), np.random.default_rng((4, name, row)))
        found = [samples.questions[int(index)] for index in samples.questions.of_row[row]]
        assert found == wanted


def test_a_named_cause_is_what_the_expert_heeds_and_the_camera_sees(routes: list[Route], samples: Samples) -> None:
    columns = read(routes[0], ["cause", "cause_actor_id", "view"]).to_pylist()
    for row, told in enumerate(columns):
        heeded = {thing.id: thing for thing in scene_at(routes[0], row).things}.get(told["cause_actor_id"])
        if row not in samples.causes:
            assert told["cause"] not in ("lead", "vehicle", "walker", "obstacle") or heeded is None or not heeded.seen
            continue
        assert told["cause"] in ("lead", "vehicle", "walker", "obstacle")
        assert heeded is not None
        assert heeded.kind in samples.causes[row]


@pytest.mark.parametrize(
    ("cause", "seen", "named"), [("vehicle", True, True), ("vehicle", False, False), ("traffic_light", True, False)]
)
def test_a_cause_is_named_only_where_the_camera_sees_it(
    routes: list[Route], cause: str, seen: bool, named: bool
) -> None:
    scene = next(scene for scene in (scene_at(routes[0], row) for row in range(FRAMES)) if scene.things)
    first = replace(scene.things[0], samples=100 if seen else 0)
    scene = replace(scene, things=(first, *scene.things[1:]))
    found = store._cause_object(scene, {"cause": cause, "cause_actor_id": first.id})
    assert (found is not None) is named
    assert found is None or first.kind in found


def test_the_cause_of_a_frame_stands_at_its_row(
    routes: list[Route], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "_cause_object", lambda scene, told: f"{told['cause']}")
    found = build_samples(routes, tmp_path / "samples", seed=4, workers=1)
    told = [cause for route in routes for cause in read(route, ["cause"]).column("cause").to_pylist()]
    assert [found.causes[row] for row in range(len(told))] == told


def test_a_killed_build_goes_on_and_is_not_made_again(
    routes: list[Route], samples: Samples, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []
    work = store._fill

    def fails_at_the_second(job: store._Job) -> None:
        made.append(job.route.name)
        if len(made) == 2:
            raise KeyboardInterrupt
        work(job)

    monkeypatch.setattr(store, "_fill", fails_at_the_second)
    with pytest.raises(KeyboardInterrupt):
        build_samples(routes, tmp_path / "samples", seed=4, workers=1)
    assert not (tmp_path / "samples").exists()
    found = build_samples(routes, tmp_path / "samples", seed=4, workers=1)
    assert len(made) == 3, "the first route is not made again"
    assert found.dreams.table.equals(samples.dreams.table)
    assert found.questions.table.equals(samples.questions.table)
    assert found.causes == samples.causes
    build_samples(routes, tmp_path / "samples", seed=4, workers=1)
    assert len(made) == 3, "nor is the whole"
    build_samples(routes[:1], tmp_path / "samples", seed=4, workers=1)
    build_samples(routes[:1], tmp_path / "samples", seed=5, workers=1)
    assert len(made) == 5, "other routes or another seed are made anew"


def test_no_routes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="no routes to speak of"):
        build_samples([], tmp_path / "samples")
