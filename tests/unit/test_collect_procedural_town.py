"""Towns of random layout: whole, drivable, different from each other and from the held-out town."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from simlingo.geometry import arc_length
from simlingo.navigation.global_planner import GlobalPlanner
from simlingo_drive.backends.procedural_town import PROCEDURAL, procedural_town
from simlingo_drive.routes import draw_training_route, sign_lines
from simlingo_drive.routes.draw import TRAINING_RULES, passes_line
from simlingo_sim import Client
from simlingo_sim.town_map import TownMap
from simlingo_sim.towns import HELD_OUT_TOWN, TOWNS, Town, load
from training.collect.settings import CollectSettings, route_job

#: Drives for many seconds.
pytestmark = pytest.mark.medium


def drawn(seed: int) -> Town:
    return procedural_town(np.random.default_rng(seed))


def test_equal_generators_give_equal_towns_and_others_differ() -> None:
    one, same, other = drawn(1), drawn(1), drawn(2)
    assert one.xodr_text == same.xodr_text
    assert one.decor == same.decor
    assert one.xodr_text != other.xodr_text


@pytest.mark.parametrize("seed", range(6))
def test_a_drawn_town_has_routes_lights_and_only_known_houses(seed: int) -> None:
    town = drawn(seed)
    assert town.name == PROCEDURAL
    assert town.name not in TOWNS
    assert any(signal.type == "1000001" for signal in town.extras.signals.values())
    planner = GlobalPlanner(town.map)
    carla_map = TownMap(town.name, town.xodr_text, town.spawn_points)
    route = draw_training_route(carla_map, planner, np.random.default_rng(seed))
    assert TRAINING_RULES.shortest <= arc_length(planner.polyline(route))[-1] <= TRAINING_RULES.longest
    held_out = {house["style"] for house in load(HELD_OUT_TOWN).decor["buildings"]}
    assert not held_out & {house["style"] for house in town.decor["buildings"]}


def test_more_routes_pass_a_stop_sign_than_by_chance() -> None:
    world = Client(seed=1).load_world("ringtown")
    planner = GlobalPlanner(world.get_map())
    lines = sign_lines(world)
    assert lines

    def passing(wanted: list[tuple[float, float, float]]) -> int:
        routes = [
            draw_training_route(world.get_map(), planner, np.random.default_rng(seed), wanted) for seed in range(20)
        ]
        return sum(passes_line(planner.polyline(route), lines) for route in routes)

    assert passing(lines) >= passing([]) + 4


def test_a_line_is_passed_in_its_own_direction_only() -> None:
    route = np.stack((np.arange(30.0), np.zeros(30)), axis=1)
    assert passes_line(route, [(12.0, 0.4, 0.0)])
    assert not passes_line(route, [(12.0, 0.4, np.pi)])
    assert not passes_line(route, [(12.0, 4.0, 0.0)])


def test_lanes_bends_and_grounds_vary() -> None:
    towns = [drawn(seed) for seed in range(8)]
    widest = {max(len(lanes) for lanes in town.extras.driving_lanes.values()) for town in towns}
    assert widest == {2, 4}
    assert {town.decor["ground"] for town in towns} == {"grass", "paved"}
    assert len({len(town.extras.street_lengths) for town in towns}) > 1


def test_a_world_runs_and_draws_it() -> None:
    world = Client(seed=3).load_town(drawn(3))
    world.tick()
    assert world.get_map().name == PROCEDURAL
    assert len(world.get_actors().filter("traffic.traffic_light*")) > 0
    assert world.renderer() is world.renderer()


def test_the_share_of_routes_follows_the_setting(tmp_path: Path) -> None:
    def share(procedural: float) -> float:
        settings = CollectSettings(tmp_path, seed=2, procedural=procedural)
        return float(np.mean([route_job(settings, index).town == PROCEDURAL for index in range(200)]))

    assert share(0.0) == 0.0
    assert share(1.0) == 1.0
    assert 0.4 < share(0.5) < 0.6
