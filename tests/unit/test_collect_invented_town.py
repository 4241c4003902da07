"""Towns of random layout: whole, drivable, different from each other and from the held-out town."""

from __future__ import annotations

import numpy as np
import pytest
from training.collect.invented_town import INVENTED, invented_town

from simlingo.geometry import arc_length
from simlingo.navigation.global_planner import GlobalPlanner
from simlingo_drive.expert.signals import stop_points
from simlingo_sim import Client
from simlingo_sim.towns import HELD_OUT_TOWN, TOWNS, Town, load
from training.collect.settings import SHORTEST_M, CollectSettings, draw_route, job, passes_line


def drawn(seed: int) -> Town:
    return invented_town(np.random.default_rng(seed))


@pytest.mark.medium
def test_equal_generators_give_equal_towns_and_others_differ() -> None:
    one, same, other = drawn(1), drawn(1), drawn(2)
    assert one.xodr_text == same.xodr_text
    assert one.decor == same.decor
    assert one.xodr_text != other.xodr_text


@pytest.mark.medium
@pytest.mark.parametrize("seed", range(6))
def test_a_drawn_town_has_routes_lights_and_only_known_houses(seed: int) -> None:
    town = drawn(seed)
    assert town.name == INVENTED
    assert town.name not in TOWNS
    assert any(signal.type == "1000001" for signal in town.extras.signals.values())
    planner = GlobalPlanner(town.map)
    route = draw_route(town, planner, np.random.default_rng(seed))
    assert arc_length(planner.polyline(route))[-1] >= SHORTEST_M
    held_out = {house["style"] for house in load(HELD_OUT_TOWN).decor["buildings"]}
    assert not held_out & {house["style"] for house in town.decor["buildings"]}


@pytest.mark.medium
def test_more_routes_pass_a_stop_sign_than_by_chance() -> None:
    world = Client(seed=1).load_world("ringtown")
    planner = GlobalPlanner(world.get_map())
    lines = [line for sign in world.get_actors().filter("traffic.stop*") for line in stop_points(sign)]
    assert lines

    def passing(sign_lines: list[tuple[float, float, float]]) -> int:
        routes = [draw_route(world.town, planner, np.random.default_rng(seed), sign_lines) for seed in range(20)]
        return sum(passes_line(planner.polyline(route), lines) for route in routes)

    assert passing(lines) >= passing([]) + 4


def test_a_line_is_passed_in_its_own_direction_only() -> None:
    route = np.stack((np.arange(30.0), np.zeros(30)), axis=1)
    assert passes_line(route, [(12.0, 0.4, 0.0)])
    assert not passes_line(route, [(12.0, 0.4, np.pi)])
    assert not passes_line(route, [(12.0, 4.0, 0.0)])


@pytest.mark.medium
def test_lanes_bends_and_grounds_vary() -> None:
    towns = [drawn(seed) for seed in range(8)]
    widest = {max(len(lanes) for lanes in town.extras.driving_lanes.values()) for town in towns}
    assert widest == {2, 4}
    assert {town.decor["ground"] for town in towns} == {"grass", "paved"}
    assert len({len(town.extras.street_lengths) for town in towns}) > 1


@pytest.mark.medium
def test_a_world_runs_and_draws_it() -> None:
    world = Client(seed=3).load_town(drawn(3))
    world.tick()
    assert world.get_map().name == INVENTED
    assert len(world.get_actors().filter("traffic.traffic_light*")) > 0
    assert world.renderer() is world.renderer()


def test_the_share_of_routes_follows_the_setting(tmp_path) -> None:  # type: ignore[no-untyped-def]
    def share(invented: float) -> float:
        settings = CollectSettings(tmp_path, seed=2, invented=invented)
        return float(np.mean([job(settings, index).town == INVENTED for index in range(200)]))

    assert share(0.0) == 0.0
    assert share(1.0) == 1.0
    assert 0.4 < share(0.5) < 0.6
