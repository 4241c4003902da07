"""The bridge's routes are the benchmark's."""

from __future__ import annotations

import pytest

from simlingo.contracts import SimlingoError
from simlingo_node.bridge.mission import choose_mission, mission_between, world_seed
from simlingo_node.bridge.simulator import signalled_lanes
from simlingo_sim import towns
from simlingo_sim.spawn_split import benchmark_spawn_points
from training.evaluation.routes import bench_routes


@pytest.mark.parametrize("town", ["gridtown", "harbortown"])
def test_town_seed_and_number_name_the_route_of_the_benchmark(town: str) -> None:
    loaded = towns.load(town)
    carla_map = loaded.map
    starts = benchmark_spawn_points(loaded.spawn_points)
    for number, route in enumerate(bench_routes(town, 3, 2)):
        mission = choose_mission(carla_map, town, 3, number, starts, signalled_lanes(carla_map))
        assert mission.name == route.spec.name
        assert world_seed(mission.name) == route.spec.world_seed
        assert mission.commands == [command for _, command in route.dense]
        assert mission.start.location == route.start.location
        ours = [place.location for place in mission.transforms]
        assert ours == [waypoint.transform.location for waypoint, _ in route.dense]


def test_a_number_beyond_the_towns_routes_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("simlingo_node.bridge.mission.ATTEMPTS", 3)
    loaded = towns.load("gridtown")
    carla_map = loaded.map
    starts = benchmark_spawn_points(loaded.spawn_points)
    with pytest.raises(SimlingoError, match="smaller --route"):
        choose_mission(carla_map, "gridtown", 0, 999, starts, signalled_lanes(carla_map))


def test_a_mission_leads_from_place_to_place() -> None:
    loaded = towns.load("gridtown")
    carla_map = loaded.map
    starts = loaded.spawn_points
    mission = mission_between(carla_map, "mine", starts[0].location, starts[9].location)
    assert mission.transforms[0].location.distance(starts[0].location) < 3.0
    assert mission.transforms[-1].location.distance(starts[9].location) < 3.0
    assert len(mission.line) == len(mission.commands)
