"""The benchmark's routes are the same for everyone, of the promised kind, and away from training's starts."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import pytest

from simlingo.contracts import SimlingoError
from simlingo_drive.backends.embedded import embedded_map, embedded_planner
from simlingo_drive.routes import Route, RouteSpec, benchmark_routes, numbered_route, route_between, select
from simlingo_sim import towns
from simlingo_sim.spawn_split import benchmark_spawn_points
from training.evaluation.closed_loop import DriveRecord, DriveSettings, route_of
from training.evaluation.during_training import DriveEvaluation
from training.evaluation.instructed import GIVEN_BEFORE_M, find_trial


def bench_routes(town: str, seed: int, count: int) -> list[Route]:
    return list(islice(benchmark_routes(embedded_map(town), embedded_planner(town), town, seed), count))


@pytest.mark.medium
@pytest.mark.parametrize("town", towns.TOWNS)
def test_routes_are_long_with_signals_and_turns_and_begin_at_benchmark_points(town: str) -> None:
    points = benchmark_spawn_points(towns.load(town).spawn_points)
    for route in bench_routes(town, 1, 7):
        assert route.length >= 300.0
        assert route.signals >= 2
        assert route.turns >= 2
        assert min(point.location.distance(route.start.location) for point in points) < 1.5


@pytest.mark.medium
def test_a_name_means_one_route() -> None:
    spec = RouteSpec("gridtown", 3, 2)
    again, more = route_of(spec), bench_routes("gridtown", 3, 5)[2]
    ids = [[waypoint.id for waypoint, _ in route.dense] for route in (route_of(spec), again, more)]
    assert ids[0] == ids[1] == ids[2]
    assert route_of(RouteSpec("gridtown", 4, 2)).start.location != again.start.location
    assert spec.world_seed == RouteSpec("gridtown", 3, 2).world_seed != RouteSpec("gridtown", 3, 1).world_seed


def test_routes_are_dealt_to_the_towns_in_turn() -> None:
    specs = select(["gridtown", "ringtown"], 3, [5, 6])
    assert [(spec.town, spec.seed, spec.index) for spec in specs] == [
        ("gridtown", 5, 0),
        ("ringtown", 5, 0),
        ("gridtown", 5, 1),
        ("gridtown", 6, 0),
        ("ringtown", 6, 0),
        ("gridtown", 6, 1),
    ]
    assert len({spec.name for spec in specs}) == 6


@pytest.mark.medium
@pytest.mark.parametrize("town", towns.TOWNS)
def test_instructions_are_given_early_enough_and_ask_for_another_way(town: str) -> None:
    found = 0
    for route in bench_routes(town, 1, 7):
        trial = find_trial(route, embedded_planner(town))
        if trial is None:
            continue
        found += 1
        rest = trial.dense[trial.give_index :]
        to_junction = next(index for index, (waypoint, _) in enumerate(rest) if waypoint.is_junction)
        assert to_junction >= GIVEN_BEFORE_M * 0.85  # points are up to 1.16 m apart
        assert rest[to_junction][1] == trial.command
        taken = next(command for waypoint, command in route.dense[trial.give_index :] if waypoint.is_junction)
        assert taken != trial.command
    assert found >= 5


def test_a_number_beyond_the_towns_routes_is_named() -> None:
    with pytest.raises(SimlingoError, match="choose a smaller number than 999"):
        numbered_route(
            embedded_map("gridtown"), embedded_planner("gridtown"), RouteSpec("gridtown", 0, 999), attempts=3
        )


def test_a_route_leads_from_place_to_place() -> None:
    starts = towns.load("gridtown").spawn_points
    route = route_between(embedded_planner("gridtown"), "mine", starts[0].location, starts[9].location)
    assert route.transforms[0].location.distance(starts[0].location) < 3.0
    assert route.transforms[-1].location.distance(starts[9].location) < 3.0
    assert len(route.line) == len(route.commands)


def test_a_name_is_read_back() -> None:
    spec = RouteSpec("harbortown", 12, 3)
    assert RouteSpec.named(spec.name) == spec
    with pytest.raises(SimlingoError, match="gridtown-s1-r00"):
        RouteSpec.named("harbortown-12")


def test_routes_that_are_driven_during_training_give_means() -> None:
    driven: list[tuple[str, DriveSettings]] = []

    def drive(spec: RouteSpec, settings: DriveSettings) -> DriveRecord:
        driven.append((spec.name, settings))
        result = {"driving_score": 40.0 * len(driven), "route_completion": 100.0, "infractions": [{}] * len(driven)}
        return DriveRecord(spec, "fog", result, 1.0)

    figures = DriveEvaluation(["gridtown-s1-r00", "ringtown-s2-r01"], 1, drive)(Path("run"), 24)
    assert [name for name, _ in driven] == ["gridtown-s1-r00", "ringtown-s2-r01"]
    assert {settings.weights for _, settings in driven} == {"run"}
    assert figures == {"driving_score": 60.0, "route_completion": 100.0, "infractions": 1.5}
